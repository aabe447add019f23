"""Losses of stage one; each returns `[B]`, and the caller averages.

Paper: VASA-1 §3.1 and MegaPortraits. Ours: supervision by exact truth (pose, gaze,
expression, flow, visibility), which synthetic heads have.
"""

from collections.abc import Callable, Sequence

import einops
import jax
import jax.numpy as jnp
import optax

from vasa_jax import layers, types

NUM_SCALES = 4
"""Scales of losses on pyramids of images. Follows: face-vid2vid (4 scales)."""

FLOW_DETAIL = 0.03
"""Departure from its smooth version at which flow counts in full, half images.
Ours: lips and lids move by such lengths, and are few cells among many."""

LEAST_SHARE = 1e-4
"""What is added to a share, so that its logarithm stays finite. Ours."""

EXPRESSION_STANDARD_DEVIATION = 0.14
"""Typical standard deviation of an ARKit weight. Ours: of jawOpen and eyeBlink in
synthetic speech."""


def mean_per_example(values: jax.Array) -> jax.Array:
    """Average all axes but the first."""
    return values.mean(axis=tuple(range(1, values.ndim)))


def reconstruction(
    predicted: jax.Array, target: jax.Array, weight: jax.Array
) -> jax.Array:
    """Compare images by absolute differences of values and of gradients, at 4 scales.

    Follows: face-vid2vid (pyramid). Ours: differences of neighbours beside values keep
    edges sharp without a frozen network.

    Args:
        predicted: `[B, H, W, 3]` in [-1, 1].
        target: the same shape.
        weight: `[B, H, W, 1]`, where errors count more (mouth, eyes).

    Returns:
        `[B]`.
    """
    error = (predicted - target) * weight
    total = jnp.zeros(error.shape[0])
    for scale in range(NUM_SCALES):
        if scale:
            error = layers.halve(error)
        total += mean_per_example(jnp.abs(error))
        total += 0.5 * mean_per_example(jnp.abs(error[:, 1:] - error[:, :-1]))
        total += 0.5 * mean_per_example(jnp.abs(error[:, :, 1:] - error[:, :, :-1]))
    return total / NUM_SCALES


def region_weight(
    keypoints: jax.Array, sigmas: jax.Array, strengths: jax.Array, size: int
) -> jax.Array:
    """Raise the weight around keypoints, as 1 plus a Gaussian bump for each.

    Follows: MegaPortraits and its successors, which weigh mouth and eyes more.

    Args:
        keypoints: `[B, P, 2]` (x, y) in [-1, 1].
        sigmas: `[P]` widths, half images.
        strengths: `[P]` weights at the centres.
        size: side of the result, pixels.

    Returns:
        `[B, size, size, 1]`.
    """
    cells = (jnp.arange(size, dtype=jnp.float32) + 0.5) / size * 2.0 - 1.0
    scale = einops.rearrange(sigmas, "p -> 1 p 1")
    bumps = [
        jnp.exp(-0.5 * ((cells[None, None] - keypoints[..., axis, None]) / scale) ** 2)
        for axis in range(2)
    ]
    total = jnp.einsum("bpx,bpy,p->byx", bumps[0], bumps[1], strengths)
    return 1.0 + total[..., None]


def flow(predicted: jax.Array, target: jax.Array, visible: jax.Array) -> jax.Array:
    """Measure the length of flow errors where truth is visible, detail weighing more.

    Ours: exact correspondence is what synthetic heads give beyond photographs; a flow
    that departs from its own smooth version (lips, lids) weighs up to 20 times more.

    Args:
        predicted: `[B, h, w, 2]`, half images.
        target: the same shape.
        visible: `[B, h, w]`, 1 where the portrait shows the place.

    Returns:
        `[B]` weighted mean end-point error, half images.
    """
    smooth = target
    for _ in range(3):
        smooth = layers.halve(smooth)
    for _ in range(3):
        smooth = layers.double(smooth)
    detail = jnp.abs(target - smooth).sum(-1)
    weight = visible * (1.0 + 20.0 * jnp.minimum(1.0, detail / FLOW_DETAIL))
    error = jnp.sqrt(jnp.square(predicted - target).sum(-1) + 1e-8)
    return (error * weight).sum((1, 2)) / (weight.sum((1, 2)) + 1e-3)


def end_point_error(
    predicted: jax.Array, target: jax.Array, visible: jax.Array
) -> jax.Array:
    """Measure the plain mean length of flow errors where visible, half images, `[B]`.

    Ours: the figure to report beside the weighted loss.
    """
    error = jnp.sqrt(jnp.square(predicted - target).sum(-1))
    return (error * visible).sum((1, 2)) / (visible.sum((1, 2)) + 1e-3)


def visibility(logits: jax.Array, visible: jax.Array, weight: jax.Array) -> jax.Array:
    """Teach the mask where the portrait shows what the frame needs.

    Ours: with a loss on the blend alone the mask saturates towards copying.

    Args:
        logits: `[B, h, w]` of the mask.
        visible: `[B, h, w]`, 1 where visible.
        weight: `[B, h, w]`.

    Returns:
        `[B]` mean cross-entropy; 0 where nothing weighs.
    """
    error = optax.sigmoid_binary_cross_entropy(logits, visible)
    return (error * weight).sum((1, 2)) / jnp.maximum(weight.sum((1, 2)), 1e-3)


def background(logits: jax.Array, is_around: jax.Array) -> jax.Array:
    """Teach which cells of the portrait show what lies around the head.

    Ours: cross-entropy, as nothing else keeps edges of hair out of the background.

    Args:
        logits: `[B, h, w]`.
        is_around: `[B, h, w]`, 1 where neither head nor hair is seen.

    Returns:
        `[B]`.
    """
    return mean_per_example(optax.sigmoid_binary_cross_entropy(logits, is_around))


def stillness(
    still: jax.Array, body: jax.Array, is_around: jax.Array, is_torso: jax.Array
) -> jax.Array:
    """Teach which cells of the frame keep still, and which come along with the head.

    Ours: the logarithm of what is rightly shared, since no flow is true where the head
    has left, and none is known where the torso was out of the picture.

    Args:
        still: `[B, h, w]` share of the still grid, in [0, 1].
        body: `[B, h, w]` share of the body's grid; both add up to at most 1.
        is_around: `[B, h, w]`, 1 where neither head nor hair is seen.
        is_torso: `[B, h, w]`, 1 where of that the torso is seen.

    Returns:
        `[B]`.
    """
    right = (
        (is_around - is_torso) * still
        + is_torso * body
        + (1.0 - is_around) * (1.0 - still - body)
    )
    return -mean_per_example(jnp.log(right + LEAST_SHARE))


def head_pose(predicted: types.HeadPose, target: types.HeadPose) -> jax.Array:
    """Sum the absolute errors of angles (radians), place and size, `[B]`.

    Follows: MegaPortraits (a pretrained pose network); ours: supervised by truth.
    """
    return (
        jnp.abs(predicted.rotation - target.rotation).sum(-1)
        + jnp.abs(predicted.translation - target.translation).sum(-1)
        + jnp.abs(jnp.log(predicted.scale) - jnp.log(target.scale)).sum(-1)
    )


def expression(predicted: jax.Array, target: jax.Array, weight: jax.Array) -> jax.Array:
    """Compare ARKit weights `[B, 52]` by squares, in standard deviations, `[B]`.

    Ours: predicting the mean costs about 1. Absolute errors, tried first, settled on
    the median, which for units that are mostly at rest is no motion at all.
    """
    error = (predicted - target) / EXPRESSION_STANDARD_DEVIATION
    return (jnp.square(error) * weight[None]).mean(-1)


def gaze(predicted: jax.Array, target: jax.Array) -> jax.Array:
    """Sum the absolute errors of yaw and pitch `[B, 2]`, radians, `[B]`.

    Follows: MegaPortraits (gaze loss); ours: against truth.
    """
    return jnp.abs(predicted - target).sum(-1)


def feature_distance(
    predicted: tuple[jax.Array, ...], target: tuple[jax.Array, ...]
) -> jax.Array:
    """Average absolute differences of feature maps over their levels, `[B]`.

    Follows: MegaPortraits: perceptual loss (a frozen network's maps) and feature
    matching (the discriminator's).
    """
    target = jax.lax.stop_gradient(target)
    levels = [
        mean_per_example(jnp.abs(a - b)) for a, b in zip(predicted, target, strict=True)
    ]
    return sum(levels) / len(levels)


def pyramid_distance(
    network: Callable[[jax.Array], Sequence[jax.Array]],
    predicted: jax.Array,
    target: jax.Array,
) -> jax.Array:
    """Compare the features of whole images at several scales, `[B]`.

    Follows: face-vid2vid and MegaPortraits (a perceptual loss on a pyramid of images).

    Args:
        network: from images to feature maps.
        predicted: `[B, H, W, 3]` in [-1, 1].
        target: the same shape.
    """
    total = jnp.zeros(predicted.shape[0])
    for scale in range(NUM_SCALES):
        if scale:
            predicted, target = layers.halve(predicted), layers.halve(target)
        total += feature_distance(network(predicted), network(target))
    return total / NUM_SCALES


def hinge_discriminator(real: jax.Array, fake: jax.Array) -> jax.Array:
    """Push logits `[B, ...]` of real above 1 and of fake below -1, `[B]`.

    Follows: MegaPortraits (hinge loss).
    """
    return mean_per_example(jax.nn.relu(1.0 - real)) + mean_per_example(
        jax.nn.relu(1.0 + fake)
    )


def hinge_generator(fake: jax.Array) -> jax.Array:
    """Raise the discriminator's logits of generated images, `[B]`.

    Follows: MegaPortraits (hinge loss).
    """
    return -mean_per_example(fake)


def cosine_distance(predicted: jax.Array, target: jax.Array) -> jax.Array:
    """Return 1 minus the cosine of vectors `[B, N]`, `[B]`.

    Paper: VASA-1 §3.1, L_cross_id, on features of a frozen identity network.
    """
    return 1.0 - optax.losses.cosine_similarity(predicted, target, epsilon=1e-6)


def contrast(
    anchor: jax.Array,
    positive: jax.Array,
    negatives: jax.Array,
    scale: float = 5.0,
    margin: float = 0.2,
) -> jax.Array:
    """Prefer the motion code of the true driver to those of others (CosFace).

    Follows: MegaPortraits: scale 5, margin 0.2. Ours: negatives travel in the record,
    not in the batch, so that gradient accumulation equals a large batch.

    Args:
        anchor: `[B, Z]` code of the rendered frame.
        positive: `[B, Z]` code of its driver.
        negatives: `[B, N, Z]` codes of others.
        scale: of the cosines.
        margin: taken from the positive's cosine.

    Returns:
        `[B]`.
    """
    near = optax.losses.cosine_similarity(anchor, positive, epsilon=1e-6)
    far = optax.losses.cosine_similarity(anchor[:, None], negatives, epsilon=1e-6)
    logits = jnp.concatenate([near[:, None] - margin, far], axis=1) * scale
    return -jax.nn.log_softmax(logits, axis=1)[:, 0]


def agreement(first: jax.Array, second: jax.Array) -> jax.Array:
    """Compare two renderings or two canonical volumes of one person, `[B]`.

    Paper: VASA-1 §3.1, L_consist (renderings). Follows: EMOPortraits (canonical
    volumes of one person in two expressions).
    """
    return mean_per_example(jnp.abs(first - second))

"""Mouth and eyes: where errors weigh more, and the crops that show them."""

import einops
import jax
import jax.numpy as jnp

from vasa_jax import geometry
from vasa_jax.face import scene
from vasa_jax.face.losses import distances

SIGMAS = (0.16, 0.09, 0.09)
"""Widths of the weights of mouth and eyes, half images. Ours: an open mouth, an eye."""

STRENGTHS = (12.0, 6.0, 6.0)
"""Weights of mouth and eyes. Ours: they are a hundredth of the image and what viewers
look at; with 4 and 3 the lips still stood after 600 steps of training."""

EDGE = 0.3
"""Height of the bumps where mouth and eyes end, for measuring. Ours: 1.6 widths."""

CROP_REACH = 0.25
"""Half the side of the crops that frozen networks and the discriminator see, half
images. Ours: mouth and eyes with what is around them."""

CROP_SIZE = 64
"""Side of the crops, pixels. Ours: about the pixels that a 256 px frame has there."""

ELSEWHERE = 0.6
"""How far from the middle crops elsewhere may lie, half images. Ours: cheeks, ears,
hair and shoulders, but not the corners."""

HIDDEN_ODDS = 21.0
"""How many times as often crops elsewhere are drawn where the portrait hides the head.
Ours: a twentieth of the cells, so about every other crop."""


def weight(centres: jax.Array, size: int) -> jax.Array:
    """Return the weight of each pixel, 1 and more around mouth and eyes.

    Ours: see `distances.region_weight`.

    Args:
        centres: `[B, 3, 2]` of mouth, left and right eye, in [-1, 1].
        size: side of the result, pixels.

    Returns:
        `[B, size, size, 1]`.
    """
    return distances.region_weight(
        centres, jnp.array(SIGMAS), jnp.array(STRENGTHS), size
    )


def inside(centres: jax.Array, size: int) -> jax.Array:
    """Find the pixels of mouth and eyes.

    Args:
        centres: as in `weight`.
        size: side of the result, pixels.

    Returns:
        bool `[B, size, size]`.
    """
    bumps = distances.region_weight(centres, jnp.array(SIGMAS), jnp.ones(3), size) - 1.0
    return bumps[..., 0] > EDGE


def fit(image: jax.Array, size: int) -> jax.Array:
    """Resize `[B, H, W, C]` to `[B, size, size, C]`, if it is not that already."""
    return image if image.shape[1] == size else geometry.resize(image, size, size)


def sized(values: jax.Array, size: int) -> jax.Array:
    """Resize `[B, H, W]` to `[B, size, size]`, if it is not that already."""
    return fit(values[..., None], size)[..., 0]


def head(
    correspondence: scene.Correspondence, surroundings: scene.Surroundings | None
) -> jax.Array:
    """Find where a driver shows the head, `[B, h, w]` shares of the cells.

    Args:
        correspondence: gives the size.
        surroundings: None counts the whole frame as head.
    """
    visible = correspondence.visible
    if surroundings is None:
        return jnp.ones_like(visible)
    return 1.0 - sized(surroundings.driver, visible.shape[1])


def hidden_head(
    correspondence: scene.Correspondence, surroundings: scene.Surroundings | None
) -> jax.Array:
    """Find where a driver shows of the head what the portrait hides; see `head`."""
    shown = head(correspondence, surroundings) * (1.0 - correspondence.visible)
    return shown * correspondence.learnable


def learnable(pair: scene.Scene, size: int) -> jax.Array:
    """Return how much of each pixel of a driver may be learnt.

    Ours: moved photographs are stretched in places, and show what was never
    photographed in others.

    Args:
        pair: without correspondence all of the frame may be.
        size: side of the result, pixels.

    Returns:
        `[B, size, size, 1]` in [0, 1].
    """
    if pair.correspondence is None:
        return jnp.ones((len(pair.driver.image), size, size, 1))
    return fit(pair.correspondence.learnable[..., None], size)


def learnt(image: jax.Array, pair: scene.Scene) -> jax.Array:
    """Return a frame that shows its driver where that is not learnable.

    Ours: so what may not be learnt is no error, also to a network that compares.

    Args:
        image: `[B, H, W, 3]`.
        pair: with a driver of that size; see `learnable`.
    """
    share = learnable(pair, image.shape[1])
    return share * image + (1.0 - share) * pair.driver.image


def crop_centres(
    centres: jax.Array,
    key: jax.Array,
    num_elsewhere: int,
    hidden: jax.Array | None = None,
) -> jax.Array:
    """Add points drawn anew to those of mouth and eyes.

    Ours: what lies between them, above all the side of the face that the portrait
    hides, stays soft when pixels alone are compared there.

    Args:
        centres: `[B, P, 2]`, in [-1, 1].
        key: JAX random key.
        num_elsewhere: points to draw for each image, 0 for none.
        hidden: `[B, h, w]` share of hidden head, drawn `HIDDEN_ODDS` times as often;
            None draws all points alike.

    Returns:
        `[B, P + num_elsewhere, 2]`.
    """
    shape = (len(centres), num_elsewhere, 2)
    if hidden is None:
        drawn = jax.random.uniform(key, shape, minval=-ELSEWHERE, maxval=ELSEWHERE)
    else:
        height, width = hidden.shape[1:]
        odds = einops.rearrange(
            1.0 + (HIDDEN_ODDS - 1.0) * hidden, "b h w -> b 1 (h w)"
        )
        cells = jax.random.categorical(key, jnp.log(odds), shape=shape[:2])
        middles = einops.rearrange(
            geometry.image_grid(height, width), "h w c -> (h w) c"
        )
        drawn = jnp.clip(middles[cells], -ELSEWHERE, ELSEWHERE)
    return jnp.concatenate([centres, drawn], axis=1)


def crops(image: jax.Array, centres: jax.Array) -> jax.Array:
    """Cut squares around points: `[B, H, W, 3]`, `[B, P, 2]` to `[B P, s, s, 3]`."""
    grid = geometry.image_grid(CROP_SIZE, CROP_SIZE) * CROP_REACH
    grid = centres[:, :, None, None] + grid[None, None]
    cut = geometry.sample_image(image, grid)
    return einops.rearrange(cut, "b p h w c -> (b p) h w c")


def views(image: jax.Array, centres: jax.Array | None) -> jax.Array:
    """Return what a network sees of images: crops around points, or all of them.

    Args:
        image: `[B, H, W, 3]`.
        centres: `[B, P, 2]`; None shows whole images.
    """
    return image if centres is None else crops(image, centres)

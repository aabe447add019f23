"""L2CS-Net, the published network by which the paper estimates gaze.

Follows: Abdelrahman et al. 2022, "L2CS-Net: Fine-Grained Gaze Estimation in
Unconstrained Environments", and Ahmednull/L2CS-Net (MIT): a ResNet-50 with two heads
that give each angle by the mean over its bins. Paper: VASA-1 section 3.2 (gaze).
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping

import einops
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vasa_jax import errors, weights_files
from vasa_jax.portrait import face_views

SHRUNK_SIZE, IMAGE_SIZE = 224, 448
"""Side of the face, which is first shrunk and then enlarged, pixels. Follows: the
package's pipeline; its training pictures were of 224 pixels, enlarged alike."""

BINS = {90: (4.0, -180.0), 28: (3.0, -42.0)}
"""Degrees of a bin, and of the first one, by the number of bins: Gaze360, MPIIFaceGaze.
Follows: the published decoding, by the bins' left edges, as the heads were trained."""

NORM_EPSILON = 1e-5
"""Of the batch norms. Follows: PyTorch."""

HEADS = ("fc_yaw_gaze", "fc_pitch_gaze")
"""Follows: the published names; what the package calls pitch is the first one."""

_LEFT_OVER = ("fc_finetune.weight", "fc_finetune.bias")
"""Arrays of the published files that nothing uses."""

CURE = (
    "give L2CSNet_gaze360.pkl of the repository Ahmednull/L2CS-Net, or its arrays as "
    "npz or safetensors"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of the network; the published ones if nothing is said.

    Attributes:
        num_bins: of each angle, one of `BINS`.
        width: channels of the first convolution.
        stage_blocks: blocks of each stage.
    """

    num_bins: int = 90
    width: int = 64
    stage_blocks: tuple[int, ...] = (3, 4, 6, 3)


def convolutions(sizes: Sizes) -> Iterator[tuple[str, str, tuple[int, ...], int]]:
    """Yield each convolution: its name, its norm's, its kernel's shape, its stride.

    Follows: He et al. 2016, table 1, as torchvision names it: in the middle of a block
    it steps, and where channels or size change the shortcut is a convolution, too.
    """
    inputs = sizes.width
    yield "conv1", "bn1", (inputs, 3, 7, 7), 2
    for stage, count in enumerate(sizes.stage_blocks):
        inner = sizes.width << stage
        for block in range(count):
            name, stride = f"layer{stage + 1}.{block}.", 2 if stage and not block else 1
            yield f"{name}conv1", f"{name}bn1", (inner, inputs, 1, 1), 1
            yield f"{name}conv2", f"{name}bn2", (inner, inner, 3, 3), stride
            yield f"{name}conv3", f"{name}bn3", (4 * inner, inner, 1, 1), 1
            if not block:
                shortcut = f"{name}downsample."
                shape = (4 * inner, inputs, 1, 1)
                yield f"{shortcut}0", f"{shortcut}1", shape, stride
            inputs = 4 * inner


def published_shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the published arrays by their names in PyTorch."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, norm, shape, _ in convolutions(sizes):
        shapes[f"{name}.weight"] = shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{part}"] = shape[:1]
    channels = (4 * sizes.width) << (len(sizes.stage_blocks) - 1)
    for head in HEADS:
        shapes[f"{head}.weight"] = (sizes.num_bins, channels)
        shapes[f"{head}.bias"] = (sizes.num_bins,)
    return shapes


def from_published(arrays: Mapping[str, np.ndarray], sizes: Sizes) -> dict:
    """Fold the batch norms into the convolutions before them.

    Args:
        arrays: as of `published_shapes`.
        sizes: of the network.

    Returns:
        float32 kernels `[k, k, C, F]` or `[C, F]` and biases `[F]` by name.
    """
    folded = {}
    for name, norm, _, _ in convolutions(sizes):
        gain, shift, mean, variance = (
            np.float64(arrays[f"{norm}.{part}"])
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gain / np.sqrt(variance + NORM_EPSILON)
        kernel = einops.rearrange(arrays[f"{name}.weight"], "f c h w -> h w c f")
        folded[name] = np.float32(kernel * gain), np.float32(shift - mean * gain)
    for head in HEADS:
        kernel = np.float32(arrays[f"{head}.weight"].T)
        folded[head] = kernel, np.float32(arrays[f"{head}.bias"])
    return folded


def logits(params: Mapping, image: jax.Array, sizes: Sizes) -> jax.Array:
    """Return the logits of both heads.

    Args:
        params: of `from_published`.
        image: float32 `[H, W, 3]`, RGB, normalised by `face_views.normalised`.
        sizes: of the network.

    Returns:
        float32 `[2, num_bins]`, of yaw and of pitch.
    """
    strides = {name: stride for name, _, _, stride in convolutions(sizes)}

    def convolve(x, name):
        kernel, bias = params[name]
        side, stride = kernel.shape[0] // 2, strides[name]
        order = ("NHWC", "HWIO", "NHWC")
        padding = [(side, side)] * 2
        y = lax.conv_general_dilated(
            x, kernel, [stride] * 2, padding, dimension_numbers=order
        )
        return y + bias.reshape((1, 1, 1, -1))

    x = jax.nn.relu(convolve(image[None], "conv1"))
    border = ((0, 0), (1, 1), (1, 1), (0, 0))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), border)
    for stage, count in enumerate(sizes.stage_blocks):
        for block in range(count):
            name = f"layer{stage + 1}.{block}."
            y = jax.nn.relu(convolve(x, f"{name}conv1"))
            y = jax.nn.relu(convolve(y, f"{name}conv2"))
            kept = x if block else convolve(x, f"{name}downsample.0")
            x = jax.nn.relu(convolve(y, f"{name}conv3") + kept)
    pooled = x.mean((1, 2))
    rows = [pooled @ params[head][0] + params[head][1][None] for head in HEADS]
    return jnp.concatenate(rows)


def to_degrees(logits: np.ndarray) -> np.ndarray:
    """Decode logits `[..., num_bins]` to the network's own angles, degrees `[...]`."""
    step, first = BINS[logits.shape[-1]]
    powers = np.exp(np.float64(logits) - logits.max(axis=-1, keepdims=True))
    shares = powers / powers.sum(axis=-1, keepdims=True)
    return shares @ np.arange(logits.shape[-1]) * step + first


def to_gaze(yaw_pitch_degrees: np.ndarray) -> np.ndarray:
    """Turn the network's angles into this package's.

    Follows: the published drawing, by which +yaw looks to the image's left and +pitch
    up; ours are positive to the image's right and down.

    Args:
        yaw_pitch_degrees: `[..., 2]`.

    Returns:
        float32 `[..., 2]` yaw and pitch, radians, as of `face_labels.FaceLabels`.
    """
    return np.float32(-np.deg2rad(yaw_pitch_degrees))


class GazeNetwork:
    """The network, ready to estimate where a face looks.

    Args:
        params: of `from_published`.
        sizes: of the network.
    """

    def __init__(self, params: Mapping, sizes: Sizes):
        self._params = jax.device_put(params)
        self._logits = jax.jit(lambda params, image: logits(params, image, sizes))

    def look(self, face: np.ndarray) -> np.ndarray:
        """Tell where a face looks.

        Args:
            face: float32 `[224, 224, 3]`, as from `face_views.cut`.

        Returns:
            float32 `[2]` yaw and pitch, radians; see `to_gaze`.
        """
        view = face_views.normalised(face_views.resized(face, IMAGE_SIZE))
        return to_gaze(to_degrees(np.asarray(self._logits(self._params, view))))


def load(path: str | os.PathLike[str]) -> GazeNetwork:
    """Read the published weights.

    Follows: the published files, state dicts of PyTorch; those of MPIIFaceGaze carry
    `module.` before each name, and all two arrays that nothing uses.

    Args:
        path: the file (needs PyTorch), or npz or safetensors of the same names.

    Returns:
        The network.

    Raises:
        UserError: the file is missing, cannot be read, or is of another network.
    """
    arrays = weights_files.read_all(path, CURE)
    arrays = {name.removeprefix("module."): array for name, array in arrays.items()}
    head = arrays.get(f"{HEADS[0]}.bias", np.zeros(0))
    if len(head) not in BINS:
        raise errors.UserError(
            f"'{path}' gives an angle by {len(head)} bins, and not by "
            f"{' or '.join(map(str, BINS))}: {CURE}."
        )
    sizes = Sizes(num_bins=len(head))
    shapes = published_shapes(sizes)
    own = {
        name
        for name in arrays
        if name not in _LEFT_OVER and not name.endswith("num_batches_tracked")
    }
    if more := sorted(own - set(shapes)):
        raise errors.UserError(
            f"'{path}' holds {len(more)} arrays that a ResNet-50 does not have, first "
            f"'{more[0]}': {CURE}."
        )
    selected = weights_files.select(path, arrays, shapes, CURE)
    return GazeNetwork(from_published(selected, sizes), sizes)

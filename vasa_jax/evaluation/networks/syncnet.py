"""SyncNet: embeds a fifth of a second of lips and of sound in one space.

Follows: Chung and Zisserman 2016, Out of time, in the form of syncnet_python
(`SyncNetModel.S`), whose weights are published. Batch norms stand in their inference
form: this package measures by the network and never trains it.
"""

import functools
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import errors, export, types, weights_files
from vasa_jax.audio import cepstra as cepstra_lib
from vasa_jax.portrait import face_cuts

WINDOW_FRAMES = 5
"""Follows: frames that a window of lips has, at 25 a second."""

WINDOW_STEPS = 20
"""Follows: steps of 10 ms that a window of sound has."""

NORM_EPSILON = 1e-5
"""Follows: PyTorch's batch norm."""

MIN_FRAMES = WINDOW_FRAMES + 1
"""Follows: syncnet_python, which leaves out a clip's last window."""

BATCH_WINDOWS = 16
"""Ours: windows embedded at once; about 0.3 GB on a CPU."""

DISTANCE_EPSILON = 1e-6
"""Follows: PyTorch's pairwise distance, which adds it to every difference."""

_STEPS_PER_FRAME = types.SAMPLES_PER_FRAME // cepstra_lib.STEP_SAMPLES

_FULL_SCALE = 32768


class FixedNorm(nn.Module):
    """Scale and shift channels by statistics that training has left.

    Follows: Ioffe and Szegedy 2015, batch norm at inference.
    """

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Map `[..., C]` to `[..., C]`."""
        channels = x.shape[-1:]
        mean = self.param("mean", nn.initializers.zeros, channels)
        variance = self.param("variance", nn.initializers.ones, channels)
        scale = self.param("scale", nn.initializers.ones, channels)
        bias = self.param("bias", nn.initializers.zeros, channels)
        gain = scale * jax.lax.rsqrt(variance + NORM_EPSILON)
        over = (1,) * (x.ndim - 1)
        return x * gain.reshape(*over, -1) + (bias - mean * gain).reshape(*over, -1)


class Head(nn.Module):
    """Turn what the convolutions found into an embedding.

    Follows: syncnet_python (`netfcaud`, `netfclip`).

    Attributes:
        hidden: channels of the layer between.
        width: channels of the embedding (C).
    """

    hidden: int
    width: int

    @nn.compact
    def __call__(self, found: jax.Array) -> jax.Array:
        """Map `[N, 1, 1, F]` to `[N, C]`."""
        found = einops.rearrange(found, "n 1 1 f -> n f")
        hidden = FixedNorm(name="norm")(nn.Dense(self.hidden, name="hidden")(found))
        return nn.Dense(self.width, name="embedding")(nn.relu(hidden))


class SoundNetwork(nn.Module):
    """Embed 0.2 s of sound.

    Follows: syncnet_python (`netcnnaud`).

    Attributes:
        channels: of each convolution.
        hidden, width: of the head.
    """

    channels: tuple[int, ...] = (64, 192, 384, 256, 256, 512)
    hidden: int = 512
    width: int = 1024

    @nn.compact
    def __call__(self, cepstra: jax.Array) -> jax.Array:
        """Embed windows of cepstra.

        Args:
            cepstra: float32 `[N, 13, 20]`, coefficients by steps.

        Returns:
            float32 `[N, C]`.
        """
        x = einops.rearrange(cepstra, "n k l -> n k l 1")
        for layer, channels in enumerate(self.channels):
            is_last = layer == len(self.channels) - 1
            kernel, pad = ((5, 4), 0) if is_last else ((3, 3), 1)
            x = _convolve(x, layer, channels, kernel, 1, pad)
            if layer == 1:
                x = nn.max_pool(x, (3, 3), (1, 2))
            elif layer == 4:
                x = nn.max_pool(x, (3, 3), (2, 2))
        return Head(self.hidden, self.width, name="head")(x)


class LipNetwork(nn.Module):
    """Embed five frames of a face.

    Follows: syncnet_python (`netcnnlip`), whose first convolution spans all five frames
    and whose others span one. Ours: the five frames stand side by side as channels,
    which gives the same numbers by 2-D convolutions.

    Attributes:
        channels: of each convolution.
        hidden, width: of the head.
    """

    channels: tuple[int, ...] = (96, 256, 256, 256, 256, 512)
    hidden: int = 512
    width: int = 1024

    @nn.compact
    def __call__(self, frames: jax.Array) -> jax.Array:
        """Embed windows of frames.

        Args:
            frames: float32 `[N, 5, 224, 224, 3]`, blue, green, red from 0 to 255.

        Returns:
            float32 `[N, C]`.
        """
        x = einops.rearrange(frames, "n t h w c -> n h w (t c)")
        forms = {0: (7, 2, 0), 1: (5, 2, 1), 5: (6, 1, 0)}
        for layer, channels in enumerate(self.channels):
            size, stride, pad = forms.get(layer, (3, 1, 1))
            x = _convolve(x, layer, channels, (size, size), stride, pad)
            if layer in (0, 1, 4):
                around = (layer == 1, layer == 1)
                x = nn.max_pool(x, (3, 3), (2, 2), padding=(around, around))
        return Head(self.hidden, self.width, name="head")(x)


class SyncNet(nn.Module):
    """Both halves: windows that belong together lie near each other.

    Follows: Chung and Zisserman 2016; the defaults are those of the published weights.

    Attributes:
        sound_channels, lip_channels: of each convolution of a half.
        hidden: channels of each head's layer between.
        width: channels of the embeddings (C).
    """

    sound_channels: tuple[int, ...] = SoundNetwork.channels
    lip_channels: tuple[int, ...] = LipNetwork.channels
    hidden: int = 512
    width: int = 1024

    def setup(self):
        """Make both halves."""
        self.sound = SoundNetwork(self.sound_channels, self.hidden, self.width)
        self.lips = LipNetwork(self.lip_channels, self.hidden, self.width)

    def __call__(
        self, frames: jax.Array, cepstra: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Embed windows of lips and of sound.

        Args:
            frames: float32 `[N, 5, 224, 224, 3]`, as of `LipNetwork`.
            cepstra: float32 `[N, 13, 20]`, as of `SoundNetwork`.

        Returns:
            Embeddings `[N, C]` of lips and `[N, C]` of sound.
        """
        return self.lips(frames), self.sound(cepstra)


def example_inputs() -> tuple[jax.Array, jax.Array]:
    """Return zeros in the shapes that the network takes, for tracing."""
    side = face_cuts.IMAGE_SIZE
    return (
        jnp.zeros((1, WINDOW_FRAMES, side, side, 3)),
        jnp.zeros((1, cepstra_lib.NUM_COEFFICIENTS, WINDOW_STEPS)),
    )


def _convolve(
    x: jax.Array,
    layer: int,
    channels: int,
    kernel: tuple[int, int],
    stride: int,
    pad: int,
) -> jax.Array:
    """Convolve, normalise and rectify."""
    x = nn.Conv(
        channels,
        kernel,
        strides=(stride, stride),
        padding=((pad, pad), (pad, pad)),
        name=f"conv_{layer}",
    )(x)
    return nn.relu(FixedNorm(name=f"norm_{layer}")(x))


def embed(
    params: Any,
    frames: np.ndarray,
    waveform: np.ndarray,
    network: SyncNet | None = None,
    batch_windows: int = BATCH_WINDOWS,
) -> tuple[np.ndarray, np.ndarray]:
    """Embed every window of a clip.

    Args:
        params: of the network, as from `read_weights`.
        frames: uint8 `[T, 224, 224, 3]`, a face cut out of a video, 25 a second.
        waveform: float `[S]`, 16 kHz, full scale at 1; what is longer, frames or sound,
            is cut.
        network: None is the published one.
        batch_windows: windows embedded at once.

    Returns:
        float32 `[n, C]` of lips and `[n, C]` of sound, n = frames - 5.

    Raises:
        UserError: fewer frames or less sound than six frames, or frames of another
            size.
    """
    side = face_cuts.IMAGE_SIZE
    if frames.shape[1:] != (side, side, 3):
        raise errors.UserError(
            f"SyncNet takes frames [T, {side}, {side}, 3] of a face that is cut out; "
            f"got {list(frames.shape)}."
        )
    num_frames = min(len(frames), len(waveform) // types.SAMPLES_PER_FRAME)
    if num_frames < MIN_FRAMES:
        raise errors.UserError(
            f"SyncNet takes at least {MIN_FRAMES} frames with sound; this clip has "
            f"{len(frames)} frames and sound of "
            f"{len(waveform) // types.SAMPLES_PER_FRAME}."
        )
    network = SyncNet() if network is None else network
    count = num_frames - WINDOW_FRAMES
    cepstra = _cepstra(waveform)
    pieces = []
    for first in range(0, count, batch_windows):
        # Windows beyond the last repeat it, so that every batch has one shape.
        starts = np.minimum(np.arange(first, first + batch_windows), count - 1)
        seen = starts[:, None] + np.arange(WINDOW_FRAMES)[None]
        heard = _cut_cepstra(cepstra, starts)
        pieces.append(jax.device_get(_embed(network, params, frames[seen], heard)))
    lips, sound = (np.concatenate(part)[:count] for part in zip(*pieces, strict=True))
    return lips, sound


@functools.partial(jax.jit, static_argnums=0)
def _embed(network: SyncNet, params: Any, frames, cepstra):
    # The published network was taught on OpenCV's order of colours.
    turned = jnp.flip(frames, axis=-1).astype(jnp.float32)
    return network.apply({"params": params}, turned, cepstra)


def _cepstra(waveform: np.ndarray) -> np.ndarray:
    """Return the cepstra of a waveform as 16-bit samples have them."""
    samples = np.rint(np.asarray(waveform, np.float32) * _FULL_SCALE)
    return cepstra_lib.mfcc(np.clip(samples, -_FULL_SCALE, _FULL_SCALE - 1))


def _cut_cepstra(cepstra: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Cut windows of cepstra beside the frames at `starts`, float32 `[N, 13, 20]`."""
    steps = _STEPS_PER_FRAME * starts[:, None] + np.arange(WINDOW_STEPS)[None]
    return einops.rearrange(cepstra[steps], "n l k -> n k l").astype(np.float32)


CURE = (
    "give syncnet_v2.model of Chung and Zisserman (robots.ox.ac.uk/~vgg/software/"
    "lipsync), or its arrays as npz or safetensors under the same names"
)
"""What to do without the file."""

_CONV_INDICES = (0, 4, 8, 11, 14, 18)

_HALVES = {
    "sound": ("netcnnaud", "netfcaud", "o c h w -> h w c o"),
    "lips": ("netcnnlip", "netfclip", "o c t h w -> h w (t c) o"),
}


class _Array(NamedTuple):
    """An array of the file: its name, its place here and how to turn it."""

    name: str
    path: str
    pattern: str | None = None


def read_weights(
    path: str | os.PathLike[str], network: SyncNet | None = None
) -> dict[str, Any]:
    """Read the published file as parameters of the network.

    Follows: syncnet_python, a state dict of `SyncNetModel.S`; read by PyTorch's own
    reader of plain tensors, or from npz or safetensors.

    Args:
        path: the file.
        network: whose sizes it must have; None is the published one.

    Returns:
        Parameters of `network`, float32.

    Raises:
        UserError: the file is missing, cannot be read, or is of another network.
    """
    network = SyncNet() if network is None else network
    shapes = export.flatten(
        jax.eval_shape(network.init, jax.random.key(0), *example_inputs())["params"]
    )
    wanted = {a.name: _their_shape(a, shapes[a.path].shape) for a in _arrays()}
    tensors = weights_files.read_arrays(path, wanted, CURE)
    return export.unflatten(
        {array.path: _turned(tensors[array.name], array) for array in _arrays()}
    )


def _turned(tensor: np.ndarray, array: _Array) -> np.ndarray:
    if array.pattern is None:
        return tensor
    return np.ascontiguousarray(einops.rearrange(tensor, array.pattern))


def _their_shape(array: _Array, ours: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that an array has in the file."""
    if array.pattern is None:
        return ours
    if len(ours) == 2:
        return ours[::-1]
    height, width, inputs, outputs = ours
    if "t" not in array.pattern:
        return outputs, inputs, height, width
    # The first convolution of the lips spans all frames, the others one.
    depth = WINDOW_FRAMES if array.path == "lips/conv_0/kernel" else 1
    return outputs, inputs // depth, depth, height, width


def _arrays() -> Iterator[_Array]:
    """List the arrays of the network."""
    for half, (convolutions, head, pattern) in _HALVES.items():
        for layer, index in enumerate(_CONV_INDICES):
            name = f"{convolutions}.{index}"
            yield _Array(f"{name}.weight", f"{half}/conv_{layer}/kernel", pattern)
            yield _Array(f"{name}.bias", f"{half}/conv_{layer}/bias")
            yield from _norm(f"{convolutions}.{index + 1}", f"{half}/norm_{layer}")
        for index, ours in ((0, "hidden"), (3, "embedding")):
            name = f"{head}.{index}"
            yield _Array(f"{name}.weight", f"{half}/head/{ours}/kernel", "o i -> i o")
            yield _Array(f"{name}.bias", f"{half}/head/{ours}/bias")
        yield from _norm(f"{head}.1", f"{half}/head/norm")


def _norm(name: str, path: str) -> Iterator[_Array]:
    for theirs, ours in (
        ("weight", "scale"),
        ("bias", "bias"),
        ("running_mean", "mean"),
        ("running_var", "variance"),
    ):
        yield _Array(f"{name}.{theirs}", f"{path}/{ours}")

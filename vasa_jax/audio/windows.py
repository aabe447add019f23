"""The grid of windows: what part of a waveform the features of each frame see.

Ours: every encoder looks at windows of fixed length on a grid fixed to time 0, and
normalises inside the window. Frame t's features then never depend on how long the
clip is or where a stream stands, so that streaming equals offline by construction;
statistics of a whole clip (Whisper's maximum, wav2vec's group norm) cannot leak in.
"""

import dataclasses
import functools
from typing import Any, Protocol

import einops
import jax
import numpy as np

from vasa_jax import types

BATCH_SIZES = (1, 4, 16, 64)
"""Ours: windows a call; few sizes are few compilations, the largest bounds memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowGrid:
    """Which frames a window yields and which it only sees.

    Ours: window n yields frames n * hop to (n + 1) * hop and sees `frames_before`
    and `frames_after` beside them; outside the clip it sees zeros.

    Attributes:
        hop_frames: frames that a window yields.
        frames_before: frames of context before them.
        frames_after: frames of context after them, a multiple of `hop_frames`, which
            is what a stream must wait for.
    """

    hop_frames: int
    frames_before: int
    frames_after: int

    def __post_init__(self):
        if self.hop_frames < 1 or self.frames_before < 0:
            raise ValueError(
                "hop_frames must be at least 1 and frames_before at least 0; got "
                f"{self.hop_frames} and {self.frames_before}"
            )
        if self.frames_after < 0 or self.frames_after % self.hop_frames:
            raise ValueError(
                f"frames_after must be a multiple of hop_frames={self.hop_frames}; "
                f"got {self.frames_after}"
            )

    @property
    def window_frames(self) -> int:
        """Frames that a window sees."""
        return self.frames_before + self.hop_frames + self.frames_after

    @property
    def window_samples(self) -> int:
        """Samples that a window sees."""
        return self.window_frames * types.SAMPLES_PER_FRAME

    @property
    def hop_samples(self) -> int:
        """Samples from one window to the next."""
        return self.hop_frames * types.SAMPLES_PER_FRAME


class AudioEncoder(Protocol):
    """Turn sound into features, one row a video frame.

    Paper: VASA-1 §3.2 uses the frame-synchronised features of wav2vec 2.0. Ours: a
    contract, so that encoders can be exchanged. Implementations are hashable, so that
    their functions are traced once.

    Attributes:
        num_channels: features a frame (A).
        grid: the windows that the features are made from.
    """

    num_channels: int
    grid: WindowGrid

    def load_variables(self) -> Any:
        """Return what the encoder was taught; an empty dict where nothing was."""

    def encode_windows(self, variables: Any, windows: jax.Array) -> jax.Array:
        """Encode windows `[N, window_samples]` to `[N, hop_frames, A]`; pure."""

    def features(self, variables: Any, waveform: np.ndarray) -> np.ndarray:
        """Encode waveforms `[B, S]` to `[B, T, A]` float32, T = S // 640."""


@functools.partial(jax.jit, static_argnums=0)
def encode_windows(encoder: AudioEncoder, variables: Any, windows: jax.Array):
    """Call `encoder.encode_windows`, compiled once per encoder and batch size.

    Ours: the one compiled entry, shared by `features` and by streams.

    Args:
        encoder: any encoder.
        variables: as from its `load_variables`.
        windows: float32 `[N, window_samples]`.

    Returns:
        float32 `[N, hop_frames, A]`.
    """
    return encoder.encode_windows(variables, windows)


def features(encoder: AudioEncoder, variables: Any, waveform: np.ndarray) -> np.ndarray:
    """Encode whole waveforms, at most 64 windows at a time.

    Ours: a loop on the host, so that hours of sound need no more device memory than
    seconds, and clips of any length share four compilations.

    Args:
        encoder: any encoder.
        variables: as from its `load_variables`.
        waveform: float `[B, S]`, 16 kHz, full scale at 1.

    Returns:
        float32 `[B, T, A]` with T = S // 640; the remainder is seen, not encoded.

    Raises:
        ValueError: `waveform` has not two axes.
    """
    if waveform.ndim != 2:
        raise ValueError(f"waveform must be [B, S]; got {list(waveform.shape)}")
    grid = encoder.grid
    num_frames = waveform.shape[1] // types.SAMPLES_PER_FRAME
    num_windows = -(-num_frames // grid.hop_frames)
    shape = len(waveform), num_windows * grid.hop_frames, encoder.num_channels
    encoded = np.zeros(shape, np.float32)
    for row, samples in enumerate(waveform):
        first = 0
        while first < num_windows:
            size = _batch_size(num_windows - first)
            windows = cut_windows(samples, grid, first, size)
            block = np.asarray(encode_windows(encoder, variables, windows))
            block = einops.rearrange(block, "n hop a -> (n hop) a")
            target = encoded[row, first * grid.hop_frames :]
            target[: len(block)] = block[: len(target)]
            first += size
    return encoded[:, :num_frames]


def _batch_size(count: int) -> int:
    """Return the batch to take next: the one that holds all, if over half full."""
    larger = [size for size in BATCH_SIZES if count <= size < 2 * count]
    smaller = [size for size in BATCH_SIZES if size <= count]
    return larger[0] if larger else smaller[-1]


def cut_windows(
    samples: np.ndarray, grid: WindowGrid, first: int, count: int
) -> np.ndarray:
    """Cut consecutive windows out of a waveform.

    Ours: zeros stand for what lies outside the clip.

    Args:
        samples: float `[S]`.
        grid: the grid.
        first: number of the first window, 0 or more.
        count: windows to cut; they may reach beyond the end.

    Returns:
        float32 `[count, window_samples]`.
    """
    start = first * grid.hop_samples - grid.frames_before * types.SAMPLES_PER_FRAME
    length = (count - 1) * grid.hop_samples + grid.window_samples
    span = np.zeros(length, np.float32)
    inside = samples[max(0, start) : max(0, start + length)]
    offset = max(0, -start)
    span[offset : offset + len(inside)] = inside
    view = np.lib.stride_tricks.sliding_window_view(span, grid.window_samples)
    return np.ascontiguousarray(view[:: grid.hop_samples])

"""Features of a stream of sound, equal to those of the whole clip.

Ours: the carry is the past that the next window sees, of one fixed shape.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax import kept_programs, types
from vasa_jax.audio import windows


@struct.dataclass
class StreamCarry:
    """What a stream remembers between pushes.

    Attributes:
        samples: `[B, window_samples - hop_samples]` the latest samples.
    """

    samples: jax.Array


def start(encoder: windows.AudioEncoder, batch_size: int = 1) -> StreamCarry:
    """Return the carry before the first sample: silence.

    Ours: as offline, where zeros stand before the clip.

    Args:
        encoder: any encoder.
        batch_size: streams side by side (B).

    Returns:
        A `StreamCarry`.
    """
    length = encoder.grid.window_samples - encoder.grid.hop_samples
    return StreamCarry(samples=jnp.zeros((batch_size, length), jnp.float32))


def push(
    encoder: windows.AudioEncoder,
    variables: Any,
    carry: StreamCarry,
    samples: jax.Array,
) -> tuple[StreamCarry, jax.Array]:
    """Take one hop of samples and give one hop of features, late by the context.

    Ours: a pure function of fixed shapes, fit for `jax.jit` and `jax.lax.scan`. Push
    number m (from 0) gives the frames from m * hop_frames - frames_after on; those
    below 0 mean nothing and are to be dropped.

    Args:
        encoder: any encoder.
        variables: as from its `load_variables`.
        carry: as from `start` or the push before.
        samples: float32 `[B, hop_samples]`.

    Returns:
        The next carry, and features `[B, hop_frames, A]`.
    """
    window = jnp.concatenate([carry.samples, samples], axis=1)
    encoded = windows.encode_windows(encoder, variables, window)
    return StreamCarry(samples=window[:, encoder.grid.hop_samples :]), encoded


class StreamingFeatures:
    """Feed one stream in pieces of any length.

    Ours: the bookkeeping around `push` that a microphone or a server needs.
    """

    def __init__(self, encoder: windows.AudioEncoder, variables: Any):
        """Begin a stream at time 0.

        Args:
            encoder: any encoder.
            variables: as from its `load_variables`.
        """
        self._encoder = encoder
        self._variables = variables
        length = encoder.grid.window_samples - encoder.grid.hop_samples
        self._heard = np.zeros(length, np.float32)
        self._pending = np.zeros(0, np.float32)
        self._num_samples = 0
        self._next_frame = -encoder.grid.frames_after

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples; return the features of frames whose window became complete.

        Args:
            samples: float `[S]`, any length.

        Returns:
            float32 `[T, A]`; T may be 0.
        """
        self._num_samples += len(samples)
        self._pending = np.concatenate([self._pending, samples], dtype=np.float32)
        hop = self._encoder.grid.hop_samples
        blocks = []
        while len(self._pending) >= hop:
            blocks.append(self._push_hop(self._pending[:hop]))
            self._pending = self._pending[hop:]
        return self._joined(blocks)

    def unhear(self, num_samples: int) -> None:
        """Take the latest samples for silence in the features still to come.

        Args:
            num_samples: how many; those that no window to come sees do not matter.
        """
        num_pending = min(num_samples, len(self._pending))
        num_heard = min(num_samples - num_pending, len(self._heard))
        self._pending = np.append(
            self._pending[: len(self._pending) - num_pending],
            np.zeros(num_pending, np.float32),
        )
        self._heard = np.append(
            self._heard[: len(self._heard) - num_heard],
            np.zeros(num_heard, np.float32),
        )

    def finish(self) -> np.ndarray:
        """End the stream; return the features of all frames not yet given.

        Returns:
            float32 `[T, A]`; over all calls S // 640 frames.
        """
        num_frames = self._num_samples // types.SAMPLES_PER_FRAME
        hop = self._encoder.grid.hop_samples
        blocks = []
        while self._next_frame < num_frames:
            padded = np.pad(self._pending, (0, hop - len(self._pending)))
            self._pending = self._pending[:0]
            excess = self._next_frame + self._encoder.grid.hop_frames - num_frames
            block = self._push_hop(padded)
            blocks.append(block[: len(block) - max(0, excess)])
        return self._joined(blocks)

    def _push_hop(self, samples: np.ndarray) -> np.ndarray:
        """Do as `push`, on the host. Ours: it would compile every operation alone."""
        window = np.concatenate([self._heard, samples])
        self._heard = window[self._encoder.grid.hop_samples :]
        encode = kept_programs.kept(windows.encode_windows, self._encoder)
        encoded = encode(self._variables, window[None])
        num_early = min(max(0, -self._next_frame), self._encoder.grid.hop_frames)
        self._next_frame += self._encoder.grid.hop_frames
        return np.asarray(encoded)[0, num_early:]

    def _joined(self, blocks: list[np.ndarray]) -> np.ndarray:
        nothing = np.zeros((0, self._encoder.num_channels), np.float32)
        return np.concatenate([nothing, *blocks])

"""Features of each video frame by wav2vec 2.0, normalised inside their window."""

import dataclasses
import os
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import types
from vasa_jax.audio import mel, wav2vec2, wav2vec2_weights, weights_file
from vasa_jax.audio import windows as windows_lib

NAME = "wav2vec2"
"""Among `encoders.NAMES`."""

WINDOWS_AT_ONCE = 16
"""Ours: the convolutions of 16 windows take about 1 GB; more are done in turn."""

_EPSILON = 1e-7


def normalise(windows: jax.Array) -> jax.Array:
    """Bring each window to zero mean and unit variance.

    Follows: Hugging Face's feature extractor of the base models (there over a whole
    recording). Ours: over the window, so that a stream equals the whole.

    Args:
        windows: float32 `[N, S]`.

    Returns:
        float32 `[N, S]`.
    """
    centred = windows - jnp.mean(windows, axis=1, keepdims=True)
    variance = jnp.mean(jnp.square(centred), axis=1, keepdims=True)
    return centred / jnp.sqrt(variance + _EPSILON)


@dataclasses.dataclass(frozen=True)
class Wav2Vec2Encoder:
    """The last hidden state of wav2vec 2.0 at each frame, and its loudness.

    Paper: VASA-1 §3.2, synchronised features of wav2vec 2.0. Follows: FaceFormer, which
    brings the 50 tokens a second to the video's rate by linear interpolation; half the
    convolutions' overlap of zeros stands before the window, so that a frame's middle
    lies between its two tokens and the interpolation is their mean.

    Ours: windows of 2 s, the shortest clips that wav2vec 2.0 was trained on; 0.4 s of
    them after the frames, which is what a stream waits for, as with Whisper, and 1.2 s
    before, which costs no wait. The network's first norm runs over the window as it was
    trained to run over a clip. A window of mere noise then looks as loud as speech, so
    that the two channels of `mel.loudness` follow.

    Attributes:
        grid: the windows.
        network: wav2vec 2.0; its weights do not come with the package.
        weights: their file, or None where the encoder is only asked for its sizes.
        needed: what a checkpoint was trained with, or None where nothing was yet.
    """

    grid: windows_lib.WindowGrid = windows_lib.WindowGrid(
        hop_frames=10, frames_before=30, frames_after=10
    )
    network: wav2vec2.Wav2Vec2Network = wav2vec2.Wav2Vec2Network()
    weights: str | os.PathLike[str] | None = None
    needed: weights_file.WeightsFile | None = None

    @property
    def num_channels(self) -> int:
        """Features a frame: 770 for base."""
        return self.network.width + mel.NUM_LOUDNESS_CHANNELS

    def load_variables(self) -> dict[str, Any]:
        """Read the weights.

        Returns:
            Variables of `network`, float32.

        Raises:
            UserError: the file is missing, damaged, another than the needed one, or of
                another architecture.
        """
        weights_file.check(self.weights, self.needed, NAME, wav2vec2_weights.SOURCE)
        params = wav2vec2_weights.read(self.weights, self.network)
        return {"params": jax.device_put(params)}

    def encode_windows(self, variables: Any, windows: jax.Array) -> jax.Array:
        """Encode windows.

        Args:
            variables: as from `load_variables`.
            windows: float32 `[N, window_samples]`.

        Returns:
            float32 `[N, hop_frames, A]`.
        """

        def encode(samples: jax.Array) -> jax.Array:
            return self._encode_tokens(variables, samples)

        if len(windows) <= WINDOWS_AT_ONCE:
            own = encode(windows)
        else:
            own = jax.lax.map(
                lambda window: encode(window[None])[0],
                windows,
                batch_size=WINDOWS_AT_ONCE,
            )
        return jnp.concatenate([own, mel.loudness(windows, self.grid)], axis=-1)

    def _encode_tokens(self, variables: Any, windows: jax.Array) -> jax.Array:
        """Encode windows as the tokens of their own frames `[N, hop_frames, C]`."""
        margin = (self.network.seen_samples - self.network.token_samples) // 2
        padded = jnp.pad(normalise(windows), ((0, 0), (margin, margin)))
        tokens = self.network.apply(variables, padded)
        frames = einops.reduce(
            tokens,
            "n (t k) c -> n t c",
            "mean",
            k=types.SAMPLES_PER_FRAME // self.network.token_samples,
        )
        first = self.grid.frames_before
        return frames[:, first : first + self.grid.hop_frames]

    def features(self, variables: Any, waveform: np.ndarray) -> np.ndarray:
        """Encode waveforms `[B, S]` to `[B, T, A]`; see `windows.features`."""
        return windows_lib.features(self, variables, waveform)

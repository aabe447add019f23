"""Log-mel spectra of a window, levelled inside it, and an encoder made of them."""

import dataclasses
import functools

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import types
from vasa_jax.audio import windows as windows_lib

NUM_MELS = 80
"""Follows: Whisper."""

_FFT_SAMPLES = 400
_STEP_SAMPLES = 160
_STEPS_PER_FRAME = types.SAMPLES_PER_FRAME // _STEP_SAMPLES
_BLOCK_SAMPLES = 80
_MIN_POWER = 1e-10
_RANGE_DECADES = 8.0

REFERENCE_PEAK = 1.5
"""Ours: the log10 power that a window's peak is brought to: that of speech in the
recordings Whisper was taught on."""

MIN_PEAK = -2.0
"""Ours: windows whose peak is lower (35 dB under usual speech) are raised no further,
so that silence stays dark instead of its noise being blown up to speech."""

NUM_LOUDNESS_CHANNELS = 2
OWN_LOUDNESS = -NUM_LOUDNESS_CHANNELS
"""Every encoder's last channels are those of `loudness`, first the frame's own."""

QUIETEST_VOICE = 0.0
"""Loudness that a voice's loudest frame is taken for at least, so that even noise is no
voice. Ours: 40 dB below full scale, under all of 160 training voices."""


@functools.cache
def mel_filters() -> np.ndarray:
    """Return the triangles that sum power spectra into mel bands.

    Follows: Whisper's 80 bands, which are librosa's: Slaney's mel scale (linear to
    1 kHz, then logarithmic), each triangle of unit area, 0 to 8 kHz.

    Returns:
        float32 `[201, 80]`.
    """
    linear_step, corner_hz, log_step = 200.0 / 3.0, 1000.0, np.log(6.4) / 27.0
    corner = corner_hz / linear_step
    top = corner + np.log(types.SAMPLE_RATE_HZ / 2 / corner_hz) / log_step
    mels = np.linspace(0.0, top, NUM_MELS + 2)
    edges_hz = np.where(
        mels < corner,
        mels * linear_step,
        corner_hz * np.exp(log_step * (mels - corner)),
    )
    bins_hz = np.fft.rfftfreq(_FFT_SAMPLES, 1.0 / types.SAMPLE_RATE_HZ)[:, None]
    low, middle, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz - low) / (middle - low)
    falling = (high - bins_hz) / (high - middle)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (high - low))).astype(np.float32)


def log_mel(windows: jax.Array) -> jax.Array:
    """Return log10 mel power, ten milliseconds a step.

    Follows: Whisper: Hann windows of 25 ms, centred, the ends mirrored.

    Args:
        windows: float32 `[N, S]`; S a multiple of 160.

    Returns:
        float32 `[N, S / 160, 80]`, at least -10.
    """
    num_steps = windows.shape[1] // _STEP_SAMPLES
    half = _FFT_SAMPLES // 2
    padded = jnp.pad(windows, ((0, 0), (half, half)), mode="reflect")
    blocks = einops.rearrange(padded, "n (b s) -> n b s", s=_BLOCK_SAMPLES)
    stride = _STEP_SAMPLES // _BLOCK_SAMPLES
    segments = jnp.concatenate(
        [
            blocks[:, k : k + stride * (num_steps - 1) + 1 : stride]
            for k in range(_FFT_SAMPLES // _BLOCK_SAMPLES)
        ],
        axis=-1,
    )
    taper = np.hanning(_FFT_SAMPLES + 1)[:-1].astype(np.float32)
    spectrum = jnp.fft.rfft(segments * taper[None, None])
    power = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
    mel = jnp.einsum("nlf,fm->nlm", power, mel_filters())
    return jnp.log10(jnp.maximum(mel, _MIN_POWER))


def level(log_power: jax.Array) -> jax.Array:
    """Bring a window's peak to the reference, cut what is far below, and scale.

    Follows: Whisper, which cuts 8 decades under the maximum and maps x to (x + 4) / 4.
    Ours: the maximum is the window's own and is moved to `REFERENCE_PEAK`, so that
    gain does not matter, but windows under `MIN_PEAK` are not raised further.

    Args:
        log_power: float32 `[N, L, 80]` from `log_mel`.

    Returns:
        float32 `[N, L, 80]`, about -1 to 1.4.
    """
    peak = jnp.max(log_power, axis=(1, 2), keepdims=True)
    cut = jnp.maximum(log_power, peak - _RANGE_DECADES)
    moved = cut + (REFERENCE_PEAK - jnp.maximum(peak, MIN_PEAK))
    return (moved + 4.0) / 4.0


def loudness(windows: jax.Array, grid: windows_lib.WindowGrid) -> jax.Array:
    """Return the absolute loudness of each frame, and of its window.

    Ours: levelling inside the window hides whether there is speech at all; these two
    channels tell, by fixed constants: 0 at -40 dB of full scale, 1 at -20 dB, at
    least -2 (-80 dB).

    Args:
        windows: float32 `[N, window_samples]`.
        grid: the grid that they were cut by.

    Returns:
        float32 `[N, hop_frames, 2]`.
    """
    frames = einops.rearrange(windows, "n (t s) -> n t s", s=types.SAMPLES_PER_FRAME)
    power = jnp.mean(jnp.square(frames), axis=-1)
    own = power[:, grid.frames_before : grid.frames_before + grid.hop_frames]
    whole = einops.repeat(jnp.mean(power, axis=1), "n -> n t", t=grid.hop_frames)
    decibels = 10.0 * jnp.log10(jnp.maximum(jnp.stack([own, whole], -1), 1e-8))
    return (decibels + 40.0) / 20.0


@dataclasses.dataclass(frozen=True)
class MelEncoder:
    """Four steps of levelled log-mel spectra a frame, and its loudness.

    Ours: an encoder without weights, for tests and for small models; it needs no
    language, and waits for 0.2 s of context only.
    """

    grid: windows_lib.WindowGrid = windows_lib.WindowGrid(
        hop_frames=5, frames_before=10, frames_after=5
    )
    num_channels: int = _STEPS_PER_FRAME * NUM_MELS + NUM_LOUDNESS_CHANNELS

    def load_variables(self) -> dict:
        """Return an empty dict: there is nothing to load."""
        return {}

    def encode_windows(self, variables: dict, windows: jax.Array) -> jax.Array:
        """Encode windows.

        Args:
            variables: not used.
            windows: float32 `[N, window_samples]`.

        Returns:
            float32 `[N, hop_frames, 322]`.
        """
        del variables
        spectra = einops.rearrange(
            level(log_mel(windows)), "n (t k) m -> n t (k m)", k=_STEPS_PER_FRAME
        )
        first = self.grid.frames_before
        own = spectra[:, first : first + self.grid.hop_frames]
        return jnp.concatenate([own, loudness(windows, self.grid)], axis=-1)

    def features(self, variables: dict, waveform: np.ndarray) -> np.ndarray:
        """Encode waveforms `[B, S]` to `[B, T, 322]`; see `windows.features`."""
        return windows_lib.features(self, variables, waveform)

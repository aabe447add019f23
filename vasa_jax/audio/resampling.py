"""Resample waveforms at any real ratio, by soxr."""

import numpy as np


def resample(waveform: np.ndarray, ratio: float) -> np.ndarray:
    """Read a waveform `ratio` input samples per output sample.

    Ours: any real ratio, because speakers are varied by playing them slower or faster.

    Args:
        waveform: float32 `[S]`.
        ratio: input samples per output sample, for example 22050 / 16000.

    Returns:
        float32 `[floor(S / ratio)]`.
    """
    # Imported late: clips are also rendered where nothing is spoken.
    import soxr

    if ratio == 1:
        return waveform.astype(np.float32)
    count = int(len(waveform) / ratio)
    # Only the quotient of the rates matters.
    resampled = soxr.resample(waveform.astype(np.float32), ratio, 1.0)[:count]
    return np.pad(resampled, (0, count - len(resampled)))

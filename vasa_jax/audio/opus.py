"""A voice through the Opus codec and back, in time with what went in."""

from collections.abc import Iterator

import av
import numpy as np

from vasa_jax import types

_RATE_RATIO = 3
"""Opus decodes to 48 kHz, whatever was given."""


def code(waveform: np.ndarray, bits_per_second: int) -> np.ndarray:
    """Encode a voice as calls do, and decode it.

    Ours: by FFmpeg's libopus; its decoder leaves out what the encoder put before, as
    the header says, so that nothing is delayed.

    Args:
        waveform: float32 `[S]` at 16 kHz.
        bits_per_second: 6,000 to 510,000; calls use 16,000 to 64,000.

    Returns:
        float32 `[S]`.
    """
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate = types.SAMPLE_RATE_HZ
    encoder.layout, encoder.format = "mono", "flt"
    encoder.bit_rate = bits_per_second
    encoder.options = {"application": "voip"}
    encoder.open()
    decoder = av.CodecContext.create("libopus", "r")
    decoder.extradata = encoder.extradata
    decoded = [
        heard.to_ndarray().ravel()
        for frame in _frames(waveform, encoder.frame_size)
        for packet in encoder.encode(frame)
        for heard in decoder.decode(packet)
    ]
    samples = np.concatenate(decoded).astype(np.float32) / 32768
    wanted = _RATE_RATIO * len(waveform)
    samples = np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))
    spectrum = np.fft.rfft(samples)[: len(waveform) // 2 + 1]
    return np.float32(np.fft.irfft(spectrum, len(waveform)) / _RATE_RATIO)


def _frames(waveform: np.ndarray, size: int) -> Iterator[av.AudioFrame | None]:
    """Yield frames of one size, silence at the last one's end, then the end."""
    for start in range(0, len(waveform), size):
        samples = np.zeros((1, size), np.float32)
        part = waveform[start : start + size]
        samples[0, : len(part)] = part
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
        frame.sample_rate, frame.pts = types.SAMPLE_RATE_HZ, start
        yield frame
    yield None

"""Sessions for adapters, of a face without models, and voices that they say."""

import contextlib

import numpy as np

from experiments.tools import flashing_face
from vasa_jax.live import limits, sessions

LOUD = 0.8


@contextlib.asynccontextmanager
async def living_faces(num_faces=1, **face):
    """Give sessions of faces that are as bright as they are loud."""
    living = sessions.Sessions(
        flashing_face.FlashingFace(**face),
        np.zeros((64, 64, 3), np.uint8),
        limits.Limits(sessions=num_faces),
    )
    await living.warm_up()
    try:
        yield living
    finally:
        living.close()


def tone(rate, seconds, hertz=400.0, level=LOUD):
    """Return a voice of one tone, int16 `[S]`."""
    time = np.arange(round(seconds * rate)) / rate
    return np.round(level * 32767 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def pieces(samples, rate, seconds=0.02):
    """Cut a voice as systems bring it."""
    size = round(rate * seconds)
    return [samples[i : i + size] for i in range(0, len(samples), size)]


def spoken(sound):
    """Return int16 `[S]` without the silence around it."""
    (voiced,) = np.nonzero(sound)
    return sound[voiced[0] : voiced[-1] + 1]

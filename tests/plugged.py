"""Sessions for adapters, of a face without models, and voices that they say."""

import asyncio
import contextlib
import os
import time

import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.live import limits, sessions

LOUD = 0.8
MOST_SECONDS = 60
"""Of one test, which takes a few."""

BEAT_SECONDS = 0.02
BUSY_SECONDS = 0.04
MOST_LOAD = 2.0
"""What is ready to run for each core, with which encoders and faces still keep up."""

_late = []
"""By how much each beat of the loop came late since the last faces began."""


@contextlib.asynccontextmanager
async def living_faces(num_faces=1, **face):
    """Give sessions of faces that are as bright as they are loud."""
    living = sessions.Sessions(
        flashing_face.FlashingFace(**face),
        np.zeros((64, 64, 3), np.uint8),
        limits.Limits(sessions=num_faces),
    )
    await living.warm_up()
    beating = asyncio.create_task(_beat())
    try:
        yield living
    finally:
        beating.cancel()
        living.close()


def run(work):
    """Run `work()` and return what it returns."""
    try:
        return asyncio.run(asyncio.wait_for(work(), MOST_SECONDS))
    except TimeoutError:
        skip_if_busy()
        raise


async def _beat():
    _late.clear()
    while True:
        due = time.monotonic() + BEAT_SECONDS
        await asyncio.sleep(BEAT_SECONDS)
        _late.append(time.monotonic() - due)


def skip_if_busy():
    """Skip what is said of times where the machine had too much other work for them."""
    late, load = np.percentile(_late, 95), os.getloadavg()[0] / os.cpu_count()
    if late > BUSY_SECONDS or load > MOST_LOAD:
        pytest.skip(
            f"busy: the loop came {late:.2f} s late, a core's load is {load:.1f}"
        )


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

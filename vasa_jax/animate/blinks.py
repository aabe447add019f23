"""Blinks at a rate that is asked for, in the place of those that were generated.

Ours: a denoiser decides by chance when lids close, and noise alone hardly changes how
often. So its blinks are taken out, and others put in, whose times hang on the seed and
the rate alone: windows of any length give the same ones.
"""

import dataclasses

import numpy as np

from vasa_jax import types

LIDS_LEFT = 0.2
"""Weight above which lids count as blinking, and to which generated blinks are cut.
Ours: between blinks they stay below 0.15, and in them they reach 1."""

BLINK = (0.5, 1.0, 1.0, 0.75, 0.5, 0.25)
"""Weight of the lids in the frames of a blink. Follows: the training heads', which
close in 80 ms and open in 150."""

LEAST_SHARE = 0.4
"""Least time between blinks over its mean. Ours: people do not blink like clocks, nor
twice at once."""


@dataclasses.dataclass(frozen=True)
class BlinkClock:
    """Where a performance stands between two blinks.

    Attributes:
        seed: of all times.
        number: blinks begun so far.
        done: share of the mean time between blinks that has passed since the last.
        since: frames since the last blink began; none has at first.
    """

    seed: int
    number: int = 0
    done: float = 0.0
    since: int = len(BLINK)


def blink(clock: BlinkClock, rates: np.ndarray) -> tuple[BlinkClock, np.ndarray]:
    """Blink in some frames.

    Args:
        clock: as the frames before left it.
        rates: `[n]` blinks a minute in each frame.

    Returns:
        The clock for the next frames, and the weight of the lids, float32 `[n]`.
    """
    number, done, since = clock.number, clock.done, clock.since
    due = _due(clock.seed, number)
    lids = np.zeros(len(rates), np.float32)
    for frame, rate in enumerate(rates):
        done += rate / (60 * types.FRAME_RATE_HZ)
        since += 1
        if done >= due:
            done, since, number = done - due, 0, number + 1
            due = _due(clock.seed, number)
        if since < len(BLINK):
            lids[frame] = BLINK[since]
    return BlinkClock(clock.seed, number, done, min(since, len(BLINK))), lids


def _due(seed: int, number: int) -> float:
    """Return the time before a blink over its mean, at random, of mean 1."""
    chance = np.random.default_rng((seed, number)).exponential()
    return LEAST_SHARE + (1 - LEAST_SHARE) * chance

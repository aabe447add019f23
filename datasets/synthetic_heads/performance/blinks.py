"""When lids shut: at the ends of phrases, with shifts of gaze, and at any time."""

import numpy as np

from datasets.synthetic_heads.performance import phrasing, visemes

_BLINKS_HZ = 0.36
_LEAST_SECONDS_BETWEEN_BLINKS = 0.4
_BLINKS_AT_PHRASE_END, _BLINKS_WITH_GAZE = 0.4, 0.5
_LARGE_GAZE_SHIFT_RADIANS = float(np.deg2rad(8))
"""Blinks a second at any time, and shares of phrases at whose end, and of large shifts
of gaze with which, people blink. Follows: Bentivoglio et al. 1997 (26 a minute in
conversation, 4 in reading), Nakano and Kitazawa 2010 (at breaks of speech), Evinger et
al. 1994 (with gaze shifts). Ours: together about 30 a minute, as filmed people."""

_BLINK_CLOSING_SECONDS, _BLINK_SHUT_SECONDS, _BLINK_REOPENING_SECONDS = 0.08, 0.03, 0.15
_PARTIAL_BLINKS = 0.15
"""Lids close in 80 ms and open in twice the time; some blinks do not close them.
Follows: VanderWerf et al. 2003."""


def blink(
    gaze: np.ndarray, phrases: phrasing.Phrasing, generator: np.random.Generator
) -> np.ndarray:
    """Blink at ends of phrases, with large shifts of gaze, and at random.

    Ours: see `_BLINKS_HZ`; people differ.

    Args:
        gaze: `[T, 2]` where the eyes want to look, radians.
        phrases: of the voice.
        generator: source of chance.

    Returns:
        float32 `[T]` in [0, 1], 1 where the lids are shut.
    """
    times = visemes.frame_times(len(gaze))
    often = np.exp(generator.normal(0, 0.25))
    shifts = np.linalg.norm(np.diff(gaze, axis=0, prepend=gaze[:1]), axis=1)
    jumps = times[shifts > _LARGE_GAZE_SHIFT_RADIANS]
    at_jumps = jumps[generator.random(len(jumps)) < _BLINKS_WITH_GAZE * often]
    ends = phrases.ends
    at_ends = ends[generator.random(len(ends)) < _BLINKS_AT_PHRASE_END * often]
    at_ends = at_ends + generator.uniform(-0.1, 0.3, len(at_ends))
    at_random = []
    clock = generator.exponential(1 / (often * _BLINKS_HZ)) - 0.2
    while clock < times[-1]:
        at_random.append(clock)
        clock += generator.exponential(1 / (often * _BLINKS_HZ))
    lids = np.zeros(len(times))
    last = -np.inf
    for start in np.sort(np.concatenate([at_jumps - 0.04, at_ends, at_random])):
        slowness = generator.uniform(0.85, 1.25)
        is_partial = generator.random() < _PARTIAL_BLINKS
        depth = generator.uniform(0.55, 0.9) if is_partial else 1.0
        if start - last < _LEAST_SECONDS_BETWEEN_BLINKS:
            continue
        last = start
        since = (times - start) / slowness
        closing = since / _BLINK_CLOSING_SECONDS
        reopening = since - _BLINK_CLOSING_SECONDS - _BLINK_SHUT_SECONDS
        reopening = 1 - reopening / _BLINK_REOPENING_SECONDS
        shut = np.clip(np.minimum(closing, reopening), 0, 1)
        lids = np.maximum(lids, depth * shut)
    return lids.astype(np.float32)

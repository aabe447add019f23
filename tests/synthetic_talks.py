"""Talks of 20 s without a voice: phrases, pauses and accents as people make them."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.performance import phrasing, prosody

NUM_FRAMES = 500


@dataclasses.dataclass(frozen=True)
class Talk:
    """What a voice would tell.

    Attributes:
        curves: of 500 frames.
        phrases: of the same.
    """

    curves: prosody.Prosody
    phrases: phrasing.Phrasing


def draw(seed: int, listens: bool = False) -> Talk:
    """Draw a talk; its first half is silent if somebody listens."""
    generator = np.random.default_rng([seed, 7])
    starts, ends, accents, sizes = [], [], [], []
    clock = 10.0 if listens else generator.uniform(0.1, 0.7)
    while clock < 19.0:
        end = min(clock + generator.uniform(1.5, 4.0), 20.0)
        starts.append(clock)
        ends.append(end)
        accent = clock + generator.uniform(0.1, 0.5)
        while accent < end - 0.1:
            accents.append(accent)
            sizes.append(generator.uniform(0.15, 1.0))
            accent += generator.uniform(0.35, 0.85)
        clock = end + generator.uniform(0.25, 1.0)
    phrases = phrasing.Phrasing(*map(np.array, (starts, ends, accents, sizes)))
    times = (np.arange(NUM_FRAMES)[:, None] + 0.5) / 25
    speaking = ((phrases.starts < times) & (times < phrases.ends)).any(axis=1)
    bumps = phrases.accent_sizes * np.exp(
        -0.5 * ((times - phrases.accents) / 0.08) ** 2
    )
    accent = bumps.max(axis=1)
    pitch = speaking * (0.15 * np.sin(2 * np.pi * 0.9 * times[:, 0]))
    curves = prosody.Prosody(
        energy=(speaking * (0.4 + 0.6 * accent)).astype(np.float32),
        pitch=pitch.astype(np.float32),
        accent=accent.astype(np.float32),
        speaking=prosody.smooth(speaking.astype(np.float32), 3),
        active=speaking * np.float32(0.75),
    )
    return Talk(curves, phrases)

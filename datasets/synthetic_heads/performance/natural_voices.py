"""Which natural voices of nobody each split of a data set hears."""

import numpy as np

from vasa_jax.speech.natural_voices import spelling, voice

NUM_VOICES = 10_000
_VALIDATION_INDEX, _TEST_INDEX, _CYCLE = 3, 7, 10
"""Of ten seeds the fourth is for validation, the eighth for tests. Ours: as recorded
speakers are dealt."""

LANGUAGE_WEIGHTS = {"en": 0.6, "fr": 0.1, "es": 0.1, "it": 0.1, "pt": 0.1}
"""How often a language is drawn. Ours: as for espeak-ng's voices, without those that
the network was not taught."""


def split_of(seed: int) -> str:
    """Return the split that the voice of a seed belongs to."""
    splits = {_VALIDATION_INDEX: "validation", _TEST_INDEX: "test"}
    return splits.get(seed % _CYCLE, "train")


def draw(generator: np.random.Generator, split: str) -> voice.Voice:
    """Draw a voice that belongs to a split.

    Args:
        generator: source of chance.
        split: "train", "validation" or "test"; they share no seed.

    Returns:
        A voice.
    """
    seeds = [seed for seed in range(NUM_VOICES) if split_of(seed) == split]
    language = generator.choice(
        list(LANGUAGE_WEIGHTS), p=list(LANGUAGE_WEIGHTS.values())
    )
    accents = [name for name, read in spelling.LANGUAGES.items() if read == language]
    return voice.Voice(
        seed=int(seeds[generator.integers(len(seeds))]),
        language=str(accents[generator.integers(len(accents))]),
    )

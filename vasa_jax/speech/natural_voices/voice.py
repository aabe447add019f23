"""Somebody who is nobody: a voice mixed from the styles that come with the network.

Ours: nobody is given a shipped style or another person's voice. Timbre and manner are
mixed apart and a little beyond the shipped styles' span, with some noise, and played a
little faster or slower, so that seeds give voices that listeners tell apart.
"""

import dataclasses

import numpy as np

from vasa_jax.speech.natural_voices import model

_CONCENTRATIONS = (0.2, 0.5, 0.5, 0.2, 0.5)
"""Of a Dirichlet draw over the five styles. Ours: the first and the fourth are hard to
understand, so there is less of them."""

_MAN, _MAN_CONCENTRATION, _MAN_SHARE = 4, 3.0, 0.4
"""Ours: one style alone is a man's; two voices in five lean towards it."""

_EXTRAPOLATION = (0.95, 1.3)
"""Distances from the mean style, 1 as the mixture has it. Ours: beyond 1.5 the pitch of
the man breaks."""

_STYLE_NOISE = 0.15
_SPEED = (0.85, 1.2)
_PLAYBACK = 0.12


@dataclasses.dataclass(frozen=True)
class Voice:
    """One way to speak; equal fields give equal sound.

    Attributes:
        seed: of who speaks, from 0.
        language: one of `spelling.LANGUAGES`.
        pace: factor of the usual speed.
        height: factor of the usual pitch.
    """

    seed: int
    language: str = "en-us"
    pace: float = 1.0
    height: float = 1.0

    @property
    def name(self) -> str:
        """Return the speaker's name, the same for all languages and manners."""
        return f"natural/{self.seed:04d}"


@dataclasses.dataclass(frozen=True)
class Person:
    """What a seed draws.

    Attributes:
        styles: float64 `[510, 256]`, by number of tokens.
        speed: of the network.
        playback_rate: speed at which the waveform is played; moves pitch and formants.
    """

    styles: np.ndarray
    speed: float
    playback_rate: float


def person(seed: int) -> Person:
    """Draw who speaks.

    Args:
        seed: of a voice.

    Returns:
        The same person for the same seed.
    """
    shipped = model.shipped_styles()
    generator = np.random.default_rng([seed, 1])
    timbre, other = _shares(generator), _shares(generator)
    near = generator.uniform(0.5, 1)
    manner = near * timbre + (1 - near) * other
    halves = np.split(shipped, 2, axis=-1)
    mixed = [
        np.tensordot(shares, half, 1)
        for shares, half in zip((timbre, manner), halves, strict=True)
    ]
    mean = shipped.mean(axis=0)
    noise = shipped.std(axis=0).mean(axis=0) * generator.normal(size=model.STYLE_SIZE)
    distance = generator.uniform(*_EXTRAPOLATION)
    return Person(
        styles=mean
        + distance * (np.concatenate(mixed, axis=-1) - mean)
        + _STYLE_NOISE * noise,
        speed=float(generator.uniform(*_SPEED)),
        playback_rate=float(np.exp(generator.uniform(-_PLAYBACK, _PLAYBACK))),
    )


def _shares(generator: np.random.Generator) -> np.ndarray:
    """Draw how much of each shipped style a mixture has, `[5]`."""
    concentrations = list(_CONCENTRATIONS)
    if generator.random() < _MAN_SHARE:
        concentrations[_MAN] = _MAN_CONCENTRATION
    return generator.dirichlet(concentrations)

"""Single expression weights that come and go, as no words and no emotion move them."""

import numpy as np

from datasets.synthetic_heads.performance import strokes, visemes
from vasa_jax import arkit

UNITS = (
    "browDown",
    "browInnerUp",
    "browOuterUp",
    "cheekPuff",
    "cheekSquint",
    "eyeSquint",
    "eyeWide",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthDimple",
    "mouthFrown",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDown",
    "mouthPress",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmile",
    "mouthStretch",
    "mouthUpperUp",
    "noseSneer",
)
"""What is exercised, both sides under one name. Ours: gaze and lids have movements of
their own, and lips that stay shut over an open jaw are one movement of both."""

_STROKES_HZ = 8.0
_STROKE_SECONDS = (0.1, 0.25)
_HOLD_SECONDS = (0.05, 0.4)
"""Ours: three or four weights are under way at a time. With one or two, a leg of some
thousand examples showed each of them thirty times, and taught none."""

_LEAST, _MOST = 0.1, 0.9

_LOPSIDED_SHARE = 0.3
"""Ours: most movements of a face have two sides."""


def exercise(times: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Move single expression weights, each by itself.

    Ours: in performances the upper lip rises as the lower one falls, and the brows'
    outer ends with their inner ones; a renderer taught by them alone leaves out what
    tells such weights apart.

    Args:
        times: `[T]` seconds.
        generator: source of chance.

    Returns:
        float32 `[T, 52]` in [0, 1].
    """
    total = np.zeros((len(times), arkit.NUM_UNITS))
    clock = 0.0
    while clock < times[-1]:
        unit = UNITS[generator.integers(len(UNITS))]
        rise, fall = generator.uniform(*_STROKE_SECONDS, 2)
        hold = generator.uniform(*_HOLD_SECONDS)
        size = generator.uniform(_LEAST, _MOST)
        weaker = generator.random() if generator.random() < _LOPSIDED_SHARE else 1.0
        behind = "Left" if generator.random() < 0.5 else "Right"
        sides = visemes.expand({unit: size})
        sides[[name == unit + behind for name in arkit.NAMES]] *= weaker
        total += strokes.stroke(times, clock, rise, fall, hold)[:, None] * sides
        clock += generator.exponential(1 / _STROKES_HZ)
    return total.clip(0, 1).astype(np.float32)

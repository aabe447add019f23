"""Emotions on a face, by their action units, and smiles that bare the teeth."""

import numpy as np

from datasets.synthetic_heads.performance import visemes
from vasa_jax import arkit

_EMOTIONS = {
    "neutral": (dict(), dict(browInnerUp=0.1), dict(eyeSquint=0.1, mouthPress=0.1)),
    "happiness": (
        dict(mouthSmile=1.0, cheekSquint=0.8, eyeSquint=0.3, mouthUpperUp=0.1),
        dict(mouthSmile=1.0, cheekSquint=1.0, eyeSquint=0.4, mouthDimple=0.2),
        dict(mouthSmile=1.0, cheekSquint=0.8, mouthDimple=0.4, browOuterUp=0.2),
    ),
    "sadness": (
        dict(browInnerUp=1.0, mouthFrown=0.9, mouthShrugLower=0.4, eyeBlink=0.15),
        dict(browInnerUp=1.0, browDown=0.2, mouthFrown=0.8, eyeSquint=0.2),
        dict(browInnerUp=0.85, mouthFrown=1.0, mouthShrugLower=0.5, eyeBlink=0.25),
    ),
    "anger": (
        dict(browDown=1.0, eyeSquint=0.5, noseSneer=0.4, mouthRoll=0.4, mouthFrown=0.3),
        dict(browDown=1.0, eyeWide=0.5, noseSneer=0.3, mouthFrown=0.45, mouthRoll=0.2),
        dict(browDown=1.0, eyeSquint=0.6, mouthRoll=0.5, mouthFrown=0.2, noseSneer=0.3),
    ),
    "surprise": (
        dict(browInnerUp=1.0, browOuterUp=1.0, eyeWide=0.9, jawOpen=0.25),
        dict(browInnerUp=1.0, browOuterUp=1.0, eyeWide=0.7, jawOpen=0.2),
        dict(browInnerUp=0.9, browOuterUp=1.0, eyeWide=1.0, jawOpen=0.18),
    ),
    "disgust": (
        dict(noseSneer=1.0, mouthUpperUp=0.6, browDown=0.3, eyeSquint=0.5),
        dict(noseSneer=0.9, mouthUpperUp=0.5, mouthFrown=0.5, mouthShrugLower=0.3),
        dict(noseSneer=1.0, mouthUpperUp=0.6, cheekSquint=0.6, eyeSquint=0.6),
    ),
    "fear": (
        dict(browInnerUp=1.0, browDown=0.3, eyeWide=0.9, mouthStretch=0.8),
        dict(browInnerUp=1.0, browDown=0.35, eyeWide=1.0, mouthStretch=0.7),
        dict(browInnerUp=1.0, browOuterUp=0.3, eyeWide=0.9, mouthStretch=0.9),
    ),
    "contempt": (
        dict(mouthSmileLeft=0.7, mouthDimpleLeft=0.8, cheekSquintLeft=0.4),
        dict(mouthSmileLeft=0.5, mouthDimpleLeft=1.0, browOuterUpRight=0.6),
        dict(mouthSmileLeft=0.75, mouthDimpleLeft=0.6, mouthLeft=0.25, eyeBlink=0.12),
    ),
}
"""Ways in which each emotion shows.

Follows: Ekman and Friesen 1978, Ekman, Friesen and Hager 2002 (prototypes in action
units): 6 and 12 in happiness, 1, 4, 15 and 17 in sadness, 4, 5, 7 and 23 in anger, 1,
2, 5 and 26 in surprise, 9, 10, 15 and 17 in disgust, 1, 2, 4, 5 and 20 in fear, 12 and
14 of one side in contempt. Ours: three ways each, so that an emotion is not one fixed
grimace; each way has what tells it from all others."""

_EMOTION_VARIES = 0.15
"""By which each weight of an emotion varies. Ours: people differ, prototypes stay."""

_BARED_SMILE = dict(
    mouthSmile=0.8,
    mouthUpperUp=0.9,
    mouthLowerDown=0.75,
    mouthStretch=0.2,
    jawOpen=0.06,
    cheekSquint=0.5,
    eyeSquint=0.2,
)
"""A smile that shows the teeth. Ours: most portraits that people bring smile so."""

_PARTED_BY = visemes.expand(dict(jawOpen=4.0, mouthUpperUp=0.6))
"""By which weights of an emotion part the lips in silence, `[52]`. Ours: the mouth
falls open in surprise, and disgust lifts the upper lip."""


def show(
    emotion: str, strength: float, num_frames: int, generator: np.random.Generator
) -> np.ndarray:
    """Show an emotion, waxing and waning a little.

    Ours: a mixture of two of the emotion's ways, each weight varied, one side a little
    stronger than the other.

    Args:
        emotion: one of `types.EMOTIONS`.
        strength: 0 to 1.
        num_frames: T.
        generator: source of chance.

    Returns:
        float32 `[T, 52]`.
    """
    ways = _EMOTIONS[emotion]
    first, second = generator.permutation(len(ways))[:2]
    share = generator.uniform(0.5, 1.0)
    mirror = bool(generator.random() < 0.5)
    target = share * _sides(ways[first], mirror)
    target += (1 - share) * _sides(ways[second], mirror)
    target *= generator.uniform(1 - _EMOTION_VARIES, 1 + _EMOTION_VARIES, len(target))
    seconds = visemes.frame_times(num_frames)
    period = generator.uniform(3.0, 7.0)
    wave = np.sin(2 * np.pi * seconds / period + generator.uniform(0, 6.28))
    level = strength * (0.95 + 0.05 * wave)
    return (level[:, None] * target).astype(np.float32)


def bared_smile(num_frames: int, generator: np.random.Generator) -> np.ndarray:
    """Smile with bared teeth, for as long as a photograph needs or longer.

    Ours: each weight varied by a third; some smiles come or go within the clip, so that
    one take has both mouths.

    Args:
        num_frames: T.
        generator: source of chance.

    Returns:
        float32 `[T, 52]`.
    """
    target = visemes.expand(_BARED_SMILE)
    target = target * generator.uniform(0.67, 1.33, len(target))
    times = visemes.frame_times(num_frames)
    turn = generator.uniform(-1.0, 2.0) * times[-1]
    level = 1 / (1 + np.exp((times - turn) / 0.12))
    level = level if generator.random() < 0.5 else 1 - level
    # A turn outside the clip leaves one mouth throughout: the smile.
    if not 0 < turn < times[-1]:
        level = np.ones(num_frames)
    return (level[:, None] * target).astype(np.float32)


def parted_lips(weights: np.ndarray) -> np.ndarray:
    """Return how far an emotion keeps the lips apart in silence, `[T]` in [0, 1].

    Args:
        weights: `[T, 52]` of `show` or `bared_smile`.
    """
    return np.clip(weights @ _PARTED_BY, 0, 1)


def _sides(weights: dict[str, float], mirror: bool) -> np.ndarray:
    """Expand weights, left and right exchanged if asked."""
    vector = visemes.expand(weights)
    return vector[list(arkit.OTHER_SIDE)] if mirror else vector

"""What a face does beside speaking: emotions, blinks, brow accents, small gestures."""

import numpy as np

from datasets.synthetic_heads import names
from datasets.synthetic_heads.performance import prosody, visemes
from vasa_jax import types

_EMOTIONS = {
    "neutral": (dict(), dict(browInnerUp=0.1), dict(eyeSquint=0.1, mouthPress=0.1)),
    "happiness": (
        dict(mouthSmile=0.6, cheekSquint=0.5, eyeSquint=0.25, browInnerUp=0.1),
        dict(mouthSmile=0.75, cheekSquint=0.7, eyeSquint=0.4, mouthDimple=0.3),
        dict(mouthSmile=0.45, mouthDimple=0.4, browOuterUp=0.25, cheekSquint=0.25),
    ),
    "sadness": (
        dict(mouthFrown=0.6, browInnerUp=0.75, eyeSquint=0.15, mouthShrugLower=0.2),
        dict(mouthFrown=0.45, browInnerUp=0.9, browDown=0.15, mouthPress=0.2),
        dict(mouthFrown=0.7, browInnerUp=0.5, eyeBlink=0.18, mouthShrugLower=0.35),
    ),
    "anger": (
        dict(browDown=0.9, eyeSquint=0.4, noseSneer=0.4, mouthPress=0.25),
        dict(browDown=0.8, eyeWide=0.4, noseSneer=0.25, mouthFrown=0.3),
        dict(browDown=1.0, eyeSquint=0.55, mouthPress=0.5, jawForward=0.3),
    ),
    "surprise": (
        dict(browInnerUp=0.7, browOuterUp=0.8, eyeWide=0.8, jawOpen=0.12),
        dict(browInnerUp=0.9, browOuterUp=0.9, eyeWide=0.6),
        dict(browInnerUp=0.5, browOuterUp=0.6, eyeWide=0.9, mouthFunnel=0.15),
    ),
    "disgust": (
        dict(noseSneer=0.85, mouthUpperUp=0.35, browDown=0.4, eyeSquint=0.4),
        dict(noseSneer=0.7, mouthFrown=0.45, browDown=0.5, mouthShrugLower=0.3),
        dict(noseSneer=1.0, cheekSquint=0.5, eyeSquint=0.5, mouthUpperUp=0.2),
    ),
    "fear": (
        dict(browInnerUp=0.9, eyeWide=0.7, mouthStretch=0.4),
        dict(browInnerUp=0.8, browDown=0.3, eyeWide=0.9, mouthStretch=0.55),
        dict(browInnerUp=1.0, browOuterUp=0.3, eyeWide=0.5, mouthFrown=0.3),
    ),
    "contempt": (
        dict(mouthSmileLeft=0.5, mouthDimpleLeft=0.5, browOuterUpRight=0.4),
        dict(mouthDimpleLeft=0.7, mouthPress=0.2, eyeSquint=0.3, browDownLeft=0.3),
        dict(mouthSmileLeft=0.4, mouthLeft=0.2, eyeBlink=0.12, browOuterUpRight=0.6),
    ),
}
"""Ways in which each emotion shows.

Ours: after the action units of the Facial Action Coding System for each emotion, three
ways each, so that an emotion is not one fixed grimace; contempt is one-sided.
"""

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

_BLINK_CLOSING_SECONDS, _BLINK_OPENING_SECONDS = 0.08, 0.16
_BLINK_PERIOD_SECONDS = {"sadness": 2.8, "fear": 2.3, "surprise": 4.5, "anger": 4.0}
_USUAL_BLINK_PERIOD_SECONDS = 3.4
"""Lids close in 80 ms and open in 160 ms, every few seconds. Ours: as people do;
tired and frightened eyes blink more, staring ones less."""

_GESTURES = (
    dict(mouthPress=0.6),
    dict(mouthPucker=0.5),
    dict(mouthLeft=0.5),
    dict(mouthRight=0.5),
    dict(mouthSmile=0.5, cheekSquint=0.3),
    dict(cheekPuff=0.5, mouthPress=0.3),
    dict(browInnerUp=0.6, browOuterUp=0.6),
    dict(browDown=0.6),
    dict(noseSneer=0.4, browDown=0.2),
    dict(mouthShrugLower=0.5, mouthShrugUpper=0.3),
    dict(mouthRoll=0.4),
    dict(eyeSquint=0.6, cheekSquint=0.3),
    dict(mouthDimple=0.5),
    dict(jawLeft=0.25),
    dict(jawRight=0.25),
    dict(jawForward=0.3),
)
"""Small movements that mean nothing. Ours: they show expression weights that neither
speech nor emotions use; none of them parts the lips."""

LIP_OPENERS = visemes.expand(
    dict(
        jawOpen=1,
        mouthUpperUp=1,
        mouthLowerDown=1,
        mouthFunnel=1,
        mouthStretch=0.6,
        tongueOut=1,
        mouthShrugUpper=0.4,
        mouthSmile=0.25,
        noseSneer=0.5,
        mouthFrown=0.2,
        mouthPucker=0.5,
    )
)
"""Share of each weight that goes while the lips are shut, `[52]`. Ours: what parts the
lips goes, what only shapes them stays."""


_JAW_OPEN = names.ARKIT_NAMES.index("jawOpen")
_JAW_LEFT_OPEN = 0.35
"""Share of the jaw's opening that a bilabial leaves; mouthClose makes up for it. Ours:
the jaw is too slow to shut between two open vowels, the lips are not."""


def _sides(weights: dict[str, float], mirror: bool) -> np.ndarray:
    """Expand weights, left and right exchanged if asked."""
    vector = visemes.expand(weights)
    return vector[_MIRROR] if mirror else vector


def _mirror_order() -> np.ndarray:
    """Return the index of each weight's other side."""
    order = []
    for name in names.ARKIT_NAMES:
        other = name.replace("Left", "*").replace("Right", "Left").replace("*", "Right")
        order.append(names.ARKIT_NAMES.index(other))
    return np.array(order)


_MIRROR = _mirror_order()


def emotion_weights(
    emotion: str, strength: float, num_frames: int, generator: np.random.Generator
) -> np.ndarray:
    """Show an emotion, waxing and waning a little.

    Ours: a mixture of two of the emotion's ways, each weight varied by a quarter, one
    side a little stronger than the other.

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
    target *= generator.uniform(0.75, 1.25, len(target))
    seconds = visemes.frame_times(num_frames)
    period = generator.uniform(3.0, 7.0)
    wave = np.sin(2 * np.pi * seconds / period + generator.uniform(0, 6.28))
    level = strength * (0.85 + 0.15 * wave)
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


def blinks(
    emotion: str, gaze_shifts: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Blink at random, and often while the gaze jumps far.

    Ours: blinks accompany large gaze shifts in people.

    Args:
        emotion: one of `types.EMOTIONS`; changes the rate.
        gaze_shifts: `[T]` radians by which the gaze moves in each frame.
        generator: source of chance.

    Returns:
        float32 `[T]` in [0, 1], 1 where the lids are shut.
    """
    num_frames = len(gaze_shifts)
    seconds = num_frames / types.FRAME_RATE_HZ
    period = _BLINK_PERIOD_SECONDS.get(emotion, _USUAL_BLINK_PERIOD_SECONDS)
    starts = []
    clock = generator.uniform(-0.2, period)
    while clock < seconds:
        starts.append(clock)
        clock += 0.4 + generator.exponential(period - 0.4)
        if generator.random() < 0.08:
            starts.append(starts[-1] + 0.3)
    for jump in np.nonzero(gaze_shifts > 0.12)[0] / types.FRAME_RATE_HZ:
        alone = all(abs(jump - start) > 0.8 for start in starts)
        if alone and generator.random() < 0.35:
            starts.append(jump - 0.06)
    times = visemes.frame_times(num_frames)
    lids = np.zeros(num_frames)
    for start in starts:
        slowness = generator.uniform(0.9, 1.3)
        since = (times - start) / slowness
        closing = since / _BLINK_CLOSING_SECONDS
        opening = 1 - (since - _BLINK_CLOSING_SECONDS - 0.03) / _BLINK_OPENING_SECONDS
        lids = np.maximum(lids, np.clip(np.minimum(closing, opening), 0, 1))
    return lids.astype(np.float32)


def brow_accents(curves: prosody.Prosody, liveliness: float) -> np.ndarray:
    """Raise the brows on accents and on high pitch.

    Follows: Cavé et al. 1996 (brow rises go with rises of pitch).

    Args:
        curves: prosody of the voice.
        liveliness: 0 still to 1 lively.

    Returns:
        float32 `[T, 52]`.
    """
    rise = np.clip(curves.accent * 0.5 + curves.pitch.clip(0) * 0.8, 0, 1)
    weights = visemes.expand(dict(browInnerUp=0.5, browOuterUp=0.4))
    return (liveliness * prosody.smooth(rise, 1.5))[:, None] * weights


def gestures(
    curves: prosody.Prosody, liveliness: float, generator: np.random.Generator
) -> np.ndarray:
    """Make small movements of no meaning, mouths only in pauses.

    Ours: see `_GESTURES`.

    Args:
        curves: prosody of the voice.
        liveliness: 0 still to 1 lively; the rate of movements.
        generator: source of chance.

    Returns:
        float32 `[T, 52]`.
    """
    times = visemes.frame_times(len(curves.energy))
    total = np.zeros((len(times), len(names.ARKIT_NAMES)), np.float32)
    clock = generator.exponential(2.0)
    while clock < times[-1]:
        weights = visemes.expand(_GESTURES[generator.integers(len(_GESTURES))])
        length = generator.uniform(0.4, 1.2)
        bump = np.exp(-0.5 * ((times - clock) / (length / 3)) ** 2)
        size = liveliness * generator.uniform(0.5, 1.4)
        total += (size * bump)[:, None].astype(np.float32) * weights
        clock += 0.5 + generator.exponential(2.5)
    total[:, _MOUTH] *= (1 - curves.speaking)[:, None]
    return total


_MOUTH = np.array(
    [name.startswith(("mouth", "jaw", "cheekPuff")) for name in names.ARKIT_NAMES]
)


def combine(
    speech_weights: np.ndarray,
    other_weights: np.ndarray,
    bilabial: np.ndarray,
    lip_teeth: np.ndarray,
    rest: np.ndarray,
    lids: np.ndarray,
) -> np.ndarray:
    """Lay speech, expression, closures and blinks over one another.

    Ours: speech wins over emotion at the mouth; closures win over both, whatever the
    emotion, because a bilabial with parted lips is seen at once; lids win at the eyes.

    Args:
        speech_weights: `[T, 52]` of `visemes.articulate`.
        other_weights: `[T, 52]` emotion, brows and gestures.
        bilabial: `[T]` how firmly the lips are pressed for p, b and m.
        lip_teeth: `[T]` how firmly the lower lip is at the teeth.
        rest: `[T]` how surely the mouth rests shut, in silence.
        lids: `[T]` blink.

    Returns:
        float32 `[T, 52]` in [0, 1].
    """
    busy = np.clip(speech_weights.sum(axis=1, keepdims=True), 0, 1)
    total = speech_weights + other_weights * np.where(_MOUTH, 1 - 0.4 * busy, 1)
    total *= 1 - lip_teeth[:, None] * LIP_OPENERS
    total += lip_teeth[:, None] * visemes.VISEME_WEIGHTS[visemes.LIP_TEETH]
    jaw = total[:, _JAW_OPEN] * bilabial * (1 - rest) * _JAW_LEFT_OPEN
    total *= 1 - np.maximum(bilabial, rest)[:, None] * LIP_OPENERS
    total += bilabial[:, None] * visemes.VISEME_WEIGHTS[visemes.CLOSED_LIPS]
    total[:, _JAW_OPEN] += jaw
    total[:, names.ARKIT_NAMES.index("mouthClose")] += jaw
    for side in ("Left", "Right"):
        blink = names.ARKIT_NAMES.index("eyeBlink" + side)
        total[:, blink] = np.maximum(total[:, blink], lids)
        for eased in ("eyeWide", "eyeSquint"):
            total[:, names.ARKIT_NAMES.index(eased + side)] *= 1 - lids
    return np.clip(total, 0, 1).astype(np.float32)

"""What a face does beside words: brows, smiles, gestures; and how all is combined."""

import numpy as np

from datasets.synthetic_heads.performance import phrasing, prosody, strokes, visemes
from vasa_jax import arkit

_RAISED_SHARE, _RAISE_LEAD_SECONDS, _RAISE_SCATTER_SECONDS = 0.2, 0.06, 0.05
_RAISE = dict(browInnerUp=3.0, browOuterUp=3.5)
"""Share of accents with which the brows rise, and by how much earlier. Follows: Cavé et
al. 1996, Flecha-García 2010 (60 ms before the accent of the pitch). Ours: shares, here
and below, so that brows rest three quarters of the time; with four times as many they
hardly did, and the denoiser took raised brows for a face at rest."""

_UNDERLINES = (dict(browInnerUp=1.5, browOuterUp=1.8), dict(browDown=1.0))
_RAISED_PHRASES, _LOWERED_PHRASES = 0.1, 0.1
"""Brows held up or down through a phrase, and shares of phrases. Follows: Ekman 1979
(underliners with action units 1 and 2, or 4). Ours: shares."""

_SMILES_HZ = 0.1
_SMILE = dict(mouthSmile=0.9, mouthDimple=0.3, cheekSquint=0.4, eyeSquint=0.12)
_LEAST_SMILE_SECONDS, _USUAL_SMILE_SECONDS = 0.8, 1.8
"""Smiles of conversation a second, and how long they are held. Follows: Frank, Ekman
and Friesen 1993 (smiles of 0.5 to 4 s). Ours: as strong as the corners of filmed
people's mouths vary, and so rare that most faces do not smile."""

_GESTURES = (
    dict(mouthPress=0.6),
    dict(mouthPucker=0.5),
    dict(mouthLeft=0.5),
    dict(mouthRight=0.5),
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
        mouthStretch=0.4,
        tongueOut=1,
        mouthShrugUpper=0.4,
        mouthSmile=0.1,
        noseSneer=0.4,
        mouthFrown=0.2,
        mouthPucker=0.5,
    )
)
"""Share of each weight that goes while the lips are shut, `[52]`. Ours: what parts the
lips goes, what only shapes them stays."""

_LEFT_TO_SPEECH = 0.15
"""Share of all else at the mouth that goes while it speaks. Ours: a smile or a frown is
seen in speech, too."""

_MOUTH = np.array(
    [name.startswith(("mouth", "jaw", "cheekPuff")) for name in arkit.NAMES]
)

_JAW_OPEN = arkit.index("jawOpen")
_JAW_LEFT_OPEN = 0.35
"""Share of the jaw's opening that a bilabial leaves; mouthClose makes up for it. Ours:
the jaw is too slow to shut between two open vowels, the lips are not."""


def brows(
    times: np.ndarray,
    phrases: phrasing.Phrasing,
    liveliness: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Raise the brows on accents, hold them up or down through phrases.

    Ours: one side leads, by habit and each time.

    Args:
        times: `[T]` seconds.
        phrases: of the voice.
        liveliness: 0 still, 1 as in conversation.
        generator: source of chance.

    Returns:
        float32 `[T, 52]`.
    """
    total = np.zeros((len(times), arkit.NUM_UNITS))
    habit = generator.uniform(-0.5, 0.5)
    for accent, size in zip(phrases.accents, phrases.accent_sizes, strict=True):
        apex = accent - _RAISE_LEAD_SECONDS
        apex += np.clip(generator.normal(0, _RAISE_SCATTER_SECONDS), -0.13, 0.13)
        rise, hold, fall = generator.uniform((0.15, 0.0, 0.25), (0.3, 0.25, 0.5))
        amount = size * generator.uniform(0.4, 1.6)
        lead = habit + generator.uniform(-0.7, 0.7)
        if generator.random() < _RAISED_SHARE:
            curve = strokes.stroke(times, apex, rise, fall, hold)
            total += (amount * curve)[:, None] * _leading(_RAISE, lead)
    for start, end in zip(phrases.starts, phrases.ends, strict=True):
        chance, amount = generator.random(), generator.uniform(0.3, 1.0)
        lead = habit + generator.uniform(-0.7, 0.7)
        if chance < _RAISED_PHRASES + _LOWERED_PHRASES:
            held = _UNDERLINES[int(chance > _RAISED_PHRASES)]
            hold = max(end - start - 0.3, 0.2)
            curve = strokes.stroke(times, start + 0.2, 0.4, 0.6, hold)
            total += (amount * curve)[:, None] * _leading(held, lead)
    # Muscles give less and less.
    return np.tanh(liveliness * total).astype(np.float32)


def smiles(
    times: np.ndarray, liveliness: float, generator: np.random.Generator
) -> np.ndarray:
    """Smile at the listener now and then, speaking or not; float32 `[T, 52]`.

    Ours: see `_SMILES_HZ`; one side leads a little.

    Args:
        times: `[T]` seconds.
        liveliness: 0 still, 1 as in conversation.
        generator: source of chance.
    """
    total = np.zeros((len(times), arkit.NUM_UNITS))
    often = _SMILES_HZ * np.exp(generator.normal(0, 0.4))
    clock = generator.exponential(1 / often) - _USUAL_SMILE_SECONDS
    while clock < times[-1]:
        hold = _LEAST_SMILE_SECONDS + generator.exponential(_USUAL_SMILE_SECONDS)
        rise, fall = generator.uniform((0.3, 0.5), (0.7, 1.2))
        curve = strokes.stroke(times, clock, rise, fall, hold)
        amount = generator.uniform(0.5, 1.3)
        lead = generator.uniform(-0.25, 0.25)
        total += (amount * curve)[:, None] * _leading(_SMILE, lead)
        clock += rise + hold + fall + generator.exponential(1 / often)
    return (min(liveliness, 1.2) * total).astype(np.float32)


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
    total = np.zeros((len(times), arkit.NUM_UNITS), np.float32)
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
    total = speech_weights + other_weights * np.where(
        _MOUTH, 1 - _LEFT_TO_SPEECH * busy, 1
    )
    total *= 1 - lip_teeth[:, None] * LIP_OPENERS
    total += lip_teeth[:, None] * visemes.VISEME_WEIGHTS[visemes.LIP_TEETH]
    jaw = total[:, _JAW_OPEN] * bilabial * (1 - rest) * _JAW_LEFT_OPEN
    total *= 1 - np.maximum(bilabial, rest)[:, None] * LIP_OPENERS
    total += bilabial[:, None] * visemes.VISEME_WEIGHTS[visemes.CLOSED_LIPS]
    total[:, _JAW_OPEN] += jaw
    total[:, arkit.index("mouthClose")] += jaw
    for side in ("Left", "Right"):
        blink = arkit.index("eyeBlink" + side)
        total[:, blink] = np.maximum(total[:, blink], lids)
        for eased in ("eyeWide", "eyeSquint"):
            total[:, arkit.index(eased + side)] *= 1 - lids
    return np.clip(total, 0, 1).astype(np.float32)


def _leading(weights: dict[str, float], lead: float) -> np.ndarray:
    """Expand weights, one side weaker by a share; the left leads if it is positive."""
    lead = np.clip(lead, -1, 1)
    vector = visemes.expand(weights)
    behind = "Right" if lead > 0 else "Left"
    follows = np.array([name.endswith(behind) for name in arkit.NAMES])
    return vector * np.where(follows, 1 - abs(lead), 1)

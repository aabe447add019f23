"""Phonemes to visemes to ARKit weights, with coarticulation.

Follows: Cohen and Massaro 1993 (dominance functions): each sound pulls each
articulator with a strength that decays with distance in time. Closures are laid over
the blend, because a bilabial that does not close is what a viewer sees first.
"""

import numpy as np

from vasa_jax import arkit, types
from vasa_jax.speech import speech

VISEMES = (
    *("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS"),
    *("nn", "RR", "aa", "E", "ih", "oh", "ou", "ax"),
)
"""The fifteen visemes of Oculus and MPEG-4, and schwa. Ours: schwa is common."""

SILENCE = VISEMES.index("sil")
CLOSED_LIPS = VISEMES.index("PP")
LIP_TEETH = VISEMES.index("FF")

_WEIGHTS = {
    "sil": {},
    "PP": dict(jawOpen=0.08, mouthClose=0.08, mouthPress=0.25, mouthRoll=0.2),
    "FF": dict(
        jawOpen=0.10, mouthRollLower=0.55, mouthUpperUp=0.20, mouthShrugUpper=0.1
    ),
    "TH": dict(jawOpen=0.16, tongueOut=0.35, mouthLowerDown=0.2, mouthUpperUp=0.1),
    "DD": dict(jawOpen=0.14, mouthLowerDown=0.25, mouthUpperUp=0.15, mouthStretch=0.1),
    "kk": dict(jawOpen=0.20, mouthLowerDown=0.2, mouthStretch=0.12),
    "CH": dict(jawOpen=0.12, mouthFunnel=0.65, mouthUpperUp=0.15, mouthLowerDown=0.2),
    "SS": dict(
        jawOpen=0.05,
        mouthStretch=0.5,
        mouthLowerDown=0.35,
        mouthUpperUp=0.2,
        mouthDimple=0.1,
    ),
    "nn": dict(jawOpen=0.13, mouthLowerDown=0.2, mouthStretch=0.1),
    "RR": dict(jawOpen=0.14, mouthFunnel=0.4, mouthPucker=0.4),
    "aa": dict(jawOpen=0.62, mouthLowerDown=0.25, mouthUpperUp=0.2),
    "E": dict(jawOpen=0.36, mouthStretch=0.55, mouthLowerDown=0.3, mouthUpperUp=0.2),
    "ih": dict(jawOpen=0.20, mouthStretch=0.7, mouthSmile=0.25, mouthLowerDown=0.25),
    "oh": dict(jawOpen=0.42, mouthFunnel=0.6, mouthPucker=0.5),
    "ou": dict(jawOpen=0.14, mouthPucker=0.95, mouthFunnel=0.15),
    "ax": dict(jawOpen=0.24, mouthLowerDown=0.2, mouthUpperUp=0.1),
}
"""ARKit weights of each viseme at full articulation.

Ours: set by eye on the head model; a name without a side stands for both sides, and
mouthRoll for both lips. Gaps of the inner lips: closed in PP, 3 mm in FF, 16 mm in aa.
"""

_SYMBOLS = {
    "PP": "p b m ɸ β",
    "FF": "f v ʋ",
    "TH": "θ ð",
    "DD": "t d ɾ r ʔ ts dz",
    "kk": "k g ɡ ŋ x h ɣ χ q c ɟ ç ʝ ɦ ħ",
    "CH": "ʃ ʒ tʃ dʒ ɕ ʑ tɕ dʑ",
    "SS": "s z",
    "nn": "n l ɫ ɲ ʎ ɬ",
    "RR": "ɹ ɻ ʁ ʀ ɚ ɝ",
    "aa": "a ɑ ʌ ɐ æ ɒ",
    "E": "e ɛ ε",
    "ih": "i ɪ j ɨ ᵻ",
    "oh": "o ɔ œ ɵ ɞ",
    "ou": "u ʊ w y ʏ ø ɥ ʉ",
    "ax": "ə ɜ ɘ ɤ ɯ",
}
"""IPA symbols of each viseme. Ours: by place and lip shape of the sounds."""

_VISEME_OF = {
    symbol: VISEMES.index(viseme)
    for viseme, symbols in _SYMBOLS.items()
    for symbol in symbols.split()
}

_JAW, _SPREAD, _ROUND, _TONGUE = range(4)
_ARTICULATORS = {
    _JAW: ("jaw",),
    _ROUND: ("mouthFunnel", "mouthPucker"),
    _TONGUE: ("tongue",),
}
_DOMINANCE = {
    # jaw, spread, round, tongue
    "sil": (1.0, 1.0, 1.0, 1.0),
    "PP": (0.5, 1.0, 0.3, 1.0),
    "FF": (0.6, 1.0, 0.3, 1.0),
    "TH": (0.6, 0.6, 0.3, 2.0),
    "DD": (0.5, 0.4, 0.2, 1.0),
    "kk": (0.3, 0.2, 0.1, 1.0),
    "CH": (0.9, 0.8, 1.2, 1.0),
    "SS": (1.3, 0.8, 0.4, 1.0),
    "nn": (0.4, 0.4, 0.2, 1.0),
    "RR": (0.5, 0.4, 0.7, 1.0),
    "aa": (1.2, 0.9, 0.6, 1.0),
    "E": (1.0, 1.0, 0.7, 1.0),
    "ih": (0.9, 1.0, 0.8, 1.0),
    "oh": (1.0, 0.8, 1.3, 1.0),
    "ou": (0.9, 0.8, 1.5, 1.0),
    "ax": (0.5, 0.4, 0.3, 1.0),
}
"""How strongly a viseme holds each articulator.

Ours: after what phonetics calls coarticulation resistance: s and sh hold the jaw,
rounded vowels the lips, velars hold nothing that can be seen."""

_REACH_SECONDS = {_JAW: 0.045, _SPREAD: 0.040, _ROUND: 0.070, _TONGUE: 0.025}
"""Decay of dominance away from a sound. Ours: rounding is anticipated the most."""

_CLOSURE_SECONDS = 0.060
"""Least time for which a closure is held. Ours: longer than a frame, so that at least
one frame shows it."""

_CLOSURE_FADE_SECONDS = 0.055
"""Time in which lips open from a closure. Ours: as fast as lips move."""


def expand(weights: dict[str, float]) -> np.ndarray:
    """Turn named weights into a vector over the ARKit names.

    Ours: short names keep tables readable.

    Args:
        weights: names may leave out Left and Right (both sides are meant), and
            mouthRoll means both lips.

    Returns:
        float32 `[52]` in the order of `arkit.NAMES`.
    """
    vector = np.zeros(arkit.NUM_UNITS, np.float32)
    for name, weight in weights.items():
        endings = ("", "Left", "Right") + (("Upper", "Lower") * (name == "mouthRoll"))
        matches = [name + e for e in endings if name + e in arkit.NAMES]
        for match in matches:
            vector[arkit.index(match)] += weight
    return vector


VISEME_WEIGHTS = np.stack([expand(_WEIGHTS[viseme]) for viseme in VISEMES])
"""float32 `[16, 52]`: `_WEIGHTS` as rows in the order of `VISEMES`."""


def of_phoneme(symbol: str) -> list[int]:
    """Return the visemes that one phoneme passes through.

    Ours: diphthongs have two shapes, affricates that are one symbol have one.

    Args:
        symbol: IPA; length, stress and nasality marks are passed over.

    Returns:
        Indices into `VISEMES`; silence for "", schwa for what is not known.
    """
    letters = [letter for letter in symbol if letter.isalpha() and letter not in "ːʰʲˑ"]
    if not letters:
        return [SILENCE]
    plain = "".join(letters)
    if plain in _VISEME_OF:
        return [_VISEME_OF[plain]]
    found: list[int] = []
    for letter in letters:
        viseme = _VISEME_OF.get(letter)
        if viseme is not None and (not found or found[-1] != viseme):
            found.append(viseme)
    return found or [VISEMES.index("ax")]


def segments(phonemes: tuple[speech.Phoneme, ...], seconds: float):
    """Cover the time with viseme segments; gaps become silence.

    Ours: parts of a diphthong get equal shares of its time.

    Args:
        phonemes: in order of time.
        seconds: length to cover.

    Returns:
        starts float64 `[N]`, ends `[N]`, visemes int `[N]`.
    """
    rows: list[tuple[float, float, int]] = []
    clock = 0.0
    for phoneme in phonemes:
        if phoneme.start > clock + 1e-4:
            rows.append((clock, phoneme.start, SILENCE))
        shapes = of_phoneme(phoneme.symbol)
        edges = np.linspace(phoneme.start, phoneme.end, len(shapes) + 1)
        rows.extend(zip(edges[:-1], edges[1:], shapes, strict=True))
        clock = phoneme.end
    if clock < seconds:
        rows.append((clock, seconds, SILENCE))
    starts, ends, shapes = zip(*rows, strict=True)
    return np.array(starts), np.array(ends), np.array(shapes)


def per_frame(phonemes: tuple[speech.Phoneme, ...], num_frames: int) -> np.ndarray:
    """Return the viseme at the middle of each frame, int32 `[T]`.

    Ours: frame t lasts from t to t + 1 frame periods.
    """
    times = frame_times(num_frames)
    starts, _, shapes = segments(phonemes, num_frames / types.FRAME_RATE_HZ)
    index = np.searchsorted(starts, times, side="right") - 1
    return shapes[np.maximum(index, 0)].astype(np.int32)


def frame_times(num_frames: int) -> np.ndarray:
    """Return the middle of each frame in seconds, float64 `[T]`.

    Ours: the audio window of a frame is centred there.
    """
    return (np.arange(num_frames) + 0.5) / types.FRAME_RATE_HZ


def articulate(
    phonemes: tuple[speech.Phoneme, ...], num_frames: int, openness: np.ndarray
) -> np.ndarray:
    """Move the mouth through the phonemes.

    Follows: Cohen and Massaro 1993; closures are ours (see the module).

    Args:
        phonemes: in order of time.
        num_frames: T.
        openness: `[T]` how far the mouth opens where it does, 1 is usual.

    Returns:
        float32 `[T, 52]`, closures not yet laid over; see `closures`.
    """
    starts, ends, shapes = segments(phonemes, num_frames / types.FRAME_RATE_HZ)
    times = frame_times(num_frames)[:, None]
    distance = np.maximum(np.maximum(starts - times, times - ends), 0)
    length = np.clip((ends - starts) / 0.06, 0.3, 1.0)
    blend = np.zeros((num_frames, arkit.NUM_UNITS))
    for articulator, reach in _REACH_SECONDS.items():
        channels = _channels(articulator)
        strength = np.array([_DOMINANCE[v][articulator] for v in VISEMES])[shapes]
        pull = strength * length * np.exp(-distance / reach)
        targets = _blended_weights()[shapes][:, channels]
        blend[:, channels] = (pull @ targets) / pull.sum(axis=1, keepdims=True)
    return (blend * openness[:, None]).astype(np.float32)


def closures(phonemes: tuple[speech.Phoneme, ...], num_frames: int, viseme: int):
    """Return how firmly a closure is held, float32 `[T]` in [0, 1].

    Ours: 1 for the whole sound (at least 60 ms around its middle), fading in 55 ms.

    Args:
        phonemes: in order of time.
        num_frames: T.
        viseme: `CLOSED_LIPS` or `LIP_TEETH`.
    """
    starts, ends, shapes = segments(phonemes, num_frames / types.FRAME_RATE_HZ)
    held = shapes == viseme
    if not held.any():
        return np.zeros(num_frames, np.float32)
    middle = (starts[held] + ends[held]) / 2
    half = np.maximum((ends[held] - starts[held]) / 2, _CLOSURE_SECONDS / 2)
    distance = np.abs(frame_times(num_frames)[:, None] - middle) - half
    fade = np.clip(1 - distance / _CLOSURE_FADE_SECONDS, 0, 1)
    return (fade * fade * (3 - 2 * fade)).max(axis=1).astype(np.float32)


def _blended_weights() -> np.ndarray:
    """Return `VISEME_WEIGHTS` without the lips of closures, which are laid over."""
    weights = VISEME_WEIGHTS.copy()
    lips = np.array([name.startswith("mouth") for name in arkit.NAMES])
    weights[[CLOSED_LIPS, LIP_TEETH]] *= ~lips
    return weights


def _channels(articulator: int) -> np.ndarray:
    """Return the ARKit indices that an articulator moves."""
    owner = np.full(arkit.NUM_UNITS, _SPREAD)
    for other, prefixes in _ARTICULATORS.items():
        for index, name in enumerate(arkit.NAMES):
            if name.startswith(prefixes):
                owner[index] = other
    return np.nonzero(owner == articulator)[0]


def rest(phonemes: tuple[speech.Phoneme, ...], num_frames: int, after: float):
    """Return how surely the mouth rests shut, float32 `[T]` in [0, 1].

    Ours: 1 in silences, from `after` seconds behind the last sound to as long before
    the next; sounds that follow on one another leave no rest between them.

    Args:
        phonemes: in order of time.
        num_frames: T.
        after: seconds.
    """
    seconds = num_frames / types.FRAME_RATE_HZ
    starts, ends, shapes = segments(phonemes, seconds)
    sounding = shapes != SILENCE
    times = frame_times(num_frames)[:, None]
    if not sounding.any():
        return np.ones(num_frames, np.float32)
    starts, ends = starts[sounding], ends[sounding]
    gap = np.maximum(np.maximum(starts - times, times - ends), 0).min(axis=1)
    return np.clip(gap / after, 0, 1).astype(np.float32)

"""How the head moves in conversation: postures, accents, glances, and coming home."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.performance import (
    gaze,
    phrasing,
    prosody,
    strokes,
    visemes,
)

FARTHEST_YAW_RADIANS = float(np.deg2rad(35))
"""Largest base turn. Ours: beyond it a single portrait shows too little."""

_TURNED_SHARE = 0.45
"""Of the way to the main gaze that the base turn goes. Follows: Stahl 1999 (eyes seldom
stay far from the middle of their range). Ours: the share."""

_MANNER = {
    # liveliness, pitch of the head (down is positive), roll, nod
    "neutral": (1.0, 0.0, 0.0, 1.0),
    "happiness": (1.2, -0.03, 0.05, 1.1),
    "sadness": (0.6, 0.12, 0.05, 0.7),
    "anger": (1.2, 0.06, 0.0, 1.5),
    "surprise": (1.1, -0.09, 0.02, 0.9),
    "disgust": (0.9, -0.05, 0.06, 0.8),
    "fear": (0.9, -0.04, 0.03, 0.7),
    "contempt": (0.8, -0.08, 0.06, 0.8),
}
"""How each emotion carries the head, radians at full strength.

Ours: bowed in sadness, forward in anger, back in surprise and fear, chin up in
contempt, as observers describe them."""

_LIVELINESS_SPREAD = 0.3
_LEAST_LIVELINESS, _MOST_LIVELINESS = 0.4, 1.6
"""Standard deviation of the log of liveliness, and its limits. Ours: 1 is the middle of
people in conversation; somebody who reads aloud has 0.4 or less."""

_USUAL_ACTIVITY = 0.62
"""Mean of `Prosody.active` over performances. Ours: measured, pauses included."""

_USUAL_ACCENT = 0.105
"""Mean of `Prosody.accent` over performances. Ours: measured, 0.10 in recordings and in
espeak-ng's voices."""

_USUAL_MELODY_OCTAVES = 0.12
"""Standard deviation of `Prosody.pitch`. Ours: measured, 0.15 in recordings, 0.10 in
espeak-ng's voices."""

_LISTENING = 0.35
"""What is left of a head's movement while it listens. Follows: Hadar et al. 1983 (heads
move all through speech and rest while listening)."""

_MOST_ANIMATION = 1.5
_ANIMATION_FRAMES = 25.0
"""How far the voice stirs the head, and over what time it does. Ours."""

_POSTURE_DEGREES = np.array([4.8, 4.5, 3.2])
"""Standard deviation of postures in yaw, pitch and roll. Ours: with accents and glances
heads then spread as filmed people's in interviews and speeches, 4.6, 4.0 and 3.5
degrees (medians of 13 clips)."""

_ROLL_WITH_YAW = (-0.3, 0.3)
"""Mean and standard deviation, over people, of the roll that goes with a turn. Follows:
Bogduk and Mercer 2000 (necks bend to the side they turn to). Ours: the amount."""

_PERSISTENCE = 0.3
"""Share of a posture that the next one keeps. Ours: so heads come home within tens of
seconds."""

_SHIFT_SHARE = 0.75
_HOMING_SHARE = 0.5
_SHIFT_SECONDS = (0.4, 1.0)
_LEAST_HOLD_SECONDS, _USUAL_HOLD_SECONDS = 0.6, 0.8
"""Shares of phrases that begin with a new posture and that end with a return home, how
long that takes, and how long a posture is held where no phrase ends it. Follows: Kendon
1972, McClave 2000 (postures shift at the boundaries of what is said). Ours: figures."""

_NOD_DEGREES, _NODDED_SHARE, _LIFTED_SHARE = 10.0, 0.8, 0.2
_TILT_DEGREES, _TILTED_SHARE = np.array([8.0, 0.0, 7.0]), 0.6
_ACCENT_RISE_SECONDS, _ACCENT_FALL_SECONDS = (0.14, 0.3), (0.22, 0.5)
_ACCENT_SCATTER_SECONDS = 0.06
"""Nod of an accent of size 1, shares of accents that are nodded, and upwards; tilts
likewise. Follows: Graf et al. 2002 (nods and overshooting tilts at pitch accents, some
upwards), Hadar et al. 1983. Ours: the apex lies within 0.16 s of the accent."""

_LIFT_RADIANS = 0.10
"""By which an octave of pitch lifts the head. Follows: Yehia et al. 2002, Munhall et
al. 2004 (head motion goes with the pitch of the voice). Ours: the amount."""

_LISTENERS_NODS_HZ = 0.12
_LISTENERS_NOD_DEGREES = 3.5
"""Nods of somebody who listens. Follows: Hadar et al. 1985 (listeners nod in repeated,
small movements). Ours: figures."""

_FREE_GAZE_RADIANS = np.deg2rad([4.0, 4.0])
_FOLLOWED_SHARE = (0.6, 0.95)
"""Glances up to these are the eyes' alone; of what lies beyond, heads follow a share
that differs between people. Follows: Fuller 1992, Stahl 1999 (eye-head range, head
movers and others)."""

_IDLE_DEGREES, _IDLE_SECONDS = 0.7, 0.5
"""Of small movements that never rest. Ours: nobody is quite still."""

_FARTHEST_OFFSET_RADIANS = np.deg2rad([20.0, 14.0, 13.0])
_FARTHEST_RADIANS = np.deg2rad([45.0, 25.0, 20.0])
"""Soft limits of the turn away from the base turn, and limits of both together. Ours:
what photographs can show, and where necks stop in conversation."""


@dataclasses.dataclass(frozen=True)
class HeadMotion:
    """A moving head.

    Attributes:
        rotation: float32 `[T, 3]` yaw, pitch, roll, radians.
        translation: float32 `[T, 3]` mesh units (10 cm), mesh axes.
    """

    rotation: np.ndarray
    translation: np.ndarray


def still(num_frames: int) -> HeadMotion:
    """Return a head that faces the camera and does not move."""
    held = np.zeros((num_frames, 3), np.float32)
    return HeadMotion(rotation=held, translation=held)


def random_base_turn(
    main_gaze: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draw the turn about which a clip's head moves, float64 `[3]`.

    Ours: mostly within 10 degrees, one clip in three anywhere within 35; drawn again
    until the eyes can hold the main gaze while the head moves.
    """
    reach = gaze.EYE_YAW_RADIANS - np.deg2rad(12)
    while True:
        if generator.random() < 0.35:
            yaw = generator.uniform(-FARTHEST_YAW_RADIANS, FARTHEST_YAW_RADIANS)
        else:
            yaw = generator.normal(_TURNED_SHARE * main_gaze[0], np.deg2rad(8))
        if abs(yaw) <= FARTHEST_YAW_RADIANS and abs(main_gaze[0] - yaw) < reach:
            break
    pitch = generator.normal(_TURNED_SHARE * main_gaze[1], np.deg2rad(5))
    roll = np.clip(generator.normal(0, np.deg2rad(3.5)), -0.2, 0.2)
    return np.array([yaw, np.clip(pitch, -0.25, 0.25), roll])


def random_liveliness(generator: np.random.Generator) -> float:
    """Draw how much somebody moves; 1 is usual in conversation.

    Ours: log-normal, so that some move twice as much as others.
    """
    drawn = np.exp(generator.normal(0, _LIVELINESS_SPREAD))
    return float(np.clip(drawn, _LEAST_LIVELINESS, _MOST_LIVELINESS))


def animation(curves: prosody.Prosody) -> np.ndarray:
    """Return how much the voice stirs the head, float32 `[T]`; 1 is usual.

    Follows: Hadar et al. 1983 (heads move with speech, and with its accents), Busso et
    al. 2007 (and with its melody). Ours: how much of a second or two somebody speaks,
    times the mean of how dense accents are and how wide the melody is, over those of
    fluent speech; all three can be heard through noise.
    """
    activity = prosody.smooth(curves.active, _ANIMATION_FRAMES) / _USUAL_ACTIVITY
    density = prosody.smooth(curves.accent, _ANIMATION_FRAMES) / _USUAL_ACCENT
    melody = np.sqrt(prosody.smooth(curves.pitch**2, _ANIMATION_FRAMES))
    colour = 0.2 + 0.4 * density + 0.4 * melody / _USUAL_MELODY_OCTAVES
    stirred = _LISTENING + (1 - _LISTENING) * activity * colour
    return np.minimum(stirred, _MOST_ANIMATION).astype(np.float32)


def move(
    curves: prosody.Prosody,
    phrases: phrasing.Phrasing,
    base_turn: np.ndarray,
    gaze_offset: np.ndarray,
    emotion: str,
    strength: float,
    liveliness: float,
    generator: np.random.Generator,
) -> HeadMotion:
    """Move the head with a voice.

    Ours: a sum of what studies of speaking people tell apart: postures that shift with
    phrases, nods and tilts on accents, lifts with pitch, turns with the gaze, nods of
    the listener, and small movements that never rest. When it moves can be told from
    the sound, where to is chance. An emotion changes no chance.

    Args:
        curves: prosody of the voice.
        phrases: its phrases and accents.
        base_turn: `[3]` yaw, pitch, roll about which it moves.
        gaze_offset: `[T, 2]` where the eyes want to look, from the main gaze; the
            head follows a part of the way.
        emotion: one of `types.EMOTIONS`.
        strength: 0 to 1.
        liveliness: 0 still, 1 as in conversation.
        generator: source of chance.

    Returns:
        `HeadMotion`.
    """
    times = visemes.frame_times(len(curves.energy))
    vigour, bow, tilt, nodding = _MANNER[emotion]
    vigour = liveliness * (1 + strength * (vigour - 1))
    nodding = 1 + strength * (nodding - 1)
    stirred = animation(curves)
    posture = _postures(times, phrases, stirred, generator)
    accents = _accents(times, phrases, generator)
    nods = _listeners_nods(times, phrases, generator)
    idle = _idle(len(times), generator)
    breath = _breathing(times, generator)
    follows = generator.uniform(*_FOLLOWED_SHARE)
    turned = posture + nodding * accents + nods
    turned[:, 1] -= _LIFT_RADIANS * prosody.smooth(curves.pitch, 3)
    turned[:, :2] += follows * _beyond(prosody.smooth(gaze_offset, 4))
    turned[:, 2] += generator.normal(*_ROLL_WITH_YAW) * turned[:, 0]
    offset = vigour * turned + idle
    offset[:, 1] -= 0.006 * breath
    side = generator.choice([-1, 1])
    offset += strength * np.array([0.0, bow, side * tilt])
    room = np.minimum(_FARTHEST_OFFSET_RADIANS, _FARTHEST_RADIANS - abs(base_turn))
    rotation = base_turn + room * np.tanh(prosody.smooth(offset, 1.2) / room)
    translation = _lean(posture, vigour, generator)
    translation[:, 1] += 0.012 * breath
    translation[:, 2] += vigour * np.sin(accents[:, 1])
    return HeadMotion(rotation.astype(np.float32), translation.astype(np.float32))


def _postures(
    times: np.ndarray,
    phrases: phrasing.Phrasing,
    stirred: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Take one posture after another, radians `[T, 3]` from home."""

    def drawn() -> np.ndarray:
        yaw = generator.laplace(0, 1 / np.sqrt(2))
        return np.deg2rad(_POSTURE_DEGREES) * [yaw, *generator.normal(0, 1, 2)]

    posture = drawn()
    path = np.tile(posture, (len(times), 1))
    for start, goes_home in _posture_shifts(phrases, times[-1], generator):
        size = np.interp(start + 0.5, times, stirred)
        fresh = np.sqrt(1 - _PERSISTENCE**2) * size * drawn()
        following = _PERSISTENCE * posture + (0 if goes_home else 1) * fresh
        seconds = generator.uniform(*_SHIFT_SECONDS)
        path += strokes.reach(times, start, seconds)[:, None] * (following - posture)
        posture = following
    return path


def _posture_shifts(
    phrases: phrasing.Phrasing, end: float, generator: np.random.Generator
) -> list[tuple[float, bool]]:
    """Draw when postures shift, seconds, and which of the shifts go home."""
    shifts = []
    for first, last in zip(phrases.starts, phrases.ends, strict=True):
        if generator.random() < _SHIFT_SHARE:
            shifts.append((first + generator.uniform(-0.4, 0.1), False))
        if generator.random() < _HOMING_SHARE:
            shifts.append((last + generator.uniform(-0.3, 0.3), True))
    kept, clock = [], -generator.uniform(0, _USUAL_HOLD_SECONDS)
    for start, goes_home in [*sorted(shifts), (end, False)]:
        hold = _LEAST_HOLD_SECONDS + generator.exponential(_USUAL_HOLD_SECONDS)
        while clock + hold < start - _LEAST_HOLD_SECONDS:
            clock += hold
            kept.append((clock, False))
            hold = _LEAST_HOLD_SECONDS + generator.exponential(_USUAL_HOLD_SECONDS)
        if start - clock > _LEAST_HOLD_SECONDS / 2:
            kept.append((start, goes_home))
            clock = start
    return kept


def _accents(
    times: np.ndarray, phrases: phrasing.Phrasing, generator: np.random.Generator
) -> np.ndarray:
    """Nod and tilt on accents, radians `[T, 3]`."""
    path = np.zeros((len(times), 3))
    tilt = np.deg2rad(_TILT_DEGREES)
    for accent, size in zip(phrases.accents, phrases.accent_sizes, strict=True):
        scatter = np.clip(generator.normal(0, _ACCENT_SCATTER_SECONDS), -0.16, 0.16)
        rise = generator.uniform(*_ACCENT_RISE_SECONDS)
        fall = generator.uniform(*_ACCENT_FALL_SECONDS)
        chances = generator.random(3)
        amounts = generator.uniform(0.4, 1.6, 2) * size
        side = generator.choice([-1.0, 1.0])
        nod = np.deg2rad(_NOD_DEGREES) * amounts[0] * (chances[0] < _NODDED_SHARE)
        move = np.array([0.0, -nod if chances[1] < _LIFTED_SHARE else nod, 0.0])
        if chances[2] < _TILTED_SHARE:
            move += side * amounts[1] * tilt * [-1, 0, 1]
        path += strokes.stroke(times, accent + scatter, rise, fall)[:, None] * move
    return path


def _listeners_nods(
    times: np.ndarray, phrases: phrasing.Phrasing, generator: np.random.Generator
) -> np.ndarray:
    """Nod now and then, twice or thrice, while somebody else may speak; `[T, 3]`."""
    path = np.zeros((len(times), 3))
    clock = generator.exponential(1 / _LISTENERS_NODS_HZ)
    while clock < times[-1]:
        size = np.deg2rad(_LISTENERS_NOD_DEGREES) * generator.uniform(0.4, 1.4)
        num_nods = generator.integers(1, 4)
        length = generator.uniform(0.5, 0.8)
        last = clock + length * num_nods
        if not np.any((phrases.starts < last) & (phrases.ends > clock)):
            for nod in range(num_nods):
                apex = clock + (nod + 0.5) * length
                bump = strokes.stroke(times, apex, length / 2, length / 2)
                path[:, 1] += size * 0.7**nod * bump
        clock = last + generator.exponential(1 / _LISTENERS_NODS_HZ)
    return path


def _beyond(offset: np.ndarray) -> np.ndarray:
    """Return what of a gaze offset `[T, 2]` lies beyond what eyes do alone."""
    return offset - np.clip(offset, -_FREE_GAZE_RADIANS, _FREE_GAZE_RADIANS)


def _idle(num_frames: int, generator: np.random.Generator) -> np.ndarray:
    """Return small movements, radians `[T, 3]`."""
    paths = [strokes.wander(num_frames, _IDLE_SECONDS, generator) for _ in range(3)]
    return np.deg2rad(_IDLE_DEGREES) * np.stack(paths, axis=1)


def _lean(
    posture: np.ndarray, vigour: float, generator: np.random.Generator
) -> np.ndarray:
    """Shift head and torso with postures, mesh units `[T, 3]`.

    Ours: a body leans to where the head tilts, and a little at random.
    """
    paths = [strokes.wander(len(posture), 2.5, generator) for _ in range(3)]
    lean = vigour * np.stack(paths, axis=1) * [0.05, 0.02, 0.18]
    lean[:, 0] -= 0.8 * vigour * posture[:, 2]
    lean[:, 2] += 1.2 * vigour * posture[:, 1]
    return lean + generator.normal(0, 1, 3) * [0.06, 0.04, 0.0]


def _breathing(times: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return breath `[T]` in [-1, 1], about one in four seconds."""
    period = generator.uniform(3.2, 5.0)
    return np.sin(2 * np.pi * times / period + generator.uniform(0, 2 * np.pi))

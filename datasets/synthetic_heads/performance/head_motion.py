"""How the head moves: as lively as the voice, by habit, and never quite still."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.performance import gaze, prosody, visemes
from vasa_jax import types

FARTHEST_YAW_RADIANS = float(np.deg2rad(35))
"""Largest base turn. Ours: beyond it a single portrait shows too little."""

_MANNER = {
    # liveliness, pitch of the head (down is positive), roll, nod
    "neutral": (1.0, 0.0, 0.0, 1.0),
    "happiness": (1.3, -0.03, 0.05, 1.1),
    "sadness": (0.6, 0.12, 0.05, 0.7),
    "anger": (1.3, 0.06, 0.0, 1.5),
    "surprise": (1.1, -0.09, 0.02, 0.9),
    "disgust": (0.9, -0.05, 0.06, 0.8),
    "fear": (0.9, -0.04, 0.03, 0.7),
    "contempt": (0.8, -0.08, 0.06, 0.8),
}
"""How each emotion carries the head, radians at full strength.

Ours: bowed in sadness, forward in anger, back in surprise and fear, chin up in
contempt, as observers describe them."""

_FOLLOWS_GAZE = 0.3
"""Share of a glance that a lively head follows. Ours: small glances are the eyes'."""

_LEAST_LIVELINESS, _MOST_LIVELINESS = 0.3, 1.1
"""Ours: some people move three times as much as others, whatever they say; the voice
decides more than that."""

_USUAL_ACTIVITY = 0.66
"""Mean of `Prosody.active` in fluent speech. Ours: measured, the upper quarter of
training voices; 0.31 to 0.54 in five slow commands of GRID."""

_USUAL_ACCENT = 0.115
"""Mean of `Prosody.accent` in fluent speech. Ours: measured, 0.13 in ten readings of
LibriSpeech, 0.12 in espeak-ng's voices, and 0.07 to 0.10 in five slow commands of
GRID."""

_LEAST_ANIMATION, _MOST_ANIMATION = 0.1, 1.6
_ANIMATION_FRAMES = 25.0
"""How far the voice calms or stirs the head, and over what time it does. Ours."""

_FARTHEST_RADIANS = np.deg2rad([45.0, 25.0, 20.0])
"""Limits of yaw, pitch and roll. Ours: where necks stop in conversation."""


@dataclasses.dataclass(frozen=True)
class HeadMotion:
    """A moving head.

    Attributes:
        rotation: float32 `[T, 3]` yaw, pitch, roll, radians.
        translation: float32 `[T, 3]` mesh units (10 cm), mesh axes.
    """

    rotation: np.ndarray
    translation: np.ndarray


def random_base_turn(
    main_gaze: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draw the turn about which a clip's head moves, float64 `[3]`.

    Ours: mostly within 10 degrees, one clip in three anywhere within 35; drawn again
    until the eyes can reach the main gaze with room for glances.
    """
    reach = gaze.EYE_YAW_RADIANS - np.deg2rad(6)
    while True:
        if generator.random() < 0.35:
            yaw = generator.uniform(-FARTHEST_YAW_RADIANS, FARTHEST_YAW_RADIANS)
        else:
            yaw = generator.normal(0.3 * main_gaze[0], np.deg2rad(8))
        if abs(yaw) <= FARTHEST_YAW_RADIANS and abs(main_gaze[0] - yaw) < reach:
            break
    pitch = np.clip(generator.normal(0.3 * main_gaze[1], np.deg2rad(5)), -0.25, 0.25)
    roll = np.clip(generator.normal(0, np.deg2rad(3.5)), -0.2, 0.2)
    return np.array([yaw, pitch, roll])


def random_liveliness(generator: np.random.Generator) -> float:
    """Draw how much somebody moves; 1 is usual.

    Ours: uniform, from people who sit still to lively ones.
    """
    return float(generator.uniform(_LEAST_LIVELINESS, _MOST_LIVELINESS))


def animation(curves: prosody.Prosody) -> np.ndarray:
    """Return how much the voice stirs the head, float32 `[T]`; 1 is usual.

    Follows: Hadar et al. 1983 (heads move all through fluent speech and rest in
    pauses). Ours: the cube of how much of a second or two somebody speaks, times how
    many accents there are; so a head hardly moves where few words come between long
    pauses. Both can be heard through noise.
    """
    activity = prosody.smooth(curves.active, _ANIMATION_FRAMES) / _USUAL_ACTIVITY
    density = prosody.smooth(curves.accent, _ANIMATION_FRAMES) / _USUAL_ACCENT
    return np.clip(activity**3 * density, _LEAST_ANIMATION, _MOST_ANIMATION)


def move(
    curves: prosody.Prosody,
    base_turn: np.ndarray,
    gaze_offset: np.ndarray,
    emotion: str,
    strength: float,
    liveliness: float,
    generator: np.random.Generator,
) -> HeadMotion:
    """Move the head with a voice.

    Follows: Munhall et al. 2004, Busso et al. 2007 (head motion goes with pitch and
    energy). Ours: accents nod, high pitch lifts the head, loud phrases sway it, and all
    of it follows the voice's `animation`; a slow drift and breathing go on in silence,
    so that about half of the movement can be told from the sound.

    Args:
        curves: prosody of the voice.
        base_turn: `[3]` yaw, pitch, roll about which it moves.
        gaze_offset: `[T, 2]` where the eyes want to look, from the main gaze; the
            head follows a part of the way, the livelier the farther.
        emotion: one of `types.EMOTIONS`.
        strength: 0 to 1.
        liveliness: 0 still, 1 usual, as `random_liveliness` draws it.
        generator: source of chance.

    Returns:
        `HeadMotion`.
    """
    num_frames = len(curves.energy)
    vigour, bow, tilt, nodding = _MANNER[emotion]
    vigour = liveliness * (1 + strength * (vigour - 1)) * animation(curves)
    nodding = vigour * (1 + strength * (nodding - 1))
    tilt = tilt * generator.choice([-1, 1])
    energy = prosody.smooth(curves.energy, 3) * curves.speaking
    accent = prosody.smooth(curves.accent, 2)
    lift = prosody.smooth(curves.pitch, 3)
    phrase = prosody.smooth(curves.energy, 14)
    sway = generator.choice([-1, 1], 2) * generator.uniform(0.4, 1.0, 2)
    drift = np.stack([wander(num_frames, tau, generator) for tau in (1.8, 1.3, 1.8)], 1)
    yaw = 0.14 * sway[0] * (phrase - phrase.mean()) + 0.07 * sway[0] * accent
    pitch = 0.13 * accent + 0.06 * (energy - energy.mean()) - 0.12 * lift
    roll = 0.07 * sway[1] * (phrase - phrase.mean())
    voiced = np.stack([vigour * yaw, nodding * pitch, vigour * roll], axis=1)
    spread = np.deg2rad([4.5, 2.0, 2.0]) * vigour[:, None]
    rotation = base_turn + voiced + drift * spread
    rotation += strength * np.array([0.0, bow, tilt])
    glance = _FOLLOWS_GAZE * prosody.smooth(gaze_offset, 4)
    rotation[:, :2] += np.minimum(vigour, 1)[:, None] * glance
    breath = _breathing(num_frames, generator)
    rotation[:, 1] -= 0.006 * breath
    rotation[:, :] += 0.0015 * generator.normal(size=rotation.shape)
    limits = _FARTHEST_RADIANS
    rotation = prosody.smooth(np.clip(rotation, -limits, limits), 1.2)
    shift = np.stack([wander(num_frames, 2.2, generator) for _ in range(3)], axis=1)
    translation = shift * [0.05, 0.02, 0.06] * (0.4 + 0.6 * vigour[:, None])
    translation += generator.normal(0, 1, 3) * [0.06, 0.04, 0.0]
    translation[:, 1] += 0.012 * breath
    translation[:, 2] += 0.06 * nodding * prosody.smooth(accent, 4)
    return HeadMotion(rotation, translation.astype(np.float32))


def wander(num_frames: int, tau: float, generator: np.random.Generator) -> np.ndarray:
    """Walk at random about 0 with unit variance and memory `tau` seconds, `[T]`.

    Ours: a smoothed Ornstein-Uhlenbeck process.
    """
    decay = np.exp(-1 / (tau * types.FRAME_RATE_HZ))
    noise = generator.normal(size=num_frames + 1)
    path = np.empty(num_frames)
    place = noise[0]
    for frame in range(num_frames):
        place = decay * place + np.sqrt(1 - decay * decay) * noise[frame + 1]
        path[frame] = place
    return prosody.smooth(path, 3)


def _breathing(num_frames: int, generator: np.random.Generator) -> np.ndarray:
    """Return breath `[T]` in [-1, 1], about one in four seconds."""
    times = visemes.frame_times(num_frames)
    period = generator.uniform(3.2, 5.0)
    return np.sin(2 * np.pi * times / period + generator.uniform(0, 2 * np.pi))

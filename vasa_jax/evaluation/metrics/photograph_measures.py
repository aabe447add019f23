"""Measure what a checkpoint makes of one photograph: its speech, and its controls.

Ours: in the frames as they are rendered, so that a ratio of sharpness is the model's
and not the codec's.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from vasa_jax import types
from vasa_jax.animate import controls, talking_face
from vasa_jax.evaluation.benchmark.driven_videos import Performer
from vasa_jax.evaluation.metrics import curves, definition, expression_curves, sharpness
from vasa_jax.evaluation.metrics.definition import Score
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.portrait import locate, track

NUM_PICKED = 5
"""Frames of a clip whose pixels and identity are measured. Ours: neighbours look
alike."""

COMPARED_SIZE = 512
"""At which checkpoints of any size are compared with the photograph, pixels. Ours: the
paper's."""

CONTROL_EVERY = 3
"""Frames of a control's clip of which one is rendered. Ours: only means count."""

CLOSED_SHARE = 10
"""Percent of a clip's frames, those that ask for the least opening, in which lips
should be shut. Ours: p, b, m and silence are about as many."""

GAZE_DEGREES = 20.0
NEAR, FAR = 0.9, 1.2
"""Ours: well within what controls allow."""

ASKED: Mapping[str, dict[str, Any]] = {
    "neutral": {},
    **{name: {"emotion": {name: 1.0}} for name in types.EMOTIONS[1:]},
    "gaze left": {"gaze": (-GAZE_DEGREES, 0.0)},
    "gaze right": {"gaze": (GAZE_DEGREES, 0.0)},
    "near": {"head_distance": NEAR},
    "far": {"head_distance": FAR},
}
"""Controls that are tried, by name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A photograph and the face in it.

    Attributes:
        picture: uint8 `[H, W, 3]`.
        portrait: what the model is given.
        placement: of the face in the picture.
        own: of the face in the portrait's image.
        beside: bool `[size, size]`, where the portrait's image shows no person.
        aperture: of the mouth in the picture.
    """

    picture: np.ndarray
    portrait: talking_face.Portrait
    placement: sharpness.FacePlacement
    own: sharpness.FacePlacement
    beside: np.ndarray
    aperture: float

    @classmethod
    def of(cls, picture: np.ndarray, performer: Performer) -> "Subject":
        """Find the face.

        Raises:
            UserError: there is none.
        """
        portrait = performer.locate(picture)
        found = locate.locate_face(picture).landmarks
        placement = sharpness.FacePlacement.of(found)
        still = track.ClipLandmarks(
            points=found.points[None],
            eyes=np.zeros((1, 2, 21, 2)),
            present=np.ones(1, bool),
        )
        return cls(
            picture=picture,
            portrait=portrait,
            placement=placement,
            own=placement.within(portrait.box, performer.image_size),
            beside=sharpness.beside_person(portrait.image),
            aperture=float(expression_curves.of_landmarks(still).mouth_aperture[0]),
        )

    @property
    def share_outside(self) -> float:
        """The share of the crop that lies outside of the picture."""
        box = self.portrait.box
        height, width = self.picture.shape[:2]
        inside = 1.0
        for start, side in ((box.left, width), (box.top, height)):
            end = min(side, start + 2 * box.half_size)
            inside *= (end - max(0.0, start)) / (2 * box.half_size)
        return 1.0 - inside


def measure_speech(
    subject: Subject,
    performer: Performer,
    waveform: np.ndarray,
    asked: controls.Controls,
    networks: Mapping[str, Any],
) -> tuple[dict[str, Score], np.ndarray]:
    """Let a portrait speak and measure it.

    Ours: a still portrait follows nothing, so that its correlations and its movement
    are 0, and its likeness is 1.

    Args:
        subject: the portrait.
        performer: the checkpoint.
        waveform: `[S]`, a voice.
        asked: of the performance.
        networks: of identity, with `embed_all`, by the key of their row.

    Returns:
        Values by key, and the frames.
    """
    motion = performer.speak(waveform, asked)
    frames = performer.drive(subject.portrait, motion)
    face = expression_curves.follow(frames)
    picks = np.linspace(0, len(frames) - 1, NUM_PICKED).astype(int)
    values = {
        "face": Score(0.0 if face is None else float(face.present.mean()), 1.0),
        **_measure_likeness(subject, frames[picks], networks),
        **_measure_pixels(subject, frames[picks]),
        "outside": Score(subject.share_outside, subject.share_outside),
    }
    if face is None:
        return values, frames
    aperture = performer.requested_aperture(motion)
    degrees = np.degrees(motion[:, :3])
    shut = aperture <= np.percentile(aperture, CLOSED_SHARE)
    values |= {
        "lips": Score(float(curves.correlation(face.mouth_aperture, aperture)), 0.0),
        "lag": Score(float(curves.best_lag(face.mouth_aperture, aperture))),
        "shut": Score(float(face.mouth_aperture[shut].mean()), subject.aperture),
        "asked_change": Score(expression_curves.change_per_frame(degrees), 0.0),
        "asked_fast": Score(
            float(
                expression_curves.power_shares(degrees, (expression_curves.FAST_HZ,))[
                    -1
                ]
            ),
            0.0,
        ),
    }
    found = expression_curves.statistics(face)
    return values | {key: Score(value, 0.0) for key, value in found.items()}, frames


def measure_controls(
    subject: Subject,
    performer: Performer,
    waveform: np.ndarray,
    seed: int,
    networks: Mapping[str, Any],
    expression: face_recognition.ExpressionNetwork | None = None,
) -> tuple[dict[str, Score], dict[str, np.ndarray]]:
    """Try all controls on a portrait, with one voice and seed.

    Args:
        subject: the portrait.
        performer: the checkpoint.
        waveform: `[S]`, some seconds of a voice.
        seed: of every performance.
        networks: as of `measure_speech`.
        expression: which tells expressions apart; None leaves its rows out.

    Returns:
        Values by key, and the last frame of each control by name.
    """
    motions = [
        performer.speak(waveform, controls.Controls(seed=seed, **one))[::CONTROL_EVERY]
        for one in ASKED.values()
    ]
    frames = performer.drive(subject.portrait, np.concatenate(motions))
    parts = np.split(frames, np.cumsum([len(one) for one in motions])[:-1])
    clips = dict(zip(ASKED, parts, strict=True))
    faces = {name: expression_curves.follow(clip) for name, clip in clips.items()}
    last = {name: clip[-1] for name, clip in clips.items()}

    def change(name, curve, since="neutral"):
        if faces[name] is None or faces[since] is None:
            return np.nan
        after, before = (getattr(faces[one], curve) for one in (name, since))
        return float(after.mean() - before.mean())

    def sizes():
        if faces["near"] is None or faces["far"] is None:
            return np.nan
        return float(faces["near"].size.mean() / faces["far"].size.mean())

    likeness = _measure_likeness(subject, np.stack(list(last.values())), networks)
    moved = _measure_pixels(subject, np.stack([last["near"], last["far"]]))
    shares = [0.0 if one is None else one.present.mean() for one in faces.values()]
    far = track.follow(last["far"], None)
    uncovered = np.nan
    if far is not None:
        uncovered = sharpness.uncovered_over_ring(
            subject.portrait.image,
            subject.own,
            last["far"],
            sharpness.FacePlacement.of(far),
        )
    values = {
        "control_face": Score(float(np.mean(shares)), 1.0),
        **{f"control_{key}": value for key, value in likeness.items()},
        "happiness_corners": Score(change("happiness", "corner_height"), 0.0),
        "happiness_width": Score(change("happiness", "mouth_width"), 0.0),
        "sadness_corners": Score(-change("sadness", "corner_height"), 0.0),
        "surprise_brows": Score(change("surprise", "brows"), 0.0),
        "surprise_eyes": Score(change("surprise", "eye_aperture"), 0.0),
        "anger_brows": Score(-change("anger", "inner_brows"), 0.0),
        "gaze_irises": Score(change("gaze right", "irises", "gaze left"), 0.0),
        "sizes": Score(sizes() / (FAR / NEAR), NEAR / FAR),
        "control_still": moved["still"],
        "uncovered": Score(uncovered),
    }
    if expression is not None:
        values |= _measure_expressions(subject, clips, expression)
    return values, last


def _measure_expressions(
    subject: Subject,
    clips: Mapping[str, np.ndarray],
    expression: face_recognition.ExpressionNetwork,
) -> dict[str, Score]:
    known = [name for name in types.EMOTIONS[1:] if name in face_recognition.CLASSES]
    scores = {name: expression.scores(clips[name]) for name in known}
    still = expression.scores(subject.portrait.image[None])
    return {
        "emotions_named": Score(
            face_recognition.share_named(scores),
            face_recognition.share_named(dict.fromkeys(known, still)),
        ),
        "emotions_rise": Score(
            face_recognition.share_rising(scores, expression.scores(clips["neutral"])),
            1 / len(known),
        ),
    }


def _measure_likeness(
    subject: Subject, frames: np.ndarray, networks: Mapping[str, Any]
) -> dict[str, Score]:
    image = subject.portrait.image
    return {
        key: Score(face_recognition.mean_cosine(network, image, frames), 1.0)
        for key, network in networks.items()
    }


def _measure_pixels(subject: Subject, frames: np.ndarray) -> dict[str, Score]:
    """Measure sharpness and stillness, mean over frames that show a face."""
    rows = []
    for frame in frames:
        seen = track.follow(frame, None)
        if seen is not None:
            rows.append(_pixels_of(subject, frame, sharpness.FacePlacement.of(seen)))
    copy = _pixels_of(subject, subject.portrait.image, subject.own)
    return {
        key: Score(definition.mean_of_known([row[key] for row in rows]), value)
        for key, value in copy.items()
    }


def _pixels_of(
    subject: Subject, frame: np.ndarray, shown: sharpness.FacePlacement
) -> dict[str, float]:
    against = (subject.portrait.image, subject.own, frame, shown)
    large = sharpness.over_portrait(
        subject.picture, subject.placement, frame, shown, COMPARED_SIZE
    )
    own = sharpness.over_portrait(subject.picture, subject.placement, frame, shown)
    beside = subject.beside & sharpness.beside_person(frame)
    return {
        **{f"{name}_large": value for name, value in large.items()},
        **{f"{name}_own": value for name, value in own.items()},
        "ring": sharpness.ring_over_portrait(*against, beside),
        "still": sharpness.still_difference(subject.portrait.image, frame, beside),
    }

"""Measure how a portrait speaks: lips against the truth, rest in silence, movement."""

import dataclasses
import functools

import numpy as np

from vasa_jax import types
from vasa_jax.animate import talking_face
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark.driven_videos import (
    Performer,
    Seen,
    encode_and_track,
)
from vasa_jax.evaluation.metrics import curves, reenactment
from vasa_jax.evaluation.metrics.definition import (
    Measured,
    PerClip,
    Row,
    Score,
    average,
    mean_of_known,
)
from vasa_jax.evaluation.networks import face_recognition

SILENCE_FRAMES = 50
"""Ours: two seconds, several windows of most denoisers."""

TAKE_SEEDS = 1000
"""Between the seeds of one clip's takes. Ours: above what numbers clips."""

SWEEP_DEGREES = ((20.0, 0.0), (-20.0, 0.0), (0.0, 15.0))
"""Yaw and pitch to which portraits are turned. Ours: within what clips hold."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpokenClip:
    """A portrait, a voice, and how its speaker moved.

    Attributes:
        portrait: who shall speak.
        waveform: float32 `[640 T]`.
        controls: of the performance.
        truth: the speaker's own video as it is seen, T frames, or None.
        mouth_aperture: `[T]` of the speaker, in any unit; None if unknown.
        is_silent: bool `[T]`, frames without speech; None if unknown.
    """

    portrait: talking_face.Portrait
    waveform: np.ndarray
    controls: Controls = Controls()
    truth: Seen | None = None
    mouth_aperture: np.ndarray | None = None
    is_silent: np.ndarray | None = None


NEED_TRUTH = (
    *("correlation", "shifted", "lag", "opening_spread", "pose_spread"),
    *("speech_opening", "pause_opening"),
)
"""Rows that only clips of the speaker can fill."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speech(PerClip):
    """How a portrait speaks, measured in the decoded video.

    Ours: a still copy follows nothing, so its correlations and ratios are 0. Takes are
    averaged, as another seed is another performance, and clips are few.

    Attributes:
        name: of the metric.
        group: heading of its rows.
        correlation_aim: for lips against the truth.
        has_truth: whether the speaker was seen; else rows that need it are left out.
        num_takes: performances of a clip, with other seeds.
    """

    name: str
    group: str
    correlation_aim: str = ""
    has_truth: bool = True
    num_takes: int = 1

    @property
    def rows(self) -> dict[str, Row]:
        """Return the rows by key."""
        row = functools.partial(reenactment.performed_row, self.group)
        ratio = functools.partial(row, aim="0.7 to 1.4", is_ratio=True)
        table = {
            "correlation": row(
                "Mouth opening against the truth", aim=self.correlation_aim
            ),
            "shifted": row("The same, truth shifted by 1 s", aim="much lower"),
            "lag": row("Lag of the best correlation", "frames", "0", 1),
            "asked": row(
                "Mouth opening seen against the one asked for", aim="above 0.7"
            ),
            "speech_opening": row("Mouth opening in speech", digits=3),
            "pause_opening": row("Mouth opening in pauses", "", "much lower", 3),
            "opening_spread": ratio(
                "Standard deviation of mouth opening over the truth's"
            ),
            "pose_spread": ratio("Standard deviation of head pose over the truth's"),
            "pose_change": row("Head-pose change per frame", "degrees"),
            "jitter": row("Jitter of head pose above 6 Hz", "degrees", "as the truth"),
            "face": row("Frames with a face", aim="1"),
            "identity": row(
                "Identity distance to the portrait (dlib)",
                aim=f"below {face_recognition.SAME_PERSON_DISTANCE}",
            ),
            "cosine": row("Identity cosine with the portrait", digits=3),
        }
        return {
            f"{self.name}/{key}": value
            for key, value in table.items()
            if self.has_truth or key not in NEED_TRUTH
        }

    def measure(
        self,
        clip: SpokenClip,
        performer: Performer,
        network: face_recognition.IdentityNetwork,
    ) -> Measured:
        """Let one portrait speak and measure it.

        Args:
            clip: what to say.
            performer: the checkpoint.
            network: of identity.

        Returns:
            Without what needs the truth where there is none, and without what needs
            landmarks where the true video mostly shows no face to them.
        """
        takes = []
        for take in range(self.num_takes):
            seed = clip.controls.seed + take * TAKE_SEEDS
            controls = dataclasses.replace(clip.controls, seed=seed)
            scores = _measure_take(performer, clip, network, controls)
            takes.append(
                Measured(scores={f"{self.name}/{k}": s for k, s in scores.items()})
            )
        return average(takes)


def _measure_take(performer, clip, network, controls) -> dict[str, Score]:
    motion = performer.speak(clip.waveform, controls)
    made = encode_and_track(performer.drive(clip.portrait, motion))
    truth = clip.truth
    still = encode_and_track(clip.portrait.image[None])
    own = network.embed(clip.portrait.image)
    away, alike = _likeness(own, made, network)
    scores = {
        "face": Score(made.share, still.share, truth.share if truth else np.nan),
        "identity": Score(away, 0.0),
        "cosine": Score(alike, 1.0),
    }
    if truth is None or truth.share >= reenactment.LEAST_TRUTH_SHARE:
        asked = performer.requested_aperture(motion)
        scores |= _measure_movement(clip, made, still, asked)
    if truth is not None:
        true_away, true_alike = _likeness(own, truth, network)
        scores["identity"] = Score(away, 0.0, true_away)
        scores["cosine"] = Score(alike, 1.0, true_alike)
    return scores


def _measure_movement(
    clip: SpokenClip, made: Seen, still: Seen, asked: np.ndarray
) -> dict[str, Score]:
    """Measure by landmarks how mouth and head move; asked is the mouth's `[T]`."""
    seen = [made] if clip.truth is None else [made, clip.truth]
    values = {
        "asked": Score(float(curves.correlation(made.mouth_aperture, asked)), 0.0),
        "pose_change": _three(curves.delta_pose, seen),
        "jitter": _three(lambda x: np.degrees(curves.fast_movement(x)), seen),
    }
    if clip.truth is not None:
        apertures = [one.mouth_aperture[:, None] for one in seen]
        rotations = [one.rotation for one in seen]
        for key, moved in (("opening_spread", apertures), ("pose_spread", rotations)):
            own, true = (float(curves.spread(curve)) for curve in moved)
            values[key] = Score(own, 0.0, true)
    if clip.mouth_aperture is not None:
        for key, compare in (
            ("correlation", curves.correlation),
            ("shifted", curves.shifted_correlation),
            ("lag", curves.best_lag),
        ):
            found = [
                float(compare(one.mouth_aperture, clip.mouth_aperture)) for one in seen
            ]
            values[key] = Score(found[0], np.nan if key == "lag" else 0.0, *found[1:])
    if clip.is_silent is not None:
        for key, is_meant in (("speech", ~clip.is_silent), ("pause", clip.is_silent)):
            if is_meant.any():
                levels = [float(one.mouth_aperture[is_meant].mean()) for one in seen]
                copy = float(still.mouth_aperture[0])
                values[f"{key}_opening"] = Score(levels[0], copy, *levels[1:])
    return values


@dataclasses.dataclass(frozen=True, kw_only=True)
class SilentAndTurned(PerClip):
    """How a portrait rests in silence, and looks when it is turned.

    Attributes:
        name: of the metric.
        group: heading of its rows.
    """

    name: str
    group: str

    @property
    def rows(self) -> dict[str, Row]:
        """Return the rows by key."""
        row = functools.partial(reenactment.performed_row, self.group)
        table = {
            "silence_opening": row("Mouth opening in 2 s of silence", digits=3),
            "silence_spread": row(
                "Standard deviation of it in silence", "", "near 0", 3
            ),
            "turn": row("Turn seen over turn asked for, 15 to 20 degrees", aim="1"),
            "turned_identity": row(
                "Identity distance at these turns (dlib)",
                aim=f"below {face_recognition.SAME_PERSON_DISTANCE}",
            ),
            "turned_face": row("Frames with a face at these turns", aim="1"),
        }
        return {f"{self.name}/{key}": value for key, value in table.items()}

    def measure(
        self,
        portrait: talking_face.Portrait,
        performer: Performer,
        network: face_recognition.IdentityNetwork,
    ) -> Measured:
        """Measure one portrait in silence, and turned away from its own pose.

        Args:
            portrait: who is measured.
            performer: the checkpoint.
            network: of identity.
        """
        still = encode_and_track(portrait.image[None])
        silence = np.zeros(SILENCE_FRAMES * types.SAMPLES_PER_FRAME, np.float32)
        quiet = encode_and_track(
            performer.drive(portrait, performer.speak(silence, Controls()))
        )

        rest = performer.own_motion(portrait)
        motion = np.stack([rest] * (1 + len(SWEEP_DEGREES)))
        motion[1:, :2] += np.radians(np.float32(SWEEP_DEGREES))
        turned = encode_and_track(performer.drive(portrait, motion))
        own = network.embed(portrait.image)
        faces = network.embed_all(turned.frames[1:])
        scores = {
            "silence_opening": Score(
                float(quiet.mouth_aperture.mean()), float(still.mouth_aperture[0])
            ),
            "silence_spread": Score(
                float(curves.spread(quiet.mouth_aperture[:, None])), 0.0
            ),
            "turned_identity": Score(
                mean_of_known(face_recognition.distances(own, faces)), 0.0
            ),
            "turned_face": Score(turned.share, still.share),
        }
        if turned.face is not None:
            seen = curves.angles_between(turned.rotation[1:], turned.rotation[0])
            asked = curves.angles_between(motion[1:, :3], motion[0, :3])
            scores["turn"] = Score(float((seen / asked).mean()), 0.0)
        return Measured(scores={f"{self.name}/{k}": s for k, s in scores.items()})


def _likeness(
    own: np.ndarray, seen: Seen, network: face_recognition.IdentityNetwork
) -> tuple[float, float]:
    """Return mean distance and cosine of some frames to the portrait's face."""
    picks = reenactment.pick_frames(np.arange(len(seen.frames)))
    faces = network.embed_all(seen.frames[picks])
    return (
        mean_of_known(face_recognition.distances(own, faces)),
        mean_of_known(face_recognition.cosines(own, faces)),
    )


def _three(measure_curve, seen: list[Seen]) -> Score:
    """Measure head rotation of model and truth, beside a copy's 0."""
    found = [float(measure_curve(one.rotation)) for one in seen]
    return Score(found[0], 0.0, *found[1:])

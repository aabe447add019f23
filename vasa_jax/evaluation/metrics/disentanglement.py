"""Measure whether head pose, facial dynamics and identity move apart from one another.

Paper: VASA-1 section 3.1 (disentanglement of z_id, z_pose and z_dyn). Ours: the paper
shows pictures; here two takes change their poses, or their dynamics, and what is asked
to move and what is not are both measured in the decoded video, by landmarks, which the
model had no part in, and by the model's own encoders.
"""

import dataclasses

import numpy as np

from vasa_jax import arkit as arkit_lib
from vasa_jax import types
from vasa_jax.evaluation.benchmark.driven_videos import (
    JAW_OPEN,
    MOUTH_CLOSE,
    FacePerformer,
    Seen,
    encode_and_track,
    track_face,
)
from vasa_jax.evaluation.metrics import curves, reenactment
from vasa_jax.evaluation.metrics.definition import (
    Measured,
    PerClip,
    Row,
    Score,
    mean_of_known,
)
from vasa_jax.evaluation.networks import face_recognition

MIN_TURN_DEGREES = 3.0
"""Mean turn between two takes from which a gain is taken. Ours: below it the landmark
fit's own error decides."""

MIN_CHANGE = {"mouth": 0.02, "eyes": 0.02, "mouth_own": 0.04, "eyes_own": 0.04}
"""Mean change between two takes from which shares of it are taken. Ours: a face that
hardly does anything tells nothing, and noise would be divided by noise."""


_SHARE = "0; a natural change is 1"

_CURVES = {
    "mouth": "Mouth opening (landmarks)",
    "mouth_own": "Mouth opening (the model's read-out)",
    "eyes": "Eye opening (landmarks)",
    "eyes_own": "Blink (the model's read-out)",
}

POSE_SWAPPED = {
    "pose_error": (
        "Pose against the one asked for (landmark fit)",
        "degrees",
        "as the truth",
    ),
    "turn": ("Turn made over turn asked for (landmark fit)", "", "1"),
    "turn_own": ("The same (the model's pose encoder)", "", "1"),
    "kept/dynamics": ("z_dyn moved (the model's encoder)", "", _SHARE),
    **{f"kept/{key}": (f"{name} moved", "", _SHARE) for key, name in _CURVES.items()},
}
"""Title, unit and aim of rows, by key."""

DYNAMICS_SWAPPED = {
    "dynamics_error": (
        "z_dyn against the one asked for (the model's encoder)",
        "",
        "0; 1 is unmoved",
    ),
    **{
        f"gain/{key}": (f"{name}: change made over change asked for", "", "1")
        for key, name in _CURVES.items()
    },
    "kept/pose": ("Head turned (landmark fit)", "degrees", "as the truth"),
    "kept/pose_own": ("Head turned (the model's pose encoder)", "degrees", "0"),
}

PEOPLE = {
    "identity": (
        "Identity distance to the source (dlib)",
        "",
        f"below {face_recognition.SAME_PERSON_DISTANCE}",
    ),
    "face": ("Frames with a face (landmarks)", "", "1"),
    "driver_identity": ("Identity distance to the driver (dlib)", "", "as the truth"),
    "nearer": ("Frames nearer to the source than to the driver", "", "1"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Take:
    """Frames of one take, n of them.

    Attributes:
        frames: uint8 `[n, H, H, 3]`.
        head_pose: `[n, 6]`, true or fitted to landmarks.
    """

    frames: np.ndarray
    head_pose: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Truth:
    """The source's person, rendered as asked; uint8 `[n, H, H, 3]` each.

    Attributes:
        unswapped: pose and dynamics of the first take.
        pose_swapped: pose of the second take, dynamics of the first.
        dynamics_swapped: pose of the first take, dynamics of the second.
    """

    unswapped: np.ndarray
    pose_swapped: np.ndarray
    dynamics_swapped: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapClip:
    """A portrait and two takes whose poses and dynamics are swapped.

    Attributes:
        source: uint8 `[H, H, 3]`.
        source_pose: `[6]`.
        first, second: takes of one person, of as many frames each.
        truth: None where nothing tells it.
    """

    source: np.ndarray
    source_pose: np.ndarray
    first: Take
    second: Take
    truth: Truth | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observed:
    """What all instruments see in n frames.

    Attributes:
        seen: the frames and their landmarks' track.
        motion: `[n, M]`, encoded again by the model, pose included.
        curves: `[n]` apertures of mouth and eyes, by the names of `MIN_CHANGE`.
        present: bool `[n]`, whether landmarks were found.
    """

    seen: Seen
    motion: np.ndarray
    curves: dict[str, np.ndarray]
    present: np.ndarray

    @property
    def own_rotation(self) -> np.ndarray:
        """Rotation `[n, 3]` by the model's pose encoder."""
        return self.motion[:, :3]

    @property
    def dynamics(self) -> np.ndarray:
        """z_dyn `[n, Z]` by the model's encoder."""
        return self.motion[:, types.POSE_CHANNELS :]


def observe(performer: FacePerformer, seen: Seen) -> Observed:
    """Look at frames with landmarks and with the model's encoders.

    Args:
        performer: the model.
        seen: from `FacePerformer.encode_and_track` or `.track_face`.
    """
    motion = performer.encode(seen.frames)
    arkit = performer.requested_expression(motion).arkit
    nothing = np.zeros(len(seen.frames), np.float32)
    eyes = nothing if seen.face is None else seen.face.eye_aperture
    present = nothing.astype(bool) if seen.face is None else seen.face.present
    return Observed(
        seen=seen,
        motion=motion,
        curves={
            "mouth": seen.mouth_aperture,
            "eyes": eyes,
            "mouth_own": arkit[:, JAW_OPEN] - arkit[:, MOUTH_CLOSE],
            "eyes_own": arkit[:, arkit_lib.BLINKS].mean(axis=1),
        },
        present=present,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Disentanglement(PerClip):
    """Whether head pose, facial dynamics and identity move apart, in decoded videos.

    Ours: a still copy of the source moves nothing, so its gains and what it moves
    unasked are 0: only both together tell.

    Attributes:
        name: of the metric.
        group: end of its headings, such as "driven by another person".
        is_other_person: whether the takes are someone else's.
    """

    name: str
    group: str
    is_other_person: bool

    @property
    def rows(self) -> dict[str, Row]:
        """Return the rows by key."""

        def under(heading, titles):
            return {
                f"{self.name}/{key}": reenactment.performed_row(
                    f"{heading}, {self.group}", title, unit, aim
                )
                for key, (title, unit, aim) in titles.items()
            }

        people = dict(PEOPLE)
        if not self.is_other_person:
            del people["driver_identity"], people["nearer"]
        return {
            **under("Head pose swapped, dynamics kept", POSE_SWAPPED),
            **under("Dynamics swapped, head pose kept", DYNAMICS_SWAPPED),
            **under("Identity with either swapped", people),
        }

    def measure(
        self,
        clip: SwapClip,
        performer: FacePerformer,
        network: face_recognition.IdentityNetwork,
    ) -> Measured:
        """Swap pose, then dynamics, and measure both.

        Args:
            clip: what to swap.
            performer: the face model.
            network: of identity.

        Returns:
            What hardly changes between the takes is not a number.
        """
        portrait = performer.portrait(clip.source, clip.source_pose)
        takes = clip.first, clip.second
        asked = [performer.encode(take.frames, take.head_pose) for take in takes]
        natural = [
            observe(performer, track_face(performer.fit_frames(t.frames)))
            for t in takes
        ]
        num_frames = len(asked[0])
        pose = slice(0, types.POSE_CHANNELS)
        pose_swapped, dynamics_swapped = asked[0].copy(), asked[1].copy()
        pose_swapped[:, pose] = asked[1][:, pose]
        dynamics_swapped[:, pose] = asked[0][:, pose]

        def look(frames):
            return [observe(performer, one) for one in frames]

        made = look(
            encode_and_track(performer.drive(portrait, motion, is_driven=True))
            for motion in (asked[0], pose_swapped, dynamics_swapped)
        )
        still = observe(
            performer, encode_and_track(portrait.image[None].repeat(num_frames, axis=0))
        )
        columns = [made, [still] * 3]
        if clip.truth is not None:
            parts = (getattr(clip.truth, f.name) for f in dataclasses.fields(Truth))
            columns.append(
                look(track_face(performer.fit_frames(part)) for part in parts)
            )
        poses = [take.head_pose[:, :3] for take in takes]
        found = [_compare(column, natural, asked, poses) for column in columns]
        scores = {key: Score(*(one[key] for one in found)) for key in found[0]}
        scores |= _people(performer, portrait, clip, columns, network)
        return Measured(scores={f"{self.name}/{k}": s for k, s in scores.items()})


def _compare(
    made: list[Observed],
    natural: list[Observed],
    asked: list[np.ndarray],
    poses: list[np.ndarray],
) -> dict[str, float]:
    """Return what one column of the table holds.

    Args:
        made: unswapped, with the pose swapped, with the dynamics swapped.
        natural: both takes as they are.
        asked: motion of both takes.
        poses: `[n, 3]` rotations of both takes.
    """
    plain, turned, changed = made
    first, second = natural
    both = plain.present & turned.present
    wanted = poses[1] - poses[0]
    errors = curves.angles_between(turned.seen.rotation, poses[1])
    is_turned = np.degrees(np.linalg.norm(wanted, axis=1)).mean() >= MIN_TURN_DEGREES
    own_turn = turned.own_rotation - plain.own_rotation
    turn = turned.seen.rotation - plain.seen.rotation
    values = {
        "pose_error": mean_of_known(errors[turned.present]),
        "turn": gain(turn[both], wanted[both]) if is_turned else np.nan,
        "turn_own": gain(own_turn, wanted) if is_turned else np.nan,
    }
    dynamics = [motion[:, types.POSE_CHANNELS :] for motion in asked]
    step = _distance(dynamics[0], dynamics[1]) or np.nan
    values["kept/dynamics"] = _distance(turned.dynamics, plain.dynamics) / step
    values["dynamics_error"] = _distance(changed.dynamics, dynamics[1]) / step
    for key, least in MIN_CHANGE.items():
        is_own = key.endswith("_own")

        def pick(*group, is_own=is_own):
            masks = [
                np.ones(len(o.present), bool) if is_own else o.present for o in group
            ]
            return np.logical_and.reduce(masks)

        natural_change = second.curves[key] - first.curves[key]
        known = pick(first, second)
        size = mean_of_known(np.abs(natural_change[known]))
        if not size >= least:
            values[f"kept/{key}"] = values[f"gain/{key}"] = np.nan
            continue
        moved = np.abs(turned.curves[key] - plain.curves[key])
        values[f"kept/{key}"] = mean_of_known(moved[pick(turned, plain)]) / size
        change = changed.curves[key] - plain.curves[key]
        at = known & pick(changed, plain)
        values[f"gain/{key}"] = gain(change[at], natural_change[at])
    at = plain.present & changed.present
    away = curves.angles_between(changed.seen.rotation, plain.seen.rotation)
    values["kept/pose"] = mean_of_known(away[at])
    values["kept/pose_own"] = mean_of_known(
        curves.angles_between(changed.own_rotation, plain.own_rotation)
    )
    return values


def gain(made: np.ndarray, wanted: np.ndarray) -> float:
    """Return how much of a wanted change was made, by least squares through 0.

    Args:
        made, wanted: of one shape; not a number where nothing was wanted.
    """
    made, wanted = np.asarray(made, np.float64), np.asarray(wanted, np.float64)
    power = (wanted * wanted).sum()
    return float((made * wanted).sum() / power) if power > 0 else np.nan


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance of codes `[n, Z]`."""
    return float(np.linalg.norm(one - other, axis=1).mean())


def _people(performer, portrait, clip, columns, network) -> dict[str, Score]:
    """Return whose face the frames with either swapped show."""
    own = network.embed(portrait.image)
    driver = network.embed(performer.fit_frames(clip.first.frames[:1])[0])
    picks = np.linspace(0, len(clip.first.frames) - 1, reenactment.NUM_PICKED).astype(
        int
    )
    found = []
    for _, turned, changed in columns:
        frames = [one.seen.frames[np.unique(picks)] for one in (turned, changed)]
        faces = network.embed_all(np.concatenate(frames))
        away = [face_recognition.distances(one, faces) for one in (own, driver)]
        known = ~np.isnan(away[0] + away[1])
        found.append(
            {
                "identity": mean_of_known(away[0]),
                "driver_identity": mean_of_known(away[1]),
                "nearer": mean_of_known(np.float64(away[0] < away[1])[known]),
                "face": float(np.mean([turned.present, changed.present])),
            }
        )
    return {key: Score(*(one[key] for one in found)) for key in found[0]}

"""Measure how a portrait follows a driver: likeness, pose, and whose face it shows."""

import dataclasses
import functools

import numpy as np

from vasa_jax.evaluation.benchmark.driven_videos import (
    Performer,
    Seen,
    encode_and_track,
    track_face,
)
from vasa_jax.evaluation.metrics import curves, frame_similarity
from vasa_jax.evaluation.metrics.definition import (
    Measured,
    PerClip,
    Row,
    Score,
    mean_of_known,
)
from vasa_jax.evaluation.networks import face_recognition, lpips

LARGE_TURN_DEGREES = 15.0
"""Turn of the head, against the source, from which identity is measured apart."""

NUM_PICKED = 5
"""Frames of a clip whose identity and LPIPS are measured. Ours: both are slow, and
neighbours look alike."""

LEAST_TRUTH_SHARE = 0.5
"""Share of true frames with a face from which clips are measured by its landmarks.
Ours: landmarks of a face that is mostly lost measure the search, not the head."""

COPY, TRUTH = "copying the source", "truth, measured alike"
"""Floor and ceiling of all clips that a checkpoint performs."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrivingClip:
    """One portrait, one driver, and how the portrait's person does the same.

    Attributes:
        source: uint8 `[H, H, 3]`.
        source_pose: `[6]` head pose of the source.
        driver: uint8 `[n, H, H, 3]`.
        driver_pose: `[n, 6]`.
        truth: uint8 `[n, H, H, 3]`, the source's person doing what the driver does.
        truth_mouth: `[n, 2]` the mouth in it, image units.
        truth_scale: `[n]` apparent size of its head.
    """

    source: np.ndarray
    source_pose: np.ndarray
    driver: np.ndarray
    driver_pose: np.ndarray
    truth: np.ndarray
    truth_mouth: np.ndarray
    truth_scale: np.ndarray


def performed_row(
    group: str,
    title: str,
    unit: str = "",
    aim: str = "",
    digits: int = 2,
    is_ratio: bool = False,
) -> Row:
    """Return a row of clips that a checkpoint performs, with floor and ceiling."""
    return Row(
        group=group,
        title=title,
        unit=unit,
        aim=aim,
        floor=COPY,
        ceiling=TRUTH,
        digits=digits,
        is_ratio=is_ratio,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reenactment(PerClip):
    """How a portrait follows a driver, measured in the decoded video.

    Attributes:
        name: of the metric.
        group: heading of its rows.
        is_other_person: whether the driver is someone else (cross-reenactment).
    """

    name: str
    group: str
    is_other_person: bool

    @property
    def rows(self) -> dict[str, Row]:
        """Return the rows by key."""
        aims = ("", "") if self.is_other_person else ("above 24", "3 above copying")
        limit = f"below {face_recognition.SAME_PERSON_DISTANCE}"
        row = functools.partial(performed_row, self.group)
        table = {
            "psnr": row("PSNR", "dB", aims[0], 1),
            "mouth_psnr": row("PSNR of the mouth", "dB", aims[1], 1),
            "lpips": row("LPIPS (VGG16)", digits=3),
            "pose": row("Pose error", "degrees", "as the truth"),
            "pose_own": row(
                "Pose error without the landmark fit's offset for the person",
                "degrees",
                "below 3",
            ),
            "pose_seen": row(
                "Pose against the true video, both measured", "degrees", "below 3"
            ),
            "identity": row("Identity distance to the source (dlib)", aim=limit),
            "cosine": row("Identity cosine with the source", digits=3),
            "turned_identity": row(
                "Identity distance at turns of 15 degrees and more", aim=limit
            ),
            "face": row("Frames with a face", aim="1"),
        }
        if self.is_other_person:
            table["driver_identity"] = row(
                "Identity distance to the driver", aim="as the truth"
            )
        return {f"{self.name}/{key}": value for key, value in table.items()}

    def measure(
        self,
        clip: DrivingClip,
        performer: Performer,
        network: face_recognition.IdentityNetwork,
        lpips_distance: lpips.Distance | None = None,
    ) -> Measured:
        """Drive one clip and measure it.

        Args:
            clip: what to do.
            performer: the checkpoint.
            network: of identity.
            lpips_distance: from `lpips.measure_with`; None leaves it out.
        """
        portrait = performer.portrait(clip.source, clip.source_pose)
        motion = performer.encode(clip.driver, clip.driver_pose)
        made = encode_and_track(performer.drive(portrait, motion, is_driven=True))
        truth = track_face(performer.fit_frames(clip.truth))
        still = encode_and_track(portrait.image[None])
        copies = still.frames.repeat(len(made.frames), axis=0)

        turns = curves.angles_between(clip.driver_pose[:, :3], clip.source_pose[:3])
        picks = pick_frames(turns)

        def compare(distance, *more, at=slice(None)):
            return Score(
                float(np.mean(distance(made.frames[at], truth.frames[at], *more))),
                float(np.mean(distance(copies[at], truth.frames[at], *more))),
            )

        mouth = clip.truth_mouth, clip.truth_scale
        scores = {
            "psnr": compare(frame_similarity.psnr),
            "mouth_psnr": compare(frame_similarity.mouth_psnr, *mouth),
            "face": Score(made.share, still.share, truth.share),
        }
        if truth.share >= LEAST_TRUTH_SHARE:
            scores |= _measure_pose(made, still, truth, clip.driver_pose[:, :3])
        if lpips_distance is not None:
            scores["lpips"] = compare(lpips_distance, at=picks)
        own = network.embed(portrait.image)
        faces = [network.embed_all(seen.frames[picks]) for seen in (made, truth)]
        is_turned = turns[picks] >= LARGE_TURN_DEGREES
        away, true_away = (face_recognition.distances(own, one) for one in faces)
        alike, true_alike = (face_recognition.cosines(own, one) for one in faces)
        scores["identity"] = Score(mean_of_known(away), 0.0, mean_of_known(true_away))
        scores["cosine"] = Score(mean_of_known(alike), 1.0, mean_of_known(true_alike))
        if is_turned.any():
            scores["turned_identity"] = Score(
                mean_of_known(away[is_turned]),
                0.0,
                mean_of_known(true_away[is_turned]),
            )
        if self.is_other_person:
            driver = network.embed(performer.fit_frames(clip.driver[:1])[0])
            scores["driver_identity"] = Score(
                mean_of_known(face_recognition.distances(driver, faces[0])),
                float(np.linalg.norm(driver - own)),
                mean_of_known(face_recognition.distances(driver, faces[1])),
            )
        return Measured(scores={f"{self.name}/{k}": s for k, s in scores.items()})


def _measure_pose(
    made: Seen, still: Seen, truth: Seen, asked: np.ndarray
) -> dict[str, Score]:
    """Measure the rows of pose.

    Ours: the landmark fit takes every face for one shape, so its pitch is off by some
    degrees, other ones for each person. The true video tells by how many: taken out,
    what is left is how well the head follows.

    Args:
        made, still, truth: the generated video, the source, the true video.
        asked: `[n, 3]` rotations.
    """
    seen = (made, still, truth)
    present = truth.face.present
    offset = curves.mean_offset(truth.rotation[present], asked[present])
    return {
        "pose": Score(*(pose_error(one, asked) for one in seen)),
        "pose_own": Score(*(pose_error(one, asked, offset) for one in seen)),
        "pose_seen": Score(*(pose_between(one, truth) for one in (made, still))),
    }


def pose_error(
    seen: Seen, asked: np.ndarray, offset: np.ndarray | None = None
) -> float:
    """Return the mean angle between poses seen and asked for, degrees.

    Args:
        seen: a video of as many frames, or a single frame.
        asked: `[n, 3]` rotations.
        offset: `[3, 3]` of the landmark fit, to be taken out; None leaves it in.

    Returns:
        Over frames that show a face; not a number if there are none.
    """
    if seen.face is None:
        return np.nan
    rotation = seen.rotation
    if offset is not None:
        rotation = curves.without_offset(rotation, offset)
    away = curves.angles_between(rotation, asked)
    return float(away[np.broadcast_to(seen.face.present, away.shape)].mean())


def pose_between(seen: Seen, truth: Seen) -> float:
    """Return the mean angle between the poses seen in two videos, degrees.

    Ours: the landmark fit errs by some degrees, and in both videos alike, so that what
    is left between them is the face model's.

    Args:
        seen: a video of as many frames, or a single frame.
        truth: the true video.

    Returns:
        Over frames that show a face in both; not a number if there are none.
    """
    if seen.face is None or truth.face is None:
        return np.nan
    away = curves.angles_between(seen.rotation, truth.rotation)
    return mean_of_known(away[seen.face.present & truth.face.present])


def pick_frames(turns: np.ndarray, count: int = NUM_PICKED) -> np.ndarray:
    """Choose frames evenly from the least turned to the most, `[count]` places."""
    order = np.argsort(turns)
    return order[np.linspace(0, len(turns) - 1, min(count, len(turns))).astype(int)]

"""Motion out of a file that drives a face, whole or in parts: their head, our lips."""

import dataclasses
import os
import pathlib
from collections.abc import Collection, Iterable, Iterator

import numpy as np

from vasa_jax import arkit, types
from vasa_jax import config as config_lib
from vasa_jax.animate import arkit_csv, blinks, motion_edits, motion_files
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError
from vasa_jax.face.dynamics_code import Expression

UNITS = {"mouth": arkit.MOUTH, "brows": arkit.BROWS, "eyes": arkit.EYES}
"""Parts of a face, and the units that show them; gaze goes with the eyes."""

HEAD = "head"
PARTS = (HEAD, *UNITS)
"""All that motion moves."""

PIECE_FRAMES = 25
"""Frames handed on at once. Ours: as much as a step."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrivingMotion:
    """Motion, and which parts of it drive.

    Attributes:
        parts: of `PARTS`; the others are left to what else moves the face.
        recorded: motion; None for a capture.
        expression: of a capture, 25 frames a second; None for motion.
    """

    parts: frozenset[str]
    recorded: motion_files.RecordedMotion | None = None
    expression: Expression | None = None

    def __post_init__(self):
        """Refuse parts that there are not."""
        for part in sorted(self.parts):
            if part not in PARTS:
                raise config_lib.unknown_name(part, PARTS, "part")
        config_lib.require(
            bool(self.parts), f"No part is named; choose among {', '.join(PARTS)}."
        )
        config_lib.require(
            self.expression is None or HEAD not in self.parts,
            "A CSV of ARKit's weights has no head; leave it out of the parts.",
        )

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to what else moves the face."""
        return self.parts == set(PARTS)

    @property
    def num_frames(self) -> int:
        """Frames, 25 a second."""
        if self.recorded is not None:
            return len(self.recorded.head_pose)
        return len(self.expression.arkit)


def read(
    path: str | os.PathLike[str], parts: Collection[str] | None = None
) -> DrivingMotion:
    """Read motion that `motion_files` wrote, or a CSV of ARKit's weights.

    Args:
        path: ends in .npz, .json or .csv.
        parts: of `PARTS`; None takes all that the file has.

    Raises:
        UserError: the file cannot be used, or has not these parts.
    """
    if pathlib.Path(path).suffix.lower() == ".csv":
        return DrivingMotion(
            parts=frozenset(UNITS if parts is None else parts),
            expression=arkit_csv.read(path),
        )
    return DrivingMotion(
        parts=frozenset(PARTS if parts is None else parts),
        recorded=motion_files.load(path),
    )


def told_about(
    driving: DrivingMotion, frame: str, own_rotation: np.ndarray
) -> DrivingMotion:
    """Tell the turns of motion about something else; see `motion_files`."""
    if driving.recorded is None:
        return driving
    recorded = driving.recorded.told_about(frame, own_rotation)
    return dataclasses.replace(driving, recorded=recorded)


def about_mean(driving: DrivingMotion) -> DrivingMotion:
    """Tell head poses about their mean; see `motion_files.RecordedMotion`."""
    if driving.recorded is None:
        return driving
    return dataclasses.replace(driving, recorded=driving.recorded.about_mean())


class Driver:
    """Driving motion in the code of one face model, edited as controls ask."""

    def __init__(
        self,
        driving: DrivingMotion,
        controls: Controls,
        face: motion_edits.FaceEditor,
    ):
        """Bring the motion into the model's code.

        Args:
            driving: the motion.
            controls: whose edits count for it, too; what steers generated motion does
                not.
            face: of the model that is driven.

        Raises:
            UserError: the motion is of another model's code, or the model's map from
                expression is needed and was never trained.
        """
        self._face, self._parts = face, driving.parts
        self.num_frames = driving.num_frames
        faces = self._parts - {HEAD}
        if driving.recorded is None or controls.edits_face or len(faces) in (1, 2):
            face.require_map()
        seconds = (np.arange(self.num_frames) + 0.5) / types.FRAME_RATE_HZ
        if driving.recorded is None:
            self._expression = driving.expression
            self._codes = face.write(driving.expression)
        else:
            _require_code(driving.recorded, faces, face)
            pose = driving.recorded.head_pose
            rest = np.tile(pose.mean(axis=0), (len(pose), 1))
            self._pose = motion_edits.move_head(pose, controls, seconds, rest)
            if not faces:
                return
            self._codes = driving.recorded.facial_dynamics
            self._expression = face.read(self._codes)
        if controls.edits_face:
            before, clock = self._expression, blinks.BlinkClock(controls.seed)
            after, _ = motion_edits.change_face(before, controls, seconds, clock)
            self._codes = face.change(self._codes, before, after)
            self._expression = after

    def whole(self) -> Iterator[np.ndarray]:
        """Yield the motion itself, float32 `[n, M]`, of which every part drives."""
        for start in range(0, self.num_frames, PIECE_FRAMES):
            frames = slice(start, start + PIECE_FRAMES)
            yield np.concatenate([self._pose[frames], self._codes[frames]], axis=-1)

    def drive(self, motion: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Put the driving parts into other motion.

        Args:
            motion: pieces float32 `[n, M]` of what else moves the face.

        Yields:
            Pieces float32 `[n, M]`, as many frames as the shorter of both has.
        """
        start = 0
        for piece in motion:
            piece = piece[: self.num_frames - start]
            if not len(piece):
                return
            frames = slice(start, start + len(piece))
            pose, codes = np.split(piece, [types.POSE_CHANNELS], axis=-1)
            if HEAD in self._parts:
                pose = self._pose[frames]
            yield np.concatenate([pose, self._mixed(codes, frames)], axis=-1)
            start += len(piece)

    def _mixed(self, codes: np.ndarray, frames: slice) -> np.ndarray:
        """Return facial dynamics `[n, Z]` with the driving parts in them."""
        faces = [part for part in UNITS if part in self._parts]
        if len(faces) in (0, len(UNITS)):
            return self._codes[frames] if faces else codes
        before = self._face.read(codes)
        weights, gaze = before.arkit.copy(), before.gaze_in_head
        for part in faces:
            weights[:, UNITS[part]] = self._expression.arkit[frames, UNITS[part]]
        if "eyes" in faces:
            gaze = self._expression.gaze_in_head[frames]
        after = Expression(arkit=weights, gaze_in_head=gaze)
        return self._face.change(codes, before, after)


def hold(motion: np.ndarray, num_frames: int) -> Iterator[np.ndarray]:
    """Yield one frame of motion `[M]` again and again, as pieces `[n, M]`."""
    for start in range(0, num_frames, PIECE_FRAMES):
        yield np.tile(motion, (min(PIECE_FRAMES, num_frames - start), 1))


def _require_code(
    recorded: motion_files.RecordedMotion,
    faces: Collection[str],
    face: motion_edits.FaceEditor,
) -> None:
    """Refuse facial dynamics of another model, where they are needed."""
    if faces and recorded.code != face.code:
        raise UserError(
            f"The motion's facial dynamics are of the code {recorded.code[:40]!r}, and "
            f"the checkpoint's is {face.code!r}; take the checkpoint that they were "
            "made with, or only the head of the motion."
        )

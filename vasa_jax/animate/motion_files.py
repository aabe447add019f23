"""Motion in a file: saved, edited by anything that writes npz or JSON, and replayed."""

import dataclasses
import io
import json
import os
import pathlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from vasa_jax import media, types
from vasa_jax.errors import UserError

FORMAT = "vasa_jax motion"
VERSION = 1
SUFFIXES = (".npz", ".json")

ARRAYS = ("head_pose", "facial_dynamics")
NAMES = ("format", "version", "frame_rate_hz", "code", "turns_about", *ARRAYS)
"""All that a file holds, under these names in both forms."""

FRAMES = CAMERA, PORTRAIT = "camera", "portrait"
"""What heads turn about: nothing but the camera's frame, or a portrait's own turn."""

_DAMAGES = (
    *(ValueError, OSError, EOFError, KeyError, AttributeError, NotImplementedError),
    *(RuntimeError, SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy and zipfile raise of damaged files."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordedMotion:
    """Motion of T frames, 25 a second.

    Attributes:
        head_pose: float32 `[T, 6]`, vectors of `types.HeadPose`.
        facial_dynamics: float32 `[T, Z]`.
        code: which face models' facial dynamics they are, of `FaceEditor.code`.
        turns_about: `CAMERA` or `PORTRAIT`.
    """

    head_pose: np.ndarray
    facial_dynamics: np.ndarray
    code: str
    turns_about: str = CAMERA

    def __post_init__(self):
        """Refuse what no face could do."""
        counts = []
        for name in ARRAYS:
            value = np.asarray(getattr(self, name))
            shape = list(value.shape)
            if value.dtype.kind not in "fiu" or value.ndim != 2 or not value.size:
                raise UserError(
                    f"{name} is {value.dtype} {shape}; give a row of numbers for each "
                    "frame."
                )
            with np.errstate(over="ignore"):  # Told below as not finite.
                value = value.astype(np.float32)
            if not np.isfinite(value).all():
                frame = int(np.argmin(np.isfinite(value).all(axis=1)))
                raise UserError(f"{name} of frame {frame} is not finite; give numbers.")
            counts.append(len(value))
            object.__setattr__(self, name, value)
        if counts[0] != counts[1]:
            raise UserError(
                f"head_pose has {counts[0]} frames and facial_dynamics {counts[1]}; "
                "give as many."
            )
        channels = self.head_pose.shape[1]
        if channels != types.POSE_CHANNELS:
            raise UserError(
                f"head_pose has {channels} numbers a frame; give 6: yaw, pitch and "
                "roll in radians, x, y and scale."
            )
        if self.head_pose[:, -1].min() <= 0:
            frame = int(np.argmin(self.head_pose[:, -1]))
            raise UserError(
                f"The scale of head_pose in frame {frame} is "
                f"{self.head_pose[frame, -1]:g}; give numbers above 0."
            )
        if self.turns_about not in FRAMES:
            raise UserError(
                f"turns_about is {str(self.turns_about)[:40]!r}; give {CAMERA} or "
                f"{PORTRAIT}."
            )

    @property
    def motion(self) -> np.ndarray:
        """Motion as it is rendered, float32 `[T, M]`."""
        return np.concatenate([self.head_pose, self.facial_dynamics], axis=-1)

    @classmethod
    def of_motion(
        cls, motion: np.ndarray, code: str, turns_about: str = CAMERA
    ) -> "RecordedMotion":
        """Split motion `[T, M]` as `motion` joins it."""
        pose, facial_dynamics = np.split(motion, [types.POSE_CHANNELS], axis=-1)
        return cls(
            head_pose=pose,
            facial_dynamics=facial_dynamics,
            code=code,
            turns_about=turns_about,
        )

    def told_about(self, frame: str, own_rotation: np.ndarray) -> "RecordedMotion":
        """Tell the turns about something else, for one portrait.

        Args:
            frame: `CAMERA` or `PORTRAIT`.
            own_rotation: `[3]` of the portrait, radians.
        """
        if frame == self.turns_about:
            return self
        sign = 1 if frame == CAMERA else -1
        pose = self.head_pose.copy()
        pose[:, :3] += sign * np.asarray(own_rotation, np.float32)
        return dataclasses.replace(self, head_pose=pose, turns_about=frame)

    def about_mean(self) -> "RecordedMotion":
        """Tell somebody's head poses about their mean, for any portrait.

        Ours: a portrait that looks aside would have to face the camera as its driver
        does, and show what no photograph of it has.

        Returns:
            Motion about `PORTRAIT`, of mean turn and shift 0 and mean scale 1; what
            was about it already stays as it is.
        """
        if self.turns_about == PORTRAIT:
            return self
        turn_and_shift, scale = np.split(self.head_pose, [5], axis=1)
        turn_and_shift = turn_and_shift - turn_and_shift.mean(axis=0)
        pose = np.concatenate([turn_and_shift, scale / scale.mean()], axis=1)
        return dataclasses.replace(self, head_pose=pose, turns_about=PORTRAIT)


def check_path(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work, a place that `save` could not write.

    Raises:
        UserError: neither .npz nor .json, or it cannot be written there.
    """
    _suffix(path)
    media.check_place(path)


def save(path: str | os.PathLike[str], recorded: RecordedMotion) -> None:
    """Write motion; `load` reads it back equal.

    Args:
        path: ends in .npz or .json; an older file is replaced.
        recorded: what to write.

    Raises:
        UserError: as of `check_path`.
    """
    head = {
        "format": FORMAT,
        "version": VERSION,
        "frame_rate_hz": types.FRAME_RATE_HZ,
        "code": recorded.code,
        "turns_about": recorded.turns_about,
    }
    arrays = {name: getattr(recorded, name) for name in ARRAYS}
    if _suffix(path) == ".json":
        content = _to_json(head, arrays).encode()
    else:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **head, **arrays)
        content = buffer.getvalue()
    with media.written_beside(path) as beside:
        beside.write_bytes(content)


def load(path: str | os.PathLike[str]) -> RecordedMotion:
    """Read motion.

    Args:
        path: ends in .npz or .json.

    Raises:
        UserError: the file cannot be read, is no motion or of another version, or holds
            what no face could do.
    """
    read = _from_json if _suffix(path) == ".json" else _from_npz
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"Cannot read the motion {path}: {error.strerror}; name a file that "
            "`--motion_output` wrote."
        ) from error
    try:
        return _checked(read(content))
    except UserError as error:
        raise UserError(f"In the motion {path}: {error}") from error


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"The motion {path} ends neither in .npz nor in .json; name such a "
            "file, or a .csv of ARKit's weights where those are meant."
        )
    return suffix


def _to_json(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Write a line for each frame, with the fewest digits that tell its numbers."""
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    for name, rows in arrays.items():
        lines = [f"[{', '.join(map(str, row))}]" for row in rows]
        parts.append(f"{json.dumps(name)}: [\n" + ",\n".join(lines) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _from_json(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"it is no JSON ({error}).") from error
    if not isinstance(values, dict):
        raise UserError("it is no JSON object.")
    for name in ARRAYS:
        try:
            values[name] = np.array(values.get(name, ()), np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise UserError(
                f"{name} is no table; give a row of as many numbers for each frame."
            ) from error
    return values


def _from_npz(content: bytes) -> dict[str, Any]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            values = {name: stored[name] for name in NAMES if name in stored}
    except _DAMAGES as error:
        raise UserError("it is no npz file of plain arrays, or damaged.") from error
    plain = {name: values[name].tolist() for name in values if name not in ARRAYS}
    return {**values, **plain}


def _checked(values: Mapping[str, Any]) -> RecordedMotion:
    if values.get("format") != FORMAT:
        raise UserError(f"its format is not {FORMAT!r}; name a file of motion.")
    for name, known in (("version", VERSION), ("frame_rate_hz", types.FRAME_RATE_HZ)):
        if values.get(name) != known:
            raise UserError(
                f"its {name} is {str(values.get(name))[:40]}, and only {known} is read."
            )
    if not isinstance(values.get("code"), str):
        raise UserError("it does not name the code of its facial dynamics.")
    return RecordedMotion(
        head_pose=values.get("head_pose", np.zeros(0)),
        facial_dynamics=values.get("facial_dynamics", np.zeros(0)),
        code=values["code"],
        turns_about=values.get("turns_about", CAMERA),
    )

"""A finished video as metrics see it, and what was found of it, kept as JSON.

Frames, sound and face are read when first asked. What was found lies under a name that
tells what it is of: the hash of the bytes it was found in.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from vasa_jax import audio, errors, media, types
from vasa_jax.portrait import crop, track

SOUND_TOLERANCE = 5
"""Frames by which sound and picture may differ unmentioned. Ours: codecs pad sound."""

CACHE_VERSION = 6
"""Raised when what is kept, or how it is found, changes."""

BLOCK_BYTES = 2**20
"""Bytes of a file that are read at once. Ours: bounds memory."""

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v")
"""Of the files in a folder that are taken for videos."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a video before it is measured.

    Attributes:
        num_frames: at 25 a second, counted by decoding all of them.
        height, width: of a frame, pixels.
        frame_rate_hz: as stored.
        num_sound_frames: whole frames that the sound lasts; 0 without sound.
    """

    num_frames: int
    height: int
    width: int
    frame_rate_hz: float
    num_sound_frames: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceCurves:
    """What a face does in T frames, re-estimated from the frames.

    Attributes:
        head_pose: `[T, 6]` vectors of `types.HeadPose`, in units of the whole frame.
        mouth_aperture: `[T]`, as of `landmarks.mouth_aperture`.
        eye_aperture: `[T]`, as of `gaze.eye_aperture`.
        gaze: `[T, 2]` yaw and pitch in the camera frame, radians.
        present: bool `[T]`, whether the face was seen.
    """

    head_pose: np.ndarray
    mouth_aperture: np.ndarray
    eye_aperture: np.ndarray
    gaze: np.ndarray
    present: np.ndarray

    @property
    def rotation(self) -> np.ndarray:
        """Yaw, pitch and roll, `[T, 3]` radians."""
        return self.head_pose[:, :3]

    def seen_windows(self, num_frames: int) -> np.ndarray:
        """Tell which windows of so many frames show the face all along.

        Args:
            num_frames: of a window, at most T.

        Returns:
            bool `[T - num_frames + 1]`.
        """
        windows = np.lib.stride_tricks.sliding_window_view(self.present, num_frames)
        return windows.all(axis=1)

    def first(self, num_frames: int) -> "FaceCurves":
        """Return the curves of the first frames."""
        parts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return FaceCurves(**{name: part[:num_frames] for name, part in parts.items()})


class Clip:
    """One video file.

    Ours: what is slow is kept beside the report as JSON, under the hash of the file's
    bytes, so that a stopped run goes on and another system's report reuses the
    references.

    Args:
        path: the video.
        cache_dir: existing folder for what was found; None keeps nothing.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        cache_dir: str | os.PathLike[str] | None = None,
    ):
        self.path = pathlib.Path(path)
        self._cache_dir = cache_dir
        self._sampled: tuple[tuple[int, int] | None, np.ndarray | None] = None, None

    @property
    def name(self) -> str:
        """The file's name without its suffix, by which references are found."""
        return self.path.stem

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the file's bytes.

        Raises:
            UserError: the file cannot be read.
        """
        return digest_of(self.path)

    @functools.cached_property
    def facts(self) -> Facts:
        """Size, length and rate.

        Raises:
            UserError: the file is no video that can be decoded to its end.
        """

        def find():
            info = media.probe_video(self.path)
            num_samples = len(self.waveform) if info.has_sound else 0
            return dataclasses.asdict(
                Facts(
                    num_frames=media.count_frames(self.path),
                    height=info.height,
                    width=info.width,
                    frame_rate_hz=info.frame_rate_hz,
                    num_sound_frames=num_samples // types.SAMPLES_PER_FRAME,
                )
            )

        return Facts(**self.kept("facts", find))

    @functools.cached_property
    def waveform(self) -> np.ndarray:
        """The sound, float32 `[S]`, 16 kHz.

        Raises:
            UserError: there is none.
        """
        return audio.load_waveform(self.path)

    @functools.cached_property
    def landmarks(self) -> track.ClipLandmarks:
        """The largest face's landmarks; not kept beside the report, being large.

        Raises:
            UserError: no frame shows a face.
        """
        return track.track_landmarks(self.frames())

    @functools.cached_property
    def face(self) -> FaceCurves:
        """The largest face, followed through all frames."""

        def find():
            whole = crop.CropBox.of_whole(self.facts.height, self.facts.width)
            try:
                found = track.read_landmarks(self.landmarks, whole)
            except errors.UserError:
                return _no_face(self.facts.num_frames)
            fields = dataclasses.fields(FaceCurves)
            return {f.name: getattr(found, f.name).tolist() for f in fields}

        kept = self.kept("face", find)
        curves = {name: np.array(values) for name, values in kept.items()}
        return FaceCurves(**curves)

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the frames, uint8 `[H, W, 3]`, 25 a second; of none, refuse."""
        return media.iterate_video(self.path)

    def sampled(self, every: int, num_frames: int) -> np.ndarray:
        """Return every n-th of the first frames, uint8 `[n, H, W, 3]`; do not write.

        Ours: the last answer is kept, since several metrics ask for the same frames.

        Args:
            every: 1 returns all.
            num_frames: of these.
        """
        if self._sampled[0] != (every, num_frames):
            frames = media.iterate_video(self.path, every=every)
            picked = itertools.islice(frames, -(-num_frames // every))
            self._sampled = (every, num_frames), np.stack(list(picked))
        return self._sampled[1]

    def kept(
        self, kind: str, find: Callable[[], dict[str, Any]], *parts: str
    ) -> dict[str, Any]:
        """Return what was kept of these bytes, or find it and keep it.

        Args:
            kind: of what is found.
            find: returns what JSON can hold.
            parts: texts that it depends on besides the file.
        """
        if self._cache_dir is None:
            return find()
        key = cache_key(kind, self.digest, *parts)
        return cached(pathlib.Path(self._cache_dir) / f"{key}.json", find)


def _no_face(num_frames: int) -> dict[str, Any]:
    def zeros(*channels):
        return np.zeros((num_frames, *channels)).tolist()

    return {
        "head_pose": zeros(types.POSE_CHANNELS),
        "mouth_aperture": zeros(),
        "eye_aperture": zeros(),
        "gaze": zeros(2),
        "present": [False] * num_frames,
    }


def digest_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, as hexadecimal digits.

    Raises:
        UserError: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(BLOCK_BYTES):
                found.update(block)
    except OSError as error:
        raise errors.UserError(
            f"The file {path} cannot be read ({error.strerror}); check the path."
        ) from error
    return found.hexdigest()


def cache_key(kind: str, *parts: str) -> str:
    """Return the name under which something is kept."""
    text = "\n".join([str(CACHE_VERSION), kind, *parts])
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def cached(path: pathlib.Path, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON of a file, or find it and write the file.

    Ours: a file that does not hold JSON, left by a full disk, is found again.

    Args:
        path: in an existing folder.
        find: returns what JSON can hold.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        pass
    found = find()
    with media.written_beside(path) as beside:
        beside.write_text(json.dumps(found), encoding="utf-8")
    return found


def find_videos(pattern: str) -> list[pathlib.Path]:
    """Return the videos that a folder, a list file, a glob or a file name gives.

    A file or folder that exists is itself, whatever `*`, `?` or `[` its name holds.

    Args:
        pattern: a folder (its own files), a `.txt` file (a path a line, relative to
            the file), a glob, or one video.

    Returns:
        Paths in order of their names.

    Raises:
        UserError: there are none, one is missing, or two have one name.
    """
    given = pathlib.Path(pattern)
    if given.is_dir():
        found = [p for p in given.iterdir() if p.suffix.lower() in SUFFIXES]
    elif given.suffix.lower() == ".txt" and given.is_file():
        lines = given.read_text(encoding="utf-8").splitlines()
        found = [given.parent / line.strip() for line in lines if line.strip()]
    elif any(sign in pattern for sign in "*?[") and not given.exists():
        folder = next(parent for parent in given.parents if parent.exists())
        wanted = os.fspath(given.relative_to(folder))
        found = [p for p in folder.glob(wanted) if p.is_file()]
    else:
        found = [given]
    if not found:
        raise errors.UserError(
            f"There are no videos in {pattern!r}; name a folder, a glob, a .txt with a "
            f"path a line, or one file ({', '.join(SUFFIXES)})."
        )
    named: dict[str, pathlib.Path] = {}
    for path in found:
        if not path.is_file():
            raise errors.UserError(f"The video {path} does not exist; check the path.")
        if path.stem in named:
            raise errors.UserError(
                f"The videos {named[path.stem]} and {path} have one name; rename one."
            )
        named[path.stem] = path
    return sorted(found, key=lambda path: path.stem)


def match_references(
    videos: list[pathlib.Path], references: list[pathlib.Path]
) -> dict[pathlib.Path, pathlib.Path]:
    """Find the reference of each video by the file's name without its suffix.

    Args:
        videos: to be scored.
        references: among which each has one.

    Returns:
        References by video.

    Raises:
        UserError: one has none, or two references have one name.
    """
    by_name: dict[str, pathlib.Path] = {}
    for path in references:
        if path.stem in by_name:
            raise errors.UserError(
                f"The references {by_name[path.stem]} and {path} have one name; "
                "rename one of them."
            )
        by_name[path.stem] = path
    matched: dict[pathlib.Path, pathlib.Path] = {}
    for video in videos:
        if video.stem not in by_name:
            raise errors.UserError(
                f"The video {video} has no reference named {video.stem!r}; add one "
                "or leave the video out."
            )
        matched[video] = by_name[video.stem]
    return matched

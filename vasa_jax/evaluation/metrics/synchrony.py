"""Whether what is seen belongs to what is heard, by some network; CAPP of the head.

Paper: VASA-1 section 4.1. All such metrics embed a clip's pictures and its sound by a
network, and measure alike: beside sound that is not the clip's, and its reference.
"""

import abc
import dataclasses
import functools
from typing import Any, ClassVar

import numpy as np

from vasa_jax import export, types
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import curves
from vasa_jax.evaluation.metrics.definition import (
    HIGHER,
    Measured,
    Needs,
    Row,
    Score,
    State,
    Summary,
    VideoMetric,
)
from vasa_jax.evaluation.networks import capp, contrastive

SHIFTED = "its sound shifted by half"
"""The floor."""

MAX_GAP_FRAMES = 5
"""Frames in a row without a face that are passed in a straight line; windows with more
are left out. Ours: in 0.2 s a head hardly turns there and back."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synchrony(VideoMetric, abc.ABC):
    """Whether what is seen and what is heard belong together, by some network."""

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        if (reason := self.too_short(clip)) is not None:
            return Measured(left_out=reason)
        if reference is not None and self.too_short(reference) is not None:
            reference = None
        # Averages depend on the length, so a clip and its reference have one.
        lengths = [_length(one) for one in (clip, reference) if one is not None]
        seen, heard = self._embed_first(clip, min(lengths))
        values = self.score(clip.face, seen, heard)
        if not values:
            return Measured(left_out=self.unseen())
        floors = self.floors(clip.face, seen, heard)
        ceilings = {}
        if reference is not None:
            ceilings = self.kept_of_reference(
                reference,
                lambda: self.score(
                    reference.face, *self._embed_first(reference, min(lengths))
                ),
                min(lengths),
            )
        return Measured(
            scores={
                key: Score(value, floors.get(key, np.nan), ceilings.get(key, np.nan))
                for key, value in values.items()
            }
        )

    def _embed_first(self, clip, num_frames):
        """Embed a clip as if it ended after some frames."""
        spare = _length(clip) - num_frames
        return [rows[: len(rows) - spare] for rows in self.embed(clip)]

    def floors(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the scores of the sound shifted by half, by row."""
        return self.score(face, seen, np.roll(heard, len(heard) // 2, axis=0))

    @abc.abstractmethod
    def too_short(self, clip: video_clip.Clip) -> str | None:
        """Say why picture or sound are too short to be scored, or None."""

    @abc.abstractmethod
    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return what a clip shows and what is heard in it, `[n, ...]` each."""

    @abc.abstractmethod
    def score(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the scores by row; none where too little shows the face."""

    @abc.abstractmethod
    def unseen(self) -> str:
        """Say why there are no scores."""


def _length(clip: video_clip.Clip) -> int:
    """Return how many frames have picture and sound."""
    return min(clip.facts.num_frames, clip.facts.num_sound_frames)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ByOwnNetwork(Synchrony, abc.ABC):
    """By a network that this package trains and ships.

    Ours: its scores are comparable among themselves only.

    Attributes:
        weights: folder of an export; None is the network that ships.
    """

    weights: str | None = None

    kind: ClassVar[contrastive.Kind]
    num_frames: ClassVar[int]

    @property
    def needs(self) -> Needs:
        """A face and sound of some length, and the network."""
        missing = None
        if self._folder is None:
            flag = f"--{self.kind.name}_weights=FOLDER"
            missing = f"{flag} (see experiments/configs/{self.kind.name}.py)"
        return Needs(
            sound=True,
            face=True,
            num_frames=self.num_frames,
            missing=missing,
            is_in_main=True,
        )

    def settings(self) -> dict[str, Any]:
        """Return what the folder holds in place of its name; None without one."""
        digest = None
        if self._folder is not None:
            digest = video_clip.digest_of(f"{self._folder}/{export.MANIFEST_NAME}")
        return {"weights": digest}

    def prepare(self) -> None:
        """Read the weights."""
        self.scorer()

    def scorer(self) -> contrastive.Scorer:
        """Return the network, read once a process."""
        return _scorer(self.kind, self.weights)

    def finish(self, state: State) -> dict[str, Summary]:
        """Average the clips, and say whom the network favours."""
        found = super().finish(state)
        about = contrastive.favour(self.weights)
        return {k: dataclasses.replace(one, about=about) for k, one in found.items()}

    @property
    def _folder(self):
        is_shipped = self.kind.shipped.is_dir()
        return self.weights or (self.kind.shipped if is_shipped else None)


@functools.cache
def _scorer(kind_name, folder):
    return contrastive.read(kind_name, folder)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CappScore(ByOwnNetwork):
    """CAPP, the contrastive score of voice and head movement.

    Paper: VASA-1 section 4.1, CAPP. Ours: the floor is the better of a head that does
    not move and of the sound shifted by half, because a video must beat both.
    """

    name = "capp"
    rows = {
        "capp": Row(
            title="CAPP (own)",
            aim=HIGHER,
            floor=f"the better of a still head and {SHIFTED}",
            digits=3,
        )
    }
    kind = capp.KIND
    num_frames = capp.WINDOW_FRAMES

    def settings(self) -> dict[str, Any]:
        """Return what the network is, and how gaps are passed."""
        return {**super().settings(), "max_gap_frames": MAX_GAP_FRAMES}

    def too_short(self, clip: video_clip.Clip) -> str | None:
        """Say by how much sound or picture are too short."""
        wanted = self.scorer().sizes.window_frames
        for what, count, spare in (
            ("sound", clip.facts.num_sound_frames, video_clip.SOUND_TOLERANCE),
            ("picture", clip.facts.num_frames, 0),
        ):
            if count + spare < wanted:
                return f"its {what} lasts {count} frames, and {wanted} are needed"
        return None

    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return head turns `[n, 3]` and features of the voice `[n, A]`."""
        turns, heard = seen_turns(clip.face), self.scorer().hear(_voice(clip))
        count = min(len(turns), len(heard))
        return turns[:count], heard[:count]

    def score(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the mean cosine of windows that show the head."""
        value = capp.score(self.scorer(), heard, seen)
        return {} if np.isnan(value) else {"capp": value}

    def floors(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the better of a still head and of shifted sound."""
        # Zero in the same frames, so that all are scored in the same windows.
        still = self.score(face, 0 * seen, heard)
        return {"capp": max(still["capp"], super().floors(face, seen, heard)["capp"])}

    def unseen(self) -> str:
        """Say that no window shows a face."""
        return "none of its windows shows a face all along"


def seen_turns(face: video_clip.FaceCurves) -> np.ndarray:
    """Return head turns `[T, 3]`, not a number where the face is away for long."""
    return curves.bridge_gaps(face.rotation, face.present, MAX_GAP_FRAMES)


def _voice(clip: video_clip.Clip) -> np.ndarray:
    """Return the sound, with silence where it ends a little before the picture."""
    missing = clip.facts.num_frames * types.SAMPLES_PER_FRAME - len(clip.waveform)
    most = video_clip.SOUND_TOLERANCE * types.SAMPLES_PER_FRAME
    return np.pad(clip.waveform, (0, missing if 0 < missing <= most else 0))

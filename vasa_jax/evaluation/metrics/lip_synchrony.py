"""How well lips and sound fit: S_C, S_D and the offset at which they fit best.

Paper: VASA-1 section 4.1 (S_C and S_D by SyncNet). Follows: syncnet_python
(`SyncNetInstance.evaluate`): distances of the windows of a clip at every offset up to
15 frames, averaged over the clip. The published program compares lips with zeros where
the sound lies beyond the clip's ends, and averages these distances in: the shorter the
clip, the larger their share. So S_C and S_D by SyncNet stand beside what they are
without its zeros.
"""

import abc
import dataclasses
import functools
from typing import ClassVar

import numpy as np

from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import synchrony
from vasa_jax.evaluation.metrics.definition import (
    HIGHER,
    LOWER,
    ByWeightsFile,
    Needs,
    Row,
    State,
    Summary,
)
from vasa_jax.evaluation.networks import lip_sync, syncnet
from vasa_jax.portrait import face_cuts

MAX_OFFSET_FRAMES = 15
"""Follows: `vshift` of syncnet_python's demonstration."""

NEAR_FRAMES, APART_FRAMES = 1, 4
"""Offsets up to which a sound may belong to lips, and from which it does not. Ours: a
frame is not noticed, and neighbours of a true offset are nearly as near."""

MIN_FRAMES = 100
"""Follows: syncnet_python (`run_pipeline`), which drops shorter tracks."""

ZEROS = "sync/zeros"


@dataclasses.dataclass(frozen=True, kw_only=True)
class OffsetScores:
    """What a network says of a clip.

    Attributes:
        confidence: S_C, the median over offsets of the mean distance, minus its least;
            higher is better.
        distance: S_D, the least over offsets of the mean distance; lower is better.
        offset_frames: where it is least; positive where the sound comes too early.
        distances: float32 `[31]`, the mean distance at sound -15 to 15 frames later.
    """

    confidence: float
    distance: float
    offset_frames: int
    distances: np.ndarray


def offset_distances(
    lips: np.ndarray,
    sound: np.ndarray,
    max_offset: int = MAX_OFFSET_FRAMES,
    is_seen: np.ndarray | None = None,
    beyond: float = np.nan,
    added: float = 0.0,
) -> np.ndarray:
    """Return how far each window of lips is from the sound around it.

    Ours: beyond the clip's ends nothing is compared, where the published rule puts
    zeros, which lie nearer to vectors of length 1 than other vectors do.

    Args:
        lips, sound: `[n, E]`, embeddings of the same times.
        max_offset: frames to either side.
        is_seen: bool `[n]`, windows that show a face all along; None is all.
        beyond: what stands for the sound beyond the clip's ends; not a number compares
            nothing there.
        added: to every difference, see `syncnet.DISTANCE_EPSILON`.

    Returns:
        float32 `[n, 2 * max_offset + 1]`, the sound from early to late; not a number
        where nothing is compared, and in windows that are not seen.
    """
    ends = (max_offset, max_offset), (0, 0)
    padded = np.pad(sound.astype(np.float32), ends, constant_values=beyond)
    columns = [
        np.linalg.norm(lips - padded[k : k + len(lips)] + np.float32(added), axis=1)
        for k in range(2 * max_offset + 1)
    ]
    table = np.stack(columns, axis=1).astype(np.float32)
    return table if is_seen is None else np.where(is_seen[:, None], table, np.nan)


def can_score(distances: np.ndarray) -> bool:
    """Tell whether every offset has a window that is seen and heard."""
    return bool(np.isfinite(distances).any(axis=0).all())


def score_offsets(distances: np.ndarray) -> OffsetScores:
    """Summarise distances `[n, 2 * max_offset + 1]` of a clip for which `can_score`."""
    mean = np.nanmean(distances, axis=0)
    best = int(mean.argmin())
    return OffsetScores(
        confidence=float(np.median(mean) - mean[best]),
        distance=float(mean[best]),
        offset_frames=distances.shape[1] // 2 - best,
        distances=mean,
    )


def share_found(
    distances: np.ndarray,
    num_windows: int = 1,
    apart: int = lip_sync.APART_FRAMES,
) -> float:
    """Return how often offset 0 is nearer than all offsets that are clearly wrong.

    Args:
        distances: as from `offset_distances`.
        num_windows: over how many windows in a row distances are averaged first.
        apart: frames from which an offset is wrong.

    Returns:
        A share of the places in a clip, not a number where the clip is too short.
    """
    half = distances.shape[1] // 2
    if len(distances) < num_windows:
        return float("nan")
    stretches = np.lib.stride_tricks.sliding_window_view(distances, num_windows, axis=0)
    mean = stretches.mean(axis=-1)
    # Where every offset is known, or chance would differ from place to place.
    mean = mean[np.isfinite(mean).all(axis=1)]
    if not len(mean):
        return float("nan")
    wrong = np.abs(np.arange(distances.shape[1]) - half) >= apart
    return float(np.mean(mean[:, half] < mean[:, wrong].min(axis=1)))


def belonging(distances: np.ndarray) -> float:
    """Tell how surely sound and lips belong together.

    Ours: by how much the sound in its place is nearer than the sound elsewhere in the
    same clip, the nearest of it and its mean weighing alike: the first alone lets
    chance decide, and against the second any voice that fits a little stands out.
    Neither how clearly someone speaks nor who it is matters so.

    Args:
        distances: as from `offset_distances`, for which `can_score`.

    Returns:
        The larger, the surer; below 0 where another offset fits better.
    """
    mean = np.nanmean(distances, axis=0)
    offset = np.abs(np.arange(len(mean)) - len(mean) // 2)
    apart = mean[offset >= APART_FRAMES]
    return float((apart.min() + apart.mean()) / 2 - mean[offset <= NEAR_FRAMES].min())


def offset_rows(name: str, network: str, digits: int) -> dict[str, Row]:
    """Return the rows of S_C, S_D and their offset by a network."""
    return {
        f"{name}/confidence": Row(
            title=f"S_C ({network})", aim=HIGHER, floor=synchrony.SHIFTED, digits=digits
        ),
        f"{name}/distance": Row(
            title=f"S_D ({network})", aim=LOWER, floor=synchrony.SHIFTED, digits=digits
        ),
        f"{name}/offset": Row(
            title=f"Offset of least distance ({network}; positive: the sound is early)",
            unit="frames",
            digits=1,
        ),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfLips(synchrony.Synchrony, abc.ABC):
    """Of lips: confidence, least distance and its offset.

    Paper: VASA-1 section 4.1, S_C and S_D.
    """

    num_frames: ClassVar[int]

    def too_short(self, clip: video_clip.Clip) -> str | None:
        """Say by how much the sound is too short."""
        count = clip.facts.num_sound_frames
        if count < self.num_frames:
            return f"its sound lasts {count} frames, and {self.num_frames} are needed"
        return None

    def score(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the scores of windows that show the face."""
        found = self.score_seen(face, seen, heard)
        if found is None:
            return {}
        return {
            f"{self.name}/confidence": found.confidence,
            f"{self.name}/distance": found.distance,
            f"{self.name}/offset": float(found.offset_frames),
        }

    def floors(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the floors; the offset of wrong sound is anything."""
        found = super().floors(face, seen, heard)
        return {**found, f"{self.name}/offset": np.nan}

    def score_seen(
        self, face: video_clip.FaceCurves, lips: np.ndarray, sound: np.ndarray
    ) -> OffsetScores | None:
        """Score the windows that show the face all along.

        Args:
            face: of T frames.
            lips, sound: `[n, E]` embeddings of the first windows.

        Returns:
            The scores; None if at some offset no such window has sound.
        """
        is_seen = face.seen_windows(self.window_frames())[: len(lips)]
        table = self.distances(lips, sound, is_seen)
        return score_offsets(table) if can_score(table) else None

    @abc.abstractmethod
    def window_frames(self) -> int:
        """Return how many frames a window has."""

    @abc.abstractmethod
    def distances(
        self, lips: np.ndarray, sound: np.ndarray, is_seen: np.ndarray
    ) -> np.ndarray:
        """Return the table of distances; see `offset_distances`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnSyncScore(synchrony.ByOwnNetwork, OfLips):
    """S_C and S_D by the lip-sync network that comes with the package."""

    name = "own_sync"
    rows = offset_rows("own_sync", "own", digits=3)
    kind = lip_sync.KIND
    num_frames = 2 * MAX_OFFSET_FRAMES + lip_sync.LipSyncConfig.window_frames
    """From which every offset has windows of its own. Ours."""

    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings of lips and of sound."""
        lips = face_cuts.cut_lips(clip.frames(), clip.face.head_pose)
        return self.scorer().embed_all(lips, self.scorer().hear(clip.waveform))

    def window_frames(self) -> int:
        """Return how many frames a window has."""
        return self.scorer().sizes.window_frames

    def distances(
        self, lips: np.ndarray, sound: np.ndarray, is_seen: np.ndarray
    ) -> np.ndarray:
        """Return distances, none beyond the clip's ends."""
        return offset_distances(lips, sound, is_seen=is_seen)

    def unseen(self) -> str:
        """Say that too few windows show a face."""
        return (
            f"too few of its windows of {self.window_frames()} frames show a face all "
            "along to try every offset of the sound"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyncNetScore(ByWeightsFile, OfLips):
    """S_C and S_D by the published SyncNet.

    Ours: beside them the same without distances to zeros, and the zeros' share.
    """

    name = "sync"
    rows = {
        **offset_rows("sync", "SyncNet", digits=2),
        "sync/confidence_inside": Row(
            title="S_C (SyncNet, without zeros beyond the clip's ends)",
            aim=HIGHER,
            floor=synchrony.SHIFTED,
        ),
        "sync/distance_inside": Row(
            title="S_D (SyncNet, without zeros beyond the clip's ends)",
            aim=LOWER,
            floor=synchrony.SHIFTED,
        ),
        ZEROS: Row(title="Share of SyncNet's distances that are to zeros", digits=3),
    }

    @property
    def needs(self) -> Needs:
        """The weights, a face and sound."""
        missing = f"--syncnet_weights=FILE ({syncnet.CURE})"
        return Needs(
            sound=True,
            face=True,
            missing=missing if self.weights is None else None,
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _syncnet(self.weights)

    def too_short(self, clip: video_clip.Clip) -> str | None:
        """Say that the published program would not score a clip."""
        facts = clip.facts
        sound = facts.num_sound_frames + video_clip.SOUND_TOLERANCE
        count = min(facts.num_frames, sound)
        if count < MIN_FRAMES:
            return (
                f"no score: it lasts {count} frames, and the published program leaves "
                f"out what lasts less than {MIN_FRAMES}"
            )
        return None

    def embed(self, clip: video_clip.Clip) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings of faces and of sound."""
        facts = clip.facts
        boxes = face_cuts.face_boxes(clip.face.head_pose, facts.height, facts.width)
        faces = face_cuts.cut_faces(clip.frames(), boxes)
        return syncnet.embed(_syncnet(self.weights), faces, clip.waveform)

    def window_frames(self) -> int:
        """Return how many frames a window has."""
        return syncnet.WINDOW_FRAMES

    def distances(
        self, lips: np.ndarray, sound: np.ndarray, is_seen: np.ndarray
    ) -> np.ndarray:
        """Return distances by the published rule, zeros beyond the clip's ends."""
        return offset_distances(
            lips, sound, is_seen=is_seen, beyond=0.0, added=syncnet.DISTANCE_EPSILON
        )

    def score(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the scores by the published rule, and without zeros."""
        found = super().score(face, seen, heard)
        if not found:
            return {}
        is_seen = face.seen_windows(self.window_frames())[: len(seen)]
        inside = offset_distances(
            seen, heard, is_seen=is_seen, added=syncnet.DISTANCE_EPSILON
        )
        found[ZEROS] = float(np.isnan(inside[is_seen]).mean())
        if can_score(inside):
            own = score_offsets(inside)
            found["sync/confidence_inside"] = own.confidence
            found["sync/distance_inside"] = own.distance
        return found

    def floors(
        self, face: video_clip.FaceCurves, seen: np.ndarray, heard: np.ndarray
    ) -> dict[str, float]:
        """Return the floors; the share of zeros has none."""
        return {**super().floors(face, seen, heard), ZEROS: np.nan}

    def unseen(self) -> str:
        """Say that no window shows a face."""
        return f"no {syncnet.WINDOW_FRAMES} frames show a face"

    def finish(self, state: State) -> dict[str, Summary]:
        """Average the clips, and say how much of the averages zeros are."""
        found = super().finish(state)
        shares = [one.value for one in state.scores(ZEROS).values()]
        if not shares:
            return found
        low, high = (f"{100 * share:.1f}" for share in (min(shares), max(shares)))
        about = (
            "S_C and S_D by SyncNet average in distances to zeros beyond the clip's "
            f"ends, as published: {low if low == high else f'{low} to {high}'} % of "
            "them here, by the clips' lengths. Compare clips of these lengths only, "
            "or the columns without zeros. Clip and original are cut to one length."
        )
        return {k: dataclasses.replace(one, about=about) for k, one in found.items()}


@functools.cache
def _syncnet(path: str):
    return syncnet.read_weights(path)

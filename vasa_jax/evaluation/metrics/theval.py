"""Five of THEval's eight scores: those whose definitions need no network of its own.

Follows: Quignon et al., THEval (CVPR 2026; its code is Apache-2.0). Ours: head pose by
this package's landmark fit in place of FaceXFormer, the face's place by landmarks in
place of RetinaFace, speech by loudness in place of Silero; mouth and brows by the same
468 landmarks. Its quality scores (aesthetics, mouth, face) need networks that are not
here, so that its final score cannot be had; the mean of the five is another number.
"""

import dataclasses
import itertools

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.audio import voice_activity
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition
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
from vasa_jax.portrait import track

EYES = (33, 263)
"""Follows: the outer corners, whose distance measures lips."""

UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318)
"""Follows: pairs on the inner edges."""

LIPS = (
    *(0, 13, 14, 17, 37, 39, 40, 61, 78, 80, 81, 82, 84, 87, 88, 91, 95, 146, 178, 181),
    *(185, 191, 267, 269, 270, 291, 308, 310, 311, 312, 314, 317, 318, 321, 324, 375),
    *(402, 405, 409, 415),
)
BROWS = (
    (46, 52, 53, 55, 63, 65, 66, 70, 105, 107),
    (276, 282, 283, 285, 293, 295, 296, 300, 334, 336),
)
EYE_RIMS = (
    (7, 33, 133, 144, 145, 153, 154, 155, 157, 158, 159, 160, 161, 163, 173, 246),
    (249, 263, 362, 373, 374, 380, 381, 382, 384, 385, 386, 387, 388, 390, 398, 466),
)
"""Follows: MediaPipe's sets of lips, brows and eyes, as THEval takes them."""

MOST_FRAMES = 500
"""Follows: of the lips' dynamics."""

LEAST_SILENCE_FRAMES = 8
"""Follows: 300 ms."""

LEAST_SPEECH = 0.1
"""Follows: share of the frames below which lips and sound are not compared."""

LOUDNESS_SAMPLES = types.SAMPLE_RATE_HZ // 20
"""Follows: loudness is taken over 50 ms."""

MEAN = "theval/mean"

ABOUT = (
    "THEval's five scores that need no network of its own are compared with the "
    "originals' only; its head motion takes pixels, so compare frames of one size. "
    "Their mean is not its final score, which has eight."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Theval(VideoMetric):
    """Dynamics of lips, head and brows, stillness of silent lips, lips against sound.

    Follows: THEval, see above. Each is good where it is as the originals'; `MEAN` is
    the mean over the five of 1 less the relative distance of means, THEval's Eq. 12.
    """

    name = "theval"
    rows = {
        "theval/lips": Row(title="Lip dynamics (THEval), thousandths", digits=3),
        "theval/head": Row(title="Head motion dynamics (THEval)", digits=2),
        "theval/brows": Row(title="Eyebrow dynamics (THEval), thousandths", digits=2),
        "theval/silence": Row(
            title="Silent lip stability (THEval), thousandths", digits=2
        ),
        "theval/sync": Row(title="Lip-sync (THEval)", digits=3),
        MEAN: Row(
            title="Mean closeness of these five (not THEval's final score)",
            aim=HIGHER,
            digits=3,
        ),
    }
    needs = Needs(sound=True, face=True, num_frames=types.FRAME_RATE_HZ)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip and its original."""
        own = _scores_of(clip)
        real = {} if reference is None else _scores_of(reference)
        return Measured(
            scores={
                key: Score(value, ceiling=real.get(key, np.nan))
                for key, value in own.items()
            }
        )

    def finish(self, state: State) -> dict[str, Summary]:
        """Average the clips, then compare the means with the originals'."""
        found = {
            key: definition.summarise(state.scores(key))
            for key in self.rows
            if key != MEAN
        }
        closeness = [
            1 - abs(one.mean - one.ceiling) / abs(one.ceiling)
            for one in found.values()
            if one.mean is not None and one.ceiling
        ]
        # A mean of fewer would be of other scores under one name.
        is_whole = len(closeness) == len(found)
        found[MEAN] = Summary(
            mean=float(np.mean(closeness)) if is_whole else None,
            ceiling=1.0 if is_whole else None,
            num_clips=len(state.known()),
        )
        return {k: dataclasses.replace(one, about=ABOUT) for k, one in found.items()}


def _scores_of(clip: video_clip.Clip) -> dict[str, float]:
    """Return what is known of a clip alone, kept beside the report."""

    def find():
        rotation = np.degrees(clip.face.rotation)
        return scores(clip.landmarks, rotation, clip.waveform)

    return clip.kept("theval", find)


def scores(
    found: track.ClipLandmarks, rotation: np.ndarray, waveform: np.ndarray
) -> dict[str, float]:
    """Return the scores of a clip by row, where they are defined.

    Args:
        found: landmarks of T frames, pixels.
        rotation: `[T, 3]`, degrees.
        waveform: float32 `[S]` at 16 kHz.
    """
    points = found.points[..., :2].astype(np.float64)
    shown = found.present
    aperture = lip_aperture(points)
    values = {
        "theval/lips": 1000 * lip_dynamics(points[:MOST_FRAMES][shown[:MOST_FRAMES]]),
        "theval/head": head_dynamics(rotation[shown], points[shown]),
        "theval/brows": 1000 * brow_dynamics(points[shown]),
    }
    count = min(len(points), len(waveform) // types.SAMPLES_PER_FRAME)
    spoken = voice_activity.voiced_frames(waveform[: count * types.SAMPLES_PER_FRAME])
    still = _long_runs(~spoken) & shown[:count]
    if still.sum() >= 2:
        values["theval/silence"] = 1000 * restlessness(aperture[:count][still])
    heard = spoken & shown[:count]
    if spoken.mean() >= LEAST_SPEECH and heard.sum() >= 2:
        volume = loudness(waveform, count)
        values["theval/sync"] = mismatch(aperture[:count][heard], volume[heard])
    return {key: float(value) for key, value in values.items()}


def lip_aperture(points: np.ndarray) -> np.ndarray:
    """Return how far lips part in eye distances, `[T]`, of points `[T, 468, 2]`."""
    gaps = np.abs(points[:, UPPER_LIP, 1] - points[:, LOWER_LIP, 1])
    return gaps.mean(axis=1) / _length(points[:, EYES[0]] - points[:, EYES[1]])


def lip_dynamics(points: np.ndarray) -> float:
    """Return the mean variance over time of all distances between lip landmarks."""
    first, second = zip(*itertools.combinations(LIPS, 2), strict=True)
    apart = _length(points[:, first] - points[:, second])
    eyes = _length(points[:, EYES[0]] - points[:, EYES[1]])
    return float((apart / eyes[:, None]).var(axis=0).mean())


def head_dynamics(rotation: np.ndarray, points: np.ndarray) -> float:
    """Return how much a head moves, in degrees and pixels as THEval mixes them."""
    steps = np.diff(rotation, axis=0).var(axis=0).mean() if len(rotation) > 2 else 0.0
    middle = (points.min(axis=1) + points.max(axis=1)) / 2
    return float(np.sqrt(rotation.std(axis=0).mean() * steps + middle.var(0).mean()))


def brow_dynamics(points: np.ndarray) -> float:
    """Return the mean change per frame of brows over eyes, in distances of the eyes."""
    eyes = [points[:, rim].mean(axis=1) for rim in EYE_RIMS]
    scale = _length(eyes[0] - eyes[1])
    changes = [
        np.abs(np.diff(_length(points[:, brow].mean(axis=1) - eye) / scale))
        for brow, eye in zip(BROWS, eyes, strict=True)
    ]
    return float(np.mean(changes)) if len(points) > 1 else 0.0


def restlessness(aperture: np.ndarray) -> float:
    """Return the median distance of lip openings from their mean."""
    return float(np.median(np.abs(aperture - aperture.mean())))


def loudness(waveform: np.ndarray, num_frames: int) -> np.ndarray:
    """Return the loudness at the start of each frame, `[T]`, over 50 ms about it."""
    half = LOUDNESS_SAMPLES // 2
    padded = np.pad(waveform, (half, half))
    count = len(padded) // LOUDNESS_SAMPLES
    blocks = einops.rearrange(
        padded[: count * LOUDNESS_SAMPLES], "(n s) -> n s", s=LOUDNESS_SAMPLES
    )
    level = np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1))
    times = np.arange(count) * LOUDNESS_SAMPLES / types.SAMPLE_RATE_HZ
    return np.interp(np.arange(num_frames) / types.FRAME_RATE_HZ, times, level)


def mismatch(aperture: np.ndarray, volume: np.ndarray) -> float:
    """Return the mean distance of mouth and loudness, each brought to 0 to 1."""

    def spread(values):
        return (values - values.min()) / (np.ptp(values) + 1e-8)

    return float(np.abs(spread(aperture) - spread(volume)).mean())


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1)


def _long_runs(is_silent: np.ndarray) -> np.ndarray:
    """Keep of silent frames, bool `[T]`, those in runs of 300 ms and more."""
    kept = np.zeros_like(is_silent)
    ends = np.flatnonzero(np.diff(np.r_[False, is_silent, False].astype(int)))
    for first, last in einops.rearrange(ends, "(n two) -> n two", two=2):
        kept[first:last] = last - first >= LEAST_SILENCE_FRAMES
    return kept

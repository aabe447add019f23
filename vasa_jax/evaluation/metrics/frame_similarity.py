"""How near frames are to the reference's: PSNR, SSIM, LPIPS and identity."""

import abc
import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from vasa_jax import media, types
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition
from vasa_jax.evaluation.metrics.definition import (
    HIGHER,
    LOWER,
    ByWeightsFile,
    Measured,
    Needs,
    Row,
    Score,
    State,
    Summary,
    VideoMetric,
)
from vasa_jax.evaluation.networks import face_recognition, lpips
from vasa_jax.portrait import crop

EVERY = 10
"""One frame in ten. Follows: the common protocol of reenactment; neighbours agree."""

MAX_PSNR = 100.0
"""PSNR of equal frames, dB. Ours: so that they can be averaged."""

STILL = "the reference's first frame, held"

CODED = "the reference, encoded again"

MOUTH_HALF_SIZE = 0.35
"""Half the side of the mouth's square, head units (of 10 cm). Ours: 7 cm hold an open
mouth and its corners, and little else."""

NUM_TAPS, SIGMA = 11, 1.5
"""Of the Gaussian window, pixels. Follows: Wang et al. 2004."""

STABILITY = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""C1 and C2. Follows: Wang et al. 2004."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairedFrames(VideoMetric, abc.ABC):
    """A metric of single frames, compared with the reference's at the same time.

    Attributes:
        every: n takes one frame in n.
        ceiling_every: n takes one in n of those for the ceiling.
    """

    every: int = EVERY
    ceiling_every: int = 1
    needs = Needs(reference=True, same_size=True)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        num_frames = definition.shared_length(clip, reference)
        seen = clip.sampled(self.every, num_frames)
        truth = reference.sampled(self.every, num_frames)
        still = np.broadcast_to(truth[:1], truth.shape)
        coded = _coded(reference, self.every, num_frames)
        # From the end, because a coder spends more on the first frame.
        few = slice(None, None, -self.ceiling_every)
        found = [
            *self.compare_all([seen, still], truth),
            self.compare(coded[few], truth[few]),
        ]
        return Measured(scores={self.name: Score(*map(_mean, found))})

    def compare_all(
        self, videos: Sequence[np.ndarray], truth: np.ndarray
    ) -> list[np.ndarray]:
        """Compare each of some videos with the truth, see `compare`."""
        return [self.compare(frames, truth) for frames in videos]

    @abc.abstractmethod
    def compare(self, frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Compare uint8 `[n, H, W, 3]` one by one, `[n]`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Psnr(PairedFrames):
    """Peak signal-to-noise ratio of frames."""

    name = "psnr"
    rows = {
        "psnr": Row(title="PSNR", unit="dB", aim=HIGHER, floor=STILL, ceiling=CODED)
    }

    def compare(self, frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Return dB, at most `MAX_PSNR`."""
        return np.minimum(psnr(frames, truth), MAX_PSNR)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ssim(PairedFrames):
    """Structural similarity of frames."""

    name = "ssim"
    rows = {"ssim": Row(title="SSIM", aim=HIGHER, floor=STILL, ceiling=CODED, digits=3)}

    def compare(self, frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Return similarities."""
        return ssim(frames, truth)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lpips(ByWeightsFile, PairedFrames):
    """Distance of frames that people's judgements taught; see `lpips`.

    Ours: the ceiling by fewer frames, as the network is slow and they hardly differ.
    """

    ceiling_every: int = 10

    name = "lpips"
    rows = {
        "lpips": Row(
            title="LPIPS (VGG16)",
            aim=LOWER,
            floor=STILL,
            ceiling=CODED,
            digits=3,
        )
    }

    @property
    def needs(self) -> Needs:
        """The weights, and a reference of the same size."""
        given = self.weights is not None
        return Needs(
            reference=True,
            same_size=True,
            missing=None if given else f"--lpips_weights=FILE ({lpips.CURE})",
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _lpips(self.weights)

    def compare(self, frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Return distances."""
        return self.compare_all([frames], truth)[0]

    def compare_all(
        self, videos: Sequence[np.ndarray], truth: np.ndarray
    ) -> list[np.ndarray]:
        """Return distances of each video; the network sees the truth once."""
        return _lpips(self.weights)(videos, truth)


@functools.cache
def _lpips(path: str):
    return lpips.compare_with(path)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Csim(VideoMetric):
    """Whether the face is the reference's person.

    Ours: the network is dlib's, whose licence is free (papers use ArcFace, so their
    numbers cannot be compared); its cosines lie high, hence the floor of strangers.

    Attributes:
        every: n takes one frame in n.
    """

    every: int = EVERY

    name = "csim"
    rows = {
        "csim": Row(
            title="CSIM (dlib): cosine of identity",
            aim=HIGHER,
            floor="other references' people",
            ceiling="the reference half a clip later",
            digits=3,
        ),
        "csim/distance": Row(
            title="Identity distance (dlib); one person below 0.6",
            aim=LOWER,
            floor="other references' people",
            ceiling="the reference half a clip later",
        ),
    }
    needs = Needs(
        reference=True, face=True, packages=("dlib", "face_recognition_models")
    )

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Measure one clip."""
        num_frames = definition.shared_length(clip, reference)
        network = _network()
        seen, truth = (
            network.embed_all(one.sampled(self.every, num_frames))
            for one in (clip, reference)
        )
        later = np.roll(truth, len(truth) // 2, axis=0)
        known = ~np.isnan(seen + truth + later).any(axis=1)
        if not known.any():
            return Measured(left_out="no sampled frame shows a face in both videos")
        seen, truth, later = seen[known], truth[known], later[known]
        return Measured(
            scores={
                key: Score(compare(seen, truth), np.nan, compare(later, truth))
                for key, compare in COMPARISONS.items()
            },
            features={"face": seen, "reference": truth},
        )

    def finish(self, state: State) -> dict[str, Summary]:
        """Average the clips, each beside the other references' people.

        Ours: a reference within the distance of one person is no stranger.
        """
        known = state.known()
        with_floors = {
            name: dataclasses.replace(one, scores=_beside_strangers(one, known))
            for name, one in state.clips.items()
        }
        return super().finish(State(with_floors))


def _beside_strangers(one: Measured, known: Sequence[Measured]) -> dict[str, Score]:
    """Return the scores with the mean over strangers as floors."""
    if not one.features:
        return dict(one.scores)
    own, face = (one.features[key].mean(axis=0) for key in ("reference", "face"))
    others = [m.features["reference"].mean(axis=0) for m in known if m.features]
    strangers = [
        other
        for other in others
        if np.linalg.norm(other - own) > face_recognition.SAME_PERSON_DISTANCE
    ]
    return {
        key: score._replace(
            floor=float(np.mean([COMPARISONS[key](face, s) for s in strangers]))
            if strangers
            else np.nan
        )
        for key, score in one.scores.items()
    }


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values))


def _mean_cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(np.mean((a * b).sum(axis=-1) / lengths))


def _mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(np.linalg.norm(a - b, axis=-1)))


COMPARISONS = {"csim": _mean_cosine, "csim/distance": _mean_distance}
"""Of embeddings `[..., 128]`, by row."""


@functools.cache
def _network() -> face_recognition.IdentityNetwork:
    """Load the network, once a process."""
    return face_recognition.IdentityNetwork()


@functools.lru_cache(maxsize=1)
def _coded(reference: video_clip.Clip, every: int, num_frames: int) -> np.ndarray:
    """Encode frames of a reference again, once for all metrics that ask."""
    return encoded_again(reference.sampled(every, num_frames))


def encoded_again(frames: np.ndarray) -> np.ndarray:
    """Return frames as a viewer of a good encoding sees them.

    Ours: every frame alone, since samples are no neighbours; an odd last row or
    column, which H.264 cannot hold, is repeated and cut off again.

    Args:
        frames: uint8 `[n, H, W, 3]`.
    """
    height, width = frames.shape[1:3]
    padding = (0, 0), (0, height % 2), (0, width % 2), (0, 0)
    even = np.pad(frames, padding, mode="edge")
    data = media.encode_video(even, keyframe_interval=1)
    return media.decode_video(data)[:, :height, :width]


def psnr(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio in dB.

    Args:
        image, truth: uint8 `[..., H, W, 3]`.

    Returns:
        float64 `[...]`, infinite where both are the same.
    """
    away = image.astype(np.float64) - truth.astype(np.float64)
    mean = (away**2).mean(axis=(-3, -2, -1))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / mean)


def mouth_psnr(
    image: np.ndarray, truth: np.ndarray, mouth: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return the PSNR of a square about the true place of the mouth.

    Args:
        image, truth: uint8 `[n, H, W, 3]`.
        mouth: `[n, 2]` centre of the mouth in `truth`, image units in [-1, 1].
        scale: `[n]` apparent size of the head, as of a `HeadPose`.

    Returns:
        float64 `[n]`, dB.
    """
    return np.array(
        [
            psnr(_square(one, centre, size), _square(true, centre, size))
            for one, true, centre, size in zip(image, truth, mouth, scale, strict=True)
        ]
    )


def _square(image: np.ndarray, centre: np.ndarray, scale: float) -> np.ndarray:
    size = image.shape[0]
    half = MOUTH_HALF_SIZE / crop.HALF_IMAGE_HEAD_UNITS * float(scale)
    first = np.floor((centre - half + 1) / 2 * size).astype(int)
    last = np.ceil((centre + half + 1) / 2 * size).astype(int)
    # At least two pixels, wherever the mouth may be.
    x, y = np.clip(first, 0, size - 2)
    x_end, y_end = np.clip(last, 2, size)
    return image[y : max(y_end, y + 2), x : max(x_end, x + 2)]


def ssim(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the mean structural similarity of luma.

    Follows: Wang et al. 2004, at full resolution, over places where the window fits.

    Args:
        image, truth: uint8 `[..., H, W, 3]`, of 11 pixels a side or more.

    Returns:
        float64 `[...]`, 1 where both are the same.
    """
    result = np.empty(image.shape[:-3])
    for index in np.ndindex(*result.shape):
        result[index] = _ssim_of_luma(
            image[index] @ types.LUMA, truth[index] @ types.LUMA
        )
    return result


def _ssim_of_luma(x: np.ndarray, y: np.ndarray) -> float:
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    c1, c2 = STABILITY
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((light * (2 * both + c2) / (var_x + var_y + c2)).mean())


def _blur(values: np.ndarray) -> np.ndarray:
    """Weight by the window, `[H, W]` to `[H - 10, W - 10]`."""
    taps = np.exp(-0.5 * ((np.arange(NUM_TAPS) - NUM_TAPS // 2) / SIGMA) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        size = values.shape[axis] - NUM_TAPS + 1
        rows = (slice(k, k + size) for k in range(NUM_TAPS))
        parts = (values[(slice(None),) * axis + (row,)] for row in rows)
        values = sum(tap * part for tap, part in zip(taps, parts, strict=True))
    return values

"""Distances of all videos from all references as sets: FVD25, and one by VGG16.

Paper: VASA-1 section 4.1, FVD25: 25 consecutive frames at 224 pixels, 2000 real clips
and 2000 generated ones. Follows: Heusel et al. 2017 (FID) and Unterthiner et al. 2018
(FVD). Ours: float64 on the host and unbiased covariances, as the published code has
them; `metric_states.Moments` is float32, biased, and for devices.
"""

import dataclasses
import functools
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Protocol

import einops
import jax
import numpy as np

from vasa_jax import errors, media
from vasa_jax.animate import rendering
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics.definition import (
    LOWER,
    ByWeightsFile,
    Measured,
    Needs,
    Row,
    State,
    Summary,
)
from vasa_jax.evaluation.networks import i3d, lpips
from vasa_jax.face.losses import perceptual
from vasa_jax.train import metric_states

NUM_FRAMES = 25
"""Of a clip. Paper: VASA-1 section 4.1."""

VGG16_SIZE = 48
"""Pixels a side of what VGG16 sees. Ours: by it real clips of 288 pixels are told from
blurred, held and exchanged ones, and cost grows by its square."""

VGG16_EVERY = 3
"""One frame in so many that VGG16 sees. Ours: a third of the time, and real clips are
still told from held ones, whose frames do not change at any rate."""

MIN_SAMPLES = 2
"""Of each set; one has no covariance."""

ABOUT = (
    "{title} of {clips} clips: real against real has {half} windows against {other}, "
    "generated against real {made} against {real}; windows have 25 frames, one after "
    "the other; covariances are divided by their number less 1; {preprocessing}. It "
    "falls as windows become more: compare figures of one number, one divisor and one "
    "preprocessing only."
)
"""What every table says of it."""

FLOOR = "the references, each second's first frame held"

CEILING = "half of the references from the other half"


class FeatureNetwork(Protocol):
    """Turns clips into features.

    Attributes:
        title: of the distance that its features give.
        preprocessing: of frames, in words.
        num_channels: of the features.
    """

    title: str
    preprocessing: str
    num_channels: int

    def __call__(self, clip: np.ndarray) -> np.ndarray:
        """Map a clip uint8 `[25, H, W, 3]` to features `[num_channels]`."""
        ...


class I3DFeatures:
    """The logits of I3D, whose Frechet distance is FVD25.

    Follows: Unterthiner et al. 2018 and their code: frames resized to 224 pixels and
    scaled to [-1, 1]; 400 logits, averaged over time.

    Args:
        path: of the weights, as of `i3d.load`.

    Raises:
        UserError: no weights; the sentence names the file to get.
    """

    title = "FVD25"
    preprocessing = (
        f"whole square frames are resized to {i3d.IMAGE_SIZE} pixels, bilinear without "
        "a low-pass filter: neither squeezed nor cropped"
    )
    num_channels = i3d.NUM_CLASSES

    def __init__(self, path: str | os.PathLike[str] | None):
        self._params = jax.device_put(i3d.load(path))
        self._compiled = jax.jit(_logits)

    def __call__(self, clip: np.ndarray) -> np.ndarray:
        """Map a clip uint8 `[25, H, W, 3]` to `[400]`."""
        return np.asarray(self._compiled(self._params, clip))


def _logits(params, clip):
    video = fit(rendering.to_model_range(clip), i3d.IMAGE_SIZE)
    return i3d.I3D().apply({"params": params}, video[None])[0]


class VGG16Features:
    """Features of VGG16 over time; their Frechet distance is not FVD.

    Ours: for those who lack I3D's weights. The last map of VGG16, averaged over places,
    gives each frame 512 numbers; a clip has their mean over time, and the mean size of
    their change from frame to frame, which sees movement.

    Args:
        path: weights as of `lpips.load`.
        image_size: to which frames are resized.

    Raises:
        UserError: as `lpips.load`.
    """

    title = "Frechet distance of VGG16 features over 25 frames (not FVD)"
    preprocessing = (
        f"one frame in {VGG16_EVERY}, whole and square, is resized to {VGG16_SIZE} "
        "pixels, bilinear without a low-pass filter: neither squeezed nor cropped"
    )
    num_channels = 2 * perceptual.VGG16_BLOCKS[-1][0]

    def __init__(self, path: str | os.PathLike[str], image_size: int = VGG16_SIZE):
        self._weights = jax.device_put(lpips.load(path))
        self._size = image_size
        self._compiled = jax.jit(self._frame_features)

    def __call__(self, clip: np.ndarray) -> np.ndarray:
        """Map a clip uint8 `[25, H, W, 3]` to `[1024]`."""
        # A frame that is held has one set of features.
        seen = clip[:1] if (clip == clip[:1]).all() else clip[::VGG16_EVERY]
        frames = np.asarray(self._compiled(self._weights, seen))
        pairs = np.diff(frames, axis=0) if len(frames) > 1 else np.zeros_like(frames)
        return np.concatenate([frames.mean(axis=0), np.abs(pairs).mean(axis=0)])

    def _frame_features(self, weights, clip):
        images = fit(rendering.to_model_range(clip), self._size)
        last = perceptual.vgg16_features(weights, images)[-1]
        return einops.reduce(last, "t h w c -> t c", "mean")


def fit(images: jax.Array, size: int) -> jax.Array:
    """Resize `[N, H, W, C]` to `[N, size, size, C]`.

    Follows: the published FVD code: bilinear, without a low-pass filter. Ours: places
    of pixels by their centres, where that code's first version takes their corners.
    """
    shape = (images.shape[0], size, size, images.shape[3])
    return jax.image.resize(images, shape, "bilinear", antialias=False)


def clips_of(
    frames: Iterable[np.ndarray], most: int | None = None, name: str = "A video"
) -> Iterator[np.ndarray]:
    """Cut a video into clips of 25 consecutive frames, one after the other.

    Ours: without overlap, from the first frame on; what is left at the end is dropped.

    Args:
        frames: uint8 `[H, W, 3]`, as from `media.iterate_video`.
        most: clips, at least 1; None takes all.
        name: of the video, for the sentence.

    Yields:
        uint8 `[25, H, W, 3]`.

    Raises:
        UserError: fewer than 25 frames, or frames that are not square.
    """
    frames = iter(frames)
    count = 0
    while most is None or count < most:
        clip = list(itertools.islice(frames, NUM_FRAMES))
        if len(clip) < NUM_FRAMES:
            break
        height, width = clip[0].shape[:2]
        if height != width:
            raise errors.UserError(
                f"{name} has frames of {width} by {height} pixels; crop it to a square "
                "round the face, since resizing would squeeze it."
            )
        count += 1
        yield np.stack(clip)
    if not count:
        raise errors.UserError(
            f"{name} has {len(clip)} frames; a clip needs {NUM_FRAMES}: leave it out."
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetDistance(ByWeightsFile):
    """Frechet distance of features of 25 consecutive frames.

    Ours: without an interval, because clips that are drawn again repeat, and a Frechet
    distance grows by that alone. It falls with the number of windows, too (two sets of
    one distribution of 400 features are some 640 apart at 32 and 40 at 2048), and the
    ceiling has half of them; so a second row has as many as the ceiling: the same real
    half, and the generated videos of the other.
    """

    flag: ClassVar[str]
    network: ClassVar[Callable[[str], FeatureNetwork]]

    @property
    def needs(self) -> Needs:
        """The weights and references of a second or more."""
        return Needs(
            reference=True,
            num_frames=NUM_FRAMES,
            missing=None if self.weights is not None else self.flag,
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _network(type(self), self.weights)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Take the features of one clip, of its reference, and of that held still."""
        for one in (clip, reference):
            if one.facts.height != one.facts.width:
                return Measured(
                    left_out=f"{one.path.name} is of {one.facts.width} x "
                    f"{one.facts.height} pixels, and squares are needed"
                )
        network = _network(type(self), self.weights)
        real, still = _of_reference(
            type(self), self.weights, reference.path, reference.digest
        )
        generated = _features(network, clip.path)
        return Measured(features={"generated": generated, "real": real, "still": still})

    def finish(self, state: State) -> dict[str, Summary]:
        """Compare the sets; fewer than two seconds in one of them give nothing."""
        ordered = [one.features for one in state.known()]

        def joined(kind, chosen=slice(None)):
            return _joined([features[kind] for features in ordered[chosen]])

        def of_half(kind):
            # Of several samples the first, or there were more windows than real ones.
            return _joined([f[kind][: len(f["real"])] for f in ordered[1::2]])

        def distance(a, b):
            too_few = min(len(a), len(b)) < MIN_SAMPLES
            return None if too_few else frechet_distance(a, b)

        real, made = joined("real"), joined("generated")
        half, other = joined("real", slice(0, None, 2)), of_half("real")
        ceiling = distance(half, other)
        about = ABOUT.format(
            title=self.network.title,
            clips=len(ordered),
            half=len(half),
            other=len(other),
            made=len(made),
            real=len(real),
            preprocessing=self.network.preprocessing,
        )
        shared = {"ceiling": ceiling, "num_clips": len(ordered), "about": about}
        return {
            self.name: Summary(
                mean=distance(real, made),
                floor=distance(real, joined("still")),
                **shared,
            ),
            f"{self.name}/as_many": Summary(
                mean=distance(half, of_half("generated")),
                floor=distance(half, of_half("still")),
                **shared,
            ),
        }


def _rows(name: str, title: str) -> dict[str, Row]:
    """Return the rows of a distance of all windows, and of as many as the ceiling."""
    row = Row(title=title, aim=LOWER, floor=FLOOR, ceiling=CEILING, digits=1)
    halves = dataclasses.replace(row, title=f"{title}, as many as real against real")
    return {name: row, f"{name}/as_many": halves}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fvd(SetDistance):
    """Distance by the logits of I3D. Paper: VASA-1 section 4.1, FVD25."""

    name = "fvd"
    rows = _rows("fvd", I3DFeatures.title)
    flag = f"--i3d_weights=FILE ({i3d.CURE})"
    network = I3DFeatures


@dataclasses.dataclass(frozen=True, kw_only=True)
class VggDistance(SetDistance):
    """Distance by features of VGG16. Ours: for those who lack I3D's weights."""

    name = "vgg_distance"
    rows = _rows("vgg_distance", VGG16Features.title)
    flag = f"--lpips_weights=FILE ({lpips.CURE})"
    network = VGG16Features

    def settings(self) -> dict[str, Any]:
        """Return the fields with how frames are seen, so that no other's are reused."""
        return {
            **super().settings(),
            "image_size": VGG16_SIZE,
            "every": VGG16_EVERY,
        }


@functools.cache
def _network(kind: type[SetDistance], path: str) -> FeatureNetwork:
    return kind.network(path)


@functools.lru_cache(maxsize=1)
def _of_reference(
    kind: type[SetDistance], weights: str, path: pathlib.Path, digest: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of a reference, and of it held still.

    Ours: the last is kept, because the samples of a voice share their reference.
    """
    network = _network(kind, weights)

    def hold(cut):
        return np.broadcast_to(cut[:1], cut.shape)

    return _features(network, path), _features(network, path, hold)


def _features(
    network: FeatureNetwork,
    path: pathlib.Path,
    change: Callable[[np.ndarray], np.ndarray] = lambda cut: cut,
) -> np.ndarray:
    cuts = clips_of(media.iterate_video(path), name=str(path))
    return np.stack([network(change(cut)) for cut in cuts])


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the squared Frechet distance of the Gaussians of two sets.

    Follows: Dowson and Landau 1982: |m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)); the
    root's trace is taken from eigenvalues, see `metric_states.frechet_distance`.
    Rounding below zero is cut.

    Args:
        a, b: features `[n, C]` and `[m, C]`.

    Raises:
        UserError: fewer than two samples, or sets of different features.
        ValueError: a feature is not finite.
    """
    if a.shape[1] != b.shape[1]:
        raise errors.UserError(
            f"The sets have {a.shape[1]} and {b.shape[1]} features: compute both "
            "with one network."
        )
    found = metric_states.frechet_distance(*_moments(a), *_moments(b))
    return max(float(found), 0.0)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean `[C]` and unbiased covariance `[C, C]`, float64."""
    rows = np.asarray(features, np.float64)
    if len(rows) < MIN_SAMPLES:
        raise errors.UserError(
            f"A Frechet distance needs at least {MIN_SAMPLES} clips in each set, "
            f"not {len(rows)}: give more or longer videos."
        )
    if not np.isfinite(rows).all():
        raise ValueError("A feature is not finite: its Gaussian has no moments.")
    away = rows - rows.mean(axis=0)
    return rows.mean(axis=0), away.T @ away / (len(rows) - 1)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Return the features of all clips, of no clip none."""
    return np.concatenate(parts) if parts else np.zeros((0, 0))

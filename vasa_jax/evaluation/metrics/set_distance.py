"""Distances of all videos from all references as sets: FVD25, and one by VGG16.

Follows: Heusel et al. 2017 (FID) and Unterthiner et al. 2018 (FVD). Ours: float64 on
the host and unbiased covariances, as the published code has them;
`metric_states.Moments` is float32, biased, and for devices.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any, ClassVar

import einops
import numpy as np

from vasa_jax import errors, media
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
from vasa_jax.evaluation.networks import i3d, lpips, video_features
from vasa_jax.train import metric_states

ABOUT = (
    "{0}: real against real has {1} windows against {2}, generated against real {4} "
    "against {3}; windows have 25 frames, one after the other; covariances are divided "
    "by their number less 1; {5}. It falls as windows become more: compare figures of "
    "one number, one divisor and one preprocessing only."
)
"""What every table says of it."""

FLOOR = "the references, each second's first frame held"
CEILING = "half of the references from the other half"


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
    network: ClassVar[Callable[[str], video_features.FeatureNetwork]]

    @property
    def needs(self) -> Needs:
        """The weights and references of a second or more."""
        return Needs(
            reference=True,
            num_frames=video_features.NUM_FRAMES,
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

        def moments(kind, chosen=slice(None)):
            parts = [features[kind] for features in ordered[chosen]]
            return Moments.from_batch(np.concatenate(parts)) if parts else None

        def distance(a, b):
            if a is None or b is None or min(a.count, b.count) < MIN_SAMPLES:
                return None
            return frechet_distance(a, b)

        def of_half(kind):
            # Of several samples the first, or there were more windows than real ones.
            parts = [
                features[kind][: len(features["real"])] for features in ordered[1::2]
            ]
            return Moments.from_batch(np.concatenate(parts)) if parts else None

        real, made = moments("real"), moments("generated")
        half, other = moments("real", slice(0, None, 2)), of_half("real")
        ceiling = distance(half, other)
        counts = [0 if one is None else one.count for one in (half, other, real, made)]
        about = ABOUT.format(self.network.title, *counts, self.network.preprocessing)
        shared = {"ceiling": ceiling, "num_clips": len(ordered), "about": about}
        return {
            self.name: Summary(
                mean=distance(real, made),
                floor=distance(real, moments("still")),
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
    rows = _rows("fvd", video_features.I3DFeatures.title)
    flag = f"--i3d_weights=FILE ({i3d.CURE})"
    network = video_features.I3DFeatures


@dataclasses.dataclass(frozen=True, kw_only=True)
class VggDistance(SetDistance):
    """Distance by features of VGG16. Ours: for those who lack I3D's weights."""

    name = "vgg_distance"
    rows = _rows("vgg_distance", video_features.VGG16Features.title)
    flag = f"--lpips_weights=FILE ({lpips.CURE})"
    network = video_features.VGG16Features

    def settings(self) -> dict[str, Any]:
        """Return the fields with how frames are seen, so that no other's are reused."""
        return {
            **super().settings(),
            "image_size": video_features.VGG16_SIZE,
            "every": video_features.VGG16_EVERY,
        }


@functools.cache
def _network(kind: type[SetDistance], path: str) -> video_features.FeatureNetwork:
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
    network: video_features.FeatureNetwork,
    path: pathlib.Path,
    change: Callable[[np.ndarray], np.ndarray] = lambda cut: cut,
) -> np.ndarray:
    cuts = video_features.clips_of(media.iterate_video(path), name=str(path))
    return np.stack([network(change(cut)) for cut in cuts])


MIN_SAMPLES = 2
"""Of each set; one has no covariance."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean and centred sums of features.

    Ours: centred, and merged by Chan's formula, so that a large mean costs no digits.

    Attributes:
        count: of the samples.
        mean: float64 `[C]`.
        scatter: float64 `[C, C]`, sum of outer products about the mean.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def empty(cls, num_channels: int) -> "Moments":
        """Return the state of no samples."""
        return cls(
            count=0,
            mean=np.zeros(num_channels),
            scatter=np.zeros((num_channels, num_channels)),
        )

    @classmethod
    def from_batch(
        cls, features: np.ndarray, mask: np.ndarray | None = None
    ) -> "Moments":
        """Take the moments of a batch.

        Args:
            features: `[..., C]`.
            mask: bool `[...]`, false for what only fills the batch; None counts all.

        Returns:
            The state.

        Raises:
            ValueError: a feature that counts is not finite.
        """
        rows = einops.rearrange(np.asarray(features, np.float64), "... c -> (...) c")
        if mask is not None:
            rows = rows[einops.rearrange(np.asarray(mask, bool), "... -> (...)")]
        if not len(rows):
            return cls.empty(rows.shape[1])
        if not np.isfinite(rows).all():
            raise ValueError("A feature is not finite: its Gaussian has no moments.")
        mean = rows.mean(axis=0)
        away = rows - mean
        return cls(count=len(rows), mean=mean, scatter=away.T @ away)

    def merge(self, other: "Moments") -> "Moments":
        """Return the state of both parts together."""
        count = self.count + other.count
        if not count:
            return self
        step = other.mean - self.mean
        share = other.count / count
        return Moments(
            count=count,
            mean=self.mean + share * step,
            scatter=self.scatter
            + other.scatter
            + self.count * share * np.outer(step, step),
        )

    def covariance(self) -> np.ndarray:
        """Return the unbiased covariance `[C, C]`.

        Raises:
            UserError: fewer than two samples.
        """
        if self.count < MIN_SAMPLES:
            raise errors.UserError(
                f"A Frechet distance needs at least {MIN_SAMPLES} clips in each set, "
                f"not {self.count}: give more or longer videos."
            )
        return self.scatter / (self.count - 1)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return the squared Frechet distance of the Gaussians of two sets.

    Follows: Dowson and Landau 1982: |m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)); the
    root's trace is taken from eigenvalues, see `metric_states.frechet_distance`.
    Rounding below zero is cut.

    Raises:
        UserError: fewer than two samples, or sets of different features.
    """
    if a.mean.shape != b.mean.shape:
        raise errors.UserError(
            f"The sets have {len(a.mean)} and {len(b.mean)} features: compute both "
            "with one network."
        )
    found = metric_states.frechet_distance(
        a.mean, a.covariance(), b.mean, b.covariance()
    )
    return max(float(found), 0.0)

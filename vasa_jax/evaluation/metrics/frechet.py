"""Frechet distance of two sets of features, from sums that parts can be merged into.

Follows: Heusel et al. 2017 (FID) and Unterthiner et al. 2018 (FVD). Ours: float64 on
the host and unbiased covariances, as the published code has them;
`metric_states.Moments` is float32, biased, and for devices.
"""

import dataclasses

import einops
import numpy as np

from vasa_jax import errors
from vasa_jax.train import metric_states

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


def distance(a: Moments, b: Moments) -> float:
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

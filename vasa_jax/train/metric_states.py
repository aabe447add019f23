"""Metric states that can be merged: mean, correlation, moments; Frechet distance.

Each state is a small tree of sums with `from_batch`, `merge` and `compute`; merging
the states of parts gives the state of the whole, on one device or many.

Follows: kauldron and clu (state, merge, compute). Ours: centred moments merged by
Chan's formula, because float32 sums of squares lose small variances.
"""

import einops
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct


def _weights(values: jax.Array, mask: jax.Array | None) -> jax.Array:
    if mask is None:
        return jnp.ones(values.shape, jnp.float32)
    spare = tuple(range(mask.ndim, values.ndim))
    mask = jnp.expand_dims(mask.astype(jnp.float32), spare)
    return jnp.broadcast_to(mask, values.shape)


def _row_weights(rows: jax.Array, mask: jax.Array | None) -> jax.Array:
    """Return the weight of each row `[..., C]`, flattened to `[N, 1]`."""
    if mask is None:
        mask = jnp.ones(rows.shape[:-1])
    return einops.rearrange(mask.astype(jnp.float32), "... -> (...) 1")


def _ratio(total: jax.Array, count: jax.Array) -> jax.Array:
    return total / jnp.maximum(count, 1e-12)


@struct.dataclass
class Mean:
    """Mean of numbers under a mask.

    Attributes:
        total: sum of the numbers.
        count: sum of the weights.
    """

    total: jax.Array
    count: jax.Array

    @classmethod
    def from_batch(cls, values: jax.Array, mask: jax.Array | None = None) -> "Mean":
        """Sum a batch.

        Args:
            values: any shape.
            mask: weights of the leading axes of `values`; None counts all.
        """
        values = values.astype(jnp.float32)
        weights = _weights(values, mask)
        # Where a weight is 0 the value may be anything, even not finite.
        kept = jnp.where(weights > 0, values, 0.0)
        return cls(total=jnp.sum(kept * weights), count=jnp.sum(weights))

    def merge(self, other: "Mean") -> "Mean":
        """Return the state of both parts together."""
        return Mean(total=self.total + other.total, count=self.count + other.count)

    def compute(self) -> jax.Array:
        """Return the mean; 0 of nothing."""
        return _ratio(self.total, self.count)


@struct.dataclass
class Correlation:
    """Pearson correlation of two rows of numbers, per channel.

    Attributes:
        count: sum of the weights, `[]`.
        mean_x, mean_y: means `[C]`.
        square_x, square_y, cross: centred sums `[C]`.
    """

    count: jax.Array
    mean_x: jax.Array
    mean_y: jax.Array
    square_x: jax.Array
    square_y: jax.Array
    cross: jax.Array

    @classmethod
    def from_batch(
        cls, x: jax.Array, y: jax.Array, mask: jax.Array | None = None
    ) -> "Correlation":
        """Take the moments of a batch.

        Args:
            x: `[..., C]`.
            y: `[..., C]`.
            mask: `[...]` weights; None counts all.
        """
        weights = _row_weights(x, mask)
        x = einops.rearrange(x.astype(jnp.float32), "... c -> (...) c")
        y = einops.rearrange(y.astype(jnp.float32), "... c -> (...) c")
        x = jnp.where(weights > 0, x, 0.0)
        y = jnp.where(weights > 0, y, 0.0)
        count = jnp.sum(weights)
        mean_x = _ratio(jnp.sum(x * weights, axis=0), count)
        mean_y = _ratio(jnp.sum(y * weights, axis=0), count)
        away_x = x - mean_x[None]
        away_y = y - mean_y[None]
        return cls(
            count=count,
            mean_x=mean_x,
            mean_y=mean_y,
            square_x=jnp.sum(weights * away_x**2, axis=0),
            square_y=jnp.sum(weights * away_y**2, axis=0),
            cross=jnp.sum(weights * away_x * away_y, axis=0),
        )

    def merge(self, other: "Correlation") -> "Correlation":
        """Return the state of both parts together."""
        count = self.count + other.count
        share = _ratio(other.count, count)
        lever = self.count * share
        step_x = other.mean_x - self.mean_x
        step_y = other.mean_y - self.mean_y
        return Correlation(
            count=count,
            mean_x=self.mean_x + share * step_x,
            mean_y=self.mean_y + share * step_y,
            square_x=self.square_x + other.square_x + lever * step_x**2,
            square_y=self.square_y + other.square_y + lever * step_y**2,
            cross=self.cross + other.cross + lever * step_x * step_y,
        )

    def compute(self) -> jax.Array:
        """Return the correlation `[C]`; 0 where a side does not vary."""
        scale = jnp.sqrt(self.square_x * self.square_y)
        return jnp.where(scale > 0, self.cross / jnp.maximum(scale, 1e-20), 0.0)


@struct.dataclass
class Moments:
    """Mean and covariance of vectors.

    Attributes:
        count: sum of the weights, `[]`.
        mean: `[C]`.
        scatter: centred sum of outer products `[C, C]`.
    """

    count: jax.Array
    mean: jax.Array
    scatter: jax.Array

    @classmethod
    def from_batch(cls, values: jax.Array, mask: jax.Array | None = None) -> "Moments":
        """Take the moments of a batch.

        Args:
            values: `[..., C]`.
            mask: `[...]` weights; None counts all.
        """
        weights = _row_weights(values, mask)
        values = einops.rearrange(values.astype(jnp.float32), "... c -> (...) c")
        values = jnp.where(weights > 0, values, 0.0)
        count = jnp.sum(weights)
        mean = _ratio(jnp.sum(values * weights, axis=0), count)
        away = values - mean[None]
        scatter = jnp.einsum("nc,nd->cd", weights * away, away)
        return cls(count=count, mean=mean, scatter=scatter)

    def merge(self, other: "Moments") -> "Moments":
        """Return the state of both parts together."""
        count = self.count + other.count
        share = _ratio(other.count, count)
        step = other.mean - self.mean
        outer = jnp.einsum("c,d->cd", step, step)
        return Moments(
            count=count,
            mean=self.mean + share * step,
            scatter=self.scatter + other.scatter + self.count * share * outer,
        )

    def compute(self) -> tuple[jax.Array, jax.Array]:
        """Return the mean `[C]` and the (biased) covariance `[C, C]`."""
        return self.mean, _ratio(self.scatter, self.count)


def frechet_distance(
    mean_a: jax.Array,
    covariance_a: jax.Array,
    mean_b: jax.Array,
    covariance_b: jax.Array,
) -> np.ndarray:
    """Compute the squared Frechet distance of two Gaussians, on the host in float64.

    Follows: FID (Heusel et al. 2017) and FVD (Unterthiner et al. 2018).
    Ours: the trace of the root of the product is taken from the eigenvalues of the
    symmetric `sqrt(A) B sqrt(A)`, which needs no SciPy and no complex numbers.

    Args:
        mean_a, mean_b: `[C]`.
        covariance_a, covariance_b: `[C, C]`.

    Returns:
        A float64 scalar.
    """
    a, b = (np.asarray(c, np.float64) for c in (covariance_a, covariance_b))
    away = np.asarray(mean_a, np.float64) - np.asarray(mean_b, np.float64)
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    product = np.linalg.eigvalsh(root @ b @ root)
    cross = np.sqrt(np.clip(product, 0, None)).sum()
    return np.asarray(away @ away + np.trace(a) + np.trace(b) - 2 * cross)

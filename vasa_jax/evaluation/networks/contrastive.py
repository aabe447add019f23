"""Contrastive learning of two encoders: rows that belong together, and all others."""

import jax
import jax.numpy as jnp
import optax

FIRST_TEMPERATURE = 0.07
"""Follows: Radford et al. 2021, CLIP, section 2.5."""

MAX_LOGIT_SCALE = 100.0
"""Follows: CLIP, which clips the learned scale of logits there."""

_NORM_EPSILON = 1e-8


def unit(vectors: jax.Array) -> jax.Array:
    """Scale `[..., C]` to length 1; zeros stay zeros."""
    squares = jnp.sum(jnp.square(vectors), axis=-1, keepdims=True)
    return vectors * jax.lax.rsqrt(squares + _NORM_EPSILON)


def logit_scale(log_scale: jax.Array) -> jax.Array:
    """Return the inverse temperature from its learned logarithm, at most 100."""
    return jnp.minimum(jnp.exp(log_scale), MAX_LOGIT_SCALE)


def contrastive_loss(
    first: jax.Array,
    second: jax.Array,
    log_scale: jax.Array,
    more_second: jax.Array | None = None,
) -> jax.Array:
    """Return how badly each row finds its partner among all, InfoNCE in both ways.

    Follows: CLIP, figure 3 (van den Oord et al. 2018 for the loss). Ours: rows of
    `more_second` belong to nobody and are only to be told apart.

    Args:
        first, second: float32 `[B, C]` of length 1; row i of both belong together.
        log_scale: float32 `[]`, logarithm of the inverse temperature.
        more_second: float32 `[N, C]` of length 1; None is none.

    Returns:
        float32 `[B]`.
    """
    scale = logit_scale(log_scale)
    across = jnp.einsum("ic,jc->ij", first, second)
    logits = across
    if more_second is not None:
        wrong = jnp.einsum("ic,jc->ij", first, more_second)
        logits = jnp.concatenate([across, wrong], axis=1)
    partners = jnp.arange(first.shape[0])
    forth = optax.softmax_cross_entropy_with_integer_labels(scale * logits, partners)
    back = optax.softmax_cross_entropy_with_integer_labels(scale * across.T, partners)
    return (forth + back) / 2


def found_partner(first: jax.Array, second: jax.Array) -> jax.Array:
    """Return whether each row's partner is the nearest of all, float32 `[B]`."""
    across = jnp.einsum("ic,jc->ij", first, second)
    return (across.argmax(axis=1) == jnp.arange(first.shape[0])).astype(jnp.float32)

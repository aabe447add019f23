"""The pre-norm transformer encoder that the motion denoiser is made of."""

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

NO_FRAME = -(2**31)
"""The frame of tokens that stand outside time."""

NEAR_SLOPE = 2.0
"""Logit lost per frame of distance at the steep sides of heads, at the start. Ours:
e^-2 a frame, so that a head begins with the frame's own audio and motion."""

SLOPE_RATIO = 0.25
"""Slope of each pair of heads over that of the pair before. Ours: they begin with about
2, 8, 32, ... frames to their side."""

BIAS_SCALE = 8.0
"""Bias over stored parameter. Ours: Adam moves every parameter alike, and logits must
move further than weights."""


class TransformerBlock(nn.Module):
    """Attend among all tokens, then transform each.

    Paper: VASA-1, appendix (a transformer encoder). Ours: norms first and GELU, not
    stated; they train without warm-up tricks.

    Attributes:
        num_heads: attention heads.
        mlp_ratio: hidden width of the MLP over the token's.
        dtype: of the computation; norms and softmax stay float32.
    """

    num_heads: int
    mlp_ratio: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, tokens: jax.Array, bias: jax.Array, is_seen: jax.Array
    ) -> jax.Array:
        """Transform tokens.

        Args:
            tokens: `[B, L, width]`.
            bias: of attention, `[N, L, L]`.
            is_seen: bool `[B, L]`; tokens that are not seen are attended to by none.

        Returns:
            `[B, L, width]`.
        """
        width = tokens.shape[-1]
        x = nn.LayerNorm(dtype=jnp.float32, name="attention_norm")(tokens)
        x = nn.Dense(3 * width, dtype=self.dtype, name="query_key_value")(x)
        query, key, value = einops.rearrange(
            x, "b l (three n c) -> three b l n c", three=3, n=self.num_heads
        )
        x = jax.nn.dot_product_attention(
            query, key, value, bias=bias[None], mask=is_seen[:, None, None]
        )
        x = einops.rearrange(x, "b l n c -> b l (n c)")
        tokens = tokens + nn.Dense(width, dtype=self.dtype, name="attention_out")(x)
        x = nn.LayerNorm(dtype=jnp.float32, name="mlp_norm")(tokens)
        x = nn.Dense(self.mlp_ratio * width, dtype=self.dtype, name="mlp_in")(x)
        x = nn.Dense(width, dtype=self.dtype, name="mlp_out")(nn.gelu(x))
        return tokens + x


class RelativeTimeBias(nn.Module):
    """Learn how much each head attends by distance in time.

    Follows: Press et al., ALiBi, for the start; T5 for a learned bias per distance.
    Ours: the paper says nothing of the kind; without it a small model spent its first
    thousands of steps on finding out which audio token belongs to which frame.

    Attributes:
        num_heads: attention heads.
        reach: largest distance, frames.
    """

    num_heads: int
    reach: int

    @nn.compact
    def __call__(self, frames: np.ndarray) -> jax.Array:
        """Return the bias float32 `[N, L, L]` of tokens at frames int `[L]`."""
        is_timed = frames != NO_FRAME
        reach = self.reach
        apart = np.where(is_timed[:, None], frames[:, None], 0) - np.where(
            is_timed[None], frames[None], 0
        )
        both = is_timed[:, None] & is_timed[None]
        row = np.where(both, apart + reach, 2 * reach + 1)
        table = self.param("table", _init_slopes, (self.num_heads, 2 * reach + 2))
        return BIAS_SCALE * table[:, row]


def _init_slopes(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """Start with one head around its frame, then pairs that look back and ahead."""
    del key
    num_heads, num_rows = shape
    reach = (num_rows - 2) // 2
    apart = np.append(np.arange(-reach, reach + 1), 0)
    back, ahead = np.maximum(apart, 0), np.maximum(-apart, 0)
    table = np.zeros(shape)
    for head in range(num_heads):
        far = NEAR_SLOPE * SLOPE_RATIO ** ((head + 1) // 2)
        looks_back = head % 2 == 1
        slope_back, slope_ahead = (far, NEAR_SLOPE) if looks_back else (NEAR_SLOPE, far)
        table[head] = -slope_back * back - slope_ahead * ahead
    return jnp.asarray(table / BIAS_SCALE, jnp.float32)


class TransformerEncoder(nn.Module):
    """Stack blocks by a scan, so that depth costs no compilation.

    Paper: VASA-1, appendix (8 layers). Ours: one relative-time bias for all layers.

    Attributes:
        num_layers: blocks; their parameters are stacked along a first axis.
        num_heads: attention heads.
        reach: largest distance of two tokens in time, frames.
        mlp_ratio: hidden width of the MLPs over the token's.
        use_remat: whether the backward pass recomputes each block.
        dtype: of the computation.
    """

    num_layers: int
    num_heads: int
    reach: int
    mlp_ratio: int
    use_remat: bool = False
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, tokens: jax.Array, frames: np.ndarray, is_seen: jax.Array
    ) -> jax.Array:
        """Encode a row of tokens.

        Args:
            tokens: `[B, L, width]`.
            frames: int `[L]`, known when tracing: the frame of each token in time, or
                `NO_FRAME`.
            is_seen: bool `[B, L]`; tokens that are not seen are attended to by none.

        Returns:
            `[B, L, width]`, normalised at the end.
        """
        bias = RelativeTimeBias(self.num_heads, self.reach, name="relative_time")(
            frames
        )
        block_class = TransformerBlock
        if self.use_remat:
            block_class = nn.remat(TransformerBlock, prevent_cse=False)
        block = block_class(self.num_heads, self.mlp_ratio, self.dtype, name="blocks")
        tokens, _ = nn.scan(
            lambda block, carry, _: (
                block(carry, bias.astype(self.dtype), is_seen),
                None,
            ),
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.num_layers,
        )(block, tokens, None)
        return nn.LayerNorm(dtype=jnp.float32, name="norm")(tokens)


def sinusoids(position: jax.Array, width: int, max_period: float) -> jax.Array:
    """Return cosines and sines of positions at periods from 2 pi up to `max_period`.

    Follows: Vaswani et al., section 3.5.

    Args:
        position: float32 `[...]`.
        width: channels, even.
        max_period: longest period over 2 pi, in the unit of `position`.

    Returns:
        float32 `[..., width]`.
    """
    exponent = jnp.arange(width // 2, dtype=jnp.float32) / (width // 2)
    position = jnp.asarray(position, jnp.float32)
    angle = jnp.einsum("...,c->...c", position, max_period**-exponent)
    return jnp.concatenate([jnp.cos(angle), jnp.sin(angle)], axis=-1)

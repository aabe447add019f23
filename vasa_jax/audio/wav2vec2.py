"""The network of wav2vec 2.0: seven convolutions over samples, then a transformer.

Follows: Baevski et al. 2020, wav2vec 2.0, in the form that is published: the base model
normalises the first convolution's channels over time and the transformer's tokens after
each sum; the large models (`conv_norm` "layer", `is_norm_first`) do otherwise.
"""

import math
from typing import Literal

import einops
import flax.linen as nn
import jax

NORM_EPSILON = 1e-5
"""Follows: the published models, in every norm."""


class SampleEncoder(nn.Module):
    """Convolve samples to 50 tokens a second.

    Follows: wav2vec 2.0 §2 (feature encoder).

    Attributes:
        channels, kernels, strides: of each convolution.
        norm: "group", every channel over time, behind the first convolution alone; or
            "layer", every step over channels, behind each.
        use_bias: whether convolutions have one.
    """

    channels: tuple[int, ...]
    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    norm: Literal["group", "layer"]
    use_bias: bool

    @nn.compact
    def __call__(self, samples: jax.Array) -> jax.Array:
        """Map samples `[B, S]` to `[B, L, C]`."""
        hidden = einops.rearrange(samples, "b s -> b s 1")
        sizes = zip(self.channels, self.kernels, self.strides, strict=True)
        for layer, (channels, kernel, stride) in enumerate(sizes):
            hidden = nn.Conv(
                channels,
                (kernel,),
                strides=(stride,),
                padding="VALID",
                use_bias=self.use_bias,
                name=f"conv_{layer}",
            )(hidden)
            if self.norm == "layer":
                hidden = _layer_norm(f"conv_norm_{layer}")(hidden)
            elif layer == 0:
                hidden = nn.GroupNorm(
                    num_groups=channels,
                    epsilon=NORM_EPSILON,
                    use_fast_variance=False,
                    name="conv_norm_0",
                )(hidden)
            hidden = nn.gelu(hidden, approximate=False)
        return hidden


class TransformerBlock(nn.Module):
    """Self-attention and a GELU network, each beside a skip.

    Follows: wav2vec 2.0 §2 (context network), norms as BERT's or before each part.

    Attributes:
        num_heads: attention heads (N).
        mlp_width: hidden channels of the GELU network.
        is_norm_first: whether the norms come before the parts or after the sums.
    """

    num_heads: int
    mlp_width: int
    is_norm_first: bool

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Map tokens `[B, L, C]` to `[B, L, C]`."""
        attention_norm = _layer_norm("attention_norm")
        mlp_norm = _layer_norm("mlp_norm")
        if self.is_norm_first:
            tokens = tokens + self._attend(attention_norm(tokens))
            return tokens + self._think(mlp_norm(tokens))
        tokens = attention_norm(tokens + self._attend(tokens))
        return mlp_norm(tokens + self._think(tokens))

    def _attend(self, tokens: jax.Array) -> jax.Array:
        width = tokens.shape[-1]
        query, key, value = (
            einops.rearrange(
                nn.Dense(width, name=name)(tokens),
                "b l (n c) -> b l n c",
                n=self.num_heads,
            )
            for name in ("query", "key", "value")
        )
        seen = jax.nn.dot_product_attention(query, key, value)
        seen = einops.rearrange(seen, "b l n c -> b l (n c)")
        return nn.Dense(width, name="attention_output")(seen)

    def _think(self, tokens: jax.Array) -> jax.Array:
        hidden = nn.Dense(self.mlp_width, name="mlp_in")(tokens)
        hidden = nn.gelu(hidden, approximate=False)
        return nn.Dense(tokens.shape[-1], name="mlp_out")(hidden)


class Wav2Vec2Network(nn.Module):
    """wav2vec 2.0 up to the last hidden state, without masking or heads.

    Follows: Baevski et al. 2020; the defaults are those of the base model.

    Attributes:
        conv_channels, conv_kernels, conv_strides: of the sample encoder.
        conv_norm: of the sample encoder: "group" (base) or "layer".
        use_conv_bias: whether its convolutions have a bias.
        width: channels of a token (C).
        num_layers, num_heads, mlp_width: of the transformer.
        position_kernel, position_groups: of the convolution that tells positions.
        is_norm_first: whether blocks normalise before their parts.
    """

    conv_channels: tuple[int, ...] = (512,) * 7
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    conv_norm: Literal["group", "layer"] = "group"
    use_conv_bias: bool = False
    width: int = 768
    num_layers: int = 12
    num_heads: int = 12
    mlp_width: int = 3072
    position_kernel: int = 128
    position_groups: int = 16
    is_norm_first: bool = False

    @property
    def token_samples(self) -> int:
        """Samples from one token to the next: 320."""
        return math.prod(self.conv_strides)

    @property
    def seen_samples(self) -> int:
        """Samples that the convolutions see of a token: 400."""
        seen = 1
        for kernel, stride in zip(
            reversed(self.conv_kernels), reversed(self.conv_strides), strict=True
        ):
            seen = (seen - 1) * stride + kernel
        return seen

    @nn.compact
    def __call__(self, samples: jax.Array) -> jax.Array:
        """Encode normalised samples.

        Args:
            samples: float32 `[B, S]` at 16 kHz, of zero mean and unit variance.

        Returns:
            float32 `[B, L, C]`, token k made of the samples from `token_samples` * k
            on, `seen_samples` of them, and of its neighbours.
        """
        hidden = SampleEncoder(
            self.conv_channels,
            self.conv_kernels,
            self.conv_strides,
            self.conv_norm,
            self.use_conv_bias,
            name="samples",
        )(samples)
        hidden = _layer_norm("projection_norm")(hidden)
        tokens = nn.Dense(self.width, name="projection")(hidden)
        tokens = tokens + self._positions(tokens)
        if not self.is_norm_first:
            tokens = _layer_norm("norm")(tokens)
        for layer in range(self.num_layers):
            tokens = TransformerBlock(
                self.num_heads,
                self.mlp_width,
                self.is_norm_first,
                name=f"block_{layer}",
            )(tokens)
        return _layer_norm("norm")(tokens) if self.is_norm_first else tokens

    def _positions(self, tokens: jax.Array) -> jax.Array:
        """Tell each token what surrounds it; an even kernel looks back one further."""
        before = self.position_kernel // 2
        hidden = nn.Conv(
            self.width,
            (self.position_kernel,),
            padding=((before, self.position_kernel - 1 - before),),
            feature_group_count=self.position_groups,
            name="position",
        )(tokens)
        return nn.gelu(hidden, approximate=False)


def _layer_norm(name: str) -> nn.LayerNorm:
    return nn.LayerNorm(epsilon=NORM_EPSILON, use_fast_variance=False, name=name)

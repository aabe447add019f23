"""The encoder of Whisper tiny, and features made with it."""

import dataclasses
from typing import Any

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.audio import mel, whisper_weights
from vasa_jax.audio import windows as windows_lib

_TOKENS_PER_FRAME = 2


def sinusoids(num_tokens: int, width: int) -> np.ndarray:
    """Return Whisper's fixed position encodings.

    Follows: Whisper: sines, then cosines, of wavelengths 2 pi to 20000 pi.

    Args:
        num_tokens: positions from 0 on (L).
        width: channels (C), even.

    Returns:
        float32 `[L, C]`.
    """
    half = width // 2
    rates = np.exp(-np.log(10_000.0) / (half - 1) * np.arange(half))
    angles = np.arange(num_tokens)[:, None] * rates[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


class AttentionBlock(nn.Module):
    """Self-attention and a GELU network, each behind a layer norm and beside a skip.

    Follows: Whisper, Radford et al. 2022.

    Attributes:
        num_heads: attention heads (N).
    """

    num_heads: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Map tokens `[B, L, C]` to `[B, L, C]`."""
        width = tokens.shape[-1]
        hidden = nn.LayerNorm(epsilon=1e-5, name="attention_norm")(tokens)
        hidden = nn.Dense(3 * width, name="query_key_value")(hidden)
        query, key, value = einops.rearrange(
            hidden, "b l (three n c) -> three b l n c", three=3, n=self.num_heads
        )
        hidden = jax.nn.dot_product_attention(query, key, value)
        hidden = einops.rearrange(hidden, "b l n c -> b l (n c)")
        tokens = tokens + nn.Dense(width, name="attention_output")(hidden)
        hidden = nn.LayerNorm(epsilon=1e-5, name="mlp_norm")(tokens)
        hidden = nn.Dense(4 * width, name="mlp_in")(hidden)
        hidden = nn.gelu(hidden, approximate=False)
        return tokens + nn.Dense(width, name="mlp_out")(hidden)


class WhisperNetwork(nn.Module):
    """Whisper's audio encoder: two convolutions and a transformer.

    Follows: Whisper, Radford et al. 2022; the defaults are those of `tiny`.

    Attributes:
        width: channels (C).
        num_heads: attention heads (N).
        num_layers: transformer blocks.
    """

    width: int = 384
    num_heads: int = 6
    num_layers: int = 4

    @nn.compact
    def __call__(self, log_mel: jax.Array) -> jax.Array:
        """Encode levelled log-mel spectra.

        Args:
            log_mel: float32 `[B, 2 L, 80]`, 100 steps a second.

        Returns:
            float32 `[B, L, C]`, 50 tokens a second.
        """
        hidden = nn.Conv(self.width, (3,), padding=((1, 1),), name="conv1")(log_mel)
        hidden = nn.gelu(hidden, approximate=False)
        hidden = nn.Conv(
            self.width, (3,), strides=(2,), padding=((1, 1),), name="conv2"
        )(hidden)
        hidden = nn.gelu(hidden, approximate=False)
        tokens = hidden + sinusoids(hidden.shape[1], self.width)[None]
        for layer in range(self.num_layers):
            tokens = AttentionBlock(self.num_heads, name=f"block_{layer}")(tokens)
        return nn.LayerNorm(epsilon=1e-5, name="final_norm")(tokens)


@dataclasses.dataclass(frozen=True)
class WhisperEncoder:
    """Whisper's tokens for each frame, and its loudness.

    Paper: VASA-1 §3.2 takes wav2vec 2.0. Ours: Whisper tiny (English) is a fifth of
    its cost and free to ship; windows of 1.2 s with 0.4 s of context on either side,
    on an absolute grid, in place of Whisper's 30 s; the two tokens of a frame stand
    side by side, then the two channels of `mel.loudness`.
    """

    grid: windows_lib.WindowGrid = windows_lib.WindowGrid(
        hop_frames=10, frames_before=10, frames_after=10
    )
    network: WhisperNetwork = WhisperNetwork()

    @property
    def num_channels(self) -> int:
        """Features a frame: 770 for tiny."""
        return _TOKENS_PER_FRAME * self.network.width + mel.NUM_LOUDNESS_CHANNELS

    def load_variables(self) -> dict[str, Any]:
        """Read the shipped weights.

        Returns:
            Variables of `network`, float32.

        Raises:
            UserError: the shipped file is missing or damaged.
        """
        params = whisper_weights.read_packed(whisper_weights.SHIPPED)
        return {"params": jax.device_put(params)}

    def encode_windows(self, variables: Any, windows: jax.Array) -> jax.Array:
        """Encode windows.

        Args:
            variables: as from `load_variables`.
            windows: float32 `[N, window_samples]`.

        Returns:
            float32 `[N, hop_frames, A]`.
        """
        spectra = mel.level(mel.log_mel(windows))
        frames = einops.rearrange(
            self.network.apply(variables, spectra),
            "n (t k) c -> n t (k c)",
            k=_TOKENS_PER_FRAME,
        )
        first = self.grid.frames_before
        own = frames[:, first : first + self.grid.hop_frames]
        return jnp.concatenate([own, mel.loudness(windows, self.grid)], axis=-1)

    def features(self, variables: Any, waveform: np.ndarray) -> np.ndarray:
        """Encode waveforms `[B, S]` to `[B, T, A]`; see `windows.features`."""
        return windows_lib.features(self, variables, waveform)

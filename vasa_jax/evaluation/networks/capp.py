"""CAPP: embeds three seconds of a voice and of head movement in one space.

Paper: VASA-1 section 4.1: contrastive audio-pose pretraining in the manner of CLIP; the
audio encoder starts from wav2vec 2.0, the pose encoder is a transformer of 6 layers,
windows last 3 s; the score is the cosine of the two embeddings.
"""

import dataclasses

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config, types
from vasa_jax.evaluation.networks import contrastive
from vasa_jax.motion import transformer

WINDOW_FRAMES = 3 * types.FRAME_RATE_HZ
"""Paper: VASA-1 section 4.1: 3 s."""

ROTATION_CHANNELS = 3
"""Yaw, pitch and roll. Ours: where a head stands in its frame, and how large, follows
from the framing, which differs between a video and its reference; turns do not."""

TYPICAL_TURN = 0.03
"""Radians that stand for 1 in the pose encoder's input. Ours: standard deviation of
head turns within a clip."""

TYPICAL_TURN_PER_FRAME = 0.004
"""The same of the turn from frame to frame. Ours: as measured alike."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CappConfig:
    """Sizes.

    Attributes:
        audio_encoder: whose features the voice is given as, see `audio.encoders`.
        num_audio_channels: of these features, a frame (A).
        window_frames: frames of a window (W).
        width: channels of a token.
        num_heads: of attention.
        mlp_ratio: hidden width of the MLPs over the token's.
        num_audio_layers: transformer blocks on top of the features.
        num_pose_layers: transformer blocks of the pose encoder.
        code_channels: of each frame's part of the embedding.
    """

    # Ours: the encoder that ships with the package; its own weights stay as they are,
    # because a score must not need hours of a GPU. The paper's is wav2vec 2.0.
    audio_encoder: str = "whisper_tiny"
    num_audio_channels: int = 770
    window_frames: int = WINDOW_FRAMES
    # Ours: the paper gives no width; this one learns on one CPU core.
    width: int = 48
    num_heads: int = 4
    mlp_ratio: int = 2
    num_audio_layers: int = 2
    num_pose_layers: int = 6  # Paper: section 4.1.
    code_channels: int = 16  # ours

    def __post_init__(self) -> None:
        config.require_positive(
            self,
            "num_audio_channels",
            "window_frames",
            "width",
            "num_heads",
            "mlp_ratio",
            "num_audio_layers",
            "num_pose_layers",
            "code_channels",
        )
        config.require(
            self.width % self.num_heads == 0,
            f"CappConfig.width {self.width} is not a multiple of num_heads "
            f"{self.num_heads}; give a multiple.",
        )


class WindowEncoder(nn.Module):
    """Turn the channels of each frame into its part of a window's embedding.

    Ours: frames keep their own parts and the embedding is all of them one after
    another, so that the cosine counts agreement frame by frame. One pooled vector would
    first have to learn what a frame is; from some hundred clips it did not.

    Attributes:
        sizes: of the network.
        num_layers: transformer blocks.
    """

    sizes: CappConfig
    num_layers: int

    @nn.compact
    def __call__(self, channels: jax.Array) -> jax.Array:
        """Embed `[B, W, C]` as float32 `[B, W * code_channels]` of length 1."""
        sizes = self.sizes
        tokens = nn.Dense(sizes.width, name="frame")(channels)
        tokens = transformer.TransformerEncoder(
            num_layers=self.num_layers,
            num_heads=sizes.num_heads,
            reach=channels.shape[1] - 1,
            mlp_ratio=sizes.mlp_ratio,
            name="transformer",
        )(
            tokens,
            np.arange(channels.shape[1]),
            jnp.ones(channels.shape[:2], bool),
        )
        codes = nn.Dense(sizes.code_channels, name="code")(tokens)
        # Without what all frames share, which would make all windows alike.
        codes = codes - codes.mean(axis=1, keepdims=True)
        return contrastive.unit(einops.rearrange(codes, "b w c -> b (w c)"))


class Capp(nn.Module):
    """Two encoders that meet.

    Paper: VASA-1 section 4.1. Ours: Whisper's features in place of wav2vec 2.0's,
    with a transformer of our own on top.

    Attributes:
        sizes: of the network.
    """

    sizes: CappConfig

    def setup(self):
        """Make both encoders, and the temperature of training."""
        self.audio_norm = nn.LayerNorm()
        self.audio = WindowEncoder(self.sizes, self.sizes.num_audio_layers)
        self.pose = WindowEncoder(self.sizes, self.sizes.num_pose_layers)
        self.log_scale = self.param(
            "log_scale",
            nn.initializers.constant(-np.log(contrastive.FIRST_TEMPERATURE)),
            (),
        )

    def embed_audio(self, features: jax.Array) -> jax.Array:
        """Embed audio features `[B, W, A]` as float32 `[B, E]` of length 1."""
        return self.audio(self.audio_norm(jnp.asarray(features, jnp.float32)))

    def embed_pose(self, rotation: jax.Array) -> jax.Array:
        """Embed head turns as the voice is embedded.

        Args:
            rotation: float32 `[B, W, 3]`, yaw, pitch and roll, radians; about which
                mean a head turns makes no difference.

        Returns:
            float32 `[B, E]` of length 1.
        """
        rotation = jnp.asarray(rotation, jnp.float32)
        turn = rotation - rotation.mean(axis=1, keepdims=True)
        change = jnp.diff(rotation, axis=1, prepend=rotation[:, :1])
        channels = [turn / TYPICAL_TURN, change / TYPICAL_TURN_PER_FRAME]
        return self.pose(jnp.concatenate(channels, axis=-1))

    def __call__(
        self, features: jax.Array, rotation: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return both embeddings and the logarithm of the inverse temperature."""
        return self.embed_audio(features), self.embed_pose(rotation), self.log_scale


def demo() -> CappConfig:
    """Return the sizes of the network that ships."""
    return CappConfig()


def paper() -> CappConfig:
    """Return sizes for a GPU and real video. Ours: the paper gives none but depth."""
    return CappConfig(
        width=512, num_heads=8, mlp_ratio=4, num_audio_layers=4, code_channels=64
    )


def tiny() -> CappConfig:
    """Return sizes for tests."""
    return CappConfig(
        num_audio_channels=6,
        window_frames=12,
        width=16,
        num_heads=2,
        num_audio_layers=1,
        num_pose_layers=2,
        code_channels=4,
    )

"""A light network in the manner of SyncNet: a fifth of a second of lips and of sound.

Follows: Chung and Zisserman 2016, Out of time (windows of five frames of the mouth and
of 0.2 s of sound in one space). Ours: small enough to ship, trained from nothing on
rendered heads, and sound as Whisper's features, which have heard more voices than ours.
`experiments.running.scorer_training` asks it which sound of a clip belongs to which
lips.
"""

import dataclasses
import functools

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config, layers
from vasa_jax.evaluation.networks import contrastive

GROUP = "sync"
"""Name of the trained group, in states and exports."""

_CONTRAST_FLOOR = 4.0
"""Grey levels below which a window's contrast is not strengthened. Ours: noise of flat
pictures stays small."""

APART_FRAMES = 3
"""From how many frames on an offset counts as wrong. Ours: the least that viewers
notice, about 0.1 s."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LipSyncConfig:
    """Sizes.

    Attributes:
        audio_encoder: whose features the voice is given as, see `audio.encoders`.
        num_audio_channels: of these features, a frame (A).
        window_frames: frames of a window (W).
        image_size: side of the mouth's square that is seen, pixels, a multiple of 8.
        lip_channels: of the four convolutions.
        sound_channels: that each frame of sound is reduced to.
        hidden: channels between sound and embedding.
        width: of the embedding (E).
    """

    audio_encoder: str = "whisper_tiny"  # ours: it ships with the package
    num_audio_channels: int = 770
    window_frames: int = 5  # Follows: SyncNet
    # Ours: a twentieth of SyncNet's sizes.
    image_size: int = 48
    lip_channels: tuple[int, ...] = (24, 32, 48, 64)
    sound_channels: int = 64
    hidden: int = 128
    width: int = 96

    def __post_init__(self) -> None:
        config.require_positive(
            self,
            "num_audio_channels",
            "window_frames",
            "sound_channels",
            "hidden",
            "width",
        )
        config.require(
            self.image_size > 0 and self.image_size % 8 == 0,
            f"LipSyncConfig.image_size is {self.image_size}; give a multiple of 8.",
        )
        config.require(
            len(self.lip_channels) == 4 and min(self.lip_channels) > 0,
            f"LipSyncConfig.lip_channels is {self.lip_channels}; give four numbers "
            "above 0.",
        )


class LipNetwork(nn.Module):
    """Embed windows of lips.

    Follows: SyncNet, whose first convolution sees all frames of a window at once.
    Ours: sizes, and GroupNorm.

    Attributes:
        sizes: of the network.
    """

    sizes: LipSyncConfig

    @nn.compact
    def __call__(self, lips: jax.Array) -> jax.Array:
        """Map windows of grey levels `[N, W, H, H]` to float32 `[N, E]`, length 1."""
        x = einops.rearrange(_level(lips), "n w h v -> n h v w")
        for number, channels in enumerate(self.sizes.lip_channels):
            x = layers.Convolution(
                channels, size=3 if number else 5, stride=2, name=f"conv_{number}"
            )(x)
            x = nn.GroupNorm(layers.num_groups(channels), name=f"norm_{number}")(x)
            x = nn.relu(x)
        x = einops.rearrange(x, "n h v c -> n (h v c)")
        return contrastive.unit(nn.Dense(self.sizes.width, name="embedding")(x))


def _level(lips: jax.Array) -> jax.Array:
    """Give every window zero mean and unit contrast, whatever its light."""
    lips = jnp.asarray(lips, jnp.float32)
    lips = lips - lips.mean((1, 2, 3), keepdims=True)
    contrast = jnp.sqrt(jnp.square(lips).mean((1, 2, 3), keepdims=True))
    return lips / jnp.maximum(contrast, _CONTRAST_FLOOR)


class SoundNetwork(nn.Module):
    """Embed windows of sound.

    Ours: in place of SyncNet's convolutions over cepstra, frames of features that a
    speech recogniser has made, reduced and then seen together.

    Attributes:
        sizes: of the network.
    """

    sizes: LipSyncConfig

    @nn.compact
    def __call__(self, features: jax.Array) -> jax.Array:
        """Map features `[N, W, A]` to float32 `[N, E]` of length 1."""
        x = nn.LayerNorm(name="norm")(jnp.asarray(features, jnp.float32))
        x = nn.gelu(nn.Dense(self.sizes.sound_channels, name="frame")(x))
        x = einops.rearrange(x, "n w c -> n (w c)")
        x = nn.gelu(nn.Dense(self.sizes.hidden, name="hidden")(x))
        return contrastive.unit(nn.Dense(self.sizes.width, name="embedding")(x))


class LipSync(nn.Module):
    """Both networks, and the temperature of training.

    Follows: SyncNet (two streams that meet in one space).

    Attributes:
        sizes: of the network.
    """

    sizes: LipSyncConfig

    def setup(self):
        """Make both."""
        self.lips = LipNetwork(self.sizes)
        self.sound = SoundNetwork(self.sizes)
        self.log_scale = self.param(
            "log_scale",
            nn.initializers.constant(-np.log(contrastive.FIRST_TEMPERATURE)),
            (),
        )

    def __call__(
        self, lips: jax.Array, features: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return both embeddings and the logarithm of the inverse temperature.

        Args:
            lips: `[N, W, H, H]`, grey levels 0 to 255.
            features: `[N, W, A]`, of the same frames.
        """
        return self.lips(lips), self.sound(features), self.log_scale


def middle(lips: np.ndarray, image_size: int) -> np.ndarray:
    """Cut the middle that the network sees out of lips `[T, H, H]`."""
    margin = (lips.shape[1] - image_size) // 2
    inside = slice(margin, margin + image_size)
    return lips[:, inside, inside]


def demo() -> LipSyncConfig:
    """Return the sizes of the network that ships."""
    return LipSyncConfig()


def paper() -> LipSyncConfig:
    """Return sizes for a GPU and real video. Ours: those of SyncNet's last layers."""
    return LipSyncConfig(
        lip_channels=(96, 256, 256, 512), sound_channels=256, hidden=512, width=1024
    )


def tiny() -> LipSyncConfig:
    """Return sizes for tests."""
    return LipSyncConfig(
        num_audio_channels=4,
        image_size=8,
        lip_channels=(8, 8, 8, 16),
        sound_channels=8,
        hidden=16,
        width=8,
    )


@functools.partial(jax.jit, static_argnums=0)
def _apply(sizes, params, lips, features):
    seen, heard, _ = LipSync(sizes).apply({"params": params}, lips, features)
    return seen, heard


KIND = contrastive.Kind(
    name="sync",
    title="lip-sync network",
    group=GROUP,
    sizes=LipSyncConfig,
    apply=_apply,
    fit=lambda sizes, lips: middle(lips, sizes.image_size),
    batch_windows=32,
)

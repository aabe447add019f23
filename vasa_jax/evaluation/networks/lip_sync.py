"""A light network in the manner of SyncNet: a fifth of a second of lips and of sound.

Follows: Chung and Zisserman 2016, Out of time (windows of five frames of the mouth and
of 0.2 s of sound in one space). Ours: small enough to ship, trained from nothing on
rendered heads, and sound as Whisper's features, which have heard more voices than ours.
Its task asks which sound of a clip belongs to which lips.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config, errors, layers
from vasa_jax.evaluation.networks import contrastive
from vasa_jax.train import metric_states, task

GROUP = "sync"
"""Name of the trained group, in states and exports."""

_CONTRAST_FLOOR = 4.0
"""Grey levels below which a window's contrast is not strengthened. Ours: noise of flat
pictures stays small."""

WINDOWS_PER_CLIP = 20
"""Ours: of the 71 windows that 3 s have; all negatives are of the same clip, at other
offsets, because whose voice it is must not help."""

MAX_SHAKE = 1
"""Pixels by which a frame of a window may lie beside the others. Ours: poses of
finished videos are measured and jitter."""

GAIN, NOISE_LEVELS = 0.2, 4.0
"""Largest change of contrast from frame to frame, as a share, and standard deviation of
noise, grey levels. Ours: lights flicker and codecs err."""

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


def cut(
    record: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    *,
    sizes: LipSyncConfig,
    num_windows: int = WINDOWS_PER_CLIP,
) -> dict[str, np.ndarray]:
    """Cut windows out of one clip, all at different frames.

    Args:
        record: `lips` uint8 `[T, 56, 56]` and `audio_features` `[T, A]`.
        generator: source of chance, owned by the data pipeline.
        sizes: of the network.
        num_windows: K.

    Returns:
        uint8 `lips` `[K, W, H, H]`, cut at one place for all, which is mirrored half of
        the time; float32 `audio` `[K, W, A]`; int32 `frame` `[K]`.

    Raises:
        UserError: lips and sound differ in length, lips are too small, or the clip has
            no K different windows.
    """
    lips, features = np.asarray(record["lips"]), np.asarray(record["audio_features"])
    if len(lips) != len(features):
        raise errors.UserError(
            f"a clip has {len(lips)} frames of lips and {len(features)} of audio; "
            "encode it again (python -m experiments.tools.encode_lips)."
        )
    margin = lips.shape[1] - sizes.image_size - 2 * MAX_SHAKE
    if margin < 0:
        raise errors.UserError(
            f"lips of {lips.shape[1]} pixels are too small for windows of "
            f"{sizes.image_size}; set model.image_size lower."
        )
    num_starts = len(lips) - sizes.window_frames + 1
    if num_starts < num_windows:
        raise errors.UserError(
            f"a clip of {len(lips)} frames has no {num_windows} different windows; "
            "encode longer clips or set windows_per_clip lower."
        )
    starts = generator.choice(num_starts, num_windows, replace=False)
    frames = starts[:, None] + np.arange(sizes.window_frames)[None]
    corner = generator.integers(0, margin + 1, 2)
    shake = generator.integers(0, 2 * MAX_SHAKE + 1, (*frames.shape, 2))
    rows, columns = (
        corner[axis] + shake[..., axis, None] + np.arange(sizes.image_size)
        for axis in (0, 1)
    )
    seen = lips[frames[..., None, None], rows[..., :, None], columns[..., None, :]]
    if generator.random() < 0.5:
        seen = seen[..., ::-1]
    return {
        "lips": np.ascontiguousarray(seen),
        "audio": features[frames].astype(np.float32),
        "frame": starts.astype(np.int32),
    }


class LipSyncTask:
    """Train both networks on windows that `cut` made; see `task.Task`.

    Args:
        sizes: of the networks.
    """

    def __init__(self, sizes: LipSyncConfig):
        self.sizes = sizes
        self.losses = {GROUP: self.loss}
        self._network = LipSync(sizes)

    def init(self, key: jax.Array) -> task.Params:
        """Return the parameters."""
        sizes = self.sizes
        lips = jnp.zeros((1, sizes.window_frames, sizes.image_size, sizes.image_size))
        features = jnp.zeros((1, sizes.window_frames, sizes.num_audio_channels))
        return {GROUP: self._network.init(key, lips, features)["params"]}

    def loss(
        self, params: task.Params, batch: task.Batch, key: jax.Array, step: Any
    ) -> tuple[jax.Array, task.Outputs]:
        """Return the mean loss of a batch `[B, K, W, ...]`, and what it is made of.

        Follows: Chung et al. 2019, Perfect match (one right sound among many of the
        clip, by cross entropy). Ours: both ways, as in CLIP.
        """
        del key, step
        lips = jax.vmap(disturb)(batch[task.EXAMPLE_KEY_FIELD], batch["lips"])
        seen, heard, log_scale = self._embed(params, lips, batch["audio"])
        values = jax.vmap(contrastive.contrastive_loss, (0, 0, None))(
            seen, heard, log_scale
        )
        metrics = {
            "accuracy": jax.vmap(contrastive.found_partner)(seen, heard).mean(),
            "cosine": jnp.sum(seen * heard, axis=-1).mean(),
            "logit_scale": contrastive.logit_scale(log_scale),
        }
        return values.mean(), task.Outputs(metrics)

    def evaluate(
        self, params: task.Params, batch: task.Batch, key: jax.Array
    ) -> dict[str, Any]:
        """Compare held-out windows, undisturbed.

        Returns:
            Metric states: `loss`, `accuracy` at finding the sound among the windows of
            the clip, `far_accuracy` at telling the right sound from one that is
            `APART_FRAMES` or more away, pair by pair.
        """
        del key
        seen, heard, log_scale = self._embed(params, batch["lips"], batch["audio"])
        across = jnp.einsum("bic,bjc->bij", seen, heard)
        own = jnp.einsum("bii->bi", across)[..., None]
        apart = jnp.abs(batch["frame"][:, :, None] - batch["frame"][:, None])
        values = jax.vmap(contrastive.contrastive_loss, (0, 0, None))(
            seen, heard, log_scale
        )
        found = jax.vmap(contrastive.found_partner)(seen, heard)
        mean = metric_states.Mean.from_batch
        return {
            "loss": mean(values),
            "accuracy": mean(found),
            "far_accuracy": mean(
                (own > across).astype(jnp.float32), apart >= APART_FRAMES
            ),
        }

    def _embed(self, params, lips, audio):
        """Embed windows `[B, K, W, ...]` as `[B, K, E]`."""
        count = lips.shape[1]
        seen, heard, log_scale = self._network.apply(
            {"params": params[GROUP]},
            einops.rearrange(lips, "b k w h v -> (b k) w h v"),
            einops.rearrange(audio, "b k w c -> (b k) w c"),
        )
        seen, heard = (
            einops.rearrange(rows, "(b k) e -> b k e", k=count)
            for rows in (seen, heard)
        )
        return seen, heard, log_scale


def disturb(key: jax.Array, lips: jax.Array) -> jax.Array:
    """Change contrast and add noise, frame by frame, to windows `[K, W, H, H]`."""
    gain_key, size_key, noise_key = jax.random.split(key, 3)
    lips = lips.astype(jnp.float32)
    gain = jax.random.uniform(
        gain_key, (*lips.shape[:2], 1, 1), minval=1 - GAIN, maxval=1 + GAIN
    )
    middle = lips.mean((2, 3), keepdims=True)
    size = NOISE_LEVELS * jax.random.uniform(size_key)
    noise = size * jax.random.normal(noise_key, lips.shape)
    return middle + gain * (lips - middle) + noise

"""The task of the lip-sync network: which sound of a clip belongs to which lips."""

from collections.abc import Mapping
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.evaluation.networks import contrastive, lip_sync
from vasa_jax.train import metric_states, task

GROUP = "sync"
"""Name of the trained group, in states and exports."""

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


def cut(
    record: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    *,
    sizes: lip_sync.LipSyncConfig,
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
        raise UserError(
            f"a clip has {len(lips)} frames of lips and {len(features)} of audio; "
            "encode it again (python -m experiments.tools.encode_lips)."
        )
    margin = lips.shape[1] - sizes.image_size - 2 * MAX_SHAKE
    if margin < 0:
        raise UserError(
            f"lips of {lips.shape[1]} pixels are too small for windows of "
            f"{sizes.image_size}; set model.image_size lower."
        )
    num_places = len(lips) - sizes.window_frames + 1
    if num_places < num_windows:
        raise UserError(
            f"a clip of {len(lips)} frames has no {num_windows} different windows; "
            "encode longer clips or set windows_per_clip lower."
        )
    places = generator.choice(num_places, num_windows, replace=False)
    frames = places[:, None] + np.arange(sizes.window_frames)[None]
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
        "frame": places.astype(np.int32),
    }


class LipSyncTask:
    """Train both networks on windows that `cut` made; see `task.Task`.

    Args:
        sizes: of the networks.
    """

    def __init__(self, sizes: lip_sync.LipSyncConfig):
        self.sizes = sizes
        self.losses = {GROUP: self.loss}
        self._network = lip_sync.LipSync(sizes)

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

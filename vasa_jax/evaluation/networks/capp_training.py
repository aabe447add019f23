"""The task of CAPP: from windows of clips to the contrastive loss."""

from collections.abc import Mapping
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.evaluation.networks import capp, contrastive
from vasa_jax.train import metric_states, task

WINDOWS_PER_CLIP = 4
"""Ours: windows of one clip, each shifted against the others, are what makes the score
fall with a shift; windows of other clips alone are told apart by who speaks when."""

SHIFTS = (1, 25)
"""Least and most frames between windows of one clip. Ours: from what the paper's sanity
table shifts by to a second, small ones as often as large ones."""

SCALES = (1.8, 6.0)
"""Least and most by which head movement is strengthened or weakened to be told from the
true one. Ours: the paper's sanity table scales by 0.2 to 3; lively and calm speakers
differ by less than the least."""

POSE_NOISE = 0.004
"""Largest standard deviation of noise added to poses, radians. Ours: poses of
finished videos are measured, and frame by frame they jitter by up to a quarter of a
degree."""


def cut(
    record: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    *,
    window_frames: int,
    num_windows: int = WINDOWS_PER_CLIP,
    shifts: tuple[int, int] = SHIFTS,
) -> dict[str, np.ndarray]:
    """Cut windows out of one clip, all at different places.

    Args:
        record: `motion` `[T, M]`, whose first three channels turn the head, radians,
            and `audio_features` `[T, A]`.
        generator: source of chance, owned by the data pipeline.
        window_frames: W.
        num_windows: K.
        shifts: least and most frames from the first window to another, where the clip
            is long enough.

    Returns:
        float32 `rotation` `[K, W, 3]` and `audio` `[K, W, A]`.

    Raises:
        UserError: motion and sound differ in length, or the clip has no K different
            windows.
    """
    rotation = np.asarray(record["motion"], np.float32)[:, : capp.ROTATION_CHANNELS]
    num_frames, num_starts = len(rotation), len(rotation) - window_frames + 1
    if len(record["audio_features"]) != num_frames:
        raise UserError(
            f"an encoded clip has {num_frames} frames of motion and "
            f"{len(record['audio_features'])} of audio; encode it again."
        )
    if num_starts < num_windows:
        raise UserError(
            f"a clip of {num_frames} frames has no {num_windows} different windows of "
            f"{window_frames}; encode longer clips (python -m "
            "experiments.encode_performances), or set windows_per_clip or "
            "model.window_frames "
            "lower."
        )
    first = int(generator.integers(num_starts))
    others = np.delete(np.arange(num_starts), first)
    # As many near as far, because the near ones are the harder.
    apart = np.abs(others - first)
    weights = np.where(
        (apart >= shifts[0]) & (apart <= shifts[1]), 1 / apart, 1e-6 / apart
    )
    chosen = generator.choice(
        others, num_windows - 1, replace=False, p=weights / weights.sum()
    )
    starts = np.array([first, *chosen])
    frames = starts[:, None] + np.arange(window_frames)[None]
    features = np.asarray(record["audio_features"])[frames]
    return {"rotation": rotation[frames], "audio": features.astype(np.float32)}


class CappTask:
    """Train both encoders on windows that `cut` made; see `task.Task`.

    Args:
        sizes: of the network.
    """

    def __init__(self, sizes: capp.CappConfig):
        self.sizes = sizes
        self.losses = {capp.GROUP: self.loss}
        self._network = capp.Capp(sizes)

    def init(self, key: jax.Array) -> task.Params:
        """Return the parameters."""
        frames = self.sizes.window_frames
        features = jnp.zeros((1, frames, self.sizes.num_audio_channels))
        rotation = jnp.zeros((1, frames, capp.ROTATION_CHANNELS))
        return {capp.GROUP: self._network.init(key, features, rotation)["params"]}

    def loss(
        self, params: task.Params, batch: task.Batch, key: jax.Array, step: Any
    ) -> tuple[jax.Array, task.Outputs]:
        """Return the mean loss of a batch `[B, K, W, ...]`, and what it is made of.

        Paper: VASA-1 section 4.1 (CLIP's loss). Ours: all windows of all clips are one
        batch, and voices are contrasted with scaled movement, too.
        """
        del key, step
        keys = jax.vmap(lambda row: jax.random.split(row, 3))(
            batch[task.EXAMPLE_KEY_FIELD]
        )
        rotation = _with_noise(batch["rotation"], keys[:, 0], keys[:, 1])
        voice, movement, log_scale = self._embed(params, batch["audio"], rotation)
        # Of one window a clip, which costs a quarter of all of them.
        factors = jax.vmap(lambda k: draw_scales(k, 1))(keys[:, 2])
        scaled = self._embed_pose(params, scale_turns(rotation[:, :1], factors))
        values = contrastive.contrastive_loss(voice, movement, log_scale, scaled)
        own = einops.rearrange(voice, "(b k) e -> b k e", k=rotation.shape[1])[:, 0]
        metrics = {
            "accuracy": contrastive.found_partner(voice, movement).mean(),
            "cosine": jnp.sum(voice * movement, axis=-1).mean(),
            "logit_scale": contrastive.logit_scale(log_scale),
            "cosine_scaled": jnp.sum(own * scaled, axis=-1).mean(),
        }
        return values.mean(), task.Outputs(metrics)

    def evaluate(
        self, params: task.Params, batch: task.Batch, key: jax.Array
    ) -> dict[str, Any]:
        """Compare held-out windows, without noise.

        Returns:
            Metric states: `loss`, `accuracy` at finding the partner among all windows
            of the batch, and mean cosines: of partners, `cosine`; with another window
            of the same clip, `cosine_shifted`; with one of another clip,
            `cosine_other`.
        """
        del key
        rotation = batch["rotation"]
        voice, movement, log_scale = self._embed(params, batch["audio"], rotation)
        count = rotation.shape[1]

        def cosine(rows):
            return metric_states.Mean.from_batch(jnp.sum(voice * rows, axis=-1))

        by_clip = einops.rearrange(movement, "(b k) c -> b k c", k=count)
        shifted = einops.rearrange(jnp.roll(by_clip, 1, 1), "b k c -> (b k) c")
        other = einops.rearrange(jnp.roll(by_clip, 1, 0), "b k c -> (b k) c")
        return {
            "loss": metric_states.Mean.from_batch(
                contrastive.contrastive_loss(voice, movement, log_scale)
            ),
            "accuracy": metric_states.Mean.from_batch(
                contrastive.found_partner(voice, movement)
            ),
            "cosine": cosine(movement),
            "cosine_shifted": cosine(shifted),
            "cosine_other": cosine(other),
        }

    def _embed(self, params, audio, rotation):
        """Embed windows `[B, K, W, ...]` as rows `[B * K, E]`."""
        return self._network.apply(
            {"params": params[capp.GROUP]},
            einops.rearrange(audio, "b k w c -> (b k) w c"),
            einops.rearrange(rotation, "b k w c -> (b k) w c"),
        )

    def _embed_pose(self, params, rotation):
        return self._network.apply(
            {"params": params[capp.GROUP]},
            einops.rearrange(rotation, "b k w c -> (b k) w c"),
            method="embed_pose",
        )


def draw_scales(key: jax.Array, count: int) -> jax.Array:
    """Draw factors `[count]`, as often above 1 as below, none near 1."""
    size_key, side_key = jax.random.split(key)
    low, high = np.log(SCALES)
    size = jax.random.uniform(size_key, (count,), minval=low, maxval=high)
    return jnp.exp(jax.random.rademacher(side_key, (count,), size.dtype) * size)


def scale_turns(rotation: jax.Array, factors: jax.Array) -> jax.Array:
    """Scale head turns `[..., W, 3]` about their mean by factors `[...]`."""
    middle = rotation.mean(axis=-2, keepdims=True)
    return middle + (rotation - middle) * factors[..., None, None]


def _with_noise(rotation, size_keys, noise_keys):
    """Add noise of a strength of its own to the windows `[B, K, W, 3]` of each clip."""
    size = POSE_NOISE * jax.vmap(jax.random.uniform)(size_keys)
    noise = jax.vmap(lambda key: jax.random.normal(key, rotation.shape[1:]))(noise_keys)
    return rotation + size[:, None, None, None] * noise

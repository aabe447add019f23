"""How the two networks that score learn: CAPP, and the one for lips.

Both tasks cut windows out of clips and contrast what is seen with what is heard; see
`vasa_jax.evaluation.networks.contrastive`.
"""

from collections.abc import Mapping
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.evaluation.networks import capp, contrastive, lip_sync
from vasa_jax.train import metric_states, task

CAPP_WINDOWS = 4
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

LIP_WINDOWS = 20
"""Ours: of the 71 windows that 3 s have; all negatives are of the same clip, at other
offsets, because whose voice it is must not help."""

MAX_SHAKE = 1
"""Pixels by which a frame of a window may lie beside the others. Ours: poses of
finished videos are measured and jitter."""

GAIN, NOISE_LEVELS = 0.2, 4.0
"""Largest change of contrast from frame to frame, as a share, and standard deviation of
noise, grey levels. Ours: lights flicker and codecs err."""


def cut_turns(
    record: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    *,
    window_frames: int,
    num_windows: int = CAPP_WINDOWS,
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
    """Train both encoders on windows that `cut_turns` made; see `task.Task`.

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


def cut_lips(
    record: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    *,
    sizes: lip_sync.LipSyncConfig,
    num_windows: int = LIP_WINDOWS,
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
    num_starts = len(lips) - sizes.window_frames + 1
    if num_starts < num_windows:
        raise UserError(
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
    """Train both networks on windows that `cut_lips` made; see `task.Task`.

    Args:
        sizes: of the networks.
    """

    def __init__(self, sizes: lip_sync.LipSyncConfig):
        self.sizes = sizes
        self.losses = {lip_sync.GROUP: self.loss}
        self._network = lip_sync.LipSync(sizes)

    def init(self, key: jax.Array) -> task.Params:
        """Return the parameters."""
        sizes = self.sizes
        lips = jnp.zeros((1, sizes.window_frames, sizes.image_size, sizes.image_size))
        features = jnp.zeros((1, sizes.window_frames, sizes.num_audio_channels))
        return {lip_sync.GROUP: self._network.init(key, lips, features)["params"]}

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
            `lip_sync.APART_FRAMES` or more away, pair by pair.
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
                (own > across).astype(jnp.float32), apart >= lip_sync.APART_FRAMES
            ),
        }

    def _embed(self, params, lips, audio):
        """Embed windows `[B, K, W, ...]` as `[B, K, E]`."""
        count = lips.shape[1]
        seen, heard, log_scale = self._network.apply(
            {"params": params[lip_sync.GROUP]},
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

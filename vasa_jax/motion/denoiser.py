"""The motion denoiser H: a transformer over conditions and noisy motion in one row."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import types
from vasa_jax.motion import diffusion, transformer
from vasa_jax.motion.config import MotionConfig

TOKEN_TYPES = (
    "gaze",
    "distance",
    "emotion",
    "liveliness",
    "previous_motion",
    "previous_audio",
    "audio",
    "motion",
    "step",
)
"""The kinds of token, in the order of the row. Paper: VASA-1 section 3.2."""

MLP_RATIO = 4
"""Hidden width of MLPs over a token's. Ours: the paper does not print it; 4 fits its
count of 29 M parameters."""

EMBEDDING_SCALE = 0.02
"""Spread of learned tokens at the start. Follows: BERT, ViT."""


class MotionDenoiser(nn.Module):
    """Predict clean motion from noisy motion, diffusion step and conditions.

    Paper: VASA-1 section 3.2: a transformer encoder that sees the noisy motion and all
    conditions concatenated along the time axis and predicts x_0. Ours: tokens of one
    frame (audio and motion, window and previous window) share the embedding of that
    frame's place in time, on top of one embedding per type of token; the previous
    window is projected as the window is, so that joining it is learned as smoothness.
    Head poses of both count from the last one before the window, which has a projection
    of its own: where heads face differs by several times as much as they move, so
    windows that were placed among all of it began a degree beside the one before.
    Windows may be of any length up to W, which costs less.

    Attributes:
        config: sizes.
    """

    config: MotionConfig

    @nn.compact
    def __call__(
        self,
        noisy_motion: jax.Array,
        diffusion_step: jax.Array,
        conditions: types.Conditions,
    ) -> jax.Array:
        """Predict x_0.

        Args:
            noisy_motion: x_t, float32 `[B, T, M]`, normalised, T at most W.
            diffusion_step: int `[B]` in [0, S).
            conditions: batch of B, with normalised `previous_motion`.

        Returns:
            Predicted clean motion, float32 `[B, T, M]`; what is past a window's end
            means nothing.
        """
        config = self.config
        dtype = jnp.dtype(config.dtype)
        anchor = _last_pose(conditions)
        level = diffusion.cosine_schedule(config.num_diffusion_steps)
        signal = level.at(diffusion_step).over_frames().signal
        groups = self._project(
            noisy_motion - signal * anchor, anchor, conditions, dtype
        )
        groups |= self._null_where_dropped(groups, conditions)
        groups["step"] = self._step_token(diffusion_step, dtype)
        groups = self._embed_positions(groups)
        num_frames = noisy_motion.shape[1]
        tokens = jnp.concatenate([groups[name] for name in TOKEN_TYPES], axis=1)
        tokens = transformer.TransformerEncoder(
            num_layers=config.num_layers,
            reach=config.previous_frames + config.window_frames - 1,
            num_heads=config.num_heads,
            mlp_ratio=MLP_RATIO,
            use_remat=config.use_remat,
            dtype=dtype,
            name="encoder",
        )(
            tokens.astype(dtype),
            self._token_frames(num_frames),
            _is_seen(groups, conditions.past_end),
        )
        start = sum(groups[name].shape[1] for name in TOKEN_TYPES[:-2])
        window = tokens[:, start : start + num_frames]
        head = nn.Dense(
            config.num_motion_channels,
            kernel_init=nn.initializers.normal(EMBEDDING_SCALE),
            dtype=jnp.float32,
            name="motion_out",
        )
        return head(window.astype(jnp.float32)) + anchor

    def _token_frames(self, num_frames: int) -> np.ndarray:
        """Return the frame of every token; the window's first is 0."""
        window = np.arange(num_frames)
        previous = np.arange(-self.config.previous_frames, 0)
        outside = np.array([transformer.NO_FRAME])
        frames = {
            "previous_motion": previous,
            "previous_audio": previous,
            "audio": window,
            "motion": window,
        }
        return np.concatenate([frames.get(name, outside) for name in TOKEN_TYPES])

    def _project(
        self,
        noisy_motion: jax.Array,
        anchor: jax.Array,
        conditions: types.Conditions,
        dtype: jnp.dtype,
    ) -> dict[str, jax.Array]:
        """Project motion and conditions to tokens, those of one kind alike."""

        def dense(name):
            return nn.Dense(self.config.width, dtype=dtype, name=f"{name}_in")

        motion, audio = dense("motion"), dense("audio")
        return {
            "gaze": dense("gaze")(conditions.gaze[:, None]),
            "distance": dense("distance")(conditions.head_distance[:, None]),
            "emotion": dense("emotion")(conditions.emotion[:, None]),
            "liveliness": dense("liveliness")(conditions.liveliness[:, None]),
            "previous_motion": motion(conditions.previous_motion - anchor)
            + dense("place")(anchor[..., : types.POSE_CHANNELS]),
            "previous_audio": audio(conditions.previous_audio),
            "audio": audio(conditions.audio),
            "motion": motion(noisy_motion),
        }

    def _null_where_dropped(
        self, projected: dict[str, jax.Array], conditions: types.Conditions
    ) -> dict[str, jax.Array]:
        """Put learned null tokens in the place of what is dropped."""
        dtype = projected["audio"].dtype
        drops = {
            "gaze": conditions.gaze_dropped[:, None],
            "distance": conditions.distance_dropped[:, None],
            "emotion": conditions.emotion_dropped[:, None],
            "liveliness": conditions.liveliness_dropped[:, None],
            "previous_motion": conditions.previous_dropped[:, None],
            "previous_audio": conditions.previous_dropped[:, None],
            "audio": conditions.audio_dropped[:, None],
        }
        tokens = {}
        for name, is_dropped in drops.items():
            null = self.param(
                f"{name}_null",
                nn.initializers.normal(EMBEDDING_SCALE),
                (self.config.width,),
            ).astype(dtype)
            tokens[name] = jnp.where(
                is_dropped[..., None], null[None, None], projected[name]
            )
        return tokens

    def _step_token(self, diffusion_step: jax.Array, dtype: jnp.dtype) -> jax.Array:
        """Embed the diffusion step `[B]` as one token `[B, 1, width]`."""
        config = self.config
        position = diffusion_step * (1000.0 / config.num_diffusion_steps)
        x = transformer.sinusoids(position, config.width, max_period=10_000.0)
        x = nn.Dense(MLP_RATIO * config.width, dtype=dtype, name="step_in")(x)
        x = nn.Dense(config.width, dtype=dtype, name="step_out")(nn.silu(x))
        return x[:, None]

    def _embed_positions(self, groups: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Add to each token its type and, where it has one, its place in time."""
        config = self.config
        total = config.previous_frames + config.window_frames
        types_table = self.param(
            "type_embedding",
            nn.initializers.normal(EMBEDDING_SCALE),
            (len(TOKEN_TYPES), config.width),
        )
        times_table = self.param("time_embedding", _init_times, (total, config.width))
        previous, window = jnp.split(times_table, [config.previous_frames])
        window = window[: groups["motion"].shape[1]]
        positions = {
            "previous_motion": previous,
            "previous_audio": previous,
            "audio": window,
            "motion": window,
        }
        embedded = {}
        for row, name in enumerate(TOKEN_TYPES):
            embedding = types_table[row][None]
            if name in positions:
                embedding = embedding + positions[name]
            embedded[name] = groups[name] + embedding[None].astype(groups[name].dtype)
        return embedded


def _is_seen(groups: dict[str, jax.Array], past_end: jax.Array) -> jax.Array:
    """Return which tokens `[B, L]` stand before the end of their window."""
    ends = {"audio": past_end, "motion": past_end}
    everywhere = jnp.zeros((len(past_end), 1), bool)
    is_past = [
        jnp.broadcast_to(ends.get(name, everywhere), groups[name].shape[:2])
        for name in TOKEN_TYPES
    ]
    return ~jnp.concatenate(is_past, axis=1)


def _last_pose(conditions: types.Conditions) -> jax.Array:
    """Return the head pose before the window, 0 where it is not shown, `[B, 1, M]`.

    Facial dynamics are 0.
    """
    last = conditions.previous_motion[:, -1:]
    is_pose = jnp.arange(last.shape[-1])[None, None] < types.POSE_CHANNELS
    return jnp.where(is_pose & ~conditions.previous_dropped[:, None, None], last, 0.0)


def _init_times(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """Start the embedding of time as sinusoids, so that near frames look alike."""
    del key
    return transformer.sinusoids(jnp.arange(shape[0]), shape[1], max_period=1000.0)

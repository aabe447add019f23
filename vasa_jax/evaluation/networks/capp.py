"""CAPP: embeds three seconds of a voice and of head movement in one space, and scores.

Paper: VASA-1 section 4.1: contrastive audio-pose pretraining in the manner of CLIP; the
audio encoder starts from wav2vec 2.0, the pose encoder is a transformer of 6 layers,
windows last 3 s; the score is the cosine of the two embeddings. By the two sanity
tables of its appendix the score falls where the movement is shifted against the voice,
and where it is scaled.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config, errors, types
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

GROUP = "capp"
"""Name of the trained group, in states and exports."""

STEP_FRAMES = 12
"""Frames from one window of a clip to the next. Ours: about half a second."""

SHIFTS = (0, 1, 2, 3, 4, 8, 12, 25)
"""Frames of the first table. Paper: 0 to 4. Ours: the wider ones, because synthetic
movement is smoother than life."""

SCALES = (0.2, 0.5, 1.0, 1.5, 3.0)
"""Factors of the second table. Paper: the same."""


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


@functools.partial(jax.jit, static_argnums=0)
def _apply(sizes, params, rotation, features):
    voice, movement, _ = Capp(sizes).apply({"params": params}, features, rotation)
    return movement, voice


KIND = contrastive.Kind(
    name="capp",
    title="CAPP network",
    group=GROUP,
    sizes=CappConfig,
    apply=_apply,
    fit=lambda sizes, rotation: np.asarray(rotation, np.float32),
    batch_windows=4,  # a clip of four seconds has three windows that are scored
)


def score(
    scorer: contrastive.Scorer,
    features: np.ndarray,
    rotation: np.ndarray,
    late: int = 0,
) -> float:
    """Return the mean cosine over the windows of a clip.

    Args:
        scorer: the CAPP network.
        features: `[T, A]` of the voice, as from `Scorer.hear`.
        rotation: `[T, 3]` yaw, pitch and roll of the head, radians; not a number
            where the head is not seen; what is longer of both is cut.
        late: frames by which the sound is taken later than the movement; negative:
            earlier.

    Returns:
        Of the windows that show the head all along; not a number if there are none.

    Raises:
        UserError: the clip is shorter than a window and the shift.
    """
    window = scorer.sizes.window_frames
    num_frames = min(len(features), len(rotation))
    last = num_frames - window - max(0, late)
    starts = np.arange(max(0, -late), last + 1, STEP_FRAMES)
    if not len(starts):
        raise errors.UserError(
            f"CAPP takes clips of at least {window} frames, and {abs(late)} more to "
            f"shift them; this one has {num_frames}."
        )
    starts = starts[_is_whole(rotation, starts, window)]
    if not len(starts):
        return np.nan
    seen, heard = scorer.embed(rotation, features, starts, late)
    return float((seen * heard).sum(axis=-1).mean())


def has_window(features: np.ndarray, rotation: np.ndarray, num_frames: int) -> bool:
    """Tell whether a window that is scored shows the head all along.

    Args:
        features, rotation: as of `score`.
        num_frames: of a window.
    """
    num_both = min(len(features), len(rotation))
    starts = np.arange(0, num_both - num_frames + 1, STEP_FRAMES)
    return bool(_is_whole(rotation, starts, num_frames).any())


def _is_whole(rotation: np.ndarray, starts: np.ndarray, num_frames: int) -> np.ndarray:
    """Tell which windows show the head all along, bool `[n]`."""
    frames = starts[:, None] + np.arange(num_frames)[None]
    return np.isfinite(rotation)[frames].all(axis=(1, 2))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SanityTables:
    """Both tables, means over clips.

    Attributes:
        shifts: score by frames of shift to either side.
        scales: score by factor of the movement.
        num_clips: that were measured.
        num_clips_of_shift: clips long enough, by shift.
    """

    shifts: Mapping[int, float]
    scales: Mapping[float, float]
    num_clips: int
    num_clips_of_shift: Mapping[int, int]


def sanity_tables(
    scorer: contrastive.Scorer,
    clips: Sequence[tuple[np.ndarray, np.ndarray]],
    shifts: Sequence[int] = SHIFTS,
    scales: Sequence[float] = SCALES,
) -> SanityTables:
    """Measure how the score answers to shifts and to stronger and weaker movement.

    Args:
        scorer: the network.
        clips: features `[T, A]` and rotation `[T, 3]` of each, as of `score`; those
            too short for a shift are left out of its mean.
        shifts, scales: columns of the tables.

    Raises:
        UserError: no clip is as long as a window.
    """
    window = scorer.sizes.window_frames
    long_enough = [both for both in clips if has_window(*both, window)]
    config.require(
        len(long_enough) > 0,
        f"No clip has the {window} frames of a window; give longer ones "
        f"({window / types.FRAME_RATE_HZ:g} s).",
    )
    by_shift: dict[int, list[float]] = {shift: [] for shift in shifts}
    by_scale: dict[float, list[float]] = {scale: [] for scale in scales}
    for features, rotation in long_enough:
        spare = min(len(features), len(rotation)) - window
        for shift in shifts:
            if shift <= spare:
                both = [score(scorer, features, rotation, s) for s in (shift, -shift)]
                if np.isfinite(both).all():
                    by_shift[shift].append(float(np.mean(both)))
        for scale in scales:
            # About which mean makes no difference, as windows are centred again.
            turned = scale * np.asarray(rotation, np.float64)
            by_scale[scale].append(score(scorer, features, turned))
    return SanityTables(
        shifts={k: float(np.mean(v)) for k, v in by_shift.items() if v},
        scales={k: float(np.mean(v)) for k, v in by_scale.items()},
        num_clips=len(long_enough),
        num_clips_of_shift={k: len(v) for k, v in by_shift.items()},
    )

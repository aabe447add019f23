"""Both models with random parameters, for benchmarks and tests."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import types
from vasa_jax.animate import trained
from vasa_jax.audio import encoders, wav2vec2_encoder
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.motion import conditions, denoiser, normalization
from vasa_jax.motion import config as motion_config

POSE_STD = 0.1
"""Ours: radians and image units by which untrained heads move about their rest."""


class UntrainedWav2Vec2(wav2vec2_encoder.Wav2Vec2Encoder):
    """wav2vec 2.0 with drawn weights, where its published file is not at hand."""

    def load_variables(self) -> dict[str, Any]:
        """Draw variables of the network in its own sizes."""
        heard = jnp.zeros((1, 2 * self.network.seen_samples))
        return {"params": jax.device_put(_draw(0, self.network, heard))}


class UntrainedModels(trained.TrainedModels):
    """Models whose audio encoder needs no file either."""

    def audio_encoder(self) -> encoders.AudioEncoder:
        """Make the audio encoder, untrained if its weights are not in the package."""
        if self.animation.audio_encoder == wav2vec2_encoder.NAME:
            return UntrainedWav2Vec2()
        return super().audio_encoder()


def make(
    face: face_config.FaceConfig,
    motion: motion_config.MotionConfig,
    animation: trained.AnimationConfig,
    seed: int = 0,
) -> trained.TrainedModels:
    """Make models that nothing was taught, in the sizes of their configurations.

    Ours: drawn on the host from the shapes alone, in seconds, where compiling the
    modules' own initialisers takes minutes.

    Args:
        face: of the face model.
        motion: of the denoiser; channels must fit.
        animation: names the audio encoder.
        seed: of the parameters.

    Returns:
        The models, with statistics of heads that move a little about their rest.

    Raises:
        UserError: the configurations do not fit together.
    """
    channels = motion.num_motion_channels
    statistics = normalization.identity(channels, motion.num_audio_channels)
    at_rest = np.zeros(channels, np.float32)
    at_rest[types.POSE_CHANNELS - 1] = 1.0
    moving = statistics.motion.replace(
        mean=jnp.asarray(at_rest), deviation=jnp.full(channels, POSE_STD)
    )
    image = jnp.zeros((1, face.image_size, face.image_size, 3))
    return UntrainedModels(
        face_config=face,
        face_params=_draw(seed, face_model.FaceModel(face), image, image),
        motion_config=motion,
        motion_params=_draw(
            seed, denoiser.MotionDenoiser(motion), *denoiser_inputs(motion)
        ),
        statistics=statistics.replace(motion=moving),
        animation=animation,
    )


def preset(name: str, seed: int = 0) -> trained.TrainedModels:
    """Make untrained models of a preset.

    Ours: each with the audio encoder that it is trained with, wav2vec 2.0 untrained as
    the rest, so that speed is that of the real one.

    Args:
        name: of `face.config.PRESETS` and `motion.config.PRESETS`.
        seed: of the parameters.

    Returns:
        The models.
    """
    face = face_config.PRESETS[name]()
    animation = trained.PRESETS[name]()
    motion = motion_config.PRESETS[name](
        num_facial_dynamics=face.dynamics_channels,
        num_audio_channels=encoders.make(animation.audio_encoder).num_channels,
    )
    return make(face, motion, animation, seed)


def denoiser_inputs(
    config: motion_config.MotionConfig, batch_size: int = 1
) -> tuple[jax.Array, jax.Array, types.Conditions]:
    """Return zeros in the shapes that the denoiser takes.

    Ours: for tracing, and for counting operations.

    Args:
        config: of the denoiser.
        batch_size: B.

    Returns:
        Noisy motion `[B, W, M]`, diffusion steps `[B]` and conditions.
    """
    window = (batch_size, config.window_frames)
    previous = (batch_size, config.previous_frames)
    nothing = conditions.build(
        audio=jnp.zeros((*window, config.num_audio_channels)),
        previous_motion=jnp.zeros((*previous, config.num_motion_channels)),
        previous_audio=jnp.zeros((*previous, config.num_audio_channels)),
        gaze=jnp.zeros((batch_size, 2)),
        head_distance=jnp.ones((batch_size, 1)),
        emotion=jnp.zeros((batch_size, len(types.EMOTIONS))),
        liveliness=jnp.zeros((batch_size, 1)),
    )
    noise = jnp.zeros((*window, config.num_motion_channels))
    return noise, jnp.zeros(batch_size, jnp.int32), nothing


def _draw(seed: int, module: nn.Module, *inputs: Any) -> dict[str, Any]:
    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)["params"]
    generator = np.random.default_rng(seed)

    def draw(path: tuple[Any, ...], leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        if path[-1].key == "scale":
            return np.ones(leaf.shape, np.float32)
        fan_in = max(1, int(np.prod(leaf.shape[:-1])))
        values = generator.standard_normal(leaf.shape, np.float32)
        return values * np.float32(fan_in**-0.5)

    return jax.tree_util.tree_map_with_path(draw, shapes)

"""Tiny untrained models as a checkpoint, a voice and a photo, for many tests.

The conftest imports this for every run, so the fixtures import what they need.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest


def _fill(module, *inputs):
    """Return random parameters without compiling the module's own `init`."""
    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)["params"]
    generator = np.random.default_rng(0)

    def fill(path, leaf):
        if path[-1].key == "scale":
            return np.ones(leaf.shape, np.float32)
        fan_in = max(1, np.prod(leaf.shape[:-1]))
        return generator.normal(0, fan_in**-0.5, leaf.shape).astype(np.float32)

    return jax.tree_util.tree_map_with_path(fill, shapes)


def _motion_params(config):
    from vasa_jax.motion import conditions, denoiser

    previous = (1, config.previous_frames)
    empty = conditions.build(
        audio=jnp.zeros((1, config.window_frames, config.num_audio_channels)),
        previous_motion=jnp.zeros((*previous, config.num_motion_channels)),
        previous_audio=jnp.zeros((*previous, config.num_audio_channels)),
        gaze=jnp.zeros((1, 2)),
        head_distance=jnp.ones((1, 1)),
        emotion=jnp.zeros((1, 8)),
    )
    noise = jnp.zeros((1, config.window_frames, config.num_motion_channels))
    step = jnp.zeros(1, jnp.int32)
    return _fill(denoiser.MotionDenoiser(config), noise, step, empty)


@pytest.fixture(scope="session")
def tiny_models():
    """Both models at the tests' scale, untrained, as a checkpoint holds them."""
    from vasa_jax.audio import encoders
    from vasa_jax.face import config as face_config
    from vasa_jax.face import model as face_model
    from vasa_jax.motion import config as motion_config
    from vasa_jax.motion import normalization
    from vasa_jax.pipeline import trained

    face = face_config.tiny()
    num_audio_channels = encoders.make("mel").num_channels
    motion = motion_config.tiny(
        num_facial_dynamics=face.dynamics_channels,
        num_audio_channels=num_audio_channels,
    )
    image = jnp.zeros((1, face.image_size, face.image_size, 3))
    channels = motion.num_motion_channels
    statistics = normalization.identity(channels, num_audio_channels)
    at_rest = jnp.zeros(channels).at[5].set(1.0)
    motion_statistics = statistics.motion.replace(
        mean=at_rest, deviation=jnp.full(channels, 0.1)
    )
    return trained.TrainedModels(
        face_config=face,
        face_params=_fill(face_model.FaceModel(face), image, image),
        motion_config=motion,
        motion_params=_motion_params(motion),
        statistics=statistics.replace(motion=motion_statistics),
        animation=trained.AnimationConfig(
            audio_encoder="mel", sampling=motion_config.SamplingConfig(num_steps=2)
        ),
        metadata={"step": 0},
    )


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_models, tmp_path_factory):
    """The folder of a checkpoint that holds `tiny_models`."""
    from vasa_jax.pipeline import trained

    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    trained.save(folder, tiny_models, card="# Tiny, untrained")
    return folder


@pytest.fixture(scope="session")
def voice():
    """Two seconds of a humming voice that comes and goes, 16 kHz."""
    time = np.arange(2 * 16_000) / 16_000
    tone = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 9))
    return (0.1 * tone * np.sin(2 * np.pi * 3 * time) ** 2).astype(np.float32)


@pytest.fixture(scope="session")
def rendered_photo():
    """A picture of a person who does not exist, uint8 `[288, 384, 3]`."""
    from datasets.synthetic_heads import avatar, geometry, names, renderer, scene

    still = np.zeros(len(names.ARKIT_NAMES), np.float32)
    state = geometry.FrameState(still, np.zeros(2), np.zeros(3), np.zeros(3))
    frame = renderer.Renderer(288).render(
        avatar.build_avatar(46), scene.random_scene(46), scene.camera(20.0), state
    )
    return np.pad(frame.image, ((0, 0), (48, 48), (0, 0)), mode="edge")

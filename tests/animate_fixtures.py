"""Tiny untrained models as a checkpoint, a voice and a photo, for many tests.

The conftest imports this for every run, so the fixtures import what they need.
"""

import dataclasses

import numpy as np
import pytest

from vasa_jax import arkit

_WARPS = ("source_warp", "driver_warp", "coarse_flow", "fine_flow")


@pytest.fixture(scope="session")
def tiny_models():
    """Both models at the tests' scale, untrained, as a checkpoint holds them.

    Warps are slight, as they begin, so that frames show the portrait's person.
    """
    import jax

    from experiments.tools import untrained
    from vasa_jax.animate import trained
    from vasa_jax.motion import config as motion_config

    animation = dataclasses.replace(
        trained.tiny(),
        sampling=motion_config.SamplingConfig(num_steps=2, method="ddim"),
    )
    drawn = untrained.preset("tiny")

    def calmed(path, leaf):
        return leaf * (0.05 if any(key.key in _WARPS for key in path) else 1.0)

    return dataclasses.replace(
        drawn,
        face_params=jax.tree_util.tree_map_with_path(calmed, drawn.face_params),
        animation=animation,
        metadata={"step": 0},
    )


@pytest.fixture(scope="session")
def taught_models(tiny_models):
    """`tiny_models` whose map writes what its heads read back, as far as Z channels do.

    The map is linear, and the pseudo-inverse of the heads.
    """
    import jax

    heads = np.asarray(tiny_models.face_params["dynamics_heads"]["linear"]["kernel"])
    taught = jax.tree.map(np.zeros_like, tiny_models.face_params["dynamics_map"])
    taught["linear"]["kernel"] = np.linalg.pinv(heads)
    params = {**tiny_models.face_params, "dynamics_map": taught}
    return dataclasses.replace(tiny_models, face_params=params)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_models, tmp_path_factory):
    """The folder of a checkpoint that holds `tiny_models`."""
    from vasa_jax.animate import trained

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
    from datasets.synthetic_heads.person import avatar, geometry
    from datasets.synthetic_heads.rendering import renderer, scene

    still = np.zeros(arkit.NUM_UNITS, np.float32)
    state = geometry.FrameState(still, np.zeros(2), np.zeros(3), np.zeros(3))
    frame = renderer.Renderer(288).render(
        avatar.build_avatar(46), scene.random_scene(46), scene.camera(20.0), state
    )
    return np.pad(frame.image, ((0, 0), (48, 48), (0, 0)), mode="edge")

"""Corrections drawn on the unwrapped face lie where the face is, and nowhere else."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.face.shortcut import face_detail, unwrapping

POSE = types.HeadPose.from_vector(jnp.array([[0.3, -0.1, 0.2, 0.05, -0.05, 0.8]]))


def _config(size=16):
    config = face_config.tiny()
    shortcut = dataclasses.replace(config.shortcut, detail_size=size)
    return dataclasses.replace(config, shortcut=shortcut)


def _inputs(config, pose=POSE):
    """Return what `FaceDetail` sees of a random frame."""
    keys = jax.random.split(jax.random.key(0), 5)
    cells, size = config.flow_size, config.decoder_size
    image = jax.random.uniform(keys[0], (1, 2 * size, 2 * size, 3), minval=-1.0)
    reduced, unwrapped = face_detail.reduce_portrait(image, pose, config)
    blank = jnp.zeros((1, 1, 1, 1))
    pixels = types.PortraitPixels(
        image=image,
        features=blank,
        displacement=blank,
        behind_head=blank,
        background_logits=blank,
        reduced=reduced,
        unwrapped=unwrapped,
    )
    return (
        jax.random.normal(keys[1], (1, cells, cells, 8)),
        jax.random.normal(keys[2], (1, 8, 8, 8)),
        jax.random.normal(keys[3], (1, size, size, 4)),
        geometry.image_grid(cells, cells)[None],
        pixels,
        pose,
        jax.random.normal(keys[4], (1, config.identity_channels)),
    )


def _apply(config, inputs, change=lambda params: params):
    module = face_detail.FaceDetail(config)
    params = module.init(jax.random.key(1), *inputs)
    return module.apply(change(params), *inputs)


def test_corrections_begin_at_nothing():
    config = _config()
    detail = _apply(config, _inputs(config))
    size = config.decoder_size
    assert detail.flow.shape == (1, size, size, 2)
    assert detail.painted.shape == (1, size, size, 4)
    assert not detail.flow.any() and not detail.painted.any()


def test_corrections_lie_on_the_face_and_fade_at_its_edges():
    config = _config()

    def lift(params):
        params = jax.tree.map(lambda leaf: leaf, params)
        params["params"]["flow"]["bias"] += 1.0
        params["params"]["painted"]["bias"] += 1.0
        return params

    detail = _apply(config, _inputs(config), lift)
    grid = unwrapping.grid_on_face(POSE, config.decoder_size)
    away = jnp.abs(grid).max(-1)
    inside, outside = away < 1 - face_detail.FADE - 0.1, away > 1.1
    assert inside.sum() > 20 and outside.sum() > 20
    np.testing.assert_allclose(
        detail.flow[inside], face_detail.REACH * np.tanh(1.0), rtol=1e-4
    )
    limit = face_detail.PAINTED_REACH
    np.testing.assert_allclose(
        detail.painted[inside], limit * np.tanh(1.0 / limit), rtol=1e-4
    )
    assert not detail.flow[outside].any() and not detail.painted[outside].any()


def test_a_place_of_the_face_keeps_its_cell_in_every_pose():
    """What is drawn on one eye is seen on that eye, wherever the head is."""
    size, cells = 128, 16
    eye = jnp.array([-0.21, -0.1])
    where = (eye - jnp.array(unwrapping.CENTRE)) / unwrapping.HALF_SIZE
    on_face = jnp.zeros((1, cells, cells, 1))
    column, row = ((where + 1) / 2 * cells).astype(int)
    on_face = on_face.at[0, row, column].set(1.0)
    for angles in ([0.0, 0, 0, 0, 0, 1], [0.35, 0.1, 0.2, 0.1, 0.1, 0.7]):
        pose = types.HeadPose.from_vector(jnp.array([angles]))
        laid = geometry.sample_image(on_face, unwrapping.grid_on_face(pose, size))
        shown = laid[0, ..., 0] / laid.sum()
        found = jnp.einsum("hw,hwc->c", shown, geometry.image_grid(size, size))
        surface = unwrapping.surface_points(cells)[row, column]
        asked = geometry.pose_points(surface[None, None], pose)[0, 0, :2]
        np.testing.assert_allclose(found, asked, atol=0.02)


def test_a_correction_of_the_flow_moves_the_portraits_pixels():
    """A model whose detail shifts the flow shifts the face, and only it."""
    model = face_model.FaceModel(face_config.tiny())
    image = jax.random.uniform(jax.random.key(2), (1, 32, 32, 3), minval=-1.0)
    params = jax.jit(model.init)(jax.random.key(0), image, image)
    changed = jax.tree.map(lambda leaf: leaf, params)
    changed["params"]["shortcut"]["face_detail"]["flow"]["bias"] += jnp.array([1.0, 0])

    @jax.jit
    def flow(params):
        latents = model.apply(params, image, POSE, method="encode_portrait")
        asked = latents.head_pose, latents.facial_dynamics
        frame = model.apply(params, latents, *asked, method="render")
        return frame.shortcut.flow

    moved = flow(changed) - flow(params)
    assert moved.shape == (1, 32, 32, 2)
    np.testing.assert_allclose(
        moved[..., 0].max(), face_detail.REACH * np.tanh(1.0), rtol=1e-3
    )
    assert not moved[:, 0].any() and not moved[:, -1].any()


def test_without_detail_the_model_has_none_of_its_parameters():
    config = _config(size=None)
    model = face_model.FaceModel(config)
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), image, image)
    assert "face_detail" not in shapes["params"]["shortcut"]
    assert config.correspondence_size == config.flow_size
    assert face_config.tiny().correspondence_size == 2 * config.flow_size

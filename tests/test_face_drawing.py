"""The task that teaches mouths and eyes, on made-up frames at the tests' scale."""

import jax
import numpy as np
import optax
import pytest

from vasa_jax import errors
from vasa_jax.face import config as face_config
from vasa_jax.face.drawing import eye_terms, mouth_terms, training
from vasa_jax.portrait import eyes, lips

CLIPS, FRAMES, SIZE = 2, 3, 32


@pytest.fixture(scope="module")
def task():
    return training.DrawingTask(face_config.tiny())


@pytest.fixture(scope="module")
def params(task):
    return jax.jit(task.init)(jax.random.key(0))


def _batch():
    """Frames whose lips part as their jaw drops, and whose lids fall as they blink."""
    rng = np.random.default_rng(0)
    jaw = rng.uniform(0.3, 1.0, (CLIPS, FRAMES))
    shift = rng.uniform(-0.1, 0.1, (CLIPS, FRAMES, 2))
    across = np.linspace(-1, 1, 13)
    across = np.concatenate([across, across[-2:0:-1]])
    side = np.repeat([-1.0, 1.0], [13, 11])
    x = np.broadcast_to(0.3 * across, (CLIPS, FRAMES, lips.NUM_EDGE))
    y = 0.39 + 0.2 * jaw[..., None] * side * (1 - across**2)
    edge = np.stack([x, y], axis=-1) + shift[:, :, None]
    pose = np.zeros((CLIPS, FRAMES, 6))
    pose[..., 3:5], pose[..., 5] = shift, 1.0
    arkit = np.zeros((CLIPS, FRAMES, 52))
    blink = rng.uniform(0.0, 0.9, (CLIPS, FRAMES))
    arkit[..., 17], arkit[..., 0] = jaw, blink
    open_eyes = eyes.open_eyes(1)
    middles = open_eyes.discs[0, :, :1]
    opening = np.stack([np.ones_like(blink), 1.0 - blink], axis=-1)
    rims = middles + (open_eyes.rims[0] - middles) * opening[:, :, None, None]
    corners = np.array([[-0.12, 0.0], [0.12, 0.0], [-0.12, 0.12], [0.12, 0.12]])
    teeth = corners + np.array([[[0.0, 0.3]], [[0.0, 0.4]]])
    teeth = teeth + shift[:, :, None, None]
    floats = {
        "pose": pose,
        "arkit": arkit,
        "gaze": np.zeros((CLIPS, FRAMES, 2)),
        "eye_rims": rims + shift[:, :, None, None],
        "eye_discs": open_eyes.discs[0] + shift[:, :, None, None],
        "mouth_edge": edge,
        "mouth_teeth": teeth,
    }
    batch = {name: values.astype(np.float32) for name, values in floats.items()}
    batch["image"] = np.full((CLIPS, FRAMES, SIZE, SIZE, 3), 90, np.uint8)
    batch["example_key"] = jax.random.split(jax.random.key(0), CLIPS)
    return batch


def test_only_what_draws_is_taught(task, params):
    @jax.jit
    def gradient(params):
        return jax.grad(lambda p: task.loss(p, _batch(), None, 0)[0])(params)

    found = gradient(params)["face"]
    largest = jax.tree.map(lambda x: np.abs(x).max(), jax.device_get(found))
    paths = jax.tree_util.tree_flatten_with_path(largest)[0]
    touched = {path[1].key for path, value in paths if value > 0}
    assert touched == {"mouth_shape", "eye_shape"}
    assert {path[0].key for path, value in paths if value > 0} == {"shortcut"}


def test_lips_and_lids_are_learnt(task, params):
    optimizer = optax.adam(3e-3)
    batch = _batch()

    @jax.jit
    def step(params, state):
        (_, found), gradient = jax.value_and_grad(
            lambda p: task.loss(p, batch, None, 0), has_aux=True
        )(params)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, found.metrics

    state = jax.jit(optimizer.init)(params)
    params, state, first = step(params, state)
    for _ in range(100):
        params, state, last = step(params, state)
    for name in ("mouth_gap", "mouth_places", "eye_gap", "eye_places"):
        assert last[name] < 0.5 * first[name], name


def test_distances_are_measured_in_pixels_of_256(task, params):
    measured = jax.jit(lambda p: task.evaluate(p, _batch(), None))(params)
    found = {name: float(state.compute()) for name, state in measured.items()}
    terms = jax.jit(lambda p: task.loss(p, _batch(), None, 0)[1].metrics)(params)
    expected = 128 * float(terms["mouth_gap"]) / mouth_terms.GAP
    assert found["mouth_gap_px"] == pytest.approx(expected, rel=0.2)
    assert 0.0 < found["mouth_edge_px"] < 128.0
    # Half of the gaps' errors are to the side, where lids are not apart.
    expected = 2 * 128 * float(terms["eye_gap"]) / eye_terms.GAP
    assert found["eye_gap_px"] == pytest.approx(expected, rel=0.3)
    assert 0.0 < found["eye_rims_px"] < 128.0


def test_a_model_that_draws_nothing_is_refused():
    sizes = face_config.vasa1()
    with pytest.raises(errors.UserError, match="drawn_hidden"):
        training.DrawingTask(sizes)

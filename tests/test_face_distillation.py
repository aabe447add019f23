"""A narrower decoder learns to make a wider one's frames, at the tests' scale."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import traverse_util

from experiments.configs import face as face_experiment
from vasa_jax import errors
from vasa_jax.face import config as face_config
from vasa_jax.face import distillation
from vasa_jax.face import model as face_model

CLIPS, FRAMES, SIZE = 2, 3, 32
WIDE = face_config.tiny()
NARROW = dataclasses.replace(WIDE, decoder_channels=(8, 4), detail_channels=2)


@pytest.fixture(scope="module")
def teacher():
    """Random parameters: those that begin at nothing would teach nothing."""
    image = jnp.zeros((1, SIZE, SIZE, 3))
    model = face_model.FaceModel(WIDE)
    shapes = jax.eval_shape(model.init, jax.random.key(0), image, image)["params"]
    rng = np.random.default_rng(0)

    def draw(shape):
        return (0.2 * rng.normal(size=shape.shape)).astype(np.float32)

    return jax.tree.map(draw, shapes)


@pytest.fixture(scope="module")
def task(teacher):
    return distillation.DistillationTask(NARROW, WIDE, teacher)


@pytest.fixture(scope="module")
def params(task, teacher):
    """The student as a run starts it: the teacher's parameters where they fit."""
    begun = jax.jit(task.init)(jax.random.key(1))
    theirs = traverse_util.flatten_dict(teacher)

    def choose(path, value):
        fits = theirs[path].shape == value.shape
        return jnp.asarray(theirs[path]) if fits else value

    return {**begun, "face": traverse_util.path_aware_map(choose, begun["face"])}


def _batch():
    rng = np.random.default_rng(0)
    pose = 0.1 * rng.normal(size=(CLIPS, FRAMES, 6))
    pose[..., 5] = 1.0
    image = rng.integers(0, 256, (CLIPS, FRAMES, 4, 4, 3)).repeat(8, 2).repeat(8, 3)
    return {
        "image": image.astype(np.uint8),
        "pose": pose.astype(np.float32),
        "arkit": rng.uniform(0, 1, (CLIPS, FRAMES, 52)).astype(np.float32),
        "gaze": 0.2 * rng.normal(size=(CLIPS, FRAMES, 2)).astype(np.float32),
        "example_key": jax.random.split(jax.random.key(0), CLIPS),
    }


def test_the_teacher_itself_is_no_distance_away(teacher):
    task = distillation.DistillationTask(WIDE, WIDE, teacher)
    params = {"face": teacher, "teacher": teacher}
    loss, outputs = jax.jit(lambda p: task.loss(p, _batch(), None, 0))(params)
    assert loss == 0.0
    assert set(outputs.metrics) == set(distillation.WEIGHTS)


@pytest.mark.slow
def test_only_the_decoder_and_what_hangs_on_its_widths_is_taught(task, params):
    @jax.jit
    def gradient(face):
        return jax.grad(
            lambda f: task.loss({**params, "face": f}, _batch(), None, 0)[0]
        )(face)

    found = traverse_util.flatten_dict(gradient(params["face"]), sep="/")
    touched = {name for name, value in found.items() if jnp.abs(value).max() > 0}
    for trained in distillation.TRAINED:
        assert any(name.startswith(f"{trained}/") for name in touched), trained
    assert all(
        any(name.startswith(f"{trained}/") for trained in distillation.TRAINED)
        for name in touched
    )


def test_what_is_not_trained_does_not_depend_on_the_decoders_widths(teacher, params):
    theirs = traverse_util.flatten_dict(teacher, sep="/")
    for name, value in traverse_util.flatten_dict(params["face"], sep="/").items():
        if value.shape != theirs[name].shape:
            assert name.startswith(tuple(f"{t}/" for t in distillation.TRAINED)), name


@pytest.mark.slow
def test_a_student_comes_nearer_to_its_teacher(task, params):
    optimizer = optax.adam(3e-3)
    batch = _batch()

    @jax.jit
    def step(face, state):
        (_, found), gradient = jax.value_and_grad(
            lambda f: task.loss({**params, "face": f}, batch, None, 0), has_aux=True
        )(face)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(face, updates), state, found.metrics

    face, state, first = step(params["face"], optimizer.init(params["face"]))
    for _ in range(60):
        face, state, last = step(face, state)
    for name in ("image", "painted", "mask", "flow"):
        assert last[name] < 0.8 * first[name], name


def test_an_experiment_without_a_teacher_says_how_to_name_one():
    settings = face_experiment.get_config("tiny_distillation")
    with pytest.raises(errors.UserError, match="--set=teacher="):
        face_experiment.make_task(settings)

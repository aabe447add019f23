"""Clips shorter than a window train, and what pads them counts for nothing."""

import jax
import jax.numpy as jnp
import motion_windows
import numpy as np
import pytest
from flax import serialization

from experiments.running import experiment_file
from vasa_jax.data import records
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import config, sampled_metrics
from vasa_jax.motion import training as motion_training
from vasa_jax.train import batch_names
from vasa_jax.train import task as task_lib

SIZES = config.tiny()
LENGTHS = (3, 5, 9, 12, 13, 15, 7, 11)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A batch of a set whose clips are all shorter than a window, by the experiment."""
    folder = tmp_path_factory.mktemp("short")
    generator = np.random.default_rng(4)
    for split in ("train", "validation"):
        (folder / split).mkdir()
        for index, length in enumerate(LENGTHS):
            clip = motion_windows.record(generator, length)
            records.write_npz_record(folder / split / f"{index}.npz", clip)
    module = experiment_file.load("experiments/configs/motion.py")
    settings = experiment_file.settings_of(module, "tiny", [f"data_dir={folder}"])
    experiment = experiment_file.build(module, settings)
    batch, _ = batch_names.split_names(next(experiment.train_data()))
    keys = jax.random.split(jax.random.key(1), len(LENGTHS))
    return {**batch, task_lib.EXAMPLE_KEY_FIELD: keys}


@pytest.fixture(scope="module")
def gradient():
    """The compiled loss with the gradient of all parameters, and parameters."""
    statistics = motion_windows.some_statistics()
    task = motion_training.MotionTask(SIZES, statistics)
    params = motion_windows.filled(jax.eval_shape(task.init, jax.random.key(0)))
    params["statistics"] = serialization.to_state_dict(statistics)

    def loss(params, batch):
        return task.loss(params, batch, jax.random.key(2), 0)[0]

    return jax.jit(jax.value_and_grad(loss)), params


@pytest.mark.slow
def test_a_set_of_short_clips_alone_is_trained_by_all_their_frames(short, gradient):
    assert SIZES.window_frames > max(LENGTHS)
    assert short["mask"].any(axis=1).all() and not short["mask"].all(axis=1).any()
    compute, params = gradient
    before, slope = compute(params, short)
    moved = jax.tree.map(lambda value, by: value - 1e-3 * by, params, slope)
    after, _ = compute(moved, short)
    assert np.isfinite(before) and after < before


@pytest.mark.slow
def test_what_pads_a_short_clip_changes_no_bit_of_loss_and_gradient(short, gradient):
    compute, params = gradient
    other = dict(short)
    for name in ("motion", "audio"):
        other[name] = np.where(short["mask"][..., None], short[name], 7.0)
        assert (other[name] != short[name]).any()
        other[name] = other[name].astype(short[name].dtype)
    for one, two in zip(
        jax.tree.leaves(compute(params, short)),
        jax.tree.leaves(compute(params, other)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
    known = dict(short)
    known["motion"] = np.where(short["mask"][..., None], 7.0, short["motion"])
    assert compute(params, known)[0] != compute(params, short)[0]


def test_evaluations_of_a_padded_window_are_those_of_its_own_frames():
    generator = np.random.default_rng(2)
    sampled, target = generator.normal(size=(2, 4, 16, SIZES.num_motion_channels))
    given = conditions_lib.build(
        audio=jnp.zeros((4, 16, 3)),
        previous_motion=jnp.zeros((4, 2, SIZES.num_motion_channels)),
        previous_audio=jnp.zeros((4, 2, 3)),
        gaze=jnp.zeros((4, 2)),
        head_distance=jnp.zeros((4, 1)),
        emotion=jnp.zeros((4, 8)),
        liveliness=jnp.zeros((4, 1)),
    )
    mask = np.broadcast_to(np.arange(16) < 10, (4, 16))
    compare = jax.jit(sampled_metrics.compare)
    padded = compare(sampled, target, given, mask)
    cut = compare(sampled[:, :10], target[:, :10], given, mask[:, :10])
    for name, metric in cut.items():
        np.testing.assert_allclose(
            padded[name].compute(), metric.compute(), rtol=1e-5, err_msg=name
        )

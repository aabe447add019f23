"""The lip-sync network: crops, windows, and a toy world of mouths that voices move."""

import jax
import numpy as np
import optax
import pytest

from experiments.running import scorer_training
from vasa_jax import errors
from vasa_jax.evaluation.networks import lip_sync
from vasa_jax.train import task as task_lib

SIZES = lip_sync.tiny()


def _world(num_clips, num_frames=24, seed=0):
    """Return clips whose picture is bright below where the sound is loud."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=SIZES.num_audio_channels)
    clips = []
    for _ in range(num_clips):
        loud = generator.uniform(size=num_frames)
        lips = np.full((num_frames, 10, 10), 60.0)
        lips[:, 5:] += 150 * loud[:, None, None]
        sound = np.outer(loud - 0.5, mixing) + 0.01 * generator.normal(
            size=(num_frames, SIZES.num_audio_channels)
        )
        # A constant channel carries the level past the layer norm.
        sound[:, 0] = 1.0
        clips.append({"lips": lips.astype(np.uint8), "audio_features": sound})
    return clips


def _batch(clips, seed, num_windows=8):
    generator = np.random.default_rng(seed)
    cuts = [
        scorer_training.cut_lips(c, generator, sizes=SIZES, num_windows=num_windows)
        for c in clips
    ]
    rows = {name: np.stack([c[name] for c in cuts]) for name in cuts[0]}
    rows[task_lib.EXAMPLE_KEY_FIELD] = jax.random.split(
        jax.random.key(seed), len(clips)
    )
    return rows


@pytest.fixture(scope="module")
def trained():
    """Train in the toy world; return task, parameters and the losses on the way."""
    task = scorer_training.LipSyncTask(SIZES)
    params = jax.jit(task.init)(jax.random.key(0))
    chain = optax.adam(3e-3)

    @jax.jit
    def step(params, state, batch):
        (value, _), gradient = jax.value_and_grad(task.loss, has_aux=True)(
            params, batch, jax.random.key(0), 0
        )
        updates, state = chain.update(gradient, state)
        return optax.apply_updates(params, updates), state, value, gradient

    state, losses = chain.init(params), []
    clips = _world(16)
    for number in range(100):
        batch = _batch([clips[(number * 4 + i) % 16] for i in range(4)], number)
        params, state, value, gradient = step(params, state, batch)
        losses.append(float(value))
    return task, params, losses, gradient


def test_training_lowers_the_loss_and_reaches_every_parameter(trained):
    _, _, losses, gradient = trained
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:5])
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.abs(np.asarray(leaf)).max() > 0, path


def test_the_right_sound_is_told_from_sound_of_other_frames_in_held_out_clips(trained):
    task, params, _, _ = trained
    found = jax.jit(task.evaluate)(params, _batch(_world(4, seed=5), 7), None)
    assert float(found["far_accuracy"].compute()) > 0.8
    assert float(found["accuracy"].compute()) > 2 / 8


def test_light_and_contrast_of_a_window_make_no_difference(trained):
    task, params, _, _ = trained
    batch = _batch(_world(1), 0)
    lips = batch["lips"][0].astype(np.float32)
    embed = jax.jit(
        lambda lips: lip_sync.LipSync(task.sizes).apply(
            {"params": params["sync"]}, lips, batch["audio"][0]
        )[0]
    )
    np.testing.assert_allclose(embed(lips), embed(0.7 * lips + 20), atol=1e-4)
    lengths = np.linalg.norm(embed(lips), axis=-1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-4)


def test_the_network_that_ships_stays_below_half_a_million_parameters():
    task = scorer_training.LipSyncTask(lip_sync.demo())
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) <= 500_000


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(errors.UserError, match="image_size is 20"):
        lip_sync.LipSyncConfig(image_size=20)
    with pytest.raises(errors.UserError, match="give four numbers"):
        lip_sync.LipSyncConfig(lip_channels=(1, 2))

"""CAPP: windows, encoders, and a toy world in which heads move with voices."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vasa_jax import errors
from vasa_jax.evaluation.networks import capp, capp_training
from vasa_jax.train import task as task_lib

SIZES = capp.tiny()


def _world(num_clips, num_frames=40, seed=0):
    """Return clips whose heads turn as a hidden curve that the sound also shows."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(3, SIZES.num_audio_channels))
    clips = []
    for _ in range(num_clips):
        noise = generator.normal(size=(num_frames + 4, 3))
        hidden = (noise[:-4] + noise[2:-2] + noise[4:]) / 3
        motion = np.concatenate([0.03 * hidden, np.ones((num_frames, 5))], axis=1)
        clips.append({"motion": motion, "audio_features": hidden @ mixing})
    return clips


def _batch(clips, seed, num_windows=4):
    generator = np.random.default_rng(seed)
    cuts = [
        capp_training.cut(
            clip,
            generator,
            window_frames=SIZES.window_frames,
            num_windows=num_windows,
            shifts=(1, 8),
        )
        for clip in clips
    ]
    rows = {name: np.stack([c[name] for c in cuts]) for name in cuts[0]}
    rows[task_lib.EXAMPLE_KEY_FIELD] = jax.random.split(
        jax.random.key(seed), len(clips)
    )
    return rows


@pytest.fixture(scope="module")
def trained():
    """Train in the toy world; return task, parameters and the losses on the way."""
    task = capp_training.CappTask(SIZES)
    params = task.init(jax.random.key(0))
    chain = optax.adam(5e-3)

    @jax.jit
    def step(params, state, batch):
        (value, metrics), gradient = jax.value_and_grad(task.loss, has_aux=True)(
            params, batch, jax.random.key(0), 0
        )
        updates, state = chain.update(gradient, state)
        return optax.apply_updates(params, updates), state, value, gradient

    state, losses = chain.init(params), []
    clips = _world(24)
    for number in range(120):
        batch = _batch([clips[(number * 6 + i) % 24] for i in range(6)], number)
        params, state, value, gradient = step(params, state, batch)
        losses.append(float(value))
    return task, params, losses, gradient


def test_windows_of_a_clip_begin_at_different_frames_and_keep_sound_beside_motion():
    num_frames = 30
    clip = {
        "motion": np.arange(num_frames)[:, None] * np.ones(6),
        "audio_features": 10.0 * np.arange(num_frames)[:, None],
    }
    cut = capp_training.cut(
        clip, np.random.default_rng(3), window_frames=12, num_windows=5
    )
    assert cut["rotation"].shape == (5, 12, 3)
    assert len(set(cut["rotation"][:, 0, 0])) == 5
    np.testing.assert_allclose(cut["audio"][..., 0], 10 * cut["rotation"][..., 1])
    np.testing.assert_allclose(np.diff(cut["rotation"], axis=1), 1.0)


def test_a_clip_without_enough_windows_is_refused_with_what_to_do():
    clip = _world(1, num_frames=13)[0]
    with pytest.raises(errors.UserError, match="no 4 different windows of 12"):
        capp_training.cut(clip, np.random.default_rng(0), window_frames=12)


def test_motion_and_sound_of_two_lengths_are_refused():
    clip = _world(1)[0]
    clip["audio_features"] = clip["audio_features"][:-1]
    with pytest.raises(errors.UserError, match="40 frames of motion and 39"):
        capp_training.cut(clip, np.random.default_rng(0), window_frames=12)


def test_scales_lie_on_both_sides_of_one_and_never_near_it():
    keys = jax.random.split(jax.random.key(1), 20)
    drawn = np.asarray(jax.vmap(lambda key: capp_training.draw_scales(key, 10))(keys))
    size = np.exp(np.abs(np.log(drawn)))
    low, high = capp_training.SCALES
    assert size.min() >= low - 1e-4 and size.max() <= high + 1e-3
    assert 0.3 < np.mean(drawn > 1) < 0.7


def test_scaled_turns_keep_their_mean_and_a_factor_of_one_changes_nothing():
    rotation = np.random.default_rng(0).normal(size=(2, 3, 12, 3))
    factors = np.full((2, 3), 2.0)
    scaled = np.asarray(capp_training.scale_turns(rotation, factors))
    np.testing.assert_allclose(scaled.mean(2), rotation.mean(2), atol=1e-5)
    np.testing.assert_allclose(scaled.std(2), 2 * rotation.std(2), rtol=1e-5)
    same = capp_training.scale_turns(rotation, np.ones((2, 3)))
    np.testing.assert_allclose(same, rotation, atol=1e-6)


def test_where_a_head_faces_on_the_whole_makes_no_difference(trained):
    task, params, _, _ = trained
    network = capp.Capp(task.sizes)
    rotation = _batch(_world(1), 0)["rotation"][0]
    embed = jax.jit(
        lambda r: network.apply({"params": params["capp"]}, r, method="embed_pose")
    )
    there = embed(rotation + np.array([0.4, -0.1, 0.2], np.float32))
    np.testing.assert_allclose(embed(rotation), there, atol=2e-4)


def test_training_lowers_the_loss_and_reaches_every_parameter(trained):
    _, _, losses, gradient = trained
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        if "key" in str(path[-1]) and leaf.ndim == 1:
            continue
        assert np.abs(np.asarray(leaf)).max() > 0, path


def test_held_out_voices_fit_their_own_movement_best(trained):
    task, params, _, _ = trained
    found = jax.jit(task.evaluate)(params, _batch(_world(8, seed=5), 7), None)
    cosine, shifted, other = (
        float(found[name].compute())
        for name in ("cosine", "cosine_shifted", "cosine_other")
    )
    assert cosine > shifted + 0.1
    assert cosine > other + 0.1
    assert abs(other) < 0.3


def test_embeddings_have_length_one(trained):
    task, params, _, _ = trained
    batch = _batch(_world(2), 1)
    voice, movement, _ = jax.jit(capp.Capp(task.sizes).apply)(
        {"params": params["capp"]}, batch["audio"][0], batch["rotation"][0]
    )
    for rows in (voice, movement):
        np.testing.assert_allclose(jnp.linalg.norm(rows, axis=-1), 1.0, atol=1e-4)


def test_the_network_that_ships_stays_below_half_a_million_parameters():
    task = capp_training.CappTask(capp.demo())
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) <= 500_000


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(errors.UserError, match="width 48 is not a multiple"):
        capp.CappConfig(num_heads=5)

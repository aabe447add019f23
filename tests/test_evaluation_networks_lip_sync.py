"""The lip-sync network: crops, windows, and a toy world of mouths that voices move."""

import jax
import numpy as np
import optax
import pytest

from vasa_jax import errors
from vasa_jax.evaluation.networks import lip_sync, syncnet_inputs
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
        lip_sync.cut(c, generator, sizes=SIZES, num_windows=num_windows) for c in clips
    ]
    rows = {name: np.stack([c[name] for c in cuts]) for name in cuts[0]}
    rows[task_lib.EXAMPLE_KEY_FIELD] = jax.random.split(
        jax.random.key(seed), len(clips)
    )
    return rows


@pytest.fixture(scope="module")
def trained():
    """Train in the toy world; return task, parameters and the losses on the way."""
    task = lip_sync.LipSyncTask(SIZES)
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


def test_windows_keep_lips_beside_their_sound_and_are_shaken_by_a_pixel():
    num_frames = 20
    lips = np.arange(num_frames)[:, None, None] * np.ones((1, 12, 12))
    clip = {
        "lips": lips.astype(np.uint8),
        "audio_features": np.arange(num_frames)[:, None] * np.ones((1, 4)),
    }
    cut = lip_sync.cut(clip, np.random.default_rng(0), sizes=SIZES, num_windows=9)
    assert cut["lips"].shape == (9, 5, 8, 8) and cut["lips"].dtype == np.uint8
    assert sorted(set(cut["frame"])) == sorted(cut["frame"])
    np.testing.assert_array_equal(cut["lips"][..., 0, 0], cut["audio"][..., 0])
    np.testing.assert_array_equal(cut["lips"][:, 0, 0, 0], cut["frame"])
    ramp = np.broadcast_to(np.arange(12, dtype=np.uint8), (20, 12, 12))
    shaken = lip_sync.cut(
        {**clip, "lips": ramp}, np.random.default_rng(1), sizes=SIZES, num_windows=9
    )
    corners = shaken["lips"][..., 0, 0].astype(int)
    assert np.ptp(corners) == 2 * lip_sync.MAX_SHAKE
    assert set(np.abs(np.diff(shaken["lips"].astype(int), axis=-1)).ravel()) == {1}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lips": np.zeros((20, 9, 9))}, "lips of 9 pixels are too small"),
        ({"lips": np.zeros((19, 12, 12))}, "19 frames of lips and 20 of audio"),
    ],
)
def test_what_does_not_fit_is_refused_by_a_sentence(change, sentence):
    clip = {"lips": np.zeros((20, 12, 12)), "audio_features": np.zeros((20, 4))}
    with pytest.raises(errors.UserError, match=sentence):
        lip_sync.cut({**clip, **change}, np.random.default_rng(0), sizes=SIZES)


def test_a_clip_without_enough_windows_is_refused():
    clip = {"lips": np.zeros((10, 12, 12)), "audio_features": np.zeros((10, 4))}
    with pytest.raises(errors.UserError, match="no 20 different windows"):
        lip_sync.cut(clip, np.random.default_rng(0), sizes=SIZES)


def test_lips_are_the_middle_of_the_face_in_means_of_two_by_two():
    generator = np.random.default_rng(0)
    frame = generator.integers(0, 256, (128, 128, 3), np.uint8)
    pose = np.tile([0, 0, 0, 0.0, 0.1, 0.9], (16, 1))
    lips = syncnet_inputs.cut_lips([frame] * 16, pose)
    assert lips.shape == (16, 56, 56) and lips.dtype == np.uint8
    boxes = syncnet_inputs.face_boxes(pose, 128, 128)
    face = syncnet_inputs.cut_faces([frame] * 16, boxes)[8].astype(float)
    top, left = syncnet_inputs.LIPS_TOP, syncnet_inputs.LIPS_LEFT
    cell = face[top + 10 : top + 12, left + 20 : left + 22].mean((0, 1))
    expected = cell @ [0.299, 0.587, 0.114]
    assert lips[8, 5, 10] == pytest.approx(expected, abs=0.51)


def test_the_network_that_ships_stays_below_half_a_million_parameters():
    task = lip_sync.LipSyncTask(lip_sync.demo())
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) <= 500_000


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(errors.UserError, match="image_size is 20"):
        lip_sync.LipSyncConfig(image_size=20)
    with pytest.raises(errors.UserError, match="give four numbers"):
        lip_sync.LipSyncConfig(lip_channels=(1, 2))

"""How windows of turns and of lips are cut and varied, for the networks that score."""

import jax
import numpy as np
import pytest

from experiments.running import scorer_training
from vasa_jax import errors
from vasa_jax.evaluation.networks import lip_sync

LIP_SIZES = lip_sync.tiny()


def test_windows_of_a_clip_begin_at_different_frames_and_keep_sound_beside_motion():
    num_frames = 30
    clip = {
        "motion": np.arange(num_frames)[:, None] * np.ones(6),
        "audio_features": 10.0 * np.arange(num_frames)[:, None],
    }
    cut = scorer_training.cut_turns(
        clip, np.random.default_rng(3), window_frames=12, num_windows=5
    )
    assert cut["rotation"].shape == (5, 12, 3)
    assert len(set(cut["rotation"][:, 0, 0])) == 5
    np.testing.assert_allclose(cut["audio"][..., 0], 10 * cut["rotation"][..., 1])
    np.testing.assert_allclose(np.diff(cut["rotation"], axis=1), 1.0)


def test_a_clip_with_too_few_windows_of_turns_is_refused_with_what_to_do():
    clip = {"motion": np.zeros((13, 8)), "audio_features": np.zeros((13, 6))}
    with pytest.raises(errors.UserError, match="no 4 different windows of 12"):
        scorer_training.cut_turns(clip, np.random.default_rng(0), window_frames=12)


def test_motion_and_sound_of_two_lengths_are_refused():
    clip = {"motion": np.zeros((40, 8)), "audio_features": np.zeros((39, 6))}
    with pytest.raises(errors.UserError, match="40 frames of motion and 39"):
        scorer_training.cut_turns(clip, np.random.default_rng(0), window_frames=12)


def test_scales_lie_on_both_sides_of_one_and_never_near_it():
    keys = jax.random.split(jax.random.key(1), 20)
    drawn = np.asarray(jax.vmap(lambda key: scorer_training.draw_scales(key, 10))(keys))
    size = np.exp(np.abs(np.log(drawn)))
    low, high = scorer_training.SCALES
    assert size.min() >= low - 1e-4 and size.max() <= high + 1e-3
    assert 0.3 < np.mean(drawn > 1) < 0.7


def test_scaled_turns_keep_their_mean_and_a_factor_of_one_changes_nothing():
    rotation = np.random.default_rng(0).normal(size=(2, 3, 12, 3))
    factors = np.full((2, 3), 2.0)
    scaled = np.asarray(scorer_training.scale_turns(rotation, factors))
    np.testing.assert_allclose(scaled.mean(2), rotation.mean(2), atol=1e-5)
    np.testing.assert_allclose(scaled.std(2), 2 * rotation.std(2), rtol=1e-5)
    same = scorer_training.scale_turns(rotation, np.ones((2, 3)))
    np.testing.assert_allclose(same, rotation, atol=1e-6)


def test_windows_keep_lips_beside_their_sound_and_are_shaken_by_a_pixel():
    num_frames = 20
    lips = np.arange(num_frames)[:, None, None] * np.ones((1, 12, 12))
    clip = {
        "lips": lips.astype(np.uint8),
        "audio_features": np.arange(num_frames)[:, None] * np.ones((1, 4)),
    }
    cut = scorer_training.cut_lips(
        clip, np.random.default_rng(0), sizes=LIP_SIZES, num_windows=9
    )
    assert cut["lips"].shape == (9, 5, 8, 8) and cut["lips"].dtype == np.uint8
    assert sorted(set(cut["frame"])) == sorted(cut["frame"])
    np.testing.assert_array_equal(cut["lips"][..., 0, 0], cut["audio"][..., 0])
    np.testing.assert_array_equal(cut["lips"][:, 0, 0, 0], cut["frame"])
    ramp = np.broadcast_to(np.arange(12, dtype=np.uint8), (20, 12, 12))
    shaken = scorer_training.cut_lips(
        {**clip, "lips": ramp}, np.random.default_rng(1), sizes=LIP_SIZES, num_windows=9
    )
    corners = shaken["lips"][..., 0, 0].astype(int)
    assert np.ptp(corners) == 2 * scorer_training.MAX_SHAKE
    assert set(np.abs(np.diff(shaken["lips"].astype(int), axis=-1)).ravel()) == {1}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lips": np.zeros((20, 9, 9))}, "lips of 9 pixels are too small"),
        ({"lips": np.zeros((19, 12, 12))}, "19 frames of lips and 20 of audio"),
    ],
)
def test_lips_that_do_not_fit_are_refused_by_a_sentence(change, sentence):
    clip = {"lips": np.zeros((20, 12, 12)), "audio_features": np.zeros((20, 4))}
    with pytest.raises(errors.UserError, match=sentence):
        scorer_training.cut_lips(
            {**clip, **change}, np.random.default_rng(0), sizes=LIP_SIZES
        )


def test_a_clip_with_too_few_windows_of_lips_is_refused():
    clip = {"lips": np.zeros((10, 12, 12)), "audio_features": np.zeros((10, 4))}
    with pytest.raises(errors.UserError, match="no 20 different windows"):
        scorer_training.cut_lips(clip, np.random.default_rng(0), sizes=LIP_SIZES)

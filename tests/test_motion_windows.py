"""Training windows cut from clips of all lengths."""

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.motion import windows


def clip(num_frames, channels=3):
    """Return a record whose every value tells its frame."""
    frames = np.arange(num_frames, dtype=np.float32)[:, None]
    return {
        "motion": frames + np.zeros((1, channels), np.float32),
        "audio_features": (frames + np.zeros((1, 2))).astype(np.float16),
        "gaze": np.array([0.1, -0.2]),
        "head_distance": np.array([1.1]),
        "emotion": np.eye(8)[2],
    }


def cut(num_frames, seed, **kwargs):
    generator = np.random.default_rng(seed)
    return windows.cut(
        clip(num_frames), generator, window_frames=50, previous_frames=10, **kwargs
    )


def test_previous_frames_lead_into_the_window_and_audio_goes_along():
    starts = set()
    for seed in range(200):
        window = cut(75, seed, first_window_rate=0.0)
        joined = np.concatenate([window["previous_motion"], window["motion"]])[:, 0]
        np.testing.assert_array_equal(np.diff(joined), 1)
        sound = np.concatenate([window["previous_audio"], window["audio"]])[:, 0]
        np.testing.assert_array_equal(sound, joined)
        assert window["has_previous"] and window["mask"].all()
        starts.add(int(window["motion"][0, 0]))
    assert starts == set(range(10, 26))


def test_first_windows_start_at_the_clip_s_start_with_nothing_before():
    window = cut(75, 0, first_window_rate=1.0)
    assert not window["has_previous"]
    assert window["motion"][0, 0] == 0
    assert not window["previous_motion"].any() and not window["previous_audio"].any()


def test_first_windows_come_at_their_rate():
    share = np.mean([not cut(75, seed)["has_previous"] for seed in range(1000)])
    np.testing.assert_allclose(share, windows.FIRST_WINDOW_RATE, atol=0.04)


@pytest.mark.parametrize("num_frames", [1, 5, 49, 55, 59])
def test_short_clips_repeat_their_last_frame_under_a_false_mask(num_frames):
    for seed in range(20):
        window = cut(num_frames, seed)
        start = int(window["motion"][0, 0])
        inside = num_frames - start
        assert start in (0, 10)
        np.testing.assert_array_equal(window["mask"], np.arange(50) < inside)
        np.testing.assert_array_equal(window["motion"][inside:], num_frames - 1)


def test_all_windows_have_the_same_shapes_and_types():
    shapes = [
        {name: (value.shape, value.dtype) for name, value in cut(n, n).items()}
        for n in (3, 75, 400)
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    assert shapes[0]["motion"] == ((50, 3), np.float32)
    assert shapes[0]["previous_audio"] == ((10, 2), np.float32)
    assert shapes[0]["has_previous"] == ((), np.bool_)


def test_motion_and_audio_of_different_lengths_are_refused():
    record = clip(60) | {"audio_features": np.zeros((59, 2), np.float16)}
    with pytest.raises(UserError, match="60 frames of motion and 59 of audio"):
        windows.cut(
            record, np.random.default_rng(0), window_frames=50, previous_frames=10
        )

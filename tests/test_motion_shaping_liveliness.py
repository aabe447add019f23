"""How lively heads are measured, and what the line through voices tells."""

import motion_windows
import numpy as np
import pytest

from vasa_jax.audio import mel
from vasa_jax.motion import config, normalization, windows
from vasa_jax.motion.shaping import liveliness


def turning(degrees, num_frames=40):
    """Return rotations that deviate by so much on each axis, about another place."""
    wave = np.sqrt(2) * np.sin(2 * np.pi * np.arange(num_frames) / num_frames)
    return np.deg2rad(degrees) * wave[:, None] + np.array([0.3, -0.2, 0.1])


def loudness(share, num_frames=40, level=0.5):
    curve = np.full(num_frames, level - 1.0, np.float32)
    curve[: round(share * num_frames)] = level
    return curve


def record(share, degrees, num_frames=40):
    features = np.zeros((num_frames, 4), np.float32)
    features[:, mel.OWN_LOUDNESS] = loudness(share, num_frames)
    motion = np.zeros((num_frames, 8), np.float32)
    motion[:, :3] = turning(degrees, num_frames)
    return {"motion": motion, "audio_features": features}


@pytest.mark.parametrize("degrees", [0.2, 1.0, 3.0])
def test_liveliness_is_the_log_of_the_deviation_in_degrees(degrees):
    found = liveliness.of_rotation(turning(degrees))
    assert found.shape == (1,) and found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found), degrees, rtol=1e-4)


def test_it_counts_all_axes_alike_and_a_still_head_is_not_infinitely_calm():
    on_one = turning(3.0) * [1, 0, 0]
    np.testing.assert_allclose(
        np.exp(liveliness.of_rotation(on_one)), np.sqrt(3.0), rtol=1e-4
    )
    still = liveliness.of_rotation(np.zeros((1, 3)))
    np.testing.assert_allclose(np.exp(still), liveliness.LEAST_DEGREES, rtol=1e-5)


@pytest.mark.parametrize("level", [0.5, 1.0])
def test_the_spoken_share_is_what_is_near_the_loudest(level):
    for share in (0.0, 0.25, 1.0):
        found = liveliness.spoken_share(loudness(share, level=level), level)
        assert found == pytest.approx(share)
    # What was louder before is what silence is told by.
    assert liveliness.spoken_share(loudness(1.0, level=0.2), 1.0) == 0.0
    # Even noise far below any voice is silence.
    assert liveliness.spoken_share(loudness(1.0, level=-2.0), -2.0) == 0.0


def test_windows_of_a_record_are_told_apart_and_a_short_record_is_one():
    first, second = record(0.5, 1.0), record(1.0, 2.0)
    both = {name: np.concatenate([first[name], second[name]]) for name in first}
    found = np.array([*liveliness.samples(both, 40)])
    np.testing.assert_allclose(found[:, 0], [0.5, 1.0])
    np.testing.assert_allclose(np.exp(found[:, 1]), [1.0, 2.0], rtol=1e-4)
    assert len([*liveliness.samples(first, 50)]) == 1
    assert len([*liveliness.samples(both, 50)]) == 1


def test_the_line_is_found_and_told_again():
    share = np.linspace(0.05, 1.0, 20)
    lively = -0.2 + 0.8 * np.log(share + liveliness.LEAST_SHARE)
    line = liveliness.fit([*zip(share, lively, strict=True)])
    assert line.intercept == pytest.approx(-0.2, abs=1e-5)
    assert line.slope == pytest.approx(0.8, abs=1e-5)
    assert line.expect(0.35) == pytest.approx(-0.2 + 0.8 * np.log(0.4), abs=1e-5)


def test_without_variety_the_line_is_level():
    line = liveliness.fit([(0.5, -0.3), (0.5, -0.1)])
    assert line.slope == 0 and line.expect(0.9) == pytest.approx(-0.2)
    assert liveliness.level().expect(0.1) == liveliness.fit([]).expect(0.7) == 0.0


def test_statistics_hold_the_line_of_the_records():
    records = [record(share, 2 * share + 0.1) for share in (0.2, 0.5, 1.0)]
    rest = {"gaze": np.zeros(2), "head_distance": np.ones(1)}
    voice = normalization.measure([one | rest for one in records], 40).voice
    for share in (0.2, 0.5, 1.0):
        expected = np.log(2 * share + 0.1)
        assert voice.expect(share) == pytest.approx(expected, abs=0.01)


def test_a_window_knows_the_liveliness_of_its_own_frames():
    sizes = config.tiny()
    one = motion_windows.record(np.random.default_rng(0), num_frames=12)
    window = windows.cut(
        one,
        np.random.default_rng(0),
        window_frames=sizes.window_frames,
        previous_frames=sizes.previous_frames,
    )
    known = window["motion"][window["mask"]]
    assert len(known) < sizes.window_frames
    np.testing.assert_array_equal(
        window["liveliness"], liveliness.of_rotation(known[:, :3])
    )

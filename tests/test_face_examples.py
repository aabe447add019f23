"""How stage one's examples are cut from records."""

import zlib

import numpy as np
import pytest

from vasa_jax.face import examples


def test_shrinking_averages_blocks():
    images = np.zeros((1, 4, 4, 3), np.uint8)
    images[0, :2, :2] = [[[8], [16]], [[24], [32]]]
    small = examples.shrink(images, 2)
    np.testing.assert_array_equal(small[0, :, :, 0], [[20, 0], [0, 0]])


def _masks():
    mask = np.full((2, 64, 64), 2, np.uint8)  # all head,
    mask[1, :, :16] = 0  # but in frame 1 background,
    mask[1, 48:, 16:] = 1  # torso
    mask[1, :8, 16:] = 3  # and hair
    return {"masks": zlib.compress(mask.tobytes()), "num_frames": 2}


@pytest.mark.parametrize("size", [16, 64, 128])
def test_surroundings_are_background_and_torso_at_the_size_asked_for(size):
    around = examples.read_share(_masks(), 1, size, examples.SURROUNDINGS)
    assert around.shape == (size, size) and around.dtype == np.float32
    assert (around[:, : size // 4] == 1.0).all()
    assert (around[3 * size // 4 :] == 1.0).all()
    assert (around[: 3 * size // 4, size // 4 :] == 0.0).all()
    assert not examples.read_share(_masks(), 0, size, examples.SURROUNDINGS).any()
    torso = np.zeros((size, size))
    torso[3 * size // 4 :, size // 4 :] = 1.0
    found = examples.read_share(_masks(), 1, size, examples.TORSO)
    np.testing.assert_array_equal(found, torso)


def _record(blink=None):
    """A clip of 20 frames, each of the colour of its number."""
    numbers = np.arange(20, dtype=np.uint8)
    record = {
        "video": np.broadcast_to(numbers[:, None, None, None], (20, 8, 8, 3)),
        "num_frames": 20,
        "head_pose": np.zeros((20, 6)),
        "keypoints": np.zeros((20, 1, 2)),
        "performance": "p",
    }
    return record if blink is None else {**record, "blink": np.asarray(blink)}


def _drivers(record, blink_share, count=300, **more):
    config = examples.ExampleConfig(blink_share=blink_share, **more)
    rng = np.random.default_rng(4)
    cut = [
        examples.pair(rng, [record], record, config, 8, (0,), None)
        for _ in range(count)
    ]
    return np.array([example["driver"][0, 0, 0] for example in cut])


def test_drivers_blink_as_often_as_asked_for():
    closed = np.zeros(20)
    closed[7] = 1.0
    share = (_drivers(_record(closed), 0.5) == 7).mean()
    assert share == pytest.approx(0.5 + 0.5 / 20, abs=0.08)
    # Nobody blinks, or nobody tells.
    for record in (_record(np.zeros(20)), _record()):
        assert (_drivers(record, 0.5) == 7).mean() < 0.12


def test_all_drivers_are_as_likely_without_a_share_of_blinks():
    closed = np.zeros(20)
    closed[7] = 1.0
    drawn = _drivers(_record(closed), 0.0)
    assert set(drawn) == set(range(20)) and (drawn == 7).mean() < 0.12


def test_drivers_open_their_mouths_as_often_as_asked_for():
    record = {**_record(), "mouth_opening": np.linspace(1.0, 0.0, 20)}
    # The widest fifth are the first four frames.
    share = (_drivers(record, 0.0, wide_share=0.5) < 4).mean()
    assert share == pytest.approx(0.5 + 0.5 * 0.2, abs=0.08)
    # Nobody tells.
    assert (_drivers(_record(), 0.0, wide_share=1.0) < 4).mean() < 0.3


def test_a_pair_has_one_colour_cast():
    grey = {**_record(), "video": np.full((20, 8, 8, 3), 128, np.uint8)}
    config = examples.ExampleConfig(cast_share=1.0)
    rng = np.random.default_rng(2)
    colours = []
    for _ in range(50):
        cut = examples.pair(rng, [grey], grey, config, 8, (0,), None)
        assert cut["source"].dtype == np.uint8
        np.testing.assert_array_equal(cut["source"], cut["driver"])
        assert (cut["other"] == 128).all()
        colours.append(cut["source"][0, 0])
    colours = np.array(colours, float)
    spread = colours.std(axis=0)
    assert (spread > 10).all() and (spread < 50).all()
    assert abs(colours.mean() - 128) < 12


def test_a_colour_cast_keeps_the_order_of_levels():
    table = examples.colour_cast(np.random.default_rng(0))
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert (np.diff(table.astype(int), axis=0) >= 0).all()
    assert (table[0] == 0).all()


def test_exact_truth_is_cut_only_where_it_is_asked_for():
    record = {**_record(), **_masks(), "num_frames": 2, "video": _record()["video"]}

    def flow_function(driver, driver_frame, source, source_frame, size):
        number = 10.0 * driver_frame + source_frame
        return tuple(np.full((size, size), number) for _ in examples.FLOW_FIELDS)

    def cut(exact):
        rng, config = np.random.default_rng(1), examples.ExampleConfig()
        return examples.pair(rng, [record], record, config, 8, (0,), exact)

    known = cut(examples.Geometry(size=16, flow_function=flow_function))
    plain = cut(None)
    more = {*examples.FLOW_FIELDS, "driver_torso"}
    more |= {"source_surroundings", "driver_surroundings"}
    assert set(known) - set(plain) == more
    driver, source = known["driver"][0, 0, 0], known["source"][0, 0, 0]
    np.testing.assert_array_equal(
        known["flow"], np.full((16, 16), 10.0 * driver + source)
    )
    around = examples.read_share(record, int(driver), 16, examples.SURROUNDINGS)
    np.testing.assert_array_equal(known["driver_surroundings"], around)

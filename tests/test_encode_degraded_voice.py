"""The voice of a performance is heard changed or not, its motion stays."""

import numpy as np

from vasa_jax.encode import degraded_voice


def record(number):
    samples = np.random.default_rng(number).normal(0, 3000, 16_000)
    return {
        "audio": samples.astype(np.int16),
        "performance": f"performance {number}",
        "num_frames": 25,
    }


def test_no_share_leaves_every_voice_as_it_is():
    heard = degraded_voice.heard(record(3), 1, 0.0)
    np.testing.assert_array_equal(heard, np.float32(record(3)["audio"]) / 32768)


def test_a_share_is_changed_the_same_way_again_and_otherwise_by_another_seed():
    clean = [degraded_voice.heard(record(n), 1, 0.0) for n in range(16)]
    heard = [degraded_voice.heard(record(n), 1, 0.5) for n in range(16)]
    again = [degraded_voice.heard(record(n), 1, 0.5) for n in range(16)]
    np.testing.assert_array_equal(heard, again)
    is_changed = [not np.array_equal(a, b) for a, b in zip(clean, heard, strict=True)]
    assert 3 < sum(is_changed) < 13
    other = [degraded_voice.heard(record(n), 2, 0.5) for n in range(16)]
    assert not np.array_equal(heard, other)

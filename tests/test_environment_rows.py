"""What two environments made is compared by limits that can be broken."""

import numpy as np

from experiments.tools import environment_rows


def told(losses=(3.0, 2.0), digest="a", frames=None, crossed=None, read="a"):
    losses = {str(step): value for step, value in enumerate(losses, 6)}
    about = {"python": "3.11.0", "jax": "0.10.2", "losses": losses, "digest": digest}
    crossed = losses if crossed is None else crossed
    return {
        "whole": about,
        "resumed": dict(about),
        "crossed": {"losses": crossed, "digest": digest},
        "export": {"digest": read},
        "frames": np.zeros((2, 64, 64, 3), np.uint8) if frames is None else frames,
    }


def held(this, other):
    return [holds for *_, holds in environment_rows.compare(this, other)]


def test_the_same_in_both_holds():
    rows = environment_rows.compare(told(), told())
    assert len(rows) == 7
    assert all(holds for *_, holds in rows)


def test_frames_may_differ_by_one_level_in_few_values():
    frames = np.zeros((2, 64, 64, 3), np.uint8)
    frames[0, 0, 0, 0] = 1
    assert held(told(), told(frames=frames))[0]
    frames[0, 0, 0, 0] = 2
    assert not held(told(), told(frames=frames))[0]
    frames[0, :3, 0, 0] = 1
    assert not held(told(), told(frames=frames))[0]


def test_runs_that_go_on_are_held_to_bits_at_home_and_to_digits_elsewhere():
    at_home = told()
    at_home["resumed"]["losses"] = {"6": 3.0, "7": 2.000001}
    assert held(at_home, told()) == [True, False, True, True, True, True, True]
    near, far = {"6": 3.0001, "7": 2.0}, {"6": 3.0, "7": 2.001}
    assert held(told(crossed=near), told()) == [True] * 7
    assert held(told(crossed=far), told())[3] is False
    # A step that is missing is no agreement.
    assert held(told(crossed={"6": 3.0}), told())[3] is False
    assert held(told(), told(read="b"))[6] is False

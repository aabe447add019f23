"""The head mesh: how far its units move what viewers see."""

import numpy as np
import pytest

from datasets.synthetic_heads.person import head
from vasa_jax import arkit


def moved(**units):
    """Return the points of the base mesh with units, both sides at once, in mm."""
    mesh = head.load_head_mesh()
    points = mesh.base.copy()
    for name, weight in units.items():
        for side in ("", "Left", "Right"):
            if name + side in arkit.NAMES:
                index = arkit.index(name + side)
                points += weight * mesh.expression_deltas[index]
    return 100.0 * points


def mouth_width(points):
    mesh = head.load_head_mesh()
    corners = points[[mesh.landmarks["mouth_left"], mesh.landmarks["mouth_right"]]]
    return np.linalg.norm(corners[0] - corners[1])


def test_puckered_lips_are_a_quarter_to_a_third_narrower():
    share = mouth_width(moved(mouthPucker=1)) / mouth_width(moved())
    assert 0.67 < share < 0.75


@pytest.mark.parametrize("unit", ["mouthSmile", "mouthStretch"])
def test_spread_lips_are_a_fifth_to_a_third_wider(unit):
    share = mouth_width(moved(**{unit: 1})) / mouth_width(moved())
    assert 1.2 < share < 1.34


def test_brows_rise_and_fall_by_more_than_a_centimetre():
    inner = np.argmin(
        np.square(head.load_head_mesh().base - (0.16, 7.46, 1.49)).sum(axis=1)
    )
    height = moved()[inner, 1]
    assert 10 < moved(browInnerUp=1)[inner, 1] - height < 16
    assert -12 < moved(browDown=1)[inner, 1] - height < -3


def test_a_unit_of_one_side_leaves_the_other_alone():
    deltas = head.load_head_mesh().expression_deltas
    left = deltas[arkit.index("mouthStretchLeft")]
    right = deltas[arkit.index("mouthStretchRight")]
    assert left[:, 0].max() == pytest.approx(-right[:, 0].min(), rel=0.02)
    assert -left[:, 0].min() < 0.1 * left[:, 0].max()

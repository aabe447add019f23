"""Teeth: their colours, the gaps between them, and what shade does to them."""

import numpy as np

from datasets.synthetic_heads.person import appearance, head
from datasets.synthetic_heads.rendering import materials

FRONT = 1.5
"""Depth of the front teeth, mesh units."""

YOUNG = head.Traits((0.3, 0.3, 0.4), is_male=False, age=0.0)
OLD = head.Traits((0.3, 0.3, 0.4), is_male=False, age=1.0)


def albedo(across=0.0, depth=FRONT, height=6.6):
    """Return what an upper tooth reflects, and its openness.

    Args:
        across: in teeth from the gap in the middle.
        depth, height: mesh units.
    """
    colours = np.ones((9, 3))
    colours[materials.TEETH] = (0.9, 0.8, 0.7)
    reach = depth - 1.05
    found = np.empty(3)
    openness = materials.tooth(
        reach * np.tan(across / 9.0), height, depth, colours, found
    )
    return found, openness


def test_crowns_are_parted_by_thin_dark_gaps():
    crown, _ = albedo(0.5)
    np.testing.assert_allclose(crown, (0.9, 0.8, 0.7))
    light = np.array([albedo(x)[0].sum() for x in np.linspace(-2, 2, 401)])
    dark = light < 0.8 * light.max()
    assert np.flatnonzero(np.diff(dark.astype(int)) == 1).size == 4
    assert 0.05 < dark.mean() < 0.2


def test_shaded_teeth_are_redder_than_open_ones():
    near, is_open = albedo(0.5)
    far, is_shaded = albedo(0.5, depth=1.15)
    assert is_shaded < 0.5 * is_open and far.sum() < 0.6 * near.sum()
    assert far[0] / far[1] > 1.2 * near[0] / near[1]
    np.testing.assert_allclose(far[2] / far[1], near[2] / near[1])


def test_gums_are_pink_whatever_the_teeth():
    np.testing.assert_allclose(albedo(0.5, height=6.8)[0], (0.30, 0.10, 0.10))


def test_teeth_are_ivory_and_yellower_with_age():
    def colours(traits):
        draws = [
            appearance.teeth_colour(np.random.default_rng(seed), traits)
            for seed in range(60)
        ]
        return np.stack(draws)

    young, old = colours(YOUNG), colours(OLD)
    for drawn in (young, old):
        assert (np.diff(drawn, axis=1) < 0).all() and drawn.max() <= 1
        assert drawn.min() > 0.5
    assert young.std(axis=0).min() > 0.02
    yellow = [(drawn[:, 0] / drawn[:, 2]).mean() for drawn in (young, old)]
    assert yellow[1] > yellow[0] + 0.05

"""An eye taken apart shows the photograph at rest, and its iris anywhere else."""

import numpy as np

from vasa_jax.portrait import eye_texture, eyelids

UNIT = 80.0
"""Texture pixels of a head unit."""

RADIUS = 0.06


def _lids(opening=1.0):
    """Lids of an almond around pixel (30, 20), 30 wide and up to 12 high."""
    x = np.linspace(15.0, 45.0, 13)
    half = 6 * np.sin((x - 15) / 30 * np.pi)
    upper, lower = 20 - half * (2 * opening - 1), 20 + half
    return eyelids.Lids(np.stack([x, upper], 1), np.stack([x, lower], 1))


def _photograph():
    """Skin, a white between the lids, a dark iris with a lighter middle."""
    y, x = np.mgrid[0:40, 0:60].astype(np.float64)
    picture = np.broadcast_to([180.0, 120.0, 100.0], (40, 60, 3)).copy()
    half = 6 * np.sin(np.clip((x - 15) / 30, 0, 1) * np.pi)
    is_open = np.abs(y - 20) < half
    picture[is_open] = 200.0
    away = np.hypot(x - 30, y - 20) / (RADIUS * UNIT)
    picture[is_open & (away < 1)] = [60.0, 40.0, 20.0]
    picture[is_open & (away < 0.4)] = 10.0
    return picture


def _eye(picture):
    axes = np.eye(2) * RADIUS * UNIT
    return eye_texture.fit_eye(picture, _lids(), np.array([30.0, 20.0]), axes, UNIT)


def _composed(eye, x=0.0, y=0.0, lids=None):
    axes = np.eye(2) * RADIUS * UNIT
    image = eye.compose(np.array([30.0 + x, 20.0 + y]), axes, lids or _lids())
    full = np.full((40, 60, 3), np.nan)
    left, top = eye.corner
    full[top : top + image.shape[0], left : left + image.shape[1]] = image
    return full


def _between_lids():
    y, x = np.mgrid[0:40, 0:60]
    half = 6 * np.sin(np.clip((x - 15) / 30, 0, 1) * np.pi)
    return np.abs(y - 20) < half - 0.5


def test_an_eye_at_rest_shows_the_photograph():
    picture = _photograph()
    shown = _composed(_eye(picture))
    seen = _between_lids()
    assert np.abs(shown - picture)[seen].max() < 1e-3


def test_rounding_does_not_decide_which_pixels_an_eye_owns():
    """Corners lie half way between rows of pixels, where `eyes` puts those of all."""
    picture = np.random.default_rng(0).uniform(0, 255, (40, 60, 3))
    axes, lids = np.eye(2) * RADIUS * UNIT, _lids()

    def fit(rounding):
        down = np.array([0.0, 0.5 + rounding])
        moved = eyelids.Lids(lids.upper + down, lids.lower + down)
        return eye_texture.fit_eye(picture, moved, np.array([30.0, 20.5]), axes, UNIT)

    one, other = fit(-1e-12), fit(1e-12)
    for name in ("shade", "lid", "white", "rest"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), atol=1e-3, err_msg=name
        )


def test_a_moved_iris_leaves_white_behind_and_looks_the_same():
    picture = _photograph()
    shown = _composed(_eye(picture), x=6.0)
    np.testing.assert_allclose(shown[20, 27], 200, atol=12)
    np.testing.assert_allclose(shown[20, 36], picture[20, 30], atol=1)
    np.testing.assert_allclose(shown[20, 33], picture[20, 27], atol=12)


def test_an_iris_that_a_lid_covered_is_completed_around_its_ring():
    picture = _photograph()
    shown = _composed(_eye(picture), y=3.0)
    covered = shown[20 + 3 - 4, 30]
    assert covered.mean() < 100


def test_a_lid_that_closes_takes_its_shade_along():
    y, x = np.mgrid[0:40, 0:60].astype(np.float64)
    half = 6 * np.sin(np.clip((x - 15) / 30, 0, 1) * np.pi)
    picture = _photograph()
    picture *= np.clip(0.4 + 0.2 * (y - 20 + half), 0.4, 1)[..., None]
    eye = _eye(picture)
    closed = _composed(eye, lids=_lids(opening=0.6))
    assert closed[20, 22].mean() < 0.8 * _composed(eye)[20, 22].mean()

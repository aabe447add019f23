"""Curves over time: straight lines, held at the ends, and their form in JSON."""

import numpy as np
import pytest

from vasa_jax.animate import curves
from vasa_jax.animate.curves import Curve
from vasa_jax.errors import UserError


def test_a_curve_is_straight_between_points_and_held_at_its_ends():
    curve = Curve((1, 2, 4), (10, 20, -20))
    times = np.array([0.0, 1.0, 1.25, 2.0, 3.0, 4.0, 99.0])
    np.testing.assert_allclose(curve.at(times), [10, 10, 12.5, 20, 0, -20, -20])


def test_a_number_holds_throughout_and_is_its_own_mean_exactly():
    times = np.linspace(0, 3, 7)
    np.testing.assert_array_equal(curves.values_at(0.1, times), np.full(7, 0.1))
    assert curves.mean_over(0.1, times) == 0.1


def test_the_mean_of_a_curve_is_taken_over_the_times():
    curve = Curve((0, 1), (0, 1))
    assert curves.mean_over(curve, np.array([0.25, 0.75])) == pytest.approx(0.5)
    assert curves.mean_over(curve, np.array([2.0, 3.0])) == 1.0


def test_arrays_make_the_same_curve_as_tuples():
    assert Curve(np.arange(2), [3, 4]) == Curve((0.0, 1.0), (3.0, 4.0))
    assert hash(Curve([0], [1])) == hash(Curve((0,), (1,)))


@pytest.mark.parametrize("control", [0.5, Curve((0, 2.5), (0.5, 1))])
def test_what_is_written_as_json_is_read_back_equal(control):
    assert curves.from_plain(curves.to_plain(control), "x") == control


@pytest.mark.parametrize(
    "value, words",
    [
        ("much", "x is neither a number nor a list of [seconds, value]"),
        (None, "x is neither"),
        (True, "x is neither"),
        ([0.5, 1], "x is neither"),
        ([[0, 1, 2]], "x is neither"),
        ([[0, "1"]], "x is neither"),
        ([], "x: A curve has 0 times and 0 values"),
        ([[0, 1], [0, 2]], "x: A curve has the times 0, 0; give seconds from 0 on"),
        ([[1, 1], [0.5, 2]], "each later than the one before"),
        ([[-1, 1]], "give seconds from 0 on"),
        ([[0, float("nan")]], "a point that is not finite"),
        ([[0, 10**400]], "a point that is not finite"),
    ],
)
def test_what_is_no_curve_is_refused_with_an_example(value, words):
    with pytest.raises(UserError) as caught:
        curves.from_plain(value, "x")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_times_without_values_are_refused():
    with pytest.raises(UserError, match="2 times and 1 values"):
        Curve((0, 1), (1,))

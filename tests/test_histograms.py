"""Bars are as high as their values, and stray values press nothing together."""

import re

import numpy as np
import pytest

from experiments.tools import histograms


def _heights(svg):
    return np.array([float(h) for h in re.findall(r'height="([\d.]+)"/>', svg)])


def test_the_commonest_value_has_the_highest_bar():
    drawn = histograms.histogram("one", [0.0] * 6 + [1.0] * 3)
    heights = _heights(drawn)
    assert len(heights) == histograms.NUM_BINS
    assert heights[0] == pytest.approx(histograms.BAR_AREA)
    assert heights[-1] == pytest.approx(histograms.BAR_AREA / 2)
    assert "mean 0.333, median 0" in drawn


def test_a_stray_value_lies_in_the_last_bar():
    values = [*np.linspace(0, 1, 3000), 1e6]
    assert (_heights(histograms.histogram("two", values)) > 0).all()


def test_what_is_not_known_is_told():
    assert "nothing is known" in histograms.histogram("three", [np.nan])
    assert "50.0% not known" in histograms.histogram("four", [np.nan, 2.0])


def test_classes_have_bars_in_proportion():
    drawn = histograms.bars("five", ["calm & slow", "quick"], [1.0, 3.0])
    lengths = [float(w) for w in re.findall(r'<rect[^>]* width="([\d.]+)"', drawn)]
    assert lengths[1] == pytest.approx(3 * lengths[0], abs=0.3)
    assert "calm &amp; slow" in drawn

"""Drawings of pages: what is known is drawn, and always alike."""

import xml.etree.ElementTree

import numpy as np
import pytest

from vasa_jax.evaluation.metrics import definition
from vasa_jax.evaluation.report import report_page

pytest.importorskip("matplotlib")


def count(drawing, tag):
    tree = xml.etree.ElementTree.fromstring(drawing)
    return sum(1 for one in tree.iter() if one.tag.endswith(f"}}{tag}"))


def summary(values, floor=np.nan):
    return definition.summarise(
        {f"{place}": definition.Score(v, floor) for place, v in enumerate(values)}
    )


def test_every_clip_is_a_dot_and_infinite_ones_are_none():
    drawing = report_page.draw_scores(summary([0.5, 0.7, 0.9], floor=0.2))
    assert drawing == report_page.draw_scores(summary([0.5, 0.7, 0.9], floor=0.2))
    assert count(drawing, "use") == 3
    assert report_page.COLOURS[2] in drawing
    assert report_page.COLOURS[2] not in report_page.draw_scores(summary([0.5, 0.7]))
    assert count(report_page.draw_scores(summary([0.5, np.inf])), "use") == 1


def test_curves_have_the_colours_of_their_names_and_gaps_where_nothing_is_known():
    curve = np.sin(np.arange(50) / 5)
    gap = np.where(np.arange(50) == 20, np.nan, curve)
    one = report_page.draw_curves([("video", gap)])
    both = report_page.draw_curves([("video", gap), ("reference", curve)])
    assert report_page.COLOURS[1] not in one
    assert report_page.COLOURS[1] in both
    # A path that begins anew has a second M.
    assert "\nM " in one
    assert "\nM " not in report_page.draw_curves([("video", curve)])
    assert "<svg" in report_page.draw_curves([("video", np.full(3, np.nan))])

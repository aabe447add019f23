"""Photographs that are moved by the truth show what the motion asks for."""

import pathlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from experiments.running import exactly_moved
from vasa_jax import media
from vasa_jax.animate import trained
from vasa_jax.portrait import locate, pose

PORTRAIT = pathlib.Path(__file__).parent.parent / "examples" / "portrait.png"


def test_the_photograph_turns_as_far_as_it_is_asked_to(tiny_checkpoint):
    models = trained.load(tiny_checkpoint, image_size=256)
    performer = exactly_moved.ExactPerformer(models)
    portrait = performer.locate(media.read_image(PORTRAIT))
    rest = performer.own_motion(portrait)
    turned = rest.copy()
    turned[0] += np.deg2rad(12)
    frames = performer.drive(portrait, np.stack([rest, turned]))
    assert frames.shape == (2, 256, 256, 3)
    own, seen = (
        pose.fit_head(locate.locate_face(frame).landmarks.points).rotation
        for frame in frames
    )
    np.testing.assert_allclose(np.rad2deg(seen - own), [12, 0, 0], atol=4)

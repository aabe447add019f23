"""Labels by the motion encoder: its view of a face, mirrors, and looks in any order."""

import functools
import pathlib

import jax
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from vasa_jax import arkit, media, types
from vasa_jax.encode import encoder_labels, label_estimators
from vasa_jax.face import encoders
from vasa_jax.portrait import crop, locate, pose

PORTRAIT = pathlib.Path(__file__).parent.parent / "examples" / "portrait.png"


@functools.cache
def estimator():
    return label_estimators.make()


@functools.cache
def portrait(is_mirrored=False):
    image = media.read_image(PORTRAIT)
    if is_mirrored:
        image = np.ascontiguousarray(image[:, ::-1])
    return image, locate.locate_face(image).landmarks


def measured(*mirrored):
    pairs = [portrait(one) for one in mirrored]
    seen = np.stack([estimator().see(*pair) for pair in pairs])
    points = np.stack([found.points for _, found in pairs])
    return estimator().measure(seen, points, pose.fit_head(points))


def test_a_face_is_cut_out_as_the_encoder_was_taught():
    image, found = portrait()
    fit = pose.fit_head(found.points)
    box = crop.CropBox.of_whole(*image.shape[:2])
    head_pose = jax.tree.map(lambda x: x[None], pose.head_pose_in_crop(fit, box))
    whole = np.float32(image)[None]
    taught = encoders.align_face(whole, head_pose, 96)[0]
    cut = encoder_labels.cut_face(image, fit, 96)
    assert np.abs(cut - np.asarray(taught)).mean() < 4
    assert np.abs(np.roll(cut, 4, axis=0) - np.asarray(taught)).mean() > 6


def test_a_mirrored_face_looks_the_mirrored_way_and_shows_the_other_side():
    straight, mirrored = measured(False, True)
    np.testing.assert_allclose(straight[0], -mirrored[0], atol=0.15)
    np.testing.assert_allclose(straight[1], mirrored[1], atol=0.15)
    units, others = straight[5:], mirrored[5:][list(arkit.OTHER_SIDE)]
    assert np.abs(units - others).mean() < 0.06


def test_every_look_is_read_wherever_it_stands():
    one = {side: measured(side)[0] for side in (False, True)}
    order = [False, False, True, False, True, True] * 8
    for row, side in zip(measured(*order), order, strict=True):
        np.testing.assert_allclose(row, one[side], atol=2e-3)


def test_labels_are_those_of_a_clip_and_unknown_units_are_no_numbers():
    labels = estimator().estimate(measured(*[False] * 4))
    known = encoder_labels.load_maps()["unit_known"]
    assert labels.gaze.shape == (4, 2) and np.isfinite(labels.gaze).all()
    np.testing.assert_array_equal(np.isfinite(labels.units), np.tile(known, (4, 1)))
    assert labels.emotion.shape == (4, len(types.EMOTIONS))
    np.testing.assert_allclose(labels.emotion.sum(axis=1), 1, atol=1e-5)

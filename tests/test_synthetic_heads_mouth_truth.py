"""What is exactly known of the mouth of a rendered head."""

import numpy as np
import pytest

from datasets import exact_features
from datasets.synthetic_heads import names
from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import correspondence, ground_truth, scene
from vasa_jax import arkit


@pytest.fixture(scope="module")
def person():
    return avatar.build_avatar(5)


def _find(person, **units):
    weights = np.zeros(52, np.float32)
    for name, weight in units.items():
        weights[arkit.index(name)] = weight
    rest = geometry.FrameState.neutral()
    state = geometry.FrameState(
        weights, rest.gaze_in_head, rest.rotation, rest.translation
    )
    camera = scene.random_camera(1)
    packed = correspondence.pack_geometry(person, camera, [state])
    posed = geometry.pose_head(
        geometry.build_geometry(person.identity_seed, person.exaggeration), state
    )
    marks = ground_truth.keypoints(posed, camera)
    return exact_features.find({"geometry": packed}, 0), marks


def test_the_edge_goes_through_corners_and_middles_of_the_lips(person):
    found, marks = _find(person, jawOpen=0.5)
    edge = found["mouth_edge"]
    assert edge[0, 0] < edge[6, 0] < edge[12, 0]
    assert edge[18, 1] - edge[6, 1] > 0.05
    marked = ("mouth_right", "mouth_left", "lip_top", "lip_bottom")
    for name, index in zip(marked, (0, 12, 6, 18), strict=True):
        mark = marks[names.KEYPOINT_NAMES.index(name)]
        np.testing.assert_allclose(edge[index], mark, atol=0.05)


def test_upper_teeth_stay_and_lower_ones_fall_with_the_jaw(person):
    (rest, _), (opened, _) = _find(person), _find(person, jawOpen=0.6)
    np.testing.assert_allclose(
        opened["mouth_teeth"][0], rest["mouth_teeth"][0], atol=2e-3
    )
    assert (opened["mouth_teeth"][1, :, 1] > rest["mouth_teeth"][1, :, 1] + 0.03).all()


def test_a_shut_mouth_is_shut(person):
    found, _ = _find(person)
    edge = found["mouth_edge"]
    gap = edge[:12:-1, 1] - edge[1:12, 1]
    assert np.abs(gap).max() < 0.03

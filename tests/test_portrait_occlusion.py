"""What covers a mouth or the eyes is told from faces that nothing covers."""

import functools
import pathlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from experiments.tools import drawn_occluders
from vasa_jax import media
from vasa_jax.portrait import landmarks, locate, occlusion, pose

PORTRAIT = pathlib.Path(__file__).parent.parent / "examples" / "portrait.png"


@functools.cache
def _portrait():
    image = media.read_image(PORTRAIT)
    found = locate.locate_face(image).landmarks
    return image, found.points, float(pose.fit_head(found.points).unit)


def _covered(image):
    """Tell of a picture of the portrait, by where its face is known to be."""
    _, points, unit = _portrait()
    mouth = points[[13, 14], :2].mean(axis=0)
    eyes = points[np.array(landmarks.EYE_CORNERS), :2].mean(axis=1)
    return occlusion.covered(image, mouth, eyes, unit)


def test_a_bare_face_and_its_mirror_image_are_not_covered():
    image, points, unit = _portrait()
    assert _covered(image).max() < 0.5
    flip = np.array([-1, 1]), np.array([image.shape[1], 0])
    mouth = points[[13, 14], :2].mean(axis=0) * flip[0] + flip[1]
    eyes = points[np.array(landmarks.EYE_CORNERS), :2].mean(axis=1)
    eyes = (eyes * flip[0] + flip[1])[::-1]
    mirrored = occlusion.covered(image[:, ::-1], mouth, eyes, unit)
    assert mirrored.max() < 0.5


@pytest.mark.parametrize("kind", [*drawn_occluders.MOUTH, "hand_on_eye", "glasses"])
def test_what_is_drawn_over_a_part_is_told_of_that_part(kind):
    image, points, unit = _portrait()
    told = []
    for seed in range(3):
        face = drawn_occluders.Face(image, points, unit, np.random.default_rng(seed))
        told.append(_covered(face.draw(kind)))
    part = 0 if kind in drawn_occluders.MOUTH else 1
    assert np.median(told, axis=0)[part] >= 0.5


def test_neither_light_nor_size_nor_tilt_of_a_picture_changes_a_patch():
    image, points, unit = _portrait()
    part, middle = occlusion.PARTS[0], points[13, :2]
    usual = occlusion.patch(image, part, middle, unit, 0.0)
    assert usual.shape == (part.num_rows * part.num_columns * 3,)
    dim = occlusion.patch(image // 2 + 60, part, middle, unit, 0.0)
    assert np.corrcoef(usual, dim)[0, 1] > 0.99
    turned = np.ascontiguousarray(np.rot90(image))
    place = np.array([middle[1], image.shape[1] - middle[0]])
    again = occlusion.patch(turned, part, place, unit, -np.pi / 2)
    assert np.corrcoef(usual, again)[0, 1] > 0.99


def test_features_are_places_along_directions_and_what_they_leave():
    told = occlusion.Map(
        mean=np.float32([1, 0, 0]),
        directions=np.float32([[0.5, 0, 0]]),
        weights=np.float32([0, 0, 0, 0, 0, 0.25]),
    )
    found = told.features(np.float32([[5, 2, 1], [1, 0, 0]]))
    left = np.log(5 / 3 + 1e-3)
    np.testing.assert_allclose(found[0], [2, 2, 4, np.log(4.001), left, 1], rtol=1e-5)
    np.testing.assert_allclose(told.score(np.float32([[5, 2, 1]])), [0.25])

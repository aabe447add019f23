"""Rendered heads are found in the pose they have, alone and in a crowd."""

import os
import pathlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import renderer, scene
from vasa_jax import arkit as arkit_lib
from vasa_jax import errors, media
from vasa_jax.portrait import crop, detection, landmarks, locate, resample, track

SIZE = 224
TURNS_DEGREES = ((0, 0, 0), (25, 5, -10), (-25, -8, 10))


def _render(identity, degrees=(0, 0, 0), jaw_open=0.0, blink=0.0):
    arkit = np.zeros(52, np.float32)
    names = arkit_lib.NAMES
    arkit[names.index("jawOpen")] = jaw_open
    for side in ("Left", "Right"):
        arkit[names.index(f"eyeBlink{side}")] = blink
    state = geometry.FrameState(
        arkit=arkit,
        gaze_in_head=np.zeros(2),
        rotation=np.deg2rad(degrees),
        translation=np.zeros(3),
    )
    return renderer.Renderer(SIZE).render(
        avatar.build_avatar(identity),
        scene.random_scene(identity),
        scene.camera(),
        state,
    )


@pytest.fixture(scope="module")
def heads():
    return {
        (identity, degrees): _render(identity, degrees)
        for identity in (11, 12)
        for degrees in TURNS_DEGREES
    }


@pytest.fixture(scope="module")
def crowd(heads):
    """A wide picture: one whole head, and another at 70 % of its size."""
    large, small = heads[11, (0, 0, 0)].image, heads[12, (0, 0, 0)].image
    picture = np.full((SIZE, 2 * SIZE, 3), 90, np.uint8)
    picture[:, :SIZE] = large
    side = round(0.7 * SIZE)
    shrunk = resample.sample_window(small, 0, 0, SIZE, SIZE, side, side)
    picture[50 : 50 + side, 260 : 260 + side] = np.rint(shrunk)
    return picture


def test_rendered_heads_are_found_in_the_pose_they_were_rendered_in(heads):
    whole = crop.CropBox.of_whole(SIZE, SIZE)
    for head in heads.values():
        located = locate.locate_face(head.image)
        truth = head.head_pose
        error = np.rad2deg(np.asarray(located.head_pose.rotation) - truth[:3])
        assert np.abs(error[[0, 2]]).max() < 6
        assert abs(error[1]) < 12
        at = (located.box.center_x, located.box.center_y)
        expected = (truth[3:5] + 1) * SIZE / 2
        assert np.abs(np.array(at) - expected).max() < 0.13 * SIZE / 2
        ratio = located.box.half_size / whole.half_size / (1 / truth[5])
        assert 0.8 < ratio < 1.25


def test_turning_a_head_by_50_degrees_turns_the_fit_as_much(heads):
    for identity in (11, 12):
        right, left = (
            locate.locate_face(heads[identity, degrees].image).head_pose.rotation[0]
            for degrees in TURNS_DEGREES[1:]
        )
        assert abs(np.rad2deg(right - left) - 50) < 6


def test_the_largest_of_several_faces_is_taken_with_a_warning(crowd, heads):
    located = locate.locate_face(crowd)
    alone = locate.locate_face(heads[11, (0, 0, 0)].image)
    assert "2 faces were found" in located.warning
    assert abs(located.box.center_x - alone.box.center_x) < 4
    assert alone.warning is None


def test_detections_come_largest_first(crowd):
    sizes = [face.size for face in detection.detect_faces(crowd)]
    assert len(sizes) == 2 and sizes[0] > 1.2 * sizes[1]


@pytest.mark.parametrize("share", [0.07, 0.9])
def test_small_and_large_faces_are_found(heads, share):
    image = heads[12, (0, 0, 0)].image
    face = detection.detect_faces(image)[0]
    side = face.size / share
    box = crop.CropBox(
        center_x=face.center_x, center_y=face.center_y, half_size=side / 2
    )
    picture = crop.extract(image, box, 600)
    located = locate.locate_face(picture)
    expected = locate.locate_face(image).box.half_size * 600 / side
    assert 0.9 < located.box.half_size / expected < 1.1


def test_a_face_upside_down_is_found_as_such(heads):
    image = np.rot90(heads[12, (0, 0, 0)].image, 2)
    located = locate.locate_face(image)
    assert abs(abs(np.rad2deg(located.head_pose.rotation[2])) - 180) < 8
    assert "turn the picture upright" in located.warning


def test_a_small_head_is_found_with_a_warning(heads):
    image = heads[12, (0, 0, 0)].image
    tiny = np.rint(resample.sample_window(image, 0, 0, SIZE, SIZE, 40, 40))
    assert "look soft" in locate.locate_face(tiny.astype(np.uint8)).warning


def test_a_picture_without_a_face_is_the_users_mistake():
    y, x = np.mgrid[0:120, 0:200]
    picture = np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)
    with pytest.raises(errors.UserError, match="No face was found .* 200 x 120 pixels"):
        locate.locate_face(picture)


def test_an_open_mouth_and_closed_eyes_are_measured():
    rest = locate.locate_face(_render(12).image).landmarks.points
    spoken = locate.locate_face(_render(12, jaw_open=0.7).image).landmarks.points
    asleep = locate.locate_face(_render(12, blink=1.0).image).landmarks.points
    opening = landmarks.mouth_opening
    assert opening(spoken) > opening(rest) + 0.1
    assert landmarks.eye_opening(asleep) < 0.8 * landmarks.eye_opening(rest)


def test_a_clip_is_tracked_through_frames_without_a_face(heads):
    blank = np.full((SIZE, SIZE, 3), 128, np.uint8)
    still, turned = heads[12, (0, 0, 0)].image, heads[12, (25, 5, -10)].image
    found = track.track_face(iter([blank, still, still, blank, turned]))
    assert found.present.tolist() == [False, True, True, False, True]
    assert found.head_pose.shape == (5, 6) and found.gaze.shape == (5, 2)
    np.testing.assert_array_equal(found.head_pose[0], found.head_pose[1])
    turn = np.rad2deg(found.head_pose[4, 0] - found.head_pose[1, 0])
    assert 18 < turn < 32


def test_a_clip_without_a_face_is_the_users_mistake():
    blank = np.full((64, 64, 3), 128, np.uint8)
    with pytest.raises(errors.UserError, match="in any of the 2 frames"):
        track.track_face([blank, blank])


def test_a_given_crop_sets_the_units_of_a_track(heads):
    head = heads[12, (25, 5, -10)]
    whole = crop.CropBox.of_whole(SIZE, SIZE)
    found = track.track_face([head.image], box=whole)
    assert found.box is whole
    np.testing.assert_allclose(found.head_pose[0, 3:5], head.head_pose[3:5], atol=0.13)


def _real_data(*parts):
    root = os.environ.get("VASA_REAL_DATA")
    if root is None:
        pytest.skip("VASA_REAL_DATA is not set")
    return pathlib.Path(root, *parts)


def test_a_real_portrait_is_found_and_framed():
    image = media.read_image(_real_data("portraits", "astronaut.png"))
    located = locate.locate_face(image)
    assert located.warning is None
    assert abs(located.box.center_x - 226) < 8 and abs(located.box.center_y - 107) < 8
    assert 85 < located.box.half_size < 105
    assert np.abs(np.rad2deg(located.head_pose.rotation)).max() < 8


def test_real_talking_heads_are_tracked_from_end_to_end():
    for path in sorted(_real_data("talking_heads").glob("*.mpg")):
        found = track.track_face(media.iterate_video(path))
        assert found.present.all()
        assert np.abs(np.rad2deg(found.head_pose[:, [0, 2]])).max() < 15
        assert np.ptp(found.mouth_opening) > 0.08
        assert np.abs(np.diff(np.rad2deg(found.head_pose[:, :3]), axis=0)).max() < 6

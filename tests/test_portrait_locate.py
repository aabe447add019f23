"""Rendered heads are found in the pose they have, alone and in a crowd."""

import dataclasses
import os
import pathlib

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import renderer, scene
from vasa_jax import arkit as arkit_lib
from vasa_jax import errors, media
from vasa_jax.portrait import (
    crop,
    detection,
    gaze,
    landmarks,
    locate,
    resample,
    track,
)

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


def test_a_far_smaller_face_is_warned_of_where_that_is_asked(heads):
    image = heads[11, (0, 0, 0)].image
    other = heads[12, (0, 0, 0)].image
    tiny = np.rint(resample.sample_window(other, 0, 0, SIZE, SIZE, 60, 60))
    picture = np.full((480, 480, 3), 128, np.uint8)
    picture[:SIZE, :SIZE] = image
    picture[400:460, 400:460] = tiny
    assert locate.locate_face(picture).warning is None
    located = locate.locate_face(picture, counts_small=True)
    assert "2 faces were found and the largest is used" in located.warning
    assert located.box == locate.locate_face(picture).box


def test_in_a_tall_picture_a_face_of_a_twentieth_of_the_width_is_found(heads):
    image = heads[12, (0, 0, 0)].image
    face = detection.detect_faces(image)[0]
    side = round(SIZE * 40 / face.size)
    small = np.rint(resample.sample_window(image, 0, 0, SIZE, SIZE, side, side))
    picture = np.full((2_000, 800, 3), small[0, 0], np.uint8)
    picture[1_400 : 1_400 + side, 500 : 500 + side] = small
    located = locate.locate_face(picture)
    assert abs(located.box.center_y - (1_400 + side / 2)) < side / 4


@pytest.mark.parametrize("degrees", [-40, 15, 30])
def test_the_crop_of_a_tilted_head_turns_with_it(heads, degrees):
    image = heads[12, (0, 0, 0)].image
    upright = locate.locate_face(image)
    assert locate.turn_crop(upright) == upright
    turned = PIL.Image.fromarray(image).rotate(
        -degrees, PIL.Image.Resampling.BICUBIC, fillcolor=(128, 128, 128)
    )
    found = locate.turn_crop(locate.locate_face(np.asarray(turned)))
    own = np.rad2deg(upright.head_pose.rotation)
    # The crop is upright by the head, and so it takes its own roll out, too.
    assert abs(np.rad2deg(found.box.angle) - degrees + own[2]) < 3
    assert np.abs(np.rad2deg(found.head_pose.rotation) - [own[0], own[1], 0]).max() < 4
    assert np.abs(found.head_pose.translation).max() < 1e-6
    level = dataclasses.replace(upright.box, angle=np.deg2rad(-own[2]))
    expected = crop.extract(image, level, 64)[16:-16, 16:-16].astype(int)
    shown = crop.extract(np.asarray(turned), found.box, 64)[16:-16, 16:-16]
    assert np.abs(shown - expected).mean() < 8


def test_a_head_that_leans_by_over_50_degrees_is_refused(heads):
    image = PIL.Image.fromarray(heads[12, (0, 0, 0)].image).rotate(60)
    found = locate.locate_face(np.asarray(image))
    with pytest.raises(errors.UserError, match="at most 50 look right; turn the"):
        locate.turn_crop(found)


def test_a_head_that_the_border_cuts_is_found_with_a_warning(heads):
    image = heads[12, (0, 0, 0)].image
    box = locate.locate_face(image).box
    cut = image[round(box.center_y - 0.4 * box.half_size) :]
    assert "lie beyond the picture" in locate.locate_face(cut).warning


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
    rest, spoken, asleep = (
        track.track_landmarks([_render(12, **one).image])
        for one in ({}, {"jaw_open": 0.7}, {"blink": 1.0})
    )
    opening = landmarks.mouth_aperture
    assert opening(spoken.points) > opening(rest.points) + 0.1
    assert gaze.eye_aperture(asleep.eyes) < 0.8 * gaze.eye_aperture(rest.eyes)


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
        assert np.ptp(found.mouth_aperture) > 0.08
        assert np.abs(np.diff(np.rad2deg(found.head_pose[:, :3]), axis=0)).max() < 6

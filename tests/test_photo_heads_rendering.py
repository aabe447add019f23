"""Photographed heads: what a fitted portrait renders, and the truth beside it."""

import dataclasses

import numpy as np
import photographed
import pytest

from datasets.photo_heads.fit import fitting, photo_head
from datasets.photo_heads.parts import patch
from datasets.photo_heads.rendering import posing, rendering
from datasets.synthetic_heads import names
from vasa_jax import errors
from vasa_jax.portrait import locate, pose

State, View = photo_head.State, photo_head.View
state = photographed.state
BACKGROUND, TORSO, HEAD, HAIR, EYES, MOUTH = range(len(names.MASK_CLASSES))


def render(a_state, view=None):
    head = photographed.head()
    return photographed.renderer().render(head, a_state, view or View())


def rig():
    return posing.build_rig(photographed.head().shape)


def psnr(first, second, mask):
    error = np.square(first[mask].astype(float) - second[mask]).mean()
    return 10 * np.log10(255**2 / error)


def test_rest_renders_as_the_photograph():
    head, found = photographed.head(), render(State())
    assert found.genuine.mean() > 0.3
    assert psnr(found.image, head.photograph, found.genuine) > 35


def test_frames_are_the_same_every_time_and_from_every_renderer():
    moved, view = photographed.MOVED["pitch and lids"]
    first = render(moved, view)
    render(state(turn=(10, 0, 0)))
    second = rendering.Renderer(photographed.SIZE).render(
        photographed.head(), moved, view
    )
    for name in ("image", "genuine", "masks", "head_pose", "keypoints"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_the_pose_at_rest_is_the_photographs_with_translation_0_and_scale_1():
    found = render(State()).head_pose
    rotation = photographed.head().shape.rotation
    np.testing.assert_allclose(found, [*rotation, 0, 0, 1], atol=1e-6)


@pytest.mark.parametrize("axis", range(3))
def test_a_turn_adds_to_the_pose_and_is_found_again_in_the_picture(axis):
    degrees = np.zeros(3)
    degrees[axis] = 10
    moved = render(state(turn=degrees))
    rest = render(State())
    told = np.rad2deg(moved.head_pose - rest.head_pose)[:3]
    # The neck's turn moves the head, and with it the ray to which turns are relative.
    np.testing.assert_allclose(told, degrees, atol=1)

    def measured(image):
        found = locate.locate_face(image)
        return np.rad2deg(pose.fit_head(found.landmarks.points).rotation)

    seen = measured(moved.image) - measured(rest.image)
    np.testing.assert_allclose(seen, degrees, atol=3)


def test_the_pose_follows_view_and_shift():
    near = render(State(), View(distance=0.9, x=0.1)).head_pose
    np.testing.assert_allclose(near[3:], [-0.1 / 1.35, 0, 1 / 0.9], atol=1e-6)
    away = render(state(shift=(0, 0, 1.6))).head_pose
    assert away[5] == pytest.approx(1 / 1.1)


@pytest.mark.parametrize(
    "wanted", [(0.3, -0.2, 0.1, 0.1, -0.05, 1.1), (-0.5, 0.2, 0.3, -0.2, 0.1, 0.75)]
)
def test_a_state_is_found_at_any_pose(wanted):
    found = posing.at_pose(rig(), state(jawOpen=0.5), np.array(wanted))
    np.testing.assert_allclose(render(found).head_pose, wanted, atol=1e-3)
    assert (found.arkit == state(jawOpen=0.5).arkit).all()


def test_keypoints_lie_where_the_landmarks_were_found():
    face = locate.locate_face(photographed.picture())
    landmarks, box = face.landmarks.points, face.box
    expected = (landmarks[:, :2] - [box.center_x, box.center_y]) / box.half_size
    found = dict(zip(names.KEYPOINT_NAMES, render(State()).keypoints, strict=True))
    pixel = 2 / photographed.SIZE
    for name, index in {"nose_tip": 1, "chin": 152, "mouth_left": 291}.items():
        np.testing.assert_allclose(found[name], expected[index], atol=pixel)
    # Left is the person's own left, the image's right.
    assert found["left_eye"][0] > found["right_eye"][0]
    np.testing.assert_allclose(found["head_centre"], 0, atol=1e-6)


def test_an_opening_jaw_opens_the_mouth_and_shows_its_inside():
    shut, opened = render(state(lips=1.0)), render(state(jawOpen=0.6))
    assert shut.mouth_aperture < 0.01
    assert opened.mouth_aperture > 0.2
    assert (opened.masks == MOUTH).sum() > (shut.masks == MOUTH).sum() + 5
    inside = np.repeat(np.repeat(opened.masks == MOUTH, 4, 0), 4, 1)
    assert opened.genuine[inside].mean() < 0.5


def test_the_wider_the_lips_the_more_light_comes_in():
    head, green = photographed.head(), photographed.head().texture.copy()
    for left, top, width, height in head.tiles[list(patch.MOUTH_TILES)]:
        green[top : top + height, left : left + width, :3] = [0.0, 255.0, 0.0]
    head = dataclasses.replace(
        head, texture=green, shape=dataclasses.replace(head.shape)
    )
    renderer, light = rendering.Renderer(photographed.SIZE), []
    for jaw in (0.04, 0.15, 0.6):
        image = renderer.render(head, state(jawOpen=jaw), View()).image.astype(float)
        light.append((image[..., 1] - image[..., 0]).max() / 255)
    narrow, open_, wide = light
    assert 0.05 < narrow < 0.3 and 0.6 < open_ < 0.75 and wide > 0.85, light


def test_shut_eyes_show_no_eyes():
    assert (render(State()).masks == EYES).sum() > 5
    assert (render(state(eyes=1.0)).masks == EYES).sum() == 0


def test_masks_have_the_head_in_the_middle_and_the_torso_below():
    masks = render(State()).masks
    assert masks[32, 32] == HEAD
    assert masks[0, 0] == BACKGROUND
    assert not (masks[:40] == TORSO).any()
    assert not (masks == HAIR).any()


def test_the_torso_stays_when_the_head_turns():
    the_rig = rig()
    at_rest = posing.pose_points(the_rig, State())
    turned = posing.pose_points(the_rig, state(turn=(15, 0, 0)))
    still = the_rig.turning == 0
    assert still.any()
    np.testing.assert_allclose(turned[still], at_rest[still], atol=1e-6)
    moved = np.linalg.norm(turned - at_rest, axis=1)[the_rig.turning == 1]
    assert moved.max() > 0.2


def test_points_that_turn_wholly_keep_their_distances():
    the_rig = rig()
    whole = the_rig.turning == 1
    first = posing.pose_points(the_rig, State())[whole][::50]
    second = posing.pose_points(the_rig, state(turn=(15, -9, 7)))[whole][::50]

    def distances(points):
        return np.linalg.norm(points[:, None] - points, axis=-1)

    np.testing.assert_allclose(distances(first), distances(second), atol=1e-5)


def test_beyond_the_picture_nothing_is_genuine():
    picture = photographed.picture()[:, :340]
    head = fitting.fit(picture, photographed.SIZE)
    found = photographed.renderer().render(head, State(), View())
    right = View().to_image(head.shape.picture[[2, 3]])[0]
    column = int((right + 1) / 2 * photographed.SIZE)
    assert column < 250
    assert not found.genuine[:, column + 1 :].any()
    assert head.cut > photographed.head().cut


def test_a_picture_without_a_face_is_refused():
    with pytest.raises(errors.UserError, match="No face was found"):
        fitting.fit(np.full((200, 200, 3), 128, np.uint8))


def test_a_heads_size_of_expressions_is_that_of_its_mouth():
    shape = photographed.head().shape
    small = dataclasses.replace(shape, landmarks=shape.landmarks * 0.8)
    full, less = posing.build_rig(shape), posing.build_rig(small)
    assert less.unit_size == pytest.approx(0.8 * full.unit_size, rel=1e-3)

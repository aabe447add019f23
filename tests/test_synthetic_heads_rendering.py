"""Synthetic heads: pictures, their truth, and correspondence between them."""

import dataclasses
import functools

import numpy as np
import pytest

from datasets.synthetic_heads import names
from datasets.synthetic_heads.person import (
    accessories,
    avatar,
    geometry,
    lids,
    randomization,
)
from datasets.synthetic_heads.rendering import correspondence, filters, renderer, scene
from vasa_jax import arkit as arkit_lib
from vasa_jax import errors
from vasa_jax import geometry as model_geometry

SIZE = 96
SEED = 46


@functools.lru_cache(maxsize=4)
def person(seed=SEED, strength=None):
    if strength is None:
        return avatar.build_avatar(seed)
    domain = randomization.Randomization(strength=strength, natural_share=0.0)
    return avatar.build_avatar(seed, domain)


def state(rotation=(0, 0, 0), gaze=(0, 0), **weights):
    arkit = np.zeros(arkit_lib.NUM_UNITS, np.float32)
    for name, weight in weights.items():
        arkit[arkit_lib.index(name)] = weight
    return geometry.FrameState(
        arkit, np.array(gaze, float), np.array(rotation, float), np.zeros(3)
    )


def render(posed, who=None, camera=None, size=SIZE):
    camera = camera or scene.camera(20.0)
    surroundings = scene.random_scene(SEED)
    return renderer.Renderer(size).render(who or person(), surroundings, camera, posed)


def keypoint(frame, name):
    return frame.keypoints[names.KEYPOINT_NAMES.index(name)]


def record(camera, posed, who=None):
    return {"geometry": correspondence.pack_geometry(who or person(), camera, [posed])}


def rotation_by_hand(yaw, pitch, roll):
    """Image frame (x right, y down, z away), built from where the axes go."""
    forward_yaw = np.array([np.sin(yaw), 0, -np.cos(yaw)])
    about_y = np.stack([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], -forward_yaw], axis=1)
    forward_pitch = np.array([0, np.sin(pitch), -np.cos(pitch)])
    about_x = np.stack(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], -forward_pitch], axis=1
    )
    right_after_roll = np.array([np.cos(roll), -np.sin(roll), 0])
    down_after_roll = np.array([np.sin(roll), np.cos(roll), 0])
    about_z = np.stack([right_after_roll, down_after_roll, [0, 0, 1]], axis=1)
    return about_y @ about_x @ about_z


def test_the_same_seed_gives_the_same_pixels():
    avatars = [avatar.build_avatar(3), avatar.build_avatar(3)]
    first, second = (render(state((0.2, 0, 0)), who) for who in avatars)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.masks, second.masks)
    assert np.any(first.image != render(state((0.2, 0, 0)), person(4)).image)


def test_a_head_at_rest_is_read_as_the_reference_framing():
    frame = render(state())
    np.testing.assert_allclose(frame.head_pose, [0, 0, 0, 0, 0, 1], atol=1e-5)
    np.testing.assert_allclose(frame.gaze, [0, 0], atol=1e-6)
    np.testing.assert_allclose(keypoint(frame, "head_centre"), [0, 0], atol=1e-5)


def test_positive_angles_turn_the_face_right_down_and_counter_clockwise():
    right = render(state((0.4, 0, 0)))
    assert keypoint(right, "nose_tip")[0] > right.head_pose[3] + 0.2
    down = keypoint(render(state((0, 0.3, 0))), "nose_tip")
    assert down[1] > keypoint(render(state()), "nose_tip")[1]
    rolled = render(state((0, 0, 0.3)))
    assert keypoint(rolled, "left_eye")[1] < keypoint(rolled, "right_eye")[1]


@pytest.mark.parametrize("rotation", [(0.5, 0, 0), (0, -0.3, 0), (0.3, 0.2, -0.25)])
def test_the_read_rotation_is_the_one_that_was_asked_for(rotation):
    posed = geometry.pose_head(person().geometry, state(rotation))
    place = geometry.head.HEAD_CENTRE
    x, y, _ = posed.head_centre - place
    camera = scene.camera(20.0)
    following = scene.Camera(
        camera.eye + np.array([x, y, 0], np.float32), camera.axes, camera.focal
    )
    frame = render(state(rotation), camera=following)
    np.testing.assert_allclose(frame.head_pose[:3], rotation, atol=1e-5)


def test_mesh_rotations_are_those_of_the_model_seen_from_the_image_frame():
    rotation = np.array([0.4, 0.3, -0.2], np.float32)
    flip = np.diag([1, -1, -1])
    in_image = flip @ geometry.rotation_in_mesh(rotation) @ flip
    expected = model_geometry.rotation_matrix(rotation)
    np.testing.assert_allclose(in_image, expected, atol=1e-6)


def test_a_turned_head_moves_its_keypoints_as_numpy_says():
    """Weak perspective from the truth alone, from far away, agrees with pixels."""
    camera = scene.camera(400.0, scale=0.9, offset=(0.1, -0.05))
    rest = render(state(), camera=camera)
    turned = render(state((0.5, -0.2, 0.15)), camera=camera)
    eyes_at_rest = person().geometry.eye_centres - geometry.head.HEAD_CENTRE
    canonical = eyes_at_rest * [1, -1, -1] / scene.HALF_IMAGE_HEAD_UNITS
    for frame in (rest, turned):
        pose = frame.head_pose
        expected = pose[5] * (canonical @ rotation_by_hand(*pose[:3]).T)[:, :2]
        expected += pose[3:5]
        np.testing.assert_allclose(frame.keypoints[:2], expected, atol=4e-3)


def test_a_head_that_faces_an_eye_beside_it_is_read_as_facing_it():
    camera = scene.camera(16.0, offset=(0.3, 0.0))
    to_the_eye = -np.arctan2(0.3, camera.focal)
    frame = render(state((to_the_eye, 0, 0)), camera=camera)
    assert abs(to_the_eye) > 0.02
    np.testing.assert_allclose(frame.head_pose[:3], 0.0, atol=2e-3)


def test_gaze_adds_to_the_turn_of_the_head():
    frame = render(state((0.3, 0, 0), gaze=(0.2, 0)))
    np.testing.assert_allclose(frame.gaze[0] - frame.head_pose[0], 0.2, atol=1e-3)
    assert frame.arkit[arkit_lib.index("eyeLookOutLeft")] > 0.3


def test_an_open_jaw_opens_the_mouth():
    closed, opened = render(state()), render(state(jawOpen=0.6))
    assert closed.mouth_aperture < 0.06
    assert opened.mouth_aperture > closed.mouth_aperture + 0.15
    mouth = names.MASK_CLASSES.index("mouth_interior")
    assert np.sum(opened.masks == mouth) > np.sum(closed.masks == mouth)
    gap = keypoint(opened, "lip_bottom") - keypoint(opened, "lip_top")
    assert gap[1] > 0.05


def test_a_blink_hides_the_eyes():
    eyes = names.MASK_CLASSES.index("eyes")
    camera = scene.camera(20.0, scale=1.2)
    awake = render(state(), camera=camera)
    asleep = render(state(eyeBlinkLeft=1.0, eyeBlinkRight=1.0), camera=camera)
    assert np.sum(awake.masks == eyes) >= 4
    assert np.sum(asleep.masks == eyes) < 0.3 * np.sum(awake.masks == eyes)


def test_masks_tell_head_torso_and_background_apart():
    masks = render(state(), camera=scene.camera(20.0, scale=0.75)).masks
    assert masks.shape == (64, 64) and masks.dtype == np.uint8
    ids = {name: i for i, name in enumerate(names.MASK_CLASSES)}
    assert masks[0, 0] == masks[0, -1] == ids["background"]
    assert masks[-1, 32] in (ids["torso"], ids["head"])
    assert masks[-1, 0] in (ids["torso"], ids["background"])
    middle = masks[24:40, 26:38]
    assert np.mean((middle == ids["head"]) | (middle == ids["eyes"])) > 0.7
    assert np.sum(masks == ids["torso"]) > 100


def test_flow_between_equal_frames_is_the_identity():
    packed = record(scene.camera(20.0), state((0.3, 0.1, 0)))
    where, visible, *_ = correspondence.between(packed, 0, packed, 0, size=32)
    centres = (np.arange(32) + 0.5) / 32 * 2 - 1
    expected = np.stack(np.meshgrid(centres, centres), axis=-1)
    np.testing.assert_allclose(where, expected, atol=2e-4)
    assert visible.mean() > 0.97


def test_flow_carries_colours_from_the_source_to_the_driver():
    cameras = scene.camera(18.0), scene.camera(24.0, scale=0.85, offset=(0.1, 0.05))
    posed = state((0.3, 0.1, 0.1), jawOpen=0.4), state((-0.1, 0, 0))
    frames = [render(p, camera=c) for p, c in zip(posed, cameras, strict=True)]
    driver, source = (record(c, p) for p, c in zip(posed, cameras, strict=True))
    where, visible, *_ = correspondence.between(driver, 0, source, 0, size=SIZE)
    cells = np.clip(((where + 1) / 2 * SIZE).astype(int), 0, SIZE - 1)
    carried = frames[1].image[cells[..., 1], cells[..., 0]].astype(float)
    error = np.abs(carried - frames[0].image)[visible].mean()
    plain = np.abs(frames[1].image.astype(float) - frames[0].image)[visible].mean()
    assert visible.mean() > 0.6
    assert error < 0.5 * plain


def test_the_far_cheek_and_the_open_mouth_are_not_visible_in_the_source():
    camera = scene.camera(20.0)
    driver = record(camera, state((-0.7, 0, 0), jawOpen=0.6))
    source = record(camera, state((0.7, 0, 0)))
    _, visible, *_ = correspondence.between(driver, 0, source, 0)
    frame = render(state((-0.7, 0, 0), jawOpen=0.6), camera=camera)
    face = frame.masks == names.MASK_CLASSES.index("head")
    mouth = frame.masks == names.MASK_CLASSES.index("mouth_interior")
    assert 0.2 < visible[face].mean() < 0.9
    assert visible[mouth].mean() < 0.3


def test_closing_lids_come_from_the_skin_above_the_eye():
    camera = scene.camera(20.0)
    closed = dict(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    asleep, awake = record(camera, state(**closed)), record(camera, state())
    found = correspondence.between(asleep, 0, awake, 0)
    eyes = render(state(), camera=camera).masks == names.MASK_CLASSES.index("eyes")
    assert found.visible[eyes].mean() > 0.5
    rows = np.broadcast_to((np.arange(64)[:, None] + 0.5) / 32 - 1, (64, 64))
    rises = (rows - found.flow[..., 1])[eyes & found.visible]
    assert (rises > 0).mean() > 0.9 and rises.max() > 1.2 * eyes.any(axis=1).sum() / 32
    # Nothing is lifted where the lids of both frames agree.
    same = correspondence.between(asleep, 0, asleep, 0)
    np.testing.assert_allclose((rows - same.flow[..., 1])[eyes], 0.0, atol=1e-3)


def test_a_blink_moves_nothing_below_the_lids():
    mesh = geometry.head.load_head_mesh()
    moved = np.abs(mesh.expression_deltas[list(lids.BLINKS)]).max(axis=(0, 2)) > 0
    nose = mesh.base[mesh.landmarks["nose_tip"]]
    assert mesh.base[moved, 1].min() > nose[1] + 0.1
    assert np.abs(mesh.expression_deltas[list(lids.BLINKS)]).max() > 0.1


def test_glasses_and_hats_sit_on_the_head_and_turn_with_it():
    mesh = geometry.head.load_head_mesh()
    base = mesh.base[mesh.point_of_vertex]
    normals = np.tile(np.float32([0, 0, 1]), (len(base), 1))
    shape = accessories.Glasses(0.22, 0.18, 3.0, 0.02)
    parts = accessories.put_on(accessories.Worn(shape, True, 7.8), base, normals, base)
    frames, hat = parts[:-1], parts[-1]
    places = np.concatenate([part.positions for part in frames])
    np.testing.assert_allclose(places[:, 0].min(), -places[:, 0].max(), atol=1e-2)
    assert np.all(places[np.abs(places[:, 0]) < 0.4][:, 2] > 1.4)
    assert hat.positions[:, 1].max() > base[:, 1].max()
    assert all(np.all(part.turning == 1) for part in parts)


def test_two_identities_have_no_correspondence():
    camera = scene.camera(20.0)
    with pytest.raises(errors.UserError, match="one identity"):
        correspondence.between(
            record(camera, state()), 0, record(camera, state(), person(4)), 0
        )


def test_a_renderer_refuses_sizes_that_it_cannot_draw():
    with pytest.raises(errors.UserError, match="4096"):
        renderer.Renderer(4096)


def test_no_strength_changes_nothing():
    domain = randomization.Randomization(strength=0.0)
    plain, same = person(), avatar.build_avatar(SEED, domain)
    np.testing.assert_array_equal(plain.geometry.points, same.geometry.points)
    np.testing.assert_array_equal(
        plain.appearance.skin_texture, same.appearance.skin_texture
    )
    first, second = render(state(), plain).image, render(state(), same).image
    np.testing.assert_array_equal(first, second)
    lights = scene.random_scene(SEED, domain).lights
    np.testing.assert_array_equal(lights.sky, scene.random_scene(SEED).lights.sky)


def test_full_strength_changes_skins_shapes_and_pictures_reproducibly():
    domain = randomization.Randomization(strength=1.0, natural_share=0.0)
    changed_skins, changed_pictures = 0, 0
    looks = person().appearance
    for seed in range(6):
        painted = randomization.randomize_appearance(domain, seed, looks)
        again = randomization.randomize_appearance(domain, seed, looks)
        np.testing.assert_array_equal(painted.skin_texture, again.skin_texture)
        changed_skins += np.any(painted.skin_texture != looks.skin_texture)
        photo = randomization.random_filter(domain, seed)
        image = np.random.default_rng(seed).integers(0, 255, (32, 32, 3), np.uint8)
        first = filters.develop(photo, image, frame_seed=7)
        np.testing.assert_array_equal(first, filters.develop(photo, image, 7))
        changed_pictures += np.any(first != image)
        assert 1.0 <= randomization.shape_exaggeration(domain, seed) <= 1.8
    assert changed_skins >= 4
    assert changed_pictures >= 4


def test_a_share_of_identities_keeps_shape_and_skin():
    domain = randomization.Randomization(strength=1.0, natural_share=0.4)
    natural = [randomization.stays_natural(domain, seed) for seed in range(200)]
    assert 0.3 < np.mean(natural) < 0.5
    seed = natural.index(True)
    looks = person(4).appearance
    assert randomization.randomize_appearance(domain, seed, looks) is looks
    assert randomization.shape_exaggeration(domain, seed) == 1.0


@pytest.mark.parametrize("painterly", filters.PAINTERLY)
def test_painterly_filters_keep_the_picture_recognisable(painterly):
    image = render(state(), size=64).image
    plain = randomization.random_filter(randomization.Randomization(strength=0.0), 1)
    painted = filters.develop(dataclasses.replace(plain, painterly=painterly), image, 0)
    assert painted.shape == image.shape and painted.dtype == np.uint8
    difference = np.abs(painted.astype(float) - image).mean()
    assert 0.3 < difference < 30


def test_an_exaggerated_identity_keeps_its_correspondence():
    who = person(5, 1.0)
    packed = record(scene.camera(20.0), state((0.2, 0, 0)), who)
    assert correspondence.unpack_geometry(packed["geometry"]).exaggeration > 1.0
    where, _, *_ = correspondence.between(packed, 0, packed, 0, size=16)
    centres = (np.arange(16) + 0.5) / 16 * 2 - 1
    expected = np.stack(np.meshgrid(centres, centres), axis=-1)
    np.testing.assert_allclose(where, expected, atol=2e-4)


def test_a_strength_beyond_one_is_refused():
    with pytest.raises(errors.UserError, match="1.5"):
        randomization.Randomization(strength=1.5)

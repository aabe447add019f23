"""Photographed heads: what one frame shows of another, out of few bytes."""

import dataclasses
import itertools

import numpy as np
import photographed
import pytest

from datasets.photo_heads.fit import mirroring, photo_head
from datasets.photo_heads.rendering import correspondence, packing, posing
from vasa_jax import errors
from vasa_jax.portrait import sampling

State, View = photo_head.State, photo_head.View
state = photographed.state
SIZE = photographed.SIZE


def record(*states, view=None, shape=None):
    shape = shape or photographed.head().shape
    return {"geometry": correspondence.pack(shape, states, view or View())}


def render(a_state, view=None):
    head = photographed.head()
    return photographed.renderer().render(head, a_state, view or View())


def warped(image, flow):
    return sampling.bilinear(image, (flow + 1) / 2 * SIZE - 0.5)


def psnr(first, second, mask):
    error = np.square(first[mask].astype(float) - second[mask]).mean()
    return 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("pair", list(itertools.permutations(photographed.MOVED, 2)))
def test_a_source_warped_by_the_flow_is_the_driver(pair):
    driver, source = (photographed.MOVED[name] for name in pair)
    found = correspondence.between(
        record(driver[0], view=driver[1]), 0, record(source[0], view=source[1]), 0, SIZE
    )
    mask = found.visible & (found.learnable == 1)
    assert mask.mean() > 0.2
    seen = warped(render(*source).image, found.flow)
    assert psnr(seen, render(*driver).image, mask) > 35


def test_a_frame_corresponds_to_itself():
    one = record(*(photographed.MOVED[name][0] for name in photographed.MOVED))
    y, x = (2 * np.mgrid[0:64, 0:64] + 1) / 64 - 1
    for frame in range(len(photographed.MOVED)):
        found = correspondence.between(one, frame, one, frame)
        np.testing.assert_allclose(found.flow, np.stack([x, y], axis=-1), atol=1e-5)
        assert found.visible[found.learnable == 1].mean() > 0.99


def test_coarse_flow_is_fine_flow_at_its_cells_centres():
    one = record(state(turn=(12, 3, 0), jawOpen=0.4), State())
    coarse = correspondence.between(one, 0, one, 1, 32)
    fine = correspondence.between(one, 0, one, 1, 96)
    np.testing.assert_allclose(coarse.flow, fine.flow[1::3, 1::3], atol=1e-5)


def test_flow_goes_there_and_back():
    one = record(state(turn=(12, 3, 0)), state(turn=(-3, 0, 6)))
    there = correspondence.between(one, 0, one, 1, 128)
    back = correspondence.between(one, 1, one, 0, 128)
    mask = there.visible & (there.learnable == 1)
    at = (there.flow + 1) / 2 * 128 - 0.5
    returned = sampling.bilinear(back.flow, at)
    sure = mask & (sampling.bilinear(back.visible.astype(float), at) > 0.999)
    y, x = (2 * np.mgrid[0:128, 0:128] + 1) / 128 - 1
    away = np.linalg.norm(returned - np.stack([x, y], axis=-1), axis=-1)[sure]
    assert np.quantile(away, 0.98) < 2 * 0.2 / 128


def test_the_background_keeps_its_place_when_the_view_changes():
    near, far = View(1.0, 0.1, 0.0), View(1.2, -0.05, 0.05)
    found = correspondence.between(
        record(State(), view=near), 0, record(State(), view=far), 0
    )
    corner = np.array([0.5, 0.5]) / 64 * 2 - 1
    np.testing.assert_allclose(found.flow[0, 0], corner, atol=1e-5)
    assert found.visible[0, 0]


def test_the_far_side_of_a_turned_head_is_hidden():
    one = record(State(), state(turn=(25, 0, 0)))
    found = correspondence.between(one, 0, one, 1)
    middle = slice(30, 44)
    shown = [
        found.visible[middle, side].mean() for side in (slice(22, 30), slice(34, 42))
    ]
    learnable = found.learnable[middle, 22:42]
    assert learnable.mean() > 0.9
    # Positive yaw turns the face to the image's right, so that side goes away.
    assert shown[0] > 0.9 > shown[1]


def test_the_painted_inside_of_the_mouth_is_learnable_and_not_visible():
    one = record(state(jawOpen=0.7), state(jawOpen=0.7, turn=(3, 0, 0)))
    found = correspondence.between(one, 0, one, 1)
    inside = render(state(jawOpen=0.7)).masks == 5
    assert inside.sum() > 10
    assert found.learnable[inside].mean() > 0.9
    assert found.visible[inside].mean() < 0.3


def test_the_mirror_image_of_the_mirror_image_is_the_place_itself():
    head = photographed.head()
    rig = posing.build_rig(head.shape)
    moves = np.zeros_like(rig.rest)
    mirrored = mirroring.mirrored_points(rig, moves, State())
    in_head, reflected = rig.rest @ rig.matrix, mirrored @ rig.matrix
    face = slice(0, len(head.shape.face))
    # A face is symmetric to a centimetre; the sheet is reflected exactly.
    np.testing.assert_allclose(reflected[face], in_head[face] * [-1, 1, 1], atol=0.15)
    sheet = slice(face.stop, face.stop + len(head.shape.sheet))
    np.testing.assert_allclose(reflected[sheet], in_head[sheet] * [-1, 1, 1], atol=1e-5)


def test_mirrored_flow_of_a_frontal_face_leads_to_the_other_side():
    rotation = photographed.head().shape.rotation
    frontal = state(turn=-np.rad2deg(rotation))
    one = record(frontal)
    found = correspondence.between(one, 0, one, 0)
    cells = found.mirrored_visible & found.visible
    cells[:20] = cells[50:] = False
    assert cells.sum() > 200
    x = np.broadcast_to((2 * np.arange(64) + 1) / 64 - 1, (64, 64))
    away = found.mirrored_flow[..., 0][cells] + x[cells]
    assert np.abs(away).mean() < 0.08
    background = render(frontal).masks == 0
    assert found.mirrored_visible[background].mean() < 0.03


def test_packed_points_are_exact_to_a_tenth_of_a_pixel():
    shape, moved = photographed.head().shape, photographed.MOVED["yaw and open jaw"][0]
    clip = packing.unpack(packing.pack(shape, [State(), moved], View(1.1, 0.1, -0.1)))
    np.testing.assert_allclose(
        [clip.view.distance, clip.view.x, clip.view.y], [1.1, 0.1, -0.1], atol=1e-6
    )
    first = posing.pose_points(posing.build_rig(shape), moved)
    second = posing.pose_points(posing.build_rig(clip.shape), clip.state(1))
    away = photo_head.project(first) - photo_head.project(second)
    assert np.abs(away).max() * SIZE / 3 < 0.1
    np.testing.assert_array_equal(clip.shape.sheet_triangles, shape.sheet_triangles)
    np.testing.assert_array_equal(clip.shape.background, shape.background)


def test_states_come_back_out_of_a_pack():
    states = [
        State(),
        dataclasses.replace(
            photographed.MOVED["pitch and lids"][0],
            gaze=np.array([0.1, -0.2], np.float32),
            shift=np.array([0.1, 0.2, 0.3]),
        ),
    ]
    clip = packing.unpack(packing.pack(photographed.head().shape, states, View()))
    for frame, expected in enumerate(states):
        for field in dataclasses.fields(State):
            np.testing.assert_allclose(
                getattr(clip.state(frame), field.name),
                getattr(expected, field.name),
                atol=1e-6,
            )


def test_a_clip_of_three_seconds_packs_into_less_than_150_kilobytes():
    generator = np.random.default_rng(0)
    states = [
        dataclasses.replace(
            state(turn=generator.normal(0, 5, 3)),
            arkit=generator.uniform(0, 1, 52).astype(np.float32),
        )
        for _ in range(75)
    ]
    assert len(record(*states)["geometry"]) < 150_000


def test_two_portraits_have_no_correspondence():
    shape = photographed.head().shape
    other = dataclasses.replace(shape, landmarks=shape.landmarks * 1.1)
    with pytest.raises(errors.UserError, match="two different portraits"):
        correspondence.between(record(State()), 0, record(State(), shape=other), 0)

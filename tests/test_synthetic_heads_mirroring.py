"""Mirror images about the middle of the face: partners of vertices, and their flow."""

import numpy as np
import pytest

from datasets.synthetic_heads import names
from datasets.synthetic_heads.person import avatar, geometry, head, mirroring
from datasets.synthetic_heads.rendering import correspondence, renderer, scene
from vasa_jax import arkit as arkit_lib

SEED = 46
CELLS = 64
FACE = names.MASK_CLASSES.index("head")


@pytest.fixture(scope="module")
def person():
    return avatar.build_avatar(SEED)


def _state(yaw, **weights):
    arkit = np.zeros(arkit_lib.NUM_UNITS, np.float32)
    for name, weight in weights.items():
        arkit[arkit_lib.index(name)] = weight
    rotation = np.array([yaw, 0.0, 0.0])
    return geometry.FrameState(arkit, np.zeros(2), rotation, np.zeros(3))


def _shown(person, yaw, **weights):
    """Return the record and the frame of a turned head."""
    camera, posed = scene.camera(20.0), _state(yaw, **weights)
    packed = {"geometry": correspondence.pack_geometry(person, camera, [posed])}
    surroundings = scene.random_scene(SEED)
    frame = renderer.Renderer(CELLS).render(person, surroundings, camera, posed)
    return packed, frame


@pytest.mark.parametrize("seed", [4, 7])
def test_partners_lie_on_the_other_side(seed):
    shape = geometry.build_geometry(seed)
    partner = mirroring.partners(seed)
    material = shape.attributes[:, geometry.MATERIAL]
    np.testing.assert_array_equal(material[partner], material)
    places = shape.attributes[:, geometry.POSITION : geometry.POSITION + 3]
    across = np.linalg.norm(places[partner] - places * [-1, 1, 1], axis=1)
    is_hair = np.isin(material, (head.HAIR, head.DRAPE))
    assert across[~is_hair].max() < 0.02
    assert np.median(across[is_hair]) < 0.1
    posed = geometry.pose_head(shape, geometry.FrameState.neutral()).positions
    eyes = material == head.EYE
    assert (np.sign(posed[partner][eyes, 0]) == -np.sign(posed[eyes, 0])).all()
    skin = material == head.SKIN
    np.testing.assert_allclose(places[partner[partner]][skin], places[skin], atol=0.02)


def test_a_frontal_face_mirrors_left_and_right(person):
    packed, frame = _shown(person, 0.0)
    found = correspondence.between(packed, 0, packed, 0, CELLS)
    centres = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    across, down = np.meshgrid(-centres, centres)
    face = frame.masks == FACE
    error = np.abs(found.mirrored_flow - np.stack([across, down], axis=-1))
    assert np.median(error[face & found.mirrored_visible]) < 0.02
    assert found.mirrored_visible[face].mean() > 0.7
    corners = found.mirrored_visible[[0, 0], [0, -1]]  # background
    assert not corners.any()


def test_mirror_images_show_the_cheek_that_a_turn_hides(person):
    driver, frame = _shown(person, -0.5, jawOpen=0.2)
    source, other = _shown(person, 0.4)
    found = correspondence.between(driver, 0, source, 0, CELLS)
    face = frame.masks == FACE
    either = found.visible | found.mirrored_visible
    assert either[face].mean() > found.visible[face].mean() + 0.15
    hidden = face & found.mirrored_visible & ~found.visible
    cells = np.clip(((found.mirrored_flow + 1) / 2 * CELLS).astype(int), 0, CELLS - 1)
    there = other.masks[cells[..., 1], cells[..., 0]]
    assert np.mean(there[hidden] == FACE) > 0.9
    # From the other half of the face: left of the nose for what is right of it.
    nose = [
        shown.keypoints[names.KEYPOINT_NAMES.index("nose_tip"), 0]
        for shown in (frame, other)
    ]
    across = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    beside = np.broadcast_to(across > nose[0] + 0.1, hidden.shape) & hidden
    assert beside.sum() > 20
    assert np.mean(found.mirrored_flow[beside, 0] < nose[1]) > 0.9

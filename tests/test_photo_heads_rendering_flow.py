"""A moved portrait: its frames, their truth, and the flow from one to another."""

import pathlib

import numpy as np
import pytest
from scipy import ndimage

pytest.importorskip("ai_edge_litert")

from datasets import exact_flow
from datasets.photo_heads.fit import (
    face_mesh,
    fitting,
    lips_and_lids,
    photo_head,
    rest_expression,
)
from datasets.photo_heads.rendering import correspondence, rendering
from vasa_jax import arkit as arkit_lib
from vasa_jax import media
from vasa_jax.face import examples
from vasa_jax.portrait import crop, locate, mouths

ROOT = pathlib.Path(__file__).parent.parent
SIZE, CELLS = 128, 64
REST, VIEW = photo_head.State(), photo_head.View()


@pytest.fixture(scope="module")
def picture():
    return media.read_image(ROOT / "examples" / "portrait.png")


@pytest.fixture(scope="module")
def head(picture):
    return fitting.fit(picture, SIZE)


def _state(turn=(0.0, 0.0, 0.0), eyes=0.0, lips=0.0, **units):
    arkit = np.zeros(52)
    for name, weight in units.items():
        arkit[arkit_lib.index(name)] = weight
    return photo_head.State(
        arkit=arkit,
        close_eyes=np.full(2, eyes),
        close_lips=lips,
        turn=np.deg2rad(turn),
    )


def _shown(head, state, view=VIEW):
    return rendering.Renderer(SIZE).render(head, state, view)


def _packed(head, state, view=VIEW, is_photograph=False):
    packed = correspondence.pack(head.shape, [state], view, is_photograph)
    return {"geometry": packed}


def _between(head, driver, source):
    first, second = (
        _packed(head, *frame) if isinstance(frame, tuple) else _packed(head, frame)
        for frame in (driver, source)
    )
    return correspondence.between(first, 0, second, 0, CELLS)


def _warped(image, flow):
    """Sample an image where a flow says, pixel by pixel."""
    zoom = len(image) / len(flow)
    at = [
        (ndimage.zoom(flow[..., k], zoom, order=1, mode="nearest", grid_mode=True) + 1)
        * (len(image) / 2)
        - 0.5
        for k in (1, 0)
    ]
    channels = [
        ndimage.map_coordinates(
            image[..., k].astype(float), at, order=1, mode="nearest"
        )
        for k in range(3)
    ]
    return np.stack(channels, axis=-1)


def _decibels(first, second, cells):
    times = len(first) // len(cells)
    mask = cells.repeat(times, 0).repeat(times, 1)
    return 10 * np.log10(255**2 / np.square(first[mask] - second[mask]).mean())


MOVES = {
    "turned, smiling": (
        _state((10, 0, 0), mouthSmileLeft=0.7, mouthSmileRight=0.7),
        VIEW,
    ),
    "jaw open": (_state((-10, 4, 0), jawOpen=0.5), VIEW),
    "eyes shut": (_state((0, 8, 5), eyes=1.0), VIEW),
    "far away": (_state((12, 0, 8)), photo_head.View(1.2, 0.06, -0.04)),
}


@pytest.mark.parametrize("name", MOVES)
def test_the_flow_carries_a_moved_portrait_back_to_the_photograph(head, name):
    state, view = MOVES[name]
    source = _shown(head, state, view).image
    found = _between(head, (REST, VIEW, True), (state, view))
    warped = _warped(source, found.flow)
    assert found.visible.mean() > 0.3
    assert _decibels(warped, head.photograph, found.visible) > 30
    assert _decibels(source.astype(float), head.photograph, found.visible) < 25


@pytest.mark.parametrize("name", MOVES)
def test_the_flow_carries_the_photograph_to_where_it_moved(head, name):
    state, view = MOVES[name]
    found = _between(head, (state, view), (REST, VIEW, True))
    target = _shown(head, state, view).image
    warped = _warped(head.photograph, found.flow)
    good = found.visible & (found.learnable > 0.99)
    assert good.mean() > 0.3
    assert _decibels(warped, target, good) > 30


def test_a_frame_flows_to_itself_and_shows_all_that_is_learnable(head):
    found = _between(head, (REST, VIEW, True), (REST, VIEW, True))
    cells = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    grid = np.stack(np.meshgrid(cells, cells), axis=-1)
    np.testing.assert_allclose(
        found.flow[found.visible], grid[found.visible], atol=1e-3
    )
    assert found.visible.mean() > 0.85
    assert found.learnable.mean() > 0.85


def test_what_a_turned_head_uncovers_is_neither_visible_nor_learnable(head):
    state = _state((18, 0, 0))
    found = _between(head, (state, VIEW), (REST, VIEW, True))
    shown, rest = (_shown(head, one).masks for one in (state, REST))
    # Cells at the edges show both.
    uncovered = ndimage.binary_erosion((shown == 0) & (rest == 2))
    assert uncovered.sum() > 10
    assert found.visible[uncovered].mean() < 0.05
    assert found.learnable[uncovered].mean() < 0.05


def test_the_background_close_to_a_head_that_hardly_moved_is_visible(head):
    state = _state((1, 0, 0))
    found = _between(head, (REST, VIEW, True), (state, VIEW))
    is_background = _shown(head, REST).masks == 0
    away = ndimage.distance_transform_edt(is_background)
    close = (away > 1) & (away <= 3)
    assert close.sum() > 50
    assert found.visible[close].mean() > 0.95
    rim = ~is_background & (ndimage.distance_transform_edt(~is_background) <= 1)
    assert found.visible[rim].mean() > 0.75


def test_a_filled_background_keeps_still_between_two_moved_frames(head):
    moved, other = (_state((18, 0, 0)), VIEW), (_state((-18, 0, 0)), VIEW)
    found = _between(head, moved, other)
    ground = (_shown(head, moved[0]).masks == 0) & (_shown(head, other[0]).masks == 0)
    inner = ndimage.binary_erosion(ground, iterations=2)
    assert inner.sum() > 200
    assert found.visible[inner].mean() > 0.9  # but for fringes of hair
    assert found.learnable[inner].mean() < 0.99  # the fill is no target of painting


def test_mirror_images_lie_on_the_other_side_of_the_face(head):
    found = _between(head, (REST, VIEW, True), (REST, VIEW, True))
    face = found.mirrored_visible & (_shown(head, REST).masks == 2)
    assert face.mean() > 0.15
    cells = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    x = np.broadcast_to(cells, (CELLS, CELLS))
    middle = (found.mirrored_flow[..., 0] + x)[face] / 2
    assert np.abs(middle - np.median(middle)).max() < 0.2
    assert np.corrcoef(found.mirrored_flow[..., 0][face], x[face])[0, 1] < -0.95


def test_exact_flow_tells_which_set_a_record_is_of(head):
    record = _packed(head, REST)
    found = exact_flow.between(record, 0, record, 0, 16)
    assert len(found) == len(examples.FLOW_FIELDS)
    assert found._fields == examples.FLOW_FIELDS


def test_the_photograph_is_the_crop_of_the_picture(head, picture):
    box = locate.locate_face(picture).box
    np.testing.assert_array_equal(head.photograph, crop.extract(picture, box, SIZE))


def test_a_farther_view_shrinks_the_person_and_leaves_the_background(head):
    near, far = _shown(head, REST), _shown(head, REST, photo_head.View(1.25))
    np.testing.assert_allclose(far.head_pose[5], near.head_pose[5] / 1.25, rtol=1e-5)
    corner = np.s_[:8, :8]
    np.testing.assert_array_equal(near.image[corner], far.image[corner])


def test_landmarks_that_gape_are_closed_by_closing_lips(head):
    landmarks = head.shape.landmarks.astype(float)
    lower = [14, 87, 317, 88, 318, 178, 402, 95, 324]
    landmarks[lower, 1] += 0.2
    assert lips_and_lids.mouth_gap(landmarks) > mouths.OPEN_MOUTH
    dense = face_mesh.face_mesh()
    face = dense.from_landmarks @ landmarks
    closed = face + dense.close_lips.moves(landmarks)
    upper = dense.mouth_loop[1 : dense.num_upper - 1]
    lower = dense.mouth_loop[: dense.num_upper - 1 : -1]
    gap, rest = (np.median(f[lower, 1] - f[upper, 1]) for f in (closed, face))
    assert gap < 0.15 * rest


def test_a_performed_jaw_counts_from_shut_lips(head):
    states = [_state(lips=1.0, jawOpen=0.3), REST]
    units = rest_expression.shown_units(head, states)
    jaw = arkit_lib.index("jawOpen")
    np.testing.assert_allclose(units[0, jaw], 0.3, atol=1e-6)
    assert units.min() >= 0 and units.max() <= 1

"""The inside of mouths is drawn where lips part, and nowhere else."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import geometry, types
from vasa_jax.face.shortcut import drawn_layer, mouth, mouth_layer
from vasa_jax.portrait import lips, mouth_light

SIZE = 128
POSE = types.HeadPose.from_vector(jnp.array([[0.25, -0.1, 0.2, 0.05, -0.1, 1.1]]))
FACING = types.HeadPose.from_vector(jnp.array([[0.0, 0, 0, 0, 0, 1.0]]))


def _mouth(gap, centre=(0.0, 0.39)):
    """A mouth whose lips are so far apart in its middle."""
    across = np.linspace(-1, 1, lips.NUM_UPPER)
    across = np.concatenate([across, across[-2:0:-1]])
    side = np.repeat([-0.5, 0.5], [lips.NUM_UPPER, lips.NUM_LOWER])
    edge = np.stack(
        [
            0.16 * across + centre[0],
            centre[1] + gap * side * (1 - across**2),
            np.full(len(side), mouth.CENTRE[2]),
        ],
        axis=-1,
    )
    anchors = [[centre[0], top, mouth.CENTRE[2] + 0.06] for top in mouth.ROW_TOPS]
    return mouth.Mouth(
        edge=jnp.asarray(edge[None], jnp.float32),
        anchors=jnp.asarray([anchors], jnp.float32),
        size=jnp.full((1, 1), 1.1),
    )


def _seen(own):
    """A portrait with white teeth and this mouth."""
    rows = (jnp.full((1, 32, 128, 4), 0.9), jnp.full((1, 52, 128, 4), 0.9))
    return types.SeenMouth(
        lips=jnp.zeros((1, lips.NUM_EDGE, 2)),
        gaps=mouth.gaps(own.edge),
        teeth=types.Teeth(rows=rows, cavity=jnp.full((1, 3), 0.1)),
    )


def _layer(predicted, pose=FACING, size=SIZE, own=None):
    return _draw(predicted, pose, size, _seen(_mouth(0.0) if own is None else own))


@functools.partial(jax.jit, static_argnums=2)
def _draw(predicted, pose, size, seen):
    corners = mouth.corners(mouth.posed_edge(predicted, pose))
    return mouth_layer.draw(predicted, seen, pose, corners, size)


def _square(order=1):
    square = jnp.array([[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]])
    return square[:, ::order]


def _distance(places, edge):
    return mouth_layer.edge_distance(places[..., 0], places[..., 1], edge)


def test_distances_are_those_from_the_edge_and_positive_inside():
    places = jnp.array([[[[0.0, 0.0], [0.4, 0.1], [0.5, 0.7], [-0.8, 0.9]]]])
    found = _distance(places, _square())
    np.testing.assert_allclose(found[0, 0], [0.5, 0.1, -0.2, -0.5], atol=1e-5)


def test_lips_that_cross_each_other_enclose_nothing():
    places = geometry.image_grid(9, 9)[None]
    assert (_distance(places, _square(-1)) < 0).all()
    assert (_distance(places, _square()) > 0).any()


def test_places_on_a_curved_row_are_found_again_in_a_turned_head():
    predicted = _mouth(0.1)
    x, y = jnp.meshgrid(jnp.linspace(-0.15, 0.15, 7), jnp.linspace(0.0, 0.1, 3))
    local = jnp.stack([x, y, mouth.CURVE * x**2], axis=-1)[None]
    points = predicted.size[:, :, None, None] * local
    points = predicted.anchors[:, 0, None, None] + points
    seen = geometry.pose_points(points, POSE)[..., :2]
    found = mouth_layer.row_positions(seen[..., 0], seen[..., 1], predicted, POSE, 0)
    np.testing.assert_allclose(found, (local[..., 0], local[..., 1]), atol=2e-3)


@pytest.mark.parametrize("pose", [FACING, POSE])
def test_only_what_lies_between_open_lips_changes(pose):
    predicted, grey = _mouth(0.12), jnp.full((1, SIZE, SIZE, 3), 0.3)
    drawn = drawn_layer.lay(grey, _layer(predicted, pose))
    changed = np.abs(np.asarray(drawn - grey)).max(-1) > 1e-6
    edge = mouth.posed_edge(predicted, pose)
    places = geometry.image_grid(SIZE, SIZE)[None]
    inside = np.asarray(_distance(places, edge))
    assert changed.sum() > 20
    assert inside[changed].min() > -1.0 / SIZE
    assert changed[inside > 3.0 / SIZE].mean() > 0.9


def test_a_shut_mouth_leaves_the_frame_as_it_is():
    grey = jnp.full((1, SIZE, SIZE, 3), 0.3)
    drawn = drawn_layer.lay(grey, _layer(_mouth(0.0)))
    np.testing.assert_allclose(drawn, grey, atol=1e-6)


def test_the_portraits_own_mouth_is_left_as_it_shows_it():
    predicted = _mouth(0.12)
    grey = jnp.full((1, SIZE, SIZE, 3), 0.3)
    drawn = drawn_layer.lay(grey, _layer(predicted, own=predicted))
    np.testing.assert_allclose(drawn, grey, atol=1e-6)


def test_teeth_close_behind_lips_lie_in_their_shade():
    brightest = []
    for mouth_shown in (_mouth(0.12), _mouth(0.03)):
        layer, light = _layer(mouth_shown), mouth_layer.light_within(mouth_shown.edge)
        colours = (layer.colours + 1.0) / (2.0 * light[..., None, None])
        brightest.append(float(jnp.where(layer.share > 0.9, colours, 0.0).max()))
    assert brightest[0] == pytest.approx(0.991, abs=0.005)
    assert brightest[1] < brightest[0] - 0.15


def test_light_comes_in_by_the_area_between_the_lips():
    square = jnp.array([[[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.1]]])
    edges = jnp.concatenate([square, 10.0 * square, 0.0 * square])
    found = mouth_layer.light_within(edges)[:, 0]
    expected = [mouth_light.light_within(area) for area in (0.01, 1.0, 0.0)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_mouth_at_the_border_is_drawn_as_far_as_it_is_seen():
    predicted = _mouth(0.12, centre=(0.9, 0.95))
    layer = _layer(predicted)
    height, width = layer.share.shape[1:3]
    assert layer.corner[0, 0] == SIZE - height and layer.corner[0, 1] == SIZE - width
    assert np.isfinite(np.asarray(layer.colours)).all()
    assert (layer.share[0, :, -1] > 0).any()


def test_twice_the_pixels_show_the_same_mouth():
    predicted = _mouth(0.12)
    fine, coarse = _layer(predicted, size=2 * SIZE), _layer(predicted, size=SIZE)
    shrunk = geometry.resize(fine.share, *coarse.share.shape[1:3])
    assert np.abs(np.asarray(shrunk - coarse.share)).mean() < 0.02

"""Flow of expression weights on the unwrapped face, laid over the view."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.face import dynamics_map
from vasa_jax.face.shortcut import face_flow

SIZE = 16


def pose(*vector):
    return types.HeadPose.from_vector(jnp.array([vector], jnp.float32))


FRONT = pose(0, 0, 0, 0, 0, 0.6)


def shift(change, portrait_pose=FRONT, head_pose=FRONT):
    """Return the flow where the first weight moves the whole face by 0.1 to the right,
    and the second by 0.1 down."""
    size = face_flow.FIELD_SIZE
    fields = np.zeros((dynamics_map.NUM_KNOWN, size, size, 2), np.float32)
    fields[0, ..., 0] = fields[1, ..., 1] = 0.1
    params = {"fields": {"kernel": fields.reshape(len(fields), -1)}}
    changes = (
        jnp.zeros((1, dynamics_map.NUM_KNOWN))
        .at[0, : len(change)]
        .set(jnp.array(change))
    )
    found = face_flow.FaceFlow(SIZE).apply(
        {"params": params}, changes, portrait_pose, head_pose
    )
    return np.asarray(found)[0]


def middle(flow):
    centre = flow.shape[0] // 2
    return flow[centre, centre]


def test_fields_add_up_by_their_weights_on_the_face_alone():
    flow = shift([1.0, -0.5])
    assert flow.shape == (SIZE, SIZE, 2)
    np.testing.assert_allclose(middle(flow), [0.06, -0.03], atol=1e-6)
    np.testing.assert_array_equal(flow[0], 0.0)


def test_a_field_turns_and_grows_with_the_portraits_head():
    larger = shift([1.0], portrait_pose=pose(0, 0, 0, 0, 0, 0.9))
    np.testing.assert_allclose(middle(larger), [0.09, 0.0], atol=1e-6)
    rolled = middle(shift([1.0], portrait_pose=pose(0, 0, np.pi / 2, 0, 0, 0.6)))
    assert abs(rolled[0]) < 1e-6
    assert abs(rolled[1]) == pytest.approx(0.06)
    turned = middle(shift([1.0], portrait_pose=pose(np.pi / 3, 0, 0, 0, 0, 0.6)))
    np.testing.assert_allclose(turned, [0.03, 0.0], atol=1e-6)


def test_it_lies_where_the_frame_shows_the_face():
    there = shift([1.0], head_pose=pose(0, 0, 0, 0.5, 0, 0.3))
    shown = np.abs(there).sum(-1) > 0
    assert not shown[:, : SIZE // 2].any()
    assert shown.any()


def test_an_untaught_one_moves_nothing():
    flow = face_flow.FaceFlow(SIZE)
    change = jnp.ones((1, dynamics_map.NUM_KNOWN))
    params = flow.init(jax.random.key(0), change, FRONT, FRONT)
    found = flow.apply(params, change, FRONT, FRONT)
    np.testing.assert_array_equal(found, 0.0)

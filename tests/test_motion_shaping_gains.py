"""Lids that stop where they are shut, however far motion is overdone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import arkit, types
from vasa_jax.motion.shaping import gains
from vasa_jax.motion.shaping.config import ShapingConfig

NUM_CODES, NUM_READ = 64, 54


@pytest.fixture
def readout():
    generator = np.random.default_rng(0)
    kernel = np.linalg.qr(generator.normal(size=(NUM_CODES, NUM_READ)))[0]
    bias = generator.normal(size=NUM_READ) / 20
    return {"kernel": kernel.astype("f4"), "bias": bias.astype("f4")}


def overdone(readout, weights, gain):
    """Overdo the way from a face at rest to faces of which weights are read."""

    def code(read):
        solved = np.linalg.lstsq(readout["kernel"].T, (read - readout["bias"]).T)
        return solved[0].T.astype("f4")

    rest = code(np.zeros((1, NUM_READ)))
    pose = types.HeadPose.from_vector(np.zeros((1, 6), "f4"))
    latents = types.FaceLatents(
        appearance_volume=None, identity=None, head_pose=pose, facial_dynamics=rest
    )
    asked, shaping = code(weights), ShapingConfig(dynamics_gain=gain)
    told = jnp.asarray(asked), shaping, jax.tree.map(jnp.asarray, readout)
    dynamics = np.asarray(gains.overdo(latents, *told))
    plain = rest + np.float32(gain) * (asked - rest)
    return dynamics, plain, dynamics @ readout["kernel"] + readout["bias"]


def closing(*weights):
    read = np.zeros((len(weights), NUM_READ))
    read[:, arkit.BLINKS] = np.array(weights)[:, None]
    read[:, arkit.index("jawOpen")] = 0.5
    return read


def test_lids_stop_where_they_are_shut(readout):
    dynamics, plain, read = overdone(readout, closing(0.0, 0.5, 0.8, 1.0, 1.5), 1.2)
    found = read[:, arkit.BLINKS].mean(axis=1)
    np.testing.assert_allclose(found, [0.0, 0.6, 0.96, 1.0, 1.0], atol=1e-4)
    np.testing.assert_array_equal(dynamics[:3], plain[:3])
    assert (dynamics[3:] != plain[3:]).any(axis=1).all()


def test_what_else_is_read_is_overdone_while_lids_are_shut(readout):
    _, _, read = overdone(readout, closing(1.0, 1.5), 1.2)
    jaw = read[:, arkit.index("jawOpen")]
    np.testing.assert_allclose(jaw, 0.6, atol=1e-4)

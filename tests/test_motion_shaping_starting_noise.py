"""What the first noise is along lips and lids, on read-outs made by hand."""

import jax
import numpy as np
import pytest
from test_motion_sampler import DEVIATION, MEAN, even_schedule, gaussian_denoiser

from vasa_jax import types
from vasa_jax.motion import sampler
from vasa_jax.motion.shaping import starting_noise

DYNAMICS, COLUMNS = 8, 54
JAW, MOUTH, BLINK, BROW, GAZE = 24, 30, 8, 3, 52


def readout(**axes):
    """Let each column, by name, read one axis of facial dynamics."""
    kernel = np.zeros((DYNAMICS, COLUMNS), np.float32)
    for column, axis in axes.items():
        kernel[axis, globals()[column]] = 1.0
    return kernel


def mix(kernel, share, deviation=None, blink_noise=1.0):
    if deviation is None:
        deviation = np.ones(types.POSE_CHANNELS + DYNAMICS, np.float32)
    return starting_noise.mixing(
        kernel,
        deviation,
        lip_noise=share,
        blink_noise=blink_noise,
        chance_columns=(52, 53),
    )


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_only_what_moves_the_lips_gets_less_noise(share):
    kernel = readout(JAW=1, MOUTH=4, BLINK=2, BROW=5, GAZE=6)
    expected = np.ones(types.POSE_CHANNELS + DYNAMICS)
    expected[[types.POSE_CHANNELS + axis for axis in (1, 4)]] = share
    np.testing.assert_allclose(mix(kernel, share), np.diag(expected), atol=1e-6)


def test_what_moves_lids_or_gaze_too_keeps_its_noise():
    kernel = readout(JAW=1, BLINK=2, GAZE=6)
    kernel[2, JAW] = kernel[6, MOUTH] = 1.0  # the lips follow lids and gaze as well
    matrix = mix(kernel, 0.0)[types.POSE_CHANNELS :, types.POSE_CHANNELS :]
    for axis in (2, 6):
        still = np.eye(DYNAMICS)[axis]
        np.testing.assert_allclose(still @ matrix, still, atol=1e-6)
    np.testing.assert_allclose(np.eye(DYNAMICS)[1] @ matrix, 0.0, atol=1e-6)


def test_directions_are_those_of_normalised_dynamics():
    kernel = readout(BLINK=2)
    kernel[[0, 1], JAW] = 1.0
    deviation = np.ones(types.POSE_CHANNELS + DYNAMICS, np.float32)
    deviation[types.POSE_CHANNELS] = 3.0
    matrix = mix(kernel, 0.0, deviation)[types.POSE_CHANNELS :, types.POSE_CHANNELS :]
    along = np.array([3.0, 1.0]) / np.sqrt(10.0)
    np.testing.assert_allclose(
        matrix[:2, :2], np.eye(2) - np.outer(along, along), atol=1e-6
    )


def test_a_read_out_that_knows_no_lips_changes_nothing():
    matrix = mix(readout(BLINK=2), 0.0)
    np.testing.assert_allclose(matrix, np.eye(len(matrix)), atol=1e-6)


@pytest.mark.parametrize("blink_noise", [0.5, 1.25])
def test_only_what_closes_the_lids_gets_other_noise(blink_noise):
    kernel = readout(BLINK=2, BROW=5, GAZE=6)
    kernel[:, BLINK + 1] = kernel[:, BLINK]
    kernel[3, BLINK] = 2.0  # half of what both lids do is one's alone
    matrix = mix(kernel, 1.0, blink_noise=blink_noise)
    lids = np.zeros(len(matrix))
    lids[types.POSE_CHANNELS + np.array([2, 3])] = np.sqrt(0.5)
    np.testing.assert_allclose(lids @ matrix, blink_noise * lids, atol=1e-6)
    apart = np.eye(len(matrix)) - np.outer(lids, lids)
    np.testing.assert_allclose(apart @ matrix, apart, atol=1e-6)


def test_lips_and_lids_do_not_disturb_each_other():
    kernel = readout(JAW=1, BLINK=2, GAZE=6)
    kernel[2, JAW] = 1.0
    matrix = mix(kernel, 0.0, blink_noise=1.25)[types.POSE_CHANNELS :]
    sizes = np.linalg.eigvalsh(matrix[:, types.POSE_CHANNELS :])
    np.testing.assert_allclose(sizes[[0, 1, -1]], [0.0, 1.0, 1.25], atol=1e-6)


@pytest.mark.parametrize("method", ["ddpm", "ddim"])
def test_mixed_noise_narrows_one_direction_alone(method):
    direction = np.array([0.6, 0.8], np.float32)
    mixing = np.eye(2, dtype=np.float32) - 0.75 * np.outer(direction, direction)
    schedule = even_schedule(200)
    samples = sampler.sample(
        jax.random.key(3),
        gaussian_denoiser,
        (5000, 2, 2),
        schedule,
        method,
        starting_noise.mixed_noise(mixing),
    )
    np.testing.assert_allclose(samples.mean(), MEAN, atol=0.02)
    across = samples @ np.array([0.8, -0.6], np.float32)
    np.testing.assert_allclose(across.std(), DEVIATION, rtol=0.03)
    along = (samples @ direction).std()
    np.testing.assert_allclose(along, 0.25 * DEVIATION, rtol=0.05)

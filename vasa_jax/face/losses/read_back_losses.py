"""What the motion encoders read: of drivers, against the truth, and of rendered frames.

Ours: losses that see lips, lids and turns as viewers do, where pixels compared one by
one settle on mouths half open.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face import scene
from vasa_jax.face.losses import distances, loss_weights

READ_BACK = ("motion_cycle", "expression_cycle", "pose_cycle", "contrast")
"""Terms of `read_back`."""

Apply = Callable[..., Any]
"""Calls a method of the face model with its parameters."""


def taught(
    apply: Apply,
    pair: scene.Scene,
    weights: loss_weights.FaceLossConfig,
    expression_weight: np.ndarray,
) -> dict[str, jax.Array]:
    """Compare what the encoders read of drivers with the truth, as they were taught.

    Ours: see `encoder_training`.

    Args:
        apply: calls the face model.
        pair: the drivers.
        weights: terms without a weight are left out, and the head pose where motion is
            not trained.
        expression_weight: `[52]` of the ARKit units.

    Returns:
        Means by the names of the losses' weights.
    """
    terms = {}
    if weights.expression and pair.driver_arkit is not None:
        terms["expression"] = _expression(apply, pair, expression_weight)
    if weights.gaze and pair.driver_gaze is not None:
        terms["gaze"] = _gaze(apply, pair)
    if weights.is_motion_trained:
        terms["head_pose"] = _head_pose(apply, pair)
    return terms


def measured(
    apply: Apply, image: jax.Array, pair: scene.Scene, expression_weight: np.ndarray
) -> dict[str, jax.Array]:
    """Measure all that can be read, of drivers and of rendered frames.

    Args:
        apply: calls the face model.
        image: `[B, H, W, 3]` the frames.
        pair: their drivers.
        expression_weight: `[52]` of the ARKit units.

    Returns:
        Means by the names of the losses' weights.
    """
    terms = {}
    if pair.driver_arkit is not None:
        terms["expression"] = _expression(apply, pair, expression_weight)
    if pair.driver_gaze is not None:
        terms["gaze"] = _gaze(apply, pair)
    terms["head_pose"] = _head_pose(apply, pair)
    return terms | read_back(apply, image, pair, expression_weight, use_other=False)


def read_back(
    apply: Apply,
    image: jax.Array,
    pair: scene.Scene,
    expression_weight: np.ndarray,
    use_other: bool = True,
) -> dict[str, jax.Array]:
    """Compare rendered frames with their drivers, both read alike.

    Ours: not with the codes that were asked for. Where these are known without seeing
    the driver, encoders read another code even of the driver itself; a renderer that
    was to meet the code asked for painted mouths blue, which encoders take for wide.
    And both in grey: of frames read in colour, on the people it was trained on, the
    loss still drew the red out of open mouths, four times as hard as all others put it
    back.

    Args:
        apply: calls the face model, whose parameters are to get no gradient.
        image: `[B, H, W, 3]` the frames.
        pair: the drivers, and what was asked of the frames.
        expression_weight: `[52]` of the ARKit units.
        use_other: whether another person's code is among those to differ from.

    Returns:
        Means by the names of the losses' weights.
    """
    driver = pair.driver

    def read(image):
        image = _grey(image)
        _, code = apply(image, driver.head_pose, method="encode_motion")
        arkit = apply(code, method="read_dynamics").arkit
        return code, arkit, apply(image, method=lambda model, x: model.pose_encoder(x))

    again, arkit, pose = read(image)
    code, asked_arkit, asked_pose = jax.lax.stop_gradient(read(driver.image))
    others = [pair.source.facial_dynamics]
    if use_other:
        performs_else = 1.0 - pair.other_is_same_performance[:, None]
        others.append(
            jnp.where(
                performs_else > 0.5,
                pair.other.facial_dynamics,
                -code,
            )
        )
    terms = {
        "motion_cycle": jnp.abs(again - code).mean(-1),
        "expression_cycle": distances.expression(
            arkit, asked_arkit, jnp.asarray(expression_weight)
        ),
        "pose_cycle": distances.head_pose(pose, asked_pose),
        "contrast": distances.contrast(
            again, code, jax.lax.stop_gradient(jnp.stack(others, axis=1))
        ),
    }
    return {name: term.mean() for name, term in terms.items()}


def _grey(image):
    return jnp.broadcast_to(image.mean(-1, keepdims=True), image.shape)


def _expression(apply, pair, expression_weight):
    readout = apply(pair.driver.facial_dynamics, method="read_dynamics")
    return distances.expression(
        readout.arkit, pair.driver_arkit, jnp.asarray(expression_weight)
    ).mean()


def _gaze(apply, pair):
    readout = apply(pair.driver.facial_dynamics, method="read_dynamics")
    return distances.gaze(readout.gaze_in_head, pair.driver_gaze).mean()


def _head_pose(apply, pair):
    found = apply(pair.moved_driver, method=lambda model, x: model.pose_encoder(x))
    return distances.head_pose(found, pair.moved_pose).mean()

"""Facial dynamics as a code: read as expression weights and gaze, and written of them.

Ours: the code (z_dyn) is encoded from images; the heads that read it and the map that
writes it are linear or nearly so, and cost next to nothing.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax import struct

from vasa_jax import config
from vasa_jax.face import config as face_config
from vasa_jax.face import dynamics_map
from vasa_jax.face import model as face_model


@struct.dataclass
class Expression:
    """What facial dynamics show.

    Attributes:
        arkit: float32 `[n, 52]` weights in the order of `arkit.NAMES`.
        gaze_in_head: float32 `[n, 2]` yaw and pitch of the eyes in the head, radians.
    """

    arkit: np.ndarray
    gaze_in_head: np.ndarray


@functools.partial(jax.jit, static_argnums=0)
def read(
    sizes: face_config.FaceConfig, params: Mapping[str, Any], codes: jax.Array
) -> Expression:
    """Read facial dynamics `[n, Z]`."""
    found = face_model.FaceModel(sizes).apply(
        {"params": params}, codes, method="read_dynamics"
    )
    return Expression(arkit=found.arkit, gaze_in_head=found.gaze_in_head)


@functools.partial(jax.jit, static_argnums=0)
def write(
    sizes: face_config.FaceConfig, params: Mapping[str, Any], expression: Expression
) -> jax.Array:
    """Tell facial dynamics `[n, Z]` of an expression."""
    return face_model.FaceModel(sizes).apply(
        {"params": params},
        expression.arkit,
        expression.gaze_in_head,
        method="write_dynamics",
    )


def require_map(
    sizes: face_config.FaceConfig, params: Mapping[str, Any], name: str
) -> None:
    """Refuse a face model that cannot predict facial dynamics without pictures.

    Ours: a renderer that was trained from an older export holds a map that nothing has
    taught, so what its heads read out of it is compared with what went in.

    Args:
        sizes, params: of the face model.
        name: of the model, for the sentence, such as "The checkpoint".

    Raises:
        UserError: there is no map, or none that was taught.
    """
    agreement = _agreement(sizes, params) if "dynamics_map" in params else 0.0
    config.require(
        agreement > dynamics_map.LEAST_AGREEMENT,
        f"{name} has no trained map from expression to facial dynamics; "
        "train its encoders once more (--preset=demo_encoders --init_from=...).",
    )


@functools.partial(jax.jit, static_argnums=0)
def as_read(
    sizes: face_config.FaceConfig, params: Mapping[str, Any], codes: jax.Array
) -> jax.Array:
    """Return facial dynamics `[n, Z]`; see `FaceModel.as_read`."""
    return face_model.FaceModel(sizes).apply(
        {"params": params}, codes, method="as_read"
    )


@functools.partial(jax.jit, static_argnums=0)
def _agreement(sizes, params):
    return face_model.FaceModel(sizes).apply({"params": params}, method="map_agreement")

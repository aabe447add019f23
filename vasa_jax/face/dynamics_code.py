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

from vasa_jax import arkit, config
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model

LEAST_AGREEMENT = 0.2
"""Cosine of what heads read out of the map's codes of single units with those units,
from which a map counts as taught. Ours: five maps that nothing had taught gave 0.01 to
0.02, the first that was taught 0.38."""


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
    agreement = 0.0
    if "dynamics_map" in params:
        units = np.eye(arkit.NUM_UNITS, dtype=np.float32)
        still = np.zeros((len(units), 2), np.float32)
        code = write(sizes, params, Expression(arkit=units, gaze_in_head=still))
        seen = np.asarray(read(sizes, params, code).arkit)
        seen = seen - seen.mean(axis=0)
        agreement = float(np.trace(seen) / (np.linalg.norm(seen) * len(units) ** 0.5))
    config.require(
        agreement > LEAST_AGREEMENT,
        f"{name} has no trained map from expression to facial dynamics; "
        "train its encoders once more (--preset=demo_encoders --init_from=...).",
    )

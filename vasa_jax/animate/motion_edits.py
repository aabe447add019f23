"""Edit motion frame by frame, as controls ask: the head's pose, mouth, brows, lids.

Ours, all of it: users ask for what no condition of the denoiser gives. Motion is edited
after it was generated, so that the next window goes on from what was generated.
"""

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from vasa_jax import arkit, types
from vasa_jax.animate import blinks, curves
from vasa_jax.animate.controls import Controls
from vasa_jax.face import config as face_config
from vasa_jax.face import dynamics_code

NETWORKS = ("dynamics_heads", "dynamics_map")
"""The parts of a face model that read and write its facial dynamics."""

CODE_LETTERS = 16
"""Ours: enough that no two models share a name by chance."""

RAISED_BROWS = arkit.indices(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"))
LOWERED_BROWS = arkit.indices(("browDownLeft", "browDownRight"))
SMILE = arkit.indices(("mouthSmileLeft", "mouthSmileRight"))
FROWN = arkit.indices(("mouthFrownLeft", "mouthFrownRight"))


class FaceEditor:
    """Read, write and change what facial dynamics show, by one model's heads and map.

    Args:
        sizes, params: of the face model.
    """

    def __init__(self, sizes: face_config.FaceConfig, params: Mapping[str, Any]):
        self._sizes = sizes
        parts = {name: params[name] for name in NETWORKS if name in params}
        self._params = jax.device_put(parts)
        self._is_taught = False

    @functools.cached_property
    def code(self) -> str:
        """The name of the code: models that read facial dynamics alike share it."""
        linear = self._params["dynamics_heads"]["linear"]
        digest = hashlib.sha256()
        for name in ("kernel", "bias"):
            digest.update(np.asarray(linear[name], np.float32).tobytes())
        return digest.hexdigest()[:CODE_LETTERS]

    def require_map(self) -> None:
        """Refuse a face model whose map from expression was never trained.

        Raises:
            UserError: as of `dynamics_code.require_map`.
        """
        if not self._is_taught:
            dynamics_code.require_map(self._sizes, self._params, "The checkpoint")
        self._is_taught = True

    def read(self, facial_dynamics: np.ndarray) -> dynamics_code.Expression:
        """Return what facial dynamics `[n, Z]` show, as writable arrays."""
        found = dynamics_code.read(self._sizes, self._params, facial_dynamics)
        return dynamics_code.Expression(
            arkit=np.array(found.arkit), gaze_in_head=np.array(found.gaze_in_head)
        )

    def write(self, expression: dynamics_code.Expression) -> np.ndarray:
        """Return facial dynamics `[n, Z]` that show an expression."""
        return np.asarray(dynamics_code.write(self._sizes, self._params, expression))

    def change(
        self,
        facial_dynamics: np.ndarray,
        before: dynamics_code.Expression,
        after: dynamics_code.Expression,
    ) -> np.ndarray:
        """Return facial dynamics `[n, Z]` in which one expression became another.

        Ours: what heads and map do not tell stays as it is.
        """
        return facial_dynamics + self.write(after) - self.write(before)


def edit(
    motion: np.ndarray,
    controls: Controls,
    seconds: np.ndarray,
    rest_pose: np.ndarray,
    clock: blinks.BlinkClock,
    face: FaceEditor,
) -> tuple[np.ndarray, blinks.BlinkClock]:
    """Edit frames of motion; without a control that asks for it they stay as they are.

    Args:
        motion: float32 `[n, M]`.
        controls: what is asked of the performance.
        seconds: `[n]` of the frames, in the time of the controls.
        rest_pose: float32 `[n, 6]`, about which `pose_scale` scales.
        clock: of blinks, as the frames before left it.
        face: of the model whose facial dynamics these are.

    Returns:
        The motion, and the clock for the next frames.
    """
    pose, facial_dynamics = np.split(motion, [types.POSE_CHANNELS], axis=-1)
    pose = move_head(pose, controls, seconds, rest_pose)
    if controls.edits_face:
        before = face.read(facial_dynamics)
        after, clock = change_face(before, controls, seconds, clock)
        facial_dynamics = face.change(facial_dynamics, before, after)
    return np.concatenate([pose, facial_dynamics], axis=-1), clock


def move_head(
    pose: np.ndarray, controls: Controls, seconds: np.ndarray, rest_pose: np.ndarray
) -> np.ndarray:
    """Scale the head's movement about its rest, then turn it by the offset.

    Args:
        pose: float32 `[n, 6]`.
        controls, seconds, rest_pose: as of `edit`.

    Returns:
        float32 `[n, 6]`.
    """
    if controls.pose_scale != 1:
        scale = np.float32(curves.values_at(controls.pose_scale, seconds))[:, None]
        pose = rest_pose + scale * (pose - rest_pose)
    if any(one != 0 for one in controls.pose_offset):
        degrees = [curves.values_at(one, seconds) for one in controls.pose_offset]
        offset = np.radians(np.stack(degrees, axis=-1)).astype(np.float32)
        pose = np.concatenate([pose[:, :3] + offset, pose[:, 3:]], axis=-1)
    return pose


def change_face(
    expression: dynamics_code.Expression,
    controls: Controls,
    seconds: np.ndarray,
    clock: blinks.BlinkClock,
) -> tuple[dynamics_code.Expression, blinks.BlinkClock]:
    """Change mouth, brows, smile and blinks.

    Args:
        expression: of n frames.
        controls, seconds, clock: as of `edit`.

    Returns:
        The expression, and the clock for the next frames.
    """
    weights = expression.arkit.copy()
    if controls.mouth_scale != 1:
        scale = curves.values_at(controls.mouth_scale, seconds)
        weights[:, arkit.LIPS] *= scale[:, None]
    for control, raised, lowered in (
        (controls.brow_offset, RAISED_BROWS, LOWERED_BROWS),
        (controls.smile_offset, SMILE, FROWN),
    ):
        amount = curves.values_at(control, seconds)[:, None]
        weights[:, raised] += np.maximum(amount, 0)
        weights[:, lowered] += np.maximum(-amount, 0)
    if controls.blink_rate is not None:
        rates = curves.values_at(controls.blink_rate, seconds)
        clock, lids = blinks.blink(clock, rates)
        others = np.minimum(weights[:, arkit.BLINKS], blinks.LIDS_LEFT)
        weights[:, arkit.BLINKS] = np.maximum(others, lids[:, None])
    return expression.replace(arkit=weights), clock

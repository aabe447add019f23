"""How much of the lips' movement is left to chance.

Ours: where a head goes and when it blinks a voice hardly tells, but what the lips do it
does. A sample of both is right by chance in the former and wrong by chance in the
latter: if the best guess of lips correlates with the truth by r, a sample does by r
squared. So the noise that sampling begins with is made less along the facial dynamics
that move the lips, but for what moves lids and gaze too.
"""

from collections.abc import Sequence

import numpy as np

from vasa_jax import types
from vasa_jax.motion import losses

LIPS = losses.LIP_CHANNELS
"""Read-outs that a voice decides: the ARKit weights of jaw and mouth."""

BLINKS = (8, 9)
"""ARKit weights eyeBlinkLeft and eyeBlinkRight, which chance decides."""

LIP_SHARE, CHANCE_SHARE = 0.95, 0.999
"""Share of the read-outs' variance that the directions kept of each make up. Ours: lips
are mostly moved by half a dozen; of lids and gaze none may be stilled."""

LEAST_PART = 0.3
"""Part of a direction of the lips that must be left without those of lids and gaze.
Ours: what is left of less is mostly rounding."""


def mixing(
    readout: np.ndarray,
    deviation: np.ndarray,
    share: float,
    chance_columns: Sequence[int],
) -> np.ndarray:
    """Return what turns white noise into noise that leaves less of the lips to chance.

    Args:
        readout: `[Z, R]` linear, from facial dynamics in their own units; its first
            columns are the ARKit weights.
        deviation: `[M]` of the channels of motion.
        share: of the noise that is left along the lips, 0 to 1.
        chance_columns: columns of `readout` besides `BLINKS` that chance decides.

    Returns:
        float32 `[M, M]`, symmetric; noise `[..., M]` times it is what to begin with.
    """
    scaled = np.float64(readout) * np.float64(deviation)[types.POSE_CHANNELS :, None]
    lips = _directions(scaled[:, list(LIPS)], LIP_SHARE)
    free = _directions(scaled[:, [*BLINKS, *chance_columns]], CHANCE_SHARE)
    lips, part, _ = np.linalg.svd(lips - free @ (free.T @ lips), full_matrices=False)
    lips = lips[:, part > LEAST_PART]
    matrix = np.eye(len(deviation), dtype=np.float32)
    dynamics = slice(types.POSE_CHANNELS, None)
    matrix[dynamics, dynamics] -= np.float32((1.0 - share) * lips @ lips.T)
    return matrix


def _directions(columns: np.ndarray, share: float) -> np.ndarray:
    """Return the principal directions `[Z, n]` of columns `[Z, R]`, largest first."""
    directions, size, _ = np.linalg.svd(columns, full_matrices=False)
    before = np.cumsum(size**2) - size**2
    return directions[:, (before < share * (size**2).sum()) & (size > 0.0)]

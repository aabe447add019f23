"""How much noise sampling begins with along what lips and lids do.

Ours: where a head goes and when it blinks a voice hardly tells, but what the lips do it
does. A sample of both is right by chance in the former and wrong by chance in the
latter: if the best guess of lips correlates with the truth by r, a sample does by r
squared. So the noise that sampling begins with is made less along the facial dynamics
that move the lips, but for what moves lids and gaze too.

A blink is rare and short, so a denoiser doubts each until there is little noise, and
few steps find few of them. More noise along what closes the lids makes up for that.
"""

from collections.abc import Sequence

import jax
import numpy as np

from vasa_jax import arkit, types
from vasa_jax.motion import sampler

LIP_SHARE, CHANCE_SHARE = 0.95, 0.999
"""Share of the read-outs' variance that the directions kept of each make up. Ours: lips
are mostly moved by half a dozen; of lids and gaze none may be stilled."""

LEAST_PART = 0.3
"""Part of a direction of the lips that must be left without those of lids and gaze.
Ours: what is left of less is mostly rounding."""


def mixing(
    readout: np.ndarray,
    standard_deviation: np.ndarray,
    *,
    lip_noise: float,
    blink_noise: float,
    chance_columns: Sequence[int],
) -> np.ndarray:
    """Return what turns white noise into noise of other size along some directions.

    Args:
        readout: `[Z, R]` linear, from facial dynamics in their own units; its first
            columns are the ARKit weights.
        standard_deviation: `[M]` of the channels of motion.
        lip_noise: share of the noise that is left along the lips, 0 to 1.
        blink_noise: noise along what closes both lids, over that elsewhere.
        chance_columns: columns of `readout` besides blinks that chance decides.

    Returns:
        float32 `[M, M]`, symmetric; noise `[..., M]` times it is what to begin with.
    """
    dynamics_std = np.float64(standard_deviation)[types.POSE_CHANNELS :]
    scaled = np.float64(readout) * dynamics_std[:, None]
    lips = _directions(scaled[:, list(arkit.LIPS)], LIP_SHARE)
    free = _directions(scaled[:, [*arkit.BLINKS, *chance_columns]], CHANCE_SHARE)
    lips, part, _ = np.linalg.svd(lips - free @ (free.T @ lips), full_matrices=False)
    lips = lips[:, part > LEAST_PART]
    lids = scaled[:, list(arkit.BLINKS)].mean(axis=1, keepdims=True)
    lids /= max(np.linalg.norm(lids), np.finfo(np.float64).tiny)
    matrix = np.eye(len(standard_deviation))
    dynamics = slice(types.POSE_CHANNELS, None)
    matrix[dynamics, dynamics] -= (1.0 - lip_noise) * lips @ lips.T
    matrix[dynamics, dynamics] += (blink_noise - 1.0) * lids @ lids.T
    return matrix.astype(np.float32)


def mixed_noise(mixing: jax.Array | None) -> sampler.DrawFunction:
    """Return what draws noise `[B, T, M]` for a sampler and mixes its channels.

    Args:
        mixing: `[M, M]` of `mixing`; None leaves the noise white.
    """
    if mixing is None:
        return jax.random.normal
    return lambda key, shape: jax.random.normal(key, shape) @ mixing


def _directions(columns: np.ndarray, share: float) -> np.ndarray:
    """Return the principal directions `[Z, n]` of columns `[Z, R]`, largest first."""
    directions, size, _ = np.linalg.svd(columns, full_matrices=False)
    before = np.cumsum(size**2) - size**2
    return directions[:, (before < share * (size**2).sum()) & (size > 0.0)]

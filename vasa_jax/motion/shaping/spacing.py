"""Crowd sampling steps where there is much noise."""

import numpy as np


def crowded_steps(
    num_diffusion_steps: int, num_steps: int, step_spacing: float
) -> np.ndarray:
    """Choose diffusion steps, the noisiest included, in place of even ones.

    Ours: what is slow (where a head goes) or rare (a blink) has far more variance than
    a frame of noise, and is settled while there is much of it.

    Args:
        num_diffusion_steps: S of the training.
        num_steps: n, 1 to S.
        step_spacing: exponent; 1 gives `sampler.even_steps`, more crowds the noisy end.

    Returns:
        int32 `[n]`, falling; none is visited twice.
    """
    done = (np.arange(num_steps) / num_steps) ** step_spacing
    ends = num_diffusion_steps * (1 - done)
    # Crowded ones move on, so that none is visited twice.
    latest = num_diffusion_steps - np.arange(num_steps)
    return np.minimum(np.round(ends).astype(np.int32), latest) - 1

"""Shapes of movements in time: reaching a place, going there and back, wandering."""

import numpy as np

from datasets.synthetic_heads.performance import prosody
from vasa_jax import types


def reach(times: np.ndarray, start: float, seconds: float) -> np.ndarray:
    """Go from 0 to 1, `[T]`.

    Follows: Flash and Hogan 1985 (movements of least jerk).

    Args:
        times: `[T]` seconds.
        start: second at which the movement begins.
        seconds: how long it takes.
    """
    share = np.clip((times - start) / seconds, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def stroke(
    times: np.ndarray, apex: float, rise: float, fall: float, hold: float = 0.0
) -> np.ndarray:
    """Go from 0 to 1 and back, `[T]`.

    Ours: two movements of `reach`.

    Args:
        times: `[T]` seconds.
        apex: second at which 1 is reached.
        rise, fall: seconds of the way there and of the way back.
        hold: seconds between them.
    """
    return reach(times, apex - rise, rise) - reach(times, apex + hold, fall)


def wander(num_frames: int, tau: float, generator: np.random.Generator) -> np.ndarray:
    """Walk at random about 0 with unit variance and memory `tau` seconds, `[T]`.

    Ours: a smoothed Ornstein-Uhlenbeck process.
    """
    decay = np.exp(-1 / (tau * types.FRAME_RATE_HZ))
    noise = generator.normal(size=num_frames + 1)
    path = np.empty(num_frames)
    position = noise[0]
    for frame in range(num_frames):
        position = decay * position + np.sqrt(1 - decay * decay) * noise[frame + 1]
        path[frame] = position
    return prosody.smooth(path, 3)

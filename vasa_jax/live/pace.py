"""How often a frame is rendered and how early a step is begun, as fast as a machine is.

Frames that are spread evenly move better than more of them in bursts, and a rate that
keeps changing is seen, too: so every n-th frame is rendered, and n falls only where
much speaks for it.
"""

import collections
import math

import numpy as np

from vasa_jax import types

NUM_FRAMES = 11
NUM_OUTLIERS = 2
"""Latest frames that count, and how many of them, the slowest, do not. Ours: frames
that were held up for once change nothing."""

NUM_STEPS = 20
"""Latest steps, of which all but the slowest count. Ours: those of 8 s."""

SPARE_TICKS = 0.1
EXCESS_TICKS = 0.2
"""What must stay free of a stride before frames come so close together, and by how much
longer they may take than a stride lasts. Ours: to leave out one frame in ten is less
than to render all of them more seldom; between the two the stride stays as it is."""

LEAST_PATIENCE = 50
MOST_PATIENCE = 1500
"""Ticks for which a smaller stride must have been possible before it is taken. Ours:
2 s; twice as long after each try that failed, up to a minute."""


class Pace:
    """Choose a stride and a lead by how long frames and steps have taken.

    Attributes:
        stride: every how many frames one is rendered.
    """

    def __init__(self):
        """Begin as if nothing took any time."""
        self.stride = 1
        self._frames = collections.deque([0.0], maxlen=NUM_FRAMES)
        self._steps = collections.deque([0.0, 0.0], maxlen=NUM_STEPS)
        self._patience = LEAST_PATIENCE
        self._num_calm = 0  # Ticks for which a smaller stride was possible.
        self._num_tried = MOST_PATIENCE  # Ticks since the stride fell.

    @property
    def frame_ticks(self) -> float:
        """Ticks that a frame takes."""
        num_usual = max(1, len(self._frames) - NUM_OUTLIERS)
        usual = sorted(self._frames)[:num_usual]
        return float(np.mean(usual)) * types.FRAME_RATE_HZ

    @property
    def lead_frames(self) -> int:
        """Frames before its first is due that a step must be begun.

        Ours: with what steps take usually its first frame is rendered in time, and with
        what they take at most its motion is there; both at once delay the sound more.
        """
        usual = float(np.median(self._steps)) * types.FRAME_RATE_HZ
        most = sorted(self._steps)[-2] * types.FRAME_RATE_HZ
        return math.ceil(max(usual + self.frame_ticks, most))

    def note_step(self, seconds: float) -> None:
        """Note how long a step has taken, from when it was asked for."""
        self._steps.append(seconds)

    def note_frame(self, seconds: float) -> None:
        """Note how long a frame has taken, likewise, and choose the stride."""
        self._frames.append(seconds)
        self._num_tried += self.stride
        if self.frame_ticks > self.stride + EXCESS_TICKS:
            self._slow_down()
        elif self._possible_stride() < self.stride:
            self._num_calm += self.stride
            if self._num_calm >= self._patience:
                self.stride = self._possible_stride()
                self._num_calm = self._num_tried = 0
        else:
            self._num_calm = 0

    def _slow_down(self) -> None:
        has_failed = self._num_tried < self._patience
        longer = min(2 * self._patience, MOST_PATIENCE)
        self._patience = longer if has_failed else LEAST_PATIENCE
        self.stride = math.ceil(self.frame_ticks - EXCESS_TICKS)
        self._num_calm = 0

    def _possible_stride(self) -> int:
        return max(1, math.ceil(self.frame_ticks + SPARE_TICKS))

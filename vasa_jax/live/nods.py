"""Small nods of a face that listens, where who speaks makes a pause.

Ours: the motion model hears the face's own voice alone, and so knows nothing of who
speaks to it; what it does in silence goes on below the nods.
"""

import numpy as np

from vasa_jax.audio import voice_activity

SPOKEN_FRAMES = 60
"""Frames of 20 ms of voice that are worth a nod. Ours: 1.2 s, some words."""

PAUSE_FRAMES = 10
"""Frames of silence that are a pause. Ours: 0.2 s, less than an answer waits for."""

NOD_DEGREES = 3.5
NOD_SHARES = (0.4, 1.4)
MOST_NODS = 3
NOD_FRAMES = 15
NEXT_SHARE = 0.7
"""Size of a nod and its spread, nods in a row, frames of each, and how much smaller
each next one is. Follows: Hadar et al. 1985 (listeners nod in repeated, small
movements). Ours: figures, those of the rendered performances that were trained on."""

_PITCH = 1  # Of yaw, pitch, roll; down is positive.


class Pauses:
    """Follow who speaks, and tell when a listener would nod."""

    def __init__(self):
        """Begin before a word was said."""
        self._activity = voice_activity.VoiceActivity()
        self._pending = np.zeros(0, np.float32)
        self._num_voiced = self._num_silent = 0

    def hear(self, samples: np.ndarray) -> bool:
        """Take sound float32 `[S]`, and tell whether a pause has just begun in it."""
        size, has_begun = voice_activity.FRAME_SAMPLES, False
        self._pending = np.concatenate([self._pending, samples])
        while len(self._pending) >= size:
            has_begun |= self._hear_frame(self._pending[:size])
            self._pending = self._pending[size:]
        return has_begun

    def _hear_frame(self, frame: np.ndarray) -> bool:
        is_voice = self._activity.is_voice(frame)
        self._num_voiced += is_voice
        self._num_silent = 0 if is_voice else self._num_silent + 1
        if self._num_silent != PAUSE_FRAMES:
            return False
        is_worth_it = self._num_voiced >= SPOKEN_FRAMES
        if is_worth_it:
            self._num_voiced = 0
        return is_worth_it


class Nods:
    """Nods laid over motion.

    Attributes:
        scale: of their size; 0 is none.
    """

    def __init__(self):
        """Begin without any."""
        self.scale = 1.0
        self._random = np.random.default_rng(0)
        self._start, self._curve = 0, np.zeros(0, np.float32)

    def begin(self, frame: int) -> None:
        """Nod from a frame on, unless the last nods still go on."""
        if frame < self._start + len(self._curve):
            return
        size = np.deg2rad(NOD_DEGREES) * self._random.uniform(*NOD_SHARES)
        sizes = size * NEXT_SHARE ** np.arange(self._random.integers(MOST_NODS) + 1)
        bump = np.sin(np.pi * np.arange(NOD_FRAMES) / NOD_FRAMES) ** 2
        self._start = frame
        self._curve = np.outer(sizes, bump).astype(np.float32).ravel()

    def added(self, motion: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Return motion `[n, M]` of frames `[n]` with the nods that fall on them."""
        indices = frames - self._start
        falls_on = (indices >= 0) & (indices < len(self._curve))
        if not falls_on.any():
            return motion
        motion = motion.copy()
        motion[falls_on, _PITCH] += self.scale * self._curve[indices[falls_on]]
        return motion

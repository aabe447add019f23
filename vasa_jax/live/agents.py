"""Who answers: an agent hears the user and lets the face say things."""

import collections
from collections.abc import Callable
from typing import Protocol

import numpy as np

from vasa_jax import types
from vasa_jax.audio import voice_activity
from vasa_jax.live import reading_aloud

PAUSE_FRAMES = 40
"""Frames of 20 ms of silence after which the user has finished. Ours: 0.8 s."""

ONSET_FRAMES = 3
"""Frames of voice that make a beginning. Ours: 60 ms; a click has fewer."""

INTERRUPT_FRAMES = 15
"""Frames of voice that interrupt the face. Ours: 0.3 s; a cough has fewer."""

BEFORE_FRAMES = 15
"""Frames kept from before the voice began. Ours: 0.3 s, for soft beginnings."""

MAX_SECONDS = 30.0
"""Of what is answered at once. Ours: half a minute."""


class SpeakingFace(Protocol):
    """The face, as an agent knows it."""

    @property
    def is_speaking(self) -> bool:
        """Whether a voice is heard or about to be."""

    def say(self, samples: np.ndarray, is_live: bool = False) -> None:
        """Append float32 `[S]`, 16 kHz, to what the face says.

        `is_live` is for samples that come at the pace of speech; what falls behind is
        left out.
        """

    def read(self, text: reading_aloud.Text) -> None:
        """Say a typed text, by any `speech.speaker.Speaker`, after what waits."""

    def clear(self) -> None:
        """Stop speaking at once and listen."""


class Agent(Protocol):
    """Whoever answers. It runs in the server's loop: what takes time goes elsewhere."""

    def hear(self, samples: np.ndarray) -> None:
        """Take the user's sound, float32 `[S]`, 16 kHz, any length, as it comes."""

    def close(self) -> None:
        """Stop; the user has gone."""


AgentFactory = Callable[[SpeakingFace], Agent]
"""Makes the agent of one session."""


class TurnAgent:
    """Answer what was heard, after a pause; stop when the user speaks again."""

    def __init__(self, speaker: SpeakingFace, answer: Callable[[np.ndarray], None]):
        """Begin to listen.

        Args:
            speaker: the face that answers.
            answer: called with what the user said, float32 `[S]`, 16 kHz.
        """
        self._speaker, self._answer = speaker, answer
        self._activity = voice_activity.VoiceActivity()
        self._pending = np.zeros(0, np.float32)
        self._before = collections.deque(maxlen=BEFORE_FRAMES)
        self._heard: list[np.ndarray] = []
        self._num_voiced = self._num_silent = 0

    def hear(self, samples: np.ndarray) -> None:
        """Take the user's sound."""
        self._pending = np.concatenate([self._pending, samples])
        size = voice_activity.FRAME_SAMPLES
        while len(self._pending) >= size:
            self._hear_frame(self._pending[:size])
            self._pending = self._pending[size:]

    def close(self) -> None:
        """Forget what was heard."""
        self._heard.clear()

    def _hear_frame(self, frame: np.ndarray) -> None:
        is_voice = self._activity.is_voice(frame)
        self._num_voiced = self._num_voiced + 1 if is_voice else 0
        self._num_silent = 0 if is_voice else self._num_silent + 1
        if self._heard:
            self._heard.append(frame)
            self._end_or_go_on(size=len(frame))
            return
        self._before.append(frame)
        needed = INTERRUPT_FRAMES if self._speaker.is_speaking else ONSET_FRAMES
        if self._num_voiced >= needed:
            if self._speaker.is_speaking:
                self._speaker.clear()
            self._heard = list(self._before)
            self._before.clear()

    def _end_or_go_on(self, size: int) -> None:
        is_long = len(self._heard) * size >= MAX_SECONDS * types.SAMPLE_RATE_HZ
        if self._num_silent >= PAUSE_FRAMES or is_long:
            self._answer(np.concatenate(self._heard))
            self._heard = []


class EchoAgent(TurnAgent):
    """Say back what was heard."""

    def __init__(self, speaker: SpeakingFace):
        """Begin to listen.

        Args:
            speaker: who says it back.
        """
        super().__init__(speaker, speaker.say)


class AlongAgent:
    """Let the face say what the user says, while it is said."""

    def __init__(self, speaker: SpeakingFace):
        """Begin to speak along.

        Args:
            speaker: who speaks along.
        """
        self._speaker = speaker

    def hear(self, samples: np.ndarray) -> None:
        """Take the user's sound and pass it on."""
        self._speaker.say(samples, is_live=True)

    def close(self) -> None:
        """Nothing is kept."""


AGENTS: dict[str, AgentFactory] = {"echo": EchoAgent, "along": AlongAgent}
"""Those that a page may choose, by name."""

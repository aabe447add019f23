"""Whoever can say a text: the one contract of all that speaks."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from vasa_jax.speech import speech


class Speaker(Protocol):
    """Say texts, such as a network, a program or a service does."""

    def speak(self, text: str) -> Iterator[np.ndarray]:
        """Say a text, piece by piece.

        Args:
            text: as `script.parse` reads it.

        Returns:
            An iterator of pieces float32 `[S]`, 16 kHz, full scale at 1: what
            `TalkingFace.animate_pieces` takes.

        Raises:
            UserError: the text cannot be said.
        """
        ...


class TimedSpeaker(Speaker, Protocol):
    """Say texts and tell when each sound is heard."""

    def say(self, text: str) -> Iterator[speech.Speech]:
        """Say a text, piece by piece, with the times of its phonemes.

        Args:
            text: as of `speak`.

        Returns:
            An iterator of pieces with the waveforms that `speak` gives; times count
            from the beginning of each piece.

        Raises:
            UserError: the text cannot be said.
        """
        ...

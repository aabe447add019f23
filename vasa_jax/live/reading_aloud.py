"""Typed texts on their way to a face: said line by line, by whoever can speak.

Ours: a line is made only when little of what was said before still waits, so that the
first clause is heard soon, a long text takes no more memory than a short one, and
nothing is left to do for who interrupts but the line that is being made.
"""

import asyncio
import collections
import concurrent.futures
import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.speech import speaker

AHEAD_SAMPLES = 15 * types.SAMPLE_RATE_HZ
"""Of a voice that may wait while the next line is made. Ours: 15 s, more than a line
takes on a busy core."""

LINE_SECONDS = 120.0
"""That a line may take to be made. Ours: natural voices take a tenth of it."""

CHECK_SECONDS = 0.1

MAX_TEXTS = 100
"""That may wait. Ours: more than a program says ahead."""

FAILED = (
    "The voice failed and the rest of the text is not said; read the server's log, or "
    "choose another voice."
)
TOO_SLOW = (
    f"The voice took longer than {LINE_SECONDS:g} s for one line, so the rest of the "
    "text is not said; try again, or choose another voice."
)

_LOGGER = logging.getLogger(__name__)


class Mouth(Protocol):
    """Who says what was made."""

    @property
    def num_waiting(self) -> int:
        """How many samples wait to be said."""

    def say(self, samples: np.ndarray) -> None:
        """Append float32 `[S]`, 16 kHz, to what is said."""


@dataclasses.dataclass(frozen=True)
class Text:
    """A text to say.

    Attributes:
        words: as `speech.script` reads them.
        make_speaker: makes who says it, in a thread; may raise `UserError`.
        refused: called with a sentence where it cannot be said.
    """

    words: str
    make_speaker: Callable[[], speaker.Speaker]
    refused: Callable[[str], None]


class ReadingAloud:
    """The texts of one face, in the order they came."""

    def __init__(
        self, mouth: Mouth, threads: concurrent.futures.Executor, max_letters: int
    ):
        """Begin with nothing to say.

        Args:
            mouth: that says what is made.
            threads: that lines are made in.
            max_letters: of all texts that wait.
        """
        self._mouth, self._threads, self._max_letters = mouth, threads, max_letters
        self._texts: collections.deque[Text] = collections.deque()
        self._task: asyncio.Task | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be made."""
        return self._task is not None

    def add(self, text: Text) -> None:
        """Say a text after those that wait.

        Raises:
            UserError: it is too long, or too many wait.
        """
        num_letters = len(text.words) + sum(len(one.words) for one in self._texts)
        if num_letters > self._max_letters or len(self._texts) >= MAX_TEXTS:
            raise UserError(
                f"The text has {len(text.words)} letters; at most "
                f"{self._max_letters} may wait to be said, so send it in parts, each "
                "when the last was said."
            )
        self._texts.append(text)
        if self._task is None:
            self._task = asyncio.create_task(self._say_all())

    def clear(self) -> None:
        """Forget all texts."""
        self._texts.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _say_all(self) -> None:
        while self._texts:
            text = self._texts.popleft()
            (error,) = await asyncio.gather(self._say(text), return_exceptions=True)
            if error is not None:
                text.refused(_sentence(error))
        self._task = None

    async def _say(self, text: Text) -> None:
        pieces = await self._make(lambda: iter(text.make_speaker().speak(text.words)))
        while (piece := await self._make(lambda: _next(pieces))) is not None:
            self._mouth.say(piece)
            while self._mouth.num_waiting > AHEAD_SAMPLES:
                await asyncio.sleep(CHECK_SECONDS)

    async def _make(self, work: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LINE_SECONDS):
            return await loop.run_in_executor(self._threads, work)


def _sentence(error: BaseException) -> str:
    """Return what the user is told."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, TimeoutError):
        return TOO_SLOW
    _LOGGER.error("a voice failed", exc_info=error)
    return FAILED


def _next(pieces: Iterator[np.ndarray]) -> np.ndarray | None:
    """Return the next piece that has samples; None after the last."""
    return next((piece for piece in pieces if len(piece)), None)

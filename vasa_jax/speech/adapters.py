"""Speakers made of what one has: a Python function, or a command of the system.

Ours: each line of a text is said alone, so that a face begins to speak before the whole
is said, and pauses and marks of emphasis need not be known to whoever speaks.
"""

import contextlib
import os
import pathlib
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from vasa_jax import audio, config, errors, types
from vasa_jax.audio import waveform
from vasa_jax.speech import pacing, script, speech

_MOST_SECONDS = 300.0
"""Of one line. Ours: lines are of 200 letters, so that more is a mistake."""

_MOST_BYTES = 100 * 2**20
_CHECK_SECONDS = 0.02
_RATES_HZ = (4_000, 384_000)


class FunctionSpeaker:
    """Say texts by a function of Python."""

    def __init__(
        self,
        function: Callable[[str], np.ndarray | Iterable[np.ndarray]],
        sample_rate_hz: int = types.SAMPLE_RATE_HZ,
    ):
        """Wrap a function.

        Args:
            function: takes words, at most 200 letters, and gives their sound: `[S]`,
                whole or in pieces, floats with full scale at 1, or int16.
            sample_rate_hz: of the sound.

        Raises:
            UserError: the rate is out of range.
        """
        config.require(
            _RATES_HZ[0] <= sample_rate_hz <= _RATES_HZ[1],
            f"sample_rate_hz is {sample_rate_hz}; give {_RATES_HZ[0]} to "
            f"{_RATES_HZ[1]}.",
        )
        self._function = function
        self._sample_rate_hz = sample_rate_hz

    def speak(self, text: str) -> Iterator[np.ndarray]:
        """Say a text; see `speaker.Speaker`.

        Raises:
            UserError: the text cannot be read, or what the function gives is no sound.
        """
        return _speak_lines(text, self._say)

    def _say(self, words: str) -> np.ndarray:
        given = self._function(words)
        pieces, num_samples = [], 0
        for piece in [given] if isinstance(given, np.ndarray) else given:
            pieces.append(_checked(piece, words))
            num_samples += len(piece)
            config.require(
                num_samples <= _MOST_SECONDS * self._sample_rate_hz,
                f"The function speaks longer than {_MOST_SECONDS:g} s for "
                f"{_named(words)}; let it end.",
            )
        config.require(
            num_samples > 0, f"The function gives no samples for {_named(words)}."
        )
        return waveform.to_16_khz(np.concatenate(pieces), self._sample_rate_hz)


class CommandSpeaker:
    """Say texts by a command that reads words and writes a sound."""

    def __init__(self, command: str | Sequence[str], timeout_seconds: float = 60.0):
        """Wrap a command; it is run for each line.

        Args:
            command: words of the command, or one text of them as in a shell, such as
                "espeak-ng --stdout". It reads UTF-8 from its standard input, and
                writes wav, or any sound that FFmpeg reads, to its standard output.
            timeout_seconds: after which it is stopped.

        Raises:
            UserError: the command is empty.
        """
        words = shlex.split(command) if isinstance(command, str) else list(command)
        config.require(bool(words), "The command that speaks is empty; name a program.")
        self._command = words
        self._timeout_seconds = timeout_seconds

    def speak(self, text: str) -> Iterator[np.ndarray]:
        """Say a text; see `speaker.Speaker`.

        Raises:
            UserError: the text cannot be read, or the command cannot be run, fails,
                takes too long, or gives no sound.
        """
        return _speak_lines(text, self._say)

    def _say(self, words: str) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            sound = pathlib.Path(folder, "sound.wav")
            self._run(words, sound)
            try:
                return audio.load_waveform(sound)
            except errors.UserError as error:
                raise errors.UserError(
                    f"What the command {self._name} writes for {_named(words)} is no "
                    "sound that can be read; let it write wav to its standard output."
                ) from error

    def _run(self, words: str, sound: pathlib.Path) -> None:
        """Run the command through files, which nothing can block.

        Ours: a process group of its own, so that all that it started ends with it.
        """
        typed, told = sound.with_name("words.txt"), sound.with_name("errors.txt")
        typed.write_text(words + "\n", encoding="utf-8")
        with (
            typed.open() as reads,
            sound.open("wb") as writes,
            told.open("wb") as tells,
        ):
            try:
                process = subprocess.Popen(
                    self._command,
                    stdin=reads,
                    stdout=writes,
                    stderr=tells,
                    start_new_session=True,
                )
            except OSError as error:
                raise errors.UserError(
                    f"The command {self._name} cannot be run ({error.strerror}); check "
                    "its name."
                ) from error
            try:
                self._wait(process, (sound, told))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode:
            lines = told.read_text(encoding="utf-8", errors="replace").split("\n")
            said = next((line.strip() for line in reversed(lines) if line.strip()), "")
            raise errors.UserError(
                f"The command {self._name} failed with code {process.returncode}"
                + (f" ({said[:200]})." if said else ".")
            )

    def _wait(self, process: subprocess.Popen, files: tuple[pathlib.Path, ...]) -> None:
        """Wait for the end of the command, but not forever nor for any amount."""
        end = time.monotonic() + self._timeout_seconds
        while process.poll() is None:
            if time.monotonic() > end:
                raise errors.UserError(
                    f"The command {self._name} took longer than "
                    f"{self._timeout_seconds:g} s; give it more by timeout_seconds, or "
                    "mend it."
                )
            if max(file.stat().st_size for file in files) > _MOST_BYTES:
                raise errors.UserError(
                    f"The command {self._name} writes more than "
                    f"{_MOST_BYTES >> 20} MiB for one line; let it write a wav."
                )
            time.sleep(_CHECK_SECONDS)

    @property
    def _name(self) -> str:
        return repr(shlex.join(self._command))


def _speak_lines(text: str, say: Callable[[str], np.ndarray]) -> Iterator[np.ndarray]:
    """Say the lines of a text in the order in which they are asked for."""
    lines = script.parse(text)

    def said():
        for line in lines:
            samples = say(line.plain) if line.text else np.zeros(0, np.float32)
            yield speech.Speech(samples, (), line.plain), line.pause

    return (piece.waveform for piece in pacing.paced(said()))


def _checked(samples: np.ndarray, words: str) -> np.ndarray:
    """Return samples as float32."""
    samples = np.asarray(samples)
    is_float = np.issubdtype(samples.dtype, np.floating)
    if samples.ndim != 1 or not (is_float or samples.dtype == np.int16):
        raise errors.UserError(
            f"The function gives {samples.dtype} {list(samples.shape)} for "
            f"{_named(words)}; let it give floats or int16 [S], whole or in pieces."
        )
    samples = samples.astype(np.float32) / (1 if is_float else 2**15)
    config.require(
        bool(np.isfinite(samples).all()),
        f"The function gives samples that are no finite numbers for {_named(words)}.",
    )
    return samples


def _named(words: str) -> str:
    return repr(words if len(words) <= 40 else words[:40] + "…")

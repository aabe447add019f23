"""A face for systems that bring their own voice: sound of any rate in, moments out.

Ours: one piece for all of them, so that each adapter only translates: frames and sound
at one clock, a picture that is held where none is ready, utterances that end, and a
voice that is cut at once.
"""

import asyncio
import collections
import dataclasses
from collections.abc import AsyncIterator

import av
import numpy as np

from vasa_jax import types
from vasa_jax.errors import UserError
from vasa_jax.live import session, tick_queue, voice_queue
from vasa_jax.live.adapters import wide_voice

AHEAD_SAMPLES = 5 * types.SAMPLE_RATE_HZ
"""Of a voice that may wait. Ours: 5 s; who brings more waits, since systems say long
answers ahead, and what waits is copied at each piece."""

CHECK_SECONDS = 0.04

MAX_TICKS = types.FRAME_RATE_HZ
"""Ticks that wait for who reads slowly. Ours: a second, so that a stall loses no word;
silence is left out until nothing waits any more, or what comes would stay late."""

RATES_HZ = (8_000, 96_000)


class FaceEnded(Exception):
    """The session has failed; the sentence says how."""


@dataclasses.dataclass(frozen=True)
class Moment:
    """One twenty-fifth of a second.

    Attributes:
        number: in time: `number / 25` seconds since the session began.
        frame: uint8 `[H, W, 3]`; the last again where none is ready.
        sound: int16 `[rate / 25]`, in step with the frame.
        has_voice: whether some of it is voice; otherwise it is silence.
        is_cut: whether it is the first after `clear`, in which the voice fades out.
        num_ended: utterances whose last sound it holds.
    """

    number: int
    frame: np.ndarray
    sound: np.ndarray
    has_voice: bool
    is_cut: bool
    num_ended: int


class PluggedFace:
    """A session whose whole voice comes from outside."""

    def __init__(self, one: session.Session, sample_rate_hz: int):
        """Begin to listen.

        Args:
            one: new, and with no agent: only what is said here may be said.
            sample_rate_hz: of the sound that comes out.

        Raises:
            UserError: 25 frames a second do not divide the rate, or it is out of range.
        """
        _check_rate(sample_rate_hz)
        if sample_rate_hz % types.FRAME_RATE_HZ:
            raise UserError(
                f"The rate is {sample_rate_hz} Hz; give a multiple of 25, so that each "
                "frame has whole samples."
            )
        self._rate, self._session = sample_rate_hz, one
        self._ticks = one.subscribe(MAX_TICKS)
        self._voice = wide_voice.WideVoice(sample_rate_hz)
        self._rates: tuple[_Rate, _Rate] | None = None  # None between utterances.
        self._num_said = 0  # Samples at 16 kHz.
        self._num_played = 0
        self._ends: collections.deque[int] = collections.deque()
        self._num_clears = 0
        self._is_cut = False

    async def say(self, samples: np.ndarray, sample_rate_hz: int) -> None:
        """Say what comes next; wait while a lot waits already, unless it is cut.

        Args:
            samples: int16 `[S]` or `[S, channels]`.
            sample_rate_hz: of them.

        Raises:
            UserError: the rate is out of range.
        """
        _check_rate(sample_rate_hz)
        num_clears = self._num_clears
        while self._session.num_waiting > AHEAD_SAMPLES:
            await asyncio.sleep(CHECK_SECONDS)
            if self._num_clears != num_clears or self._session.ended.done():
                return
        if self._rates is None or self._rates[0].given != sample_rate_hz:
            self._flush()
            self._rates = (
                _Rate(sample_rate_hz, self._rate),
                _Rate(sample_rate_hz, types.SAMPLE_RATE_HZ),
            )
        channels = samples.reshape(len(samples), -1).astype(np.float32)
        mono = channels.mean(axis=1) / 32768
        self._push(*(rate.change(mono) for rate in self._rates))

    def end_utterance(self) -> bool:
        """Note that what was said is a whole; nothing happens where nothing was said.

        Returns:
            Whether a moment will tell that it was played.
        """
        if self._rates is None:
            return False
        self._flush()
        self._ends.append(self._num_said)
        return True

    def clear(self) -> None:
        """Stop speaking at once, and forget what waits and which utterances end."""
        self._rates = None
        self._ends.clear()
        self._ticks.clear()
        self._session.clear()
        self._voice.settle(self._num_said)
        self._num_played = self._num_said
        self._num_clears += 1
        self._is_cut = True

    async def wait_until_said(self) -> None:
        """Wait until the last utterance has been played, or the face has ended."""
        while self._ends and not self._session.ended.done():
            await asyncio.sleep(CHECK_SECONDS)

    async def moments(self) -> AsyncIterator[Moment]:
        """Give 25 moments a second until the session ends; for one reader.

        Ours: who comes late is given no silence, sound and picture together, until it
        has caught up, for systems keep what is late as late as it is.

        Raises:
            FaceEnded: the session has not ended by itself.
        """
        while True:
            try:
                number, tick = await self._ticks.get()
            except tick_queue.TickQueueClosed:
                break
            has_voice = bool((tick.positions != voice_queue.SILENCE).any())
            if len(self._ticks) and not has_voice:
                continue
            sound = self._voice.take(tick)
            is_cut, self._is_cut = self._is_cut, False
            if is_cut:
                (voiced,) = np.nonzero(sound)
                sound[voiced] *= np.linspace(1, 0, len(voiced), dtype=np.float32)
            self._num_played = max(self._num_played, int(tick.positions.max()) + 1)
            yield Moment(
                number,
                tick.frame,
                np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16),
                has_voice,
                is_cut,
                self._take_ended(),
            )
        sentence = self._session.ended.result()
        if sentence is not None:
            raise FaceEnded(sentence)

    def close(self) -> None:
        """End the session."""
        self._session.end()

    def _take_ended(self) -> int:
        count = 0
        while self._ends and self._ends[0] <= self._num_played:
            self._ends.popleft()
            count += 1
        return count

    def _push(self, wide: np.ndarray, heard: np.ndarray) -> None:
        self._voice.push(wide)
        self._session.say(heard)
        self._num_said += len(heard)

    def _flush(self) -> None:
        """End what resamplers hold."""
        if self._rates is not None:
            self._push(*(rate.finish() for rate in self._rates))
            self._voice.settle(self._num_said)
            self._rates = None


class _Rate:
    """Bring one utterance from a rate to another."""

    def __init__(self, given: int, wanted: int):
        self.given = given
        self._resampler = None
        if given != wanted:
            self._resampler = av.AudioResampler(
                format="flt", layout="mono", rate=wanted
            )

    def change(self, samples: np.ndarray) -> np.ndarray:
        if self._resampler is None or not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = self.given
        return self._resampled(frame)

    def finish(self) -> np.ndarray:
        if self._resampler is None:
            return np.zeros(0, np.float32)
        return self._resampled(None)

    def _resampled(self, frame: av.AudioFrame | None) -> np.ndarray:
        pieces = [one.to_ndarray()[0] for one in self._resampler.resample(frame)]
        return np.concatenate([np.zeros(0, np.float32), *pieces])


def _check_rate(sample_rate_hz: int) -> None:
    if not RATES_HZ[0] <= sample_rate_hz <= RATES_HZ[1]:
        raise UserError(
            f"The sound has {sample_rate_hz} samples a second; give {RATES_HZ[0]} to "
            f"{RATES_HZ[1]}."
        )

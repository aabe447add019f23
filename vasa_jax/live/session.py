"""One face that lives: sound in, ticks of picture and sound out, whatever the way.

A session has three tasks. Two let the device compute what is needed next, motion and
frames, one job after another; the third plays, 25 times a second, and never waits for
them.
"""

import asyncio
import concurrent.futures
import dataclasses
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from vasa_jax.animate.controls import Controls
from vasa_jax.live import (
    agents,
    clock,
    marked_face,
    metrics,
    nods,
    performance,
    reading_aloud,
    tick_queue,
    voice_queue,
)
from vasa_jax.live import device as device_lib
from vasa_jax.live.device import now
from vasa_jax.provenance import sealing

DEVICE_FAILED = (
    "The server could not compute the face and has ended this session; start again, "
    "and read the server's log if it happens again."
)
"""What the user is told of a defect; the log has the traceback."""

_LOGGER = logging.getLogger(__name__)


class Session:
    """One face on one clock. It is an `agents.SpeakingFace`.

    Attributes:
        session_id: a secret that only its client knows.
        frame_shape: height and width of the frames, pixels.
        has_alpha: whether nothing stands behind the person.
        is_composite: whether the frames hold a picture around the face.
        last_active: when the user last did something.
        ended: done when the session has ended; its result is a sentence for the user,
            or None.
    """

    def __init__(
        self,
        face: performance.Face,
        first_frame: np.ndarray,
        device: device_lib.Device,
        counts: metrics.Metrics,
        *,
        step_samples: int,
        speech_threads: concurrent.futures.Executor,
        max_letters: int,
        seal: sealing.Seal | None = None,
        is_composite: bool = False,
    ):
        """Prepare; `start` begins.

        Args:
            face: a stream at time 0.
            first_frame: uint8 `[H, W, 3]`, or 4 with alpha, shown until the first is
                rendered.
            device: that computes.
            counts: of the server.
            step_samples: samples of each step of the stream.
            speech_threads: that typed text is spoken in.
            max_letters: of typed texts that wait.
            seal: what says in frames and recordings that they are generated.
            is_composite: whether frames hold a picture around the face.
        """
        self.session_id = secrets.token_urlsafe(16)
        self.frame_shape: tuple[int, int] = first_frame.shape[:2]
        self.has_alpha = first_frame.shape[2] == 4
        self.is_composite = is_composite
        self.last_active = now()
        self.ended: asyncio.Future[str | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._voice = voice_queue.VoiceQueue(step_samples)
        self._seal, self._has_read = seal, False
        self._performance = performance.Performance(
            marked_face.MarkedFace(face, seal), first_frame, self._voice
        )
        self._reading = reading_aloud.ReadingAloud(self, speech_threads, max_letters)
        self._device, self._counts = device, counts
        self._clock = clock.Clock(now)
        self._pauses = nods.Pauses()
        self._agent: agents.Agent | None = None
        self._queues: list[tick_queue.TickQueue] = []
        self._changed = asyncio.Event()
        self._num_ticks = 0
        self._tasks: list[asyncio.Task] = []

    @property
    def seal(self) -> sealing.Seal | None:
        """What a recording is to be signed with; it tells of typed text."""
        if self._seal is None or not self._has_read:
            return self._seal
        return dataclasses.replace(self._seal, is_voice_generated=True)

    @property
    def is_speaking(self) -> bool:
        """Whether a voice is heard or about to be."""
        return self._performance.is_speaking or self._reading.is_busy

    @property
    def is_preparing(self) -> bool:
        """Whether typed text waits for its voice."""
        return self._reading.is_busy and not self._performance.is_speaking

    @property
    def num_waiting(self) -> int:
        """How many samples wait to be said."""
        return len(self._voice)

    @property
    def lead_frames(self) -> int:
        """How early steps are begun, frames."""
        return self._performance.lead_frames

    def start(self) -> None:
        """Begin to live."""
        self._counts.add("sessions")
        self._counts.add("sessions_total")
        works = (
            self._compute(self._performance.next_step, self._device.run),
            self._compute(self._performance.next_frame, self._device.render),
            self._clock.run(self._tick),
        )
        for work in works:
            task = asyncio.create_task(work)
            task.add_done_callback(self._task_ended)
            self._tasks.append(task)

    def end(self, sentence: str | None = None) -> None:
        """End; what hangs on the session is told and lets go.

        Args:
            sentence: for the user, where it was not the user who ended.
        """
        if self.ended.done():
            return
        self.ended.set_result(sentence)
        self._counts.add("sessions", -1)
        self._counts.add("clock_stalls_total", self._clock.num_stalls)
        self._counts.add("samples_left_out_total", self._voice.num_left_out)
        for task in self._tasks:
            task.cancel()
        self._reading.clear()
        self.set_agent(None)
        for one in list(self._queues):
            self.unsubscribe(one)

    def fail(self, error: BaseException) -> None:
        """End after a defect, of the device, an agent or a connection."""
        if self.ended.done():
            return
        _LOGGER.error("a session failed", exc_info=error)
        self._counts.add("sessions_failed_total")
        self.end(DEVICE_FAILED)

    def set_agent(self, factory: agents.AgentFactory | None) -> None:
        """Let another agent answer; None lets nobody."""
        if self._agent is not None:
            self._agent.close()
        self._agent = None if factory is None else factory(self)

    def hear(self, samples: np.ndarray) -> None:
        """Take the user's sound, float32 `[S]`, 16 kHz, as it comes."""
        if self._pauses.hear(samples) and not self.is_speaking:
            self._performance.nod()
        if self._agent is not None:
            self._agent.hear(samples)

    def say(self, samples: np.ndarray, is_live: bool = False) -> None:
        """Append float32 `[S]`, 16 kHz, to what the face says; see `SpeakingFace`."""
        if not (is_live and voice_queue.is_quiet(samples)):
            self.last_active = now()
        self._voice.push(samples, now(), is_live)

    def read(self, text: reading_aloud.Text) -> None:
        """Say a typed text after what waits already.

        Raises:
            UserError: it is too long.
        """
        self.last_active = now()
        self._reading.add(text)
        self._has_read = True

    def clear(self) -> None:
        """Stop speaking at once and listen."""
        self.last_active = now()
        self._reading.clear()
        self._performance.clear()

    def set_controls(self, controls: Controls) -> None:
        """Ask for something else from the next step on."""
        self.last_active = now()
        self._performance.set_controls(controls)

    def subscribe(self, max_ticks: int = tick_queue.MAX_TICKS) -> tick_queue.TickQueue:
        """Return a new queue of what is played from now on."""
        one = tick_queue.TickQueue(max_ticks)
        self._queues.append(one)
        return one

    def unsubscribe(self, one: tick_queue.TickQueue) -> None:
        """Close a queue; closing it again does nothing."""
        if one in self._queues:
            self._queues.remove(one)
            self._counts.add("ticks_lost_total", one.num_lost)
            one.close()

    def _tick(self) -> None:
        tick = self._performance.tick()
        self._num_ticks += 1
        self._counts.add("ticks_total")
        if tick.is_held:
            self._counts.add("ticks_held_total")
        else:
            kind = "frames_new_total" if tick.is_new else "frames_repeated_total"
            self._counts.add(kind)
        if not np.isnan(tick.came):
            self._counts.add_delay(now() - tick.came)
        for one in self._queues:
            one.put(tick_queue.NumberedTick(self._num_ticks, tick))
        self._changed.set()

    async def _compute(
        self,
        next_job: Callable[[], performance.Job | None],
        run: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        """Let the device do what is needed next, one job after another."""
        while True:
            job = next_job()
            if job is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            started = now()
            result = await run(job.run)
            job.done(result, now() - started)
            self._changed.set()

    def _task_ended(self, task: asyncio.Task) -> None:
        if not task.cancelled():
            self.fail(task.exception())

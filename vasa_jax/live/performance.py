"""One endless performance: what is made ahead, and what the clock takes of it.

Between utterances the same stream hears zeros, so that the face breathes, blinks and
glances, and there is no seam between listening and speaking. Motion must keep up with
time; where the machine cannot render every frame, every n-th is rendered that will
still be in time (`live.pace`), and each is shown until the next: lips stay with the
sound.

Nothing here knows of threads or of time: `next_step` and `next_frame` give out what is
to be computed, anywhere, one beside the other, and each job takes its result back in.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from vasa_jax import types
from vasa_jax.animate.controls import Controls
from vasa_jax.live import nods, pace, voice_queue

LEAST_LEAD_FRAMES = 5
"""Frames of motion that lie ready when the next step is begun, at least. Ours: 0.2 s,
as long as a step takes on a slow machine."""

MAX_LEAD_FRAMES = 25
"""Ours: a second; who needs more to make 0.4 s of motion is not live."""

PEACE_TICKS = 250
"""Ticks in time after which a step may begin a frame later. Ours: 10 s."""

BLEND_FRAMES = 5
"""Frames over which motion goes over to listening after `clear`. Ours: 0.2 s, about
what lips take to close."""

FADE_SAMPLES = 160
"""Over which a voice that is cut fades out. Ours: 10 ms, no click."""

_NO_VOICE = np.full(types.SAMPLES_PER_FRAME, voice_queue.SILENCE)


class Motion(Protocol):
    """What is used of `animate.motion_stream.MotionStream`."""

    def push(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Take samples and give motion `[n, M]`."""

    def check(self, controls: Controls) -> None:
        """Refuse what cannot be asked for."""

    def set_controls(self, controls: Controls) -> None:
        """Ask for something else from the next window on."""

    def copy(self) -> "Motion":
        """Return a stream that goes on from here by itself."""

    def unhear(self, num_samples: int) -> None:
        """Take the latest samples for silence."""


class Face(Protocol):
    """What is used of `animate.talking_face.TalkingStream`."""

    motion: Motion

    def render(self, motion: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Render motion as frames uint8 `[n, H, W, 3]`."""


@dataclasses.dataclass(frozen=True)
class Tick:
    """One twenty-fifth of a second.

    Attributes:
        frame: uint8 `[H, W, 3]`.
        samples: float32 `[640]`, 16 kHz, in step with the frame.
        is_new: whether the frame was rendered for this tick, not shown again.
        is_held: whether time stood still for want of motion: silence.
        came: when the first sample came or was due; NaN in silence of our own.
        positions: int64 `[640]`, which sample of the voice each is, as in
            `voice_queue.Step`.
    """

    frame: np.ndarray
    samples: np.ndarray
    is_new: bool
    is_held: bool
    came: float
    positions: np.ndarray = dataclasses.field(default_factory=lambda: _NO_VOICE)


@dataclasses.dataclass(frozen=True)
class Job:
    """Something to compute.

    Attributes:
        run: computes, anywhere; steps one at a time, and frames likewise.
        done: takes the result and the seconds it took back in.
    """

    run: Callable[[], Any]
    done: Callable[[Any, float], None]


@dataclasses.dataclass(frozen=True)
class _StepStart:
    """Where a step began: the stream as it was, frames made and frames heard."""

    stream: Motion
    num_made: int
    num_heard: int


class Performance:
    """Motion, frames and sound of one face, in the order of play."""

    def __init__(
        self,
        face: Face,
        first_frame: np.ndarray,
        voice: voice_queue.VoiceQueue,
    ):
        """Begin at time 0, with nothing made.

        Args:
            face: at time 0.
            first_frame: uint8 `[H, W, 3]`, shown until the first is rendered.
            voice: what the face is to say.
        """
        self._least_lead = LEAST_LEAD_FRAMES
        self._face, self._voice = face, voice
        self._pace = pace.Pace()
        self._stream = face.motion
        self._controls: Controls | None = None  # Asked for since the beginning.
        self._are_controls_new = False
        self._nods = nods.Nods()
        self._shown = first_frame
        self._play = 0  # The frame that the next tick shows.
        self._made = 0  # Frames of motion, from time 0.
        self._next_render = 0
        self._motion: dict[int, np.ndarray] = {}
        self._frames: dict[int, np.ndarray] = {}
        self._sound = np.zeros(0, np.float32)  # Heard by the stream, from `_play` on.
        self._came = np.zeros(0)
        self._voice_positions = np.zeros(0, np.int64)
        self._steps: list[_StepStart] = []
        self._is_cleared = False
        self._stale_from = math.inf  # Frames that are being rendered.
        self._is_still, self._num_in_time = False, 0

    @property
    def is_speaking(self) -> bool:
        """Whether a voice is heard or about to be."""
        return bool(len(self._voice) or not np.isnan(self._came).all())

    @property
    def stride(self) -> int:
        """Every how many frames one is rendered, as fast as this machine is."""
        return self._pace.stride

    @property
    def lead_frames(self) -> int:
        """Frames of motion that are left when the next step is begun."""
        return min(max(self._least_lead, self._pace.lead_frames), MAX_LEAD_FRAMES)

    def set_controls(self, controls: Controls) -> None:
        """Ask for something else from the next step on.

        Raises:
            UserError: the checkpoint cannot do it.
        """
        self._stream.check(controls)
        self._controls, self._are_controls_new = controls, True
        self._nods.scale = controls.pose_scale

    def nod(self) -> None:
        """Nod as a listener does, as soon as it can be seen."""
        self._nods.begin(max(self._next_render, self._play))

    def clear(self) -> None:
        """Silence the voice now, and lead the face back to listening."""
        self._voice.clear()
        self._sound = _faded(self._sound, len(self._sound))
        self._came = np.full(len(self._came), np.nan)
        self._voice_positions = _cut(self._voice_positions, len(self._voice_positions))
        self._is_cleared = self._made > 0

    def tick(self) -> Tick:
        """Play one frame and its sound.

        Ours: without motion time stands still, in silence, and the stream goes on later
        by as much; a backlog would put sound and picture apart (measured in browsers).
        """
        fresh = [index for index in self._frames if index <= self._play]
        if fresh:
            self._shown = self._frames[max(fresh)]
        for index in fresh:
            del self._frames[index]
        if self._play >= self._made:
            self._note_standstill(is_still=self._made > 0)
            silence = np.zeros(types.SAMPLES_PER_FRAME, np.float32)
            return Tick(self._shown, silence, bool(fresh), self._made > 0, math.nan)
        self._note_standstill(is_still=False)
        self._motion.pop(self._play - 1, None)  # The last may still be rendered late.
        size = types.SAMPLES_PER_FRAME
        samples, self._sound = np.split(self._sound, [size])
        positions, self._voice_positions = np.split(self._voice_positions, [size])
        came, self._came = self._came[0], self._came[1:]
        self._play += 1
        return Tick(self._shown, samples, bool(fresh), False, float(came), positions)

    def next_step(self) -> Job | None:
        """Return the motion that is to be made next, if any; one job at a time."""
        if self._is_cleared:
            return self._listen_again()
        is_due = self._made - self._play < self.lead_frames
        return self._step() if is_due else None

    def next_frame(self) -> Job | None:
        """Return the frame that is to be rendered next, if any; one job at a time."""
        due = range(self._next_render, self._made, self.stride)
        if not due:
            return None
        in_time = self._play + int(self._pace.frame_ticks)
        # Late frames are better than none.
        return self._render(next((i for i in due if i >= in_time), self._made - 1))

    def _step(self) -> Job:
        """Hear a step of the voice and make its motion."""
        samples, came, positions = self._voice.take()
        self._steps = self._steps[self._playing_step() :]
        self._steps.append(
            _StepStart(self._stream.copy(), self._made, self._num_heard())
        )
        self._sound = np.concatenate([self._sound, samples])
        self._came = np.concatenate([self._came, came])
        self._voice_positions = np.concatenate([self._voice_positions, positions])
        controls = self._controls if self._are_controls_new else None
        self._are_controls_new = False

        def run() -> list[np.ndarray]:
            if controls is not None:
                self._stream.set_controls(controls)
            return list(self._stream.push(samples))

        def done(pieces: list[np.ndarray], seconds: float) -> None:
            for motion in itertools.chain.from_iterable(pieces):
                self._motion[self._made] = motion
                self._made += 1
            self._pace.note_step(seconds)

        return Job(run, done)

    def _render(self, index: int) -> Job:
        """Render a frame; alone, for in twos or fives each takes as long."""
        motion = self._nods.added(self._motion[index][None], np.array([index]))
        self._next_render, self._stale_from = index + self.stride, math.inf

        def run() -> np.ndarray:
            (frames,) = self._face.render([motion])
            return frames[0]

        def done(frame: np.ndarray, seconds: float) -> None:
            if index < self._stale_from:
                self._frames[index] = frame
            self._pace.note_frame(seconds)

        return Job(run, done)

    def _listen_again(self) -> Job:
        """Make the motion from now on again, of silence, and blend over to it.

        Ours: the step that plays now has heard what comes next; it is made again from
        where it began, with that unheard. What is rendered plays until then.
        """
        self._is_cleared = False
        index = self._playing_step()
        step = self._steps[index]
        stream = step.stream.copy()
        stream.unhear((step.num_heard - self._play) * types.SAMPLES_PER_FRAME)
        # As far as what is there already, which plays while this is made.
        num_needed = max(self._made, self._play + self.lead_frames) - step.num_made
        num_step = self._voice.step_samples // types.SAMPLES_PER_FRAME
        silence = np.zeros(self._voice.step_samples, np.float32)
        count = math.ceil(num_needed / num_step)
        # The stream as it was knows nothing of controls that came later.
        controls, self._are_controls_new = self._controls, False

        def run() -> tuple[np.ndarray, list[_StepStart]]:
            if controls is not None:
                stream.set_controls(controls)
            motion, steps = [], []
            num_made, num_heard = step.num_made, step.num_heard
            for _ in range(count):
                steps.append(_StepStart(stream.copy(), num_made, num_heard))
                pieces = list(stream.push(silence))
                motion += pieces
                num_made += sum(map(len, pieces))
                num_heard += num_step
            return np.concatenate(motion), steps

        def done(result: tuple[np.ndarray, list[_StepStart]], seconds: float) -> None:
            motion, steps = result
            self._stream = stream
            self._steps[index:] = steps
            self._blend_over(step.num_made, motion)
            num_samples = step.num_heard + count * num_step - self._play
            num_samples *= types.SAMPLES_PER_FRAME
            self._sound = _faded(self._sound, num_samples)
            self._came = np.full(num_samples // types.SAMPLES_PER_FRAME, np.nan)
            self._voice_positions = _cut(self._voice_positions, num_samples)

        return Job(run, done)

    def _blend_over(self, start: int, motion: np.ndarray) -> None:
        """Go over to new motion `[n, M]` from frame `start` on, when it can be seen."""
        change = self._play + math.ceil(self._pace.frame_ticks)
        blended = {i: one for i, one in self._motion.items() if i < self._play}
        for index in range(self._play, start + len(motion)):
            new = motion[index - start]
            old = self._motion.get(index, new)
            share = np.float32(np.clip((index - change + 1) / (BLEND_FRAMES + 1), 0, 1))
            blended[index] = old + share * (new - old)
        self._motion, self._made = blended, start + len(motion)
        self._frames = {i: one for i, one in self._frames.items() if i < change}
        self._next_render = min(self._next_render, change)
        self._stale_from = min(self._stale_from, change)

    def _playing_step(self) -> int:
        """Return where in `_steps` the step that plays began; 0 before the first."""
        begun = [i for i, one in enumerate(self._steps) if one.num_made <= self._play]
        return max(begun, default=0)

    def _num_heard(self) -> int:
        """Return the frames of sound that the stream has heard, from time 0."""
        return self._play + len(self._sound) // types.SAMPLES_PER_FRAME

    def _note_standstill(self, is_still: bool) -> None:
        """Begin steps earlier after each standstill, and later again after peace."""
        has_begun, self._is_still = is_still and not self._is_still, is_still
        self._num_in_time = 0 if is_still else self._num_in_time + 1
        if has_begun:
            self._least_lead = min(self._least_lead + 1, MAX_LEAD_FRAMES)
        elif self._num_in_time >= PEACE_TICKS:
            self._least_lead = max(self._least_lead - 1, LEAST_LEAD_FRAMES)
            self._num_in_time = 0


def _cut(positions: np.ndarray, num_samples: int) -> np.ndarray:
    """Return the positions of a sound that is faded likewise."""
    cut = np.full(num_samples, voice_queue.SILENCE)
    kept = min(FADE_SAMPLES, len(positions), num_samples)
    cut[:kept] = positions[:kept]
    return cut


def _faded(samples: np.ndarray, num_samples: int) -> np.ndarray:
    """Return silence that begins with the fading start of a sound."""
    faded = np.zeros(num_samples, np.float32)
    kept = min(FADE_SAMPLES, len(samples), num_samples)
    faded[:kept] = samples[:kept] * np.linspace(1, 0, kept, dtype=np.float32)
    return faded

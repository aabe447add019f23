"""Play a performance on a clock of its own, on which jobs take as long as told."""

import math

from vasa_jax import types

TICK_SECONDS = 1 / types.FRAME_RATE_HZ


class Lanes:
    """Steps in one lane and frames in the other, as on a machine with two cores."""

    def __init__(self, performance):
        self.seconds = 0.0
        self._next_jobs = performance.next_step, performance.next_frame
        self._running = [None, None]  # Job, its result, when it began and ends.

    def advance(self, *take_seconds):
        """Go on by a tick; functions tell how long a step and a frame take."""
        end = self.seconds + TICK_SECONDS
        while True:
            for lane, next_job in enumerate(self._next_jobs):
                if self._running[lane] is None and (job := next_job()) is not None:
                    ends = self.seconds + take_seconds[lane % len(take_seconds)]()
                    self._running[lane] = job, job.run(), self.seconds, ends
            ends = [math.inf if one is None else one[3] for one in self._running]
            if min(ends) > end:
                break
            self._finish(ends.index(min(ends)))
        self.seconds = end

    def finish(self):
        """Let what runs come to its end."""
        for lane in range(2):
            if self._running[lane] is not None:
                self._finish(lane)

    def _finish(self, lane):
        job, result, began, ends = self._running[lane]
        self._running[lane] = None
        self.seconds = max(self.seconds, ends)
        job.done(result, ends - began)


def play(performance, count, step_seconds, frame_seconds):
    """Return the ticks; either time may be a function of the seconds that have passed.

    Ours: what is computed at the end of a tick's time is there for that tick.
    """
    lanes = Lanes(performance)

    def taken(seconds):
        return lambda: seconds(lanes.seconds) if callable(seconds) else seconds

    ticks = []
    for _ in range(count):
        lanes.advance(taken(step_seconds), taken(frame_seconds))
        ticks.append(performance.tick())
    return ticks

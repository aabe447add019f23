#!/bin/sh
# livekit 1.1.21: pictures and sounds that are pushed to an `AVSynchronizer` together, in
# time, come out up to one frame apart, for as long as it lives. It "synchronizes audio and
# video capture"; a good guess is that what is pushed at one time leaves at one time. Its
# clock starts with the first picture and holds every later one back to its own beat, while
# sounds go through at once: after a first picture 30 ms later than the beat of the others
# (as where a track is published meanwhile) every picture comes 30 ms after its sound. One
# picture left out at the beginning ends it, since a clock that is behind holds nothing.
# Seen on 29 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check livekit==1.1.21
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import statistics
import sys
import time

from livekit import rtc

BEAT, PHASE, COUNT = 0.04, 0.03, 75


class Noting:
    """A source that notes when each picture or sound leaves, in the order of pushing."""

    def __init__(self, source):
        self._source, self.times = source, []

    def __getattr__(self, name):
        return getattr(self._source, name)


class Pictures(Noting):
    def capture_frame(self, frame):
        self.times.append(time.monotonic())
        self._source.capture_frame(frame)


class Sounds(Noting):
    async def capture_frame(self, frame):
        self.times.append(time.monotonic())
        await self._source.capture_frame(frame)


async def measure(is_second_left_out):
    pictures = Pictures(rtc.VideoSource(16, 16))
    sounds = Sounds(rtc.AudioSource(24_000, 1, queue_size_ms=100))
    both = rtc.AVSynchronizer(
        audio_source=sounds, video_source=pictures, video_fps=1 / BEAT
    )
    picture = rtc.VideoFrame(16, 16, rtc.VideoBufferType.RGB24, bytes(768))
    sound = rtc.AudioFrame(bytes(1920), 24_000, 1, 960)
    began = time.monotonic()
    for number in range(COUNT):
        due = began + number * BEAT - (PHASE if number else 0.0)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if number == 1 and is_second_left_out:
            continue
        await both.push(picture)
        await both.push(sound)
    await both.wait_for_playout()
    await both.aclose()
    late = [1000 * (a - b) for a, b in zip(pictures.times, sounds.times)][10:]
    word = "without" if is_second_left_out else "with"
    median = statistics.median(late)
    print(f"{word} the second picture, the others come {median:.0f} ms after their sound")
    return median


held, free = asyncio.run(measure(False)), asyncio.run(measure(True))
if not (20 < held < 45 and abs(free) < 8):
    sys.exit("pictures and sounds that are pushed together leave together now")
PYTHON

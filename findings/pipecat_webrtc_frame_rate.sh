#!/bin/sh
# Pipecat 1.14.0 (aiortc 1.16.0): the WebRTC transport's picture runs at 30 frames a second,
# whatever `video_out_framerate` says. A good guess is that a setting of 15 or 60 gives a
# picture in time, with fewer or more frames. With 15 the stamps go at half the speed of
# time, so that the picture falls behind the sound's by 0.5 s a second; with 60 every second
# frame waits in a queue without end, and the picture is 2 s late after 4. The track's
# stamps are aiortc's `next_timestamp`, which counts thirtieths of a second a frame.
# Seen on 29 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pipecat-ai==1.14.0 aiortc==1.16.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import sys
import time

from pipecat.frames.frames import OutputImageRawFrame
from pipecat.transports.smallwebrtc.transport import RawVideoTrack

SECONDS = 4


async def send(track, rate):
    # As the transport does: a frame each 1 / video_out_framerate seconds.
    began = time.monotonic()
    for number in range(1000):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        track.add_video_frame(OutputImageRawFrame(bytes(192), (8, 8), "RGB"))


async def measure(rate):
    track = RawVideoTrack(8, 8)
    sending = asyncio.create_task(send(track, rate))
    began = time.monotonic()
    while time.monotonic() < began + SECONDS:
        frame = await track.recv()
    sending.cancel()
    stamp, waiting = float(frame.pts * frame.time_base), track._video_buffer.qsize()
    print(f"{rate} a second for {SECONDS} s: stamp {stamp:.2f} s, {waiting} frames wait")
    return stamp, waiting


async def main():
    slow, fast = await measure(15), await measure(60)
    return slow[0] < 0.6 * SECONDS and fast[1] > 20 * SECONDS


if not asyncio.run(main()):
    sys.exit("the picture runs at the rate that was asked for now")
PYTHON

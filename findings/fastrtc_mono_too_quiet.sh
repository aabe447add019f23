#!/bin/sh
# FastRTC 0.0.34 plays every sound of one channel 3 dB too quietly. A handler that emits
# `(24000, samples)` as in its documentation, or `(24000, samples, "mono")`, is heard with
# 0.707 of its samples on both channels; the same samples given twice as "stereo" are heard
# as they are. A good guess is that one channel is copied to two, as browsers and players
# do. The resampler between (FFmpeg's, by PyAV) spreads its power over two channels instead.
# Seen on 29 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    fastrtc==0.0.34 aiortc==1.16.0
GRADIO_ANALYTICS_ENABLED=False "$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import sys

import numpy as np
from fastrtc.utils import player_worker_decode

RATE, SIZE, LOUDEST = 24_000, 480, 16_384


async def heard(num_channels):
    time = np.arange(RATE) / RATE
    tone = np.round(LOUDEST * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    layout = "mono" if num_channels == 1 else "stereo"
    pieces = [
        (RATE, np.repeat(tone[None, i : i + SIZE], num_channels, axis=0), layout)
        for i in range(0, RATE, SIZE)
    ]
    queue, is_over = asyncio.Queue(), asyncio.Event()

    async def emit():
        if pieces:
            return pieces.pop(0)
        is_over.set()
        return None

    # What FastRTC does between a handler's `emit` and the connection.
    await player_worker_decode(
        emit, queue, is_over, None, None, False, sample_rate=RATE, frame_size=SIZE
    )
    frames = [queue.get_nowait().to_ndarray() for _ in range(queue.qsize())]
    share = max(np.abs(frame.astype(int)).max() for frame in frames) / LOUDEST
    print(f"{layout}: heard with {share:.3f} of its samples")
    return share


one, two = asyncio.run(heard(1)), asyncio.run(heard(2))
if not (0.70 < one < 0.72 and 0.98 < two < 1.02):
    sys.exit("one channel is heard as loudly as two now")
PYTHON

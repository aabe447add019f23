#!/bin/sh
# FFmpeg's ADTS reader (in PyAV 18.1.0) stamps every frame by the rate of the first: where
# a stream at 44.1 kHz goes on at 48 kHz, as radio streams do, and each frame has a header
# of its own, frames of 1024 samples at 48 kHz (21.3 ms) are 23.2 ms apart. A good guess is
# that time stamps tell where samples belong, so that a step longer than a frame is a hole.
# Seen on 28 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import av
import numpy as np


def tone(rate):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        samples = np.sin(np.arange(rate) * 2 * np.pi * 440 / rate).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


with av.open(io.BytesIO(tone(44_100) + tone(48_000)), format="aac") as container:
    frames = [(f.time, f.samples, f.sample_rate) for f in container.decode(audio=0)]
steps = {}
for (time, samples, rate), (after, _, next_rate) in zip(frames, frames[1:]):
    if rate == next_rate:
        steps.setdefault(rate, set()).add(round(1000 * (after - time), 1))
        steps[rate, "lasts"] = round(1000 * samples / rate, 1)
print(steps)
if steps.get(48_000) != {23.2} or steps[48_000, "lasts"] != 21.3:
    sys.exit("stamps at 48 kHz are no longer 23.2 ms apart")
PYTHON

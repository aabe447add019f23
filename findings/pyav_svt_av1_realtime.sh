#!/bin/sh
# PyAV 18.1.0 (its wheel holds SVT-AV1 4.1.0): where root encodes AV1 by libsvtav1, as in most
# containers, the thread that calls goes on under SCHED_FIFO with priority 99, above all else
# that the machine does, for as long as it lives.
# A good guess is that an encoder leaves the caller's scheduling alone, as libx264,
# libx265 and libvpx do. Whoever then trains or serves in that process starves the rest of
# its core (a worker of our tests hung so);
# `os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))` gives the priority back.
# Seen on 30 November 2026, Python 3.11, Linux. Needs root and two cores. Fails when this no
# longer holds.
set -eu
[ "$(id -u)" = 0 ] || { echo "run as root, who may ask for such priorities" >&2; exit 2; }
[ "$(nproc)" -ge 2 ] || { echo "run on two cores or more" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import io
import os
import sys

import av
import numpy as np


def schedule_after(codec):
    kept = io.BytesIO()
    with av.open(kept, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for index in range(5):
            picture = np.full((64, 64, 3), 40 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


assert os.sched_getscheduler(0) == os.SCHED_OTHER
for codec in ("libx264", "libx265", "libvpx-vp9"):
    found = schedule_after(codec)
    print(f"{codec}: policy {found[0]}, priority {found[1]}")
    assert found == (os.SCHED_OTHER, 0), found
found = schedule_after("libsvtav1")
print(f"libsvtav1: policy {found[0]} (SCHED_FIFO is {os.SCHED_FIFO}), priority {found[1]}")
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
sys.exit(found != (os.SCHED_FIFO, 99))
PYTHON

#!/bin/sh
# PyAV 18.1.0 (its own FFmpeg) reads a WebM with alpha as if it were opaque. WebM keeps the
# alpha of VP9 as a second picture beside each frame, and tags the track `alpha_mode` 1. A
# good guess is that `container.decode` gives yuva420p. It gives yuv420p and no word, since
# FFmpeg's native VP9 decoder, the one taken unless another is named, leaves the second
# picture out; the decoder `libvpx-vp9`, in the same wheel, gives it.
# Seen on 29 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
"$folder/venv/bin/python" - "$folder/half.webm" <<'PYTHON'
import sys

import av
import numpy as np

path = sys.argv[1]
pixels = np.full((64, 96, 4), 128, np.uint8)
pixels[:, :48, 3], pixels[:, 48:, 3] = 0, 255
with av.open(path, "w") as container:
    stream = container.add_stream("libvpx-vp9", rate=25)
    stream.width, stream.height, stream.pix_fmt = 96, 64, "yuva420p"
    stream.options = {"auto-alt-ref": "0", "crf": "20", "b": "0"}
    for _ in range(5):
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgba")))
    container.mux(stream.encode(None))


def alphas(name):
    with av.open(path) as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create(name, "r") if name else stream
        frames = [f for p in container.demux(stream) for f in decoder.decode(p)]
        print(
            f"{name or 'by default':12s} alpha_mode {stream.metadata['alpha_mode']},"
            f" frames are {frames[0].format.name}, alpha of the left and right half"
            f" {[int(x) for x in frames[0].to_ndarray(format='rgba')[32, [10, 80], 3]]}"
        )
        return frames[0].format.name


assert alphas(None) == "yuv420p", "the default decoder gives alpha now"
assert alphas("libvpx-vp9") == "yuva420p", "libvpx gives no alpha any more"
PYTHON
echo "still so: alpha is dropped unless libvpx-vp9 is asked for"

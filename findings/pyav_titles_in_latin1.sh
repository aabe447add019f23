#!/bin/sh
# PyAV 18.1.0: av.open raises UnicodeDecodeError for a valid WAV file whose title is in
# Latin-1, as RIFF INFO chunks of Windows programs are; the sound itself is not looked at.
# A good guess is that tags never keep a file from being opened, as in FFmpeg's programs,
# which print the byte. metadata_errors="replace" opens it. Seen on 28 November 2026,
# Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0
"$folder/venv/bin/python" - "$folder/song.wav" <<'PYTHON'
import struct
import sys
import wave

import av

path = sys.argv[1]
with wave.open(path, "wb") as file:
    file.setparams((1, 2, 16_000, 0, "NONE", ""))
    file.writeframes(bytes(2 * 8_000))
title = "B\u00e4r".encode("latin-1") + b"\0"
chunk = b"INFOINAM" + struct.pack("<I", len(title)) + title
with open(path, "rb") as file:
    data = file.read() + b"LIST" + struct.pack("<I", len(chunk)) + chunk
with open(path, "wb") as file:
    file.write(b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:])

try:
    av.open(path)
except UnicodeDecodeError as error:
    print("av.open:", error)
else:
    sys.exit("av.open no longer raises")
with av.open(path, metadata_errors="replace") as container:
    num_samples = sum(frame.samples for frame in container.decode(audio=0))
print("with metadata_errors='replace':", num_samples, "samples")
if num_samples != 8_000:
    sys.exit("another number of samples")
PYTHON

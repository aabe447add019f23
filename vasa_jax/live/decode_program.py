"""Decode what a stranger uploaded, in a process of its own that may break.

    python -m vasa_jax.live.decode_program KIND MAX SECONDS FOLDER < upload > decoded

KIND is `picture` or `sound`, MAX its pixels or seconds, SECONDS the processor's. Out
comes a line of JSON (`shape`, or `error`) and then the bytes of the array. What crashes
a decoder, or keeps it busy for ever, costs this process and nothing else.
"""

import json
import pathlib
import resource
import sys

import numpy as np

from vasa_jax import audio, types
from vasa_jax.errors import UserError
from vasa_jax.live import sound_formats
from vasa_jax.media import image

MAX_MEMORY_BYTES = 4 * 2**30
"""Of addresses. Ours: 50 million pixels take 150 MB, and three times that to turn."""


def decode_picture(data: bytes, max_pixels: int) -> np.ndarray:
    """Decode a picture.

    Returns:
        uint8 `[H, W, 3]`.

    Raises:
        UserError: it is none, broken, or has too many pixels.
    """
    # Refused by its header, before its pixels are decoded.
    height, width = image.decode_size(data, name="that was uploaded")
    if height * width > max_pixels:
        raise UserError(
            f"The picture has {width} x {height} pixels; at most "
            f"{max_pixels // 1_000_000} megapixels are read, so make it smaller."
        )
    return image.decode_image(data, name="that was uploaded")


def decode_sound(data: bytes, max_seconds: float, folder: pathlib.Path) -> np.ndarray:
    """Decode a sound, known by its first bytes.

    Returns:
        float32 `[S]`, 16 kHz.

    Raises:
        UserError: it is none of the formats that are read, broken, or too long.
    """
    container_format = sound_formats.recognise(data)
    path = folder / "sound"
    path.write_bytes(data)
    pieces, num_samples = [], 0
    try:
        for piece in audio.iterate_waveform(
            path, warn=lambda sentence: None, container_format=container_format
        ):
            pieces.append(piece)
            num_samples += len(piece)
            if num_samples > max_seconds * types.SAMPLE_RATE_HZ:
                raise UserError(
                    f"The sound is longer than {max_seconds:g} s; give a shorter one."
                )
    except UserError as error:
        # The client is told nothing of where its file lay.
        raise UserError(str(error).replace(f" {path}", "")) from error
    return np.concatenate(pieces)


def main(arguments: list[str]) -> None:
    """Read from standard input, and write to standard output."""
    kind, most, seconds, folder = arguments
    limit = resource.RLIMIT_CPU, (int(seconds), int(seconds))
    resource.setrlimit(*limit)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    data = sys.stdin.buffer.read()
    try:
        if kind == "picture":
            decoded = decode_picture(data, int(most))
        else:
            decoded = decode_sound(data, float(most), pathlib.Path(folder))
    except UserError as error:
        print(json.dumps({"error": str(error)}))
        return
    print(json.dumps({"shape": decoded.shape}), flush=True)
    sys.stdout.buffer.write(decoded.tobytes())


if __name__ == "__main__":
    main(sys.argv[1:])

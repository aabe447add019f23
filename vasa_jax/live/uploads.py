"""Pictures and sounds of strangers, decoded beside the server.

Ours: decoders are the oldest way into a server. Each upload is decoded by a process
that has a limit of time and memory, and hands back plain numbers; a second of start is
the price. Names that clients give are never looked at.
"""

import asyncio
import json
import sys
import tempfile

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.live import limits, sound_formats

_BROKEN = {
    "picture": "The picture cannot be decoded; save it again as PNG or JPEG.",
    "sound": "The sound cannot be decoded; save it again as wav, mp3 or flac.",
}


async def decode_picture(data: bytes, allowed: limits.Limits) -> np.ndarray:
    """Decode a picture as uint8 `[H, W, 3]`.

    Raises:
        UserError: it is none, broken, or larger than allowed.
    """
    line, body = await _decode("picture", data, allowed.picture_pixels, allowed)
    return np.frombuffer(body, np.uint8).reshape(line["shape"])


async def decode_sound(data: bytes, allowed: limits.Limits) -> np.ndarray:
    """Decode a sound as float32 `[S]`, 16 kHz.

    Raises:
        UserError: it is none, broken, or longer than allowed.
    """
    sound_formats.recognise(data)  # Before a process is started for nothing.
    line, body = await _decode("sound", data, allowed.sound_seconds, allowed)
    return np.frombuffer(body, np.float32).reshape(line["shape"])


async def _decode(
    kind: str, data: bytes, most: float, allowed: limits.Limits
) -> tuple[dict, bytes]:
    seconds = allowed.decode_seconds
    with tempfile.TemporaryDirectory(prefix="vasa_live_") as folder:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vasa_jax.live.decode_program"),
            *(kind, str(most), str(seconds), folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await program.communicate(data)
        finally:
            if program.returncode is None:
                program.kill()
    line, _, body = output.partition(b"\n")
    if program.returncode != 0 or not line:
        raise UserError(_BROKEN[kind])
    said = json.loads(line)
    if "error" in said:
        raise UserError(said["error"])
    return said, body

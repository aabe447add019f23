"""Which sound a file holds, by its first bytes.

Ours: FFmpeg left to guess would also read play lists, which name other files, and so
let a stranger read what lies on the server. Each of these formats holds its own sound.
"""

from vasa_jax.errors import UserError

_STARTS = (
    (0, b"RIFF", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (4, b"ftyp", "mp4"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xfa", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xf2", "mp3"),
)


def recognise(data: bytes) -> str:
    """Return FFmpeg's name of the format.

    Raises:
        UserError: it is none of those that are read.
    """
    for offset, start, name in _STARTS:
        if data[offset : offset + len(start)] == start:
            return name
    raise UserError(
        "The file is no sound that can be read; give wav, flac, mp3, m4a, ogg, aac, "
        "mp4 or webm."
    )

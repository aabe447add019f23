"""How much anyone may ask of a server, in one place."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a server. Ours: enough for people, too little to bring it down.

    Attributes:
        sessions: faces that live at once.
        upload_bytes: of a picture or a sound.
        picture_pixels: of a picture; a phone's photo has 12 to 50 million.
        whole_side: longer side of a whole picture that is sent, pixels.
        sound_seconds: of a sound file.
        upload_seconds: that an upload may take to arrive.
        decode_seconds: of processor time that a picture or a sound may take.
        portraits: kept for sessions to come; the oldest goes first.
        message_bytes: of one message of a client.
        text_letters: of typed texts that wait to be said.
        connect_seconds: that a session waits for its first connection.
        idle_seconds: without a word, a sound or a change of a control.
        record_seconds: of one recording.
    """

    sessions: int = 2
    upload_bytes: int = 20_000_000
    picture_pixels: int = 50_000_000
    whole_side: int = 1280
    sound_seconds: float = 300.0
    upload_seconds: float = 30.0
    decode_seconds: int = 20
    portraits: int = 16
    message_bytes: int = 200_000
    text_letters: int = 10_000
    connect_seconds: float = 20.0
    idle_seconds: float = 600.0
    record_seconds: float = 600.0

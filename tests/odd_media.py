"""Recordings that are valid and odd, made by PyAV packet by packet."""

import fractions
import os

import av
import numpy as np

RATE = 48_000


def tone(seconds, hertz=440.0, rate=RATE):
    """Return float32 `[S]`."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def write(
    path,
    frames=None,
    waveform=None,
    *,
    video_codec="libx264",
    audio_codec="aac",
    container_options=None,
    keeps=lambda packet: True,
    prepare=lambda stream: None,
):
    """Write a recording of 25 frames a second, in the order of time.

    Args:
        path: its suffix names the container.
        frames: uint8 `[T, H, W, 3]` or a list of `av.VideoFrame`; None for no picture.
        waveform: float `[S]` or `[C, S]` at 48 kHz; None for no sound.
        video_codec, audio_codec: of FFmpeg.
        container_options: of FFmpeg's muxer.
        keeps: tells whether a packet is written.
        prepare: called with the picture's stream before anything is encoded.
    """
    with av.open(os.fspath(path), "w", options=container_options or {}) as container:
        packets = []
        if frames is not None:
            pictures = [_picture(frame, i) for i, frame in enumerate(frames)]
            stream = container.add_stream(video_codec, rate=25)
            stream.width, stream.height = pictures[0].width, pictures[0].height
            stream.pix_fmt = pictures[0].format.name
            if pictures[0].format.name == "rgb24":
                stream.pix_fmt = "rgb24" if video_codec == "png" else "yuv420p"
            prepare(stream)
        if waveform is not None:
            channels = np.atleast_2d(waveform)
            layout = {1: "mono", 2: "stereo"}[len(channels)]
            sound = container.add_stream(audio_codec, rate=RATE, layout=layout)
            packets += _encoded_sound(sound, channels, layout)
        if frames is not None:
            for picture in pictures:
                packets += stream.encode(picture)
            packets += stream.encode(None)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            if keeps(packet):
                container.mux(packet)
    # SVT-AV1 leaves root's thread above all others (findings/pyav_svt_av1_realtime.sh).
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _picture(frame, index):
    if not isinstance(frame, av.VideoFrame):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame))
    frame.pts, frame.time_base = index, fractions.Fraction(1, 25)
    return frame


def _encoded_sound(stream, channels, layout):
    packets, block = [], 960
    for start in range(0, channels.shape[1], block):
        samples = np.ascontiguousarray(channels[:, start : start + block], np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", layout)
        frame.sample_rate = RATE
        frame.pts, frame.time_base = start, fractions.Fraction(1, RATE)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def without_sound_between(start, end):
    """Return a `keeps` that drops the sound's packets of some seconds."""

    def keeps(packet):
        is_sound = isinstance(packet.stream, av.AudioStream)
        return not (is_sound and start <= packet.pts * packet.time_base < end)

    return keeps

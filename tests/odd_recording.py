"""A recording whose pixels are not square and whose sound has a hole, as fixtures.

The conftest imports this for every run, so the fixtures import what they need.
"""

import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
NUM_FRAMES = 30
HOLE_SECONDS = 0.4, 0.8
SQUEEZE = 2


@pytest.fixture(scope="module")
def odd_frames():
    """Frames of the example portrait, moved."""
    import moving_portrait

    from vasa_jax import media

    portrait = media.read_image(ROOT / "examples" / "portrait.png")
    return moving_portrait.frames(portrait, NUM_FRAMES)


@pytest.fixture(
    scope="module",
    params=[
        ("a.mp4", "libx264", "aac"),
        ("a.mkv", "mpeg4", "libopus"),
        ("a.ts", "mpeg2video", "libmp3lame"),
    ],
    ids=["mp4", "mkv", "ts"],
)
def odd_video(request, odd_frames, tmp_path_factory):
    """Pixels are twice as wide as high, and the sound has a hole."""
    import odd_media

    name, video_codec, audio_codec = request.param
    folder = tmp_path_factory.mktemp("odd")

    def prepare(stream):
        stream.codec_context.sample_aspect_ratio = SQUEEZE
        stream.bit_rate = 4_000_000

    odd_media.write(
        folder / name,
        np.ascontiguousarray(odd_frames[:, :, ::SQUEEZE]),
        odd_media.tone(NUM_FRAMES / 25),
        video_codec=video_codec,
        audio_codec=audio_codec,
        keeps=odd_media.without_sound_between(*HOLE_SECONDS),
        prepare=prepare,
    )
    return folder / name


def check_hole(waveform):
    """Refuse sound at 16 kHz that is not where the picture is."""
    first, last = (round(16_000 * second) for second in HOLE_SECONDS)
    a_packet_and_a_late_start = 1_600
    hole = waveform[first + a_packet_and_a_late_start : last - 100]
    assert len(hole) and np.abs(hole).max() < 0.1
    for loud in (waveform[3_200:first], waveform[last + 1_600 : 17_600]):
        assert np.abs(loud).max() > 0.3

"""Clips of recordings that are odd show what those that are not show."""

import pathlib

import moving_portrait
import numpy as np
import odd_media
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.published_sets import video_files
from datasets.video_clips import record, sources
from datasets.video_clips import settings as settings_lib
from vasa_jax import media

ROOT = pathlib.Path(__file__).parent.parent
NUM_FRAMES = 30
HOLE_SECONDS = 0.4, 0.8
SQUEEZE = 2
SETTINGS = settings_lib.Settings(
    size=128, seconds=1.2, min_pixels=100, held_out_share=0.0
)


@pytest.fixture(scope="module")
def frames():
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
def recording(request, frames, tmp_path_factory):
    """Pixels are twice as wide as high, and the sound has a hole."""
    name, video_codec, audio_codec = request.param
    folder = tmp_path_factory.mktemp("odd")

    def prepare(stream):
        stream.codec_context.sample_aspect_ratio = SQUEEZE
        stream.bit_rate = 4_000_000

    odd_media.write(
        folder / name,
        np.ascontiguousarray(frames[:, :, ::SQUEEZE]),
        odd_media.tone(NUM_FRAMES / 25),
        video_codec=video_codec,
        audio_codec=audio_codec,
        keeps=odd_media.without_sound_between(*HOLE_SECONDS),
        prepare=prepare,
    )
    return folder / name


def _check_hole(waveform):
    """Refuse sound at 16 kHz that is not where the picture is."""
    first, last = (round(16_000 * second) for second in HOLE_SECONDS)
    a_packet_and_a_late_start = 1_600
    hole = waveform[first + a_packet_and_a_late_start : last - 100]
    assert len(hole) and np.abs(hole).max() < 0.1
    for loud in (waveform[3_200:first], waveform[last + 1_600 : 17_600]):
        assert np.abs(loud).max() > 0.3


def test_clips_have_square_pixels_and_their_own_moments_sound(recording, frames):
    plain = recording.parent / "plain" / "a.mp4"
    moving_portrait.write(plain, frames, odd_media.tone(NUM_FRAMES / 25, rate=16_000))
    boxes = []
    for path in (plain, recording):
        reading = sources.read_folder("file", video_files.find(path.parent))
        (clip,) = (one for one in reading.clips if one.video == path.name)
        (made,) = record.make(path.parent, clip, SETTINGS, pytest.fail)
        assert made["num_frames"] == NUM_FRAMES
        boxes.append(made["crop_box"])
    np.testing.assert_allclose(*boxes, atol=3)
    _check_hole(made["audio"] / np.float32(32768))

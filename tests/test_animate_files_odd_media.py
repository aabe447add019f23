"""Odd recordings speak for a face, and drive it, as they play."""

import pathlib

import moving_portrait
import numpy as np
import odd_media
import pytest

pytest.importorskip("ai_edge_litert")

from vasa_jax import audio, media
from vasa_jax.animate import files, model_files, reenactment

ROOT = pathlib.Path(__file__).parent.parent
NUM_FRAMES = 30
HOLE_SECONDS = 0.4, 0.8
SQUEEZE = 2


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


@pytest.mark.parametrize("command", ["animate", "reenact"])
def test_videos_are_as_long_and_are_silent_in_the_hole(
    recording, command, rendered_photo, tiny_checkpoint, tmp_path
):
    image, output = tmp_path / "face.png", tmp_path / "out.mp4"
    media.write_image(image, rendered_photo)
    run = {"animate": files.animate_files, "reenact": reenactment.reenact_files}
    models = model_files.ModelFiles(checkpoint=tiny_checkpoint)
    count = run[command](str(image), str(recording), str(output), models=models)
    assert abs(count - NUM_FRAMES) <= 1
    assert media.count_frames(output) == count
    _check_hole(audio.load_waveform(output))

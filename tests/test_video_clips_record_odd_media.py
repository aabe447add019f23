"""Clips of recordings that are odd show what those that are not show."""

import moving_portrait
import numpy as np
import odd_media
import odd_recording
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.published_sets import video_files
from datasets.video_clips import record, sources
from datasets.video_clips import settings as settings_lib

SETTINGS = settings_lib.Settings(
    size=128, seconds=1.2, min_pixels=100, held_out_share=0.0
)


def test_clips_have_square_pixels_and_their_own_moments_sound(odd_video, odd_frames):
    plain = odd_video.parent / "plain" / "a.mp4"
    moving_portrait.write(
        plain, odd_frames, odd_media.tone(odd_recording.NUM_FRAMES / 25, rate=16_000)
    )
    boxes = []
    for path in (plain, odd_video):
        reading = sources.read_folder("file", video_files.find(path.parent))
        (clip,) = (one for one in reading.clips if one.video == path.name)
        (made,) = record.make(path.parent, clip, SETTINGS, pytest.fail)
        assert made["num_frames"] == odd_recording.NUM_FRAMES
        boxes.append(made["crop_box"])
    np.testing.assert_allclose(*boxes, atol=3)
    odd_recording.check_hole(made["audio"] / np.float32(32768))

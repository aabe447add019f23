"""CelebV-Text's JSON in both of its forms, and no mix of them."""

import json

import pytest

from datasets.published_sets import celebv_text, video_files

SHARES = {"top": 0.1, "bottom": 0.9, "left": 0.2, "right": 0.6}
PIXELS = {"top": 0, "bottom": 500, "left": 1, "right": 400}


def _read(folder, entry, *paths):
    (folder / celebv_text.FILE).write_text(json.dumps({"clips": {"a_0": entry}}))
    files = video_files.VideoFiles(dict.fromkeys(paths or ["yyy.mp4"], 1))
    reading = celebv_text.read(folder, files)
    assert reading.num_rows == 1
    return reading


@pytest.mark.parametrize(
    "times",
    [
        {"start_sec": 4.5, "end_sec": 9},
        {"duration": {"start_sec": 4.5, "end_sec": 9.0}},
        {"duration": {"start_frame": 4.5, "end_frame": 9.0}},
    ],
)
@pytest.mark.parametrize(
    "box, pixels", [(SHARES, (180, 80, 620, 920)), (PIXELS, (1, 0, 400, 500))]
)
def test_both_forms_of_times_and_boxes_are_read(tmp_path, times, box, pixels):
    entry = {"ytb_id": "yyy", "bbox": box, **times}
    (clip,) = _read(tmp_path, entry).clips
    assert (clip.start_seconds, clip.end_seconds) == (4.5, 9)
    assert clip.box.in_pixels(1000, 1000) == pytest.approx(pixels)
    assert clip.emotions is None and clip.identity == "yyy"


@pytest.mark.parametrize(
    "box, kind",
    [
        (SHARES | {"right": 400}, "with a wrong box"),
        (PIXELS | {"left": 0.5}, "with a wrong box"),
        (PIXELS | {"left": 600}, "with a wrong box"),
        ({"top": 1}, "of an unknown form"),
    ],
)
def test_a_mix_of_shares_and_pixels_is_left_out(tmp_path, box, kind):
    entry = {"ytb_id": "yyy", "bbox": box, "start_sec": 1, "end_sec": 2}
    assert _read(tmp_path, entry).left_out[0][1] == kind


def test_times_that_stand_twice_or_not_at_all_are_left_out(tmp_path):
    twice = {"start_sec": 1, "end_sec": 2, "duration": {"start_frame": 30}}
    for times in ({}, {"start_sec": 1}, twice):
        entry = {"ytb_id": "yyy", "bbox": SHARES, **times}
        assert _read(tmp_path, entry).left_out[0][1] == "of an unknown form"


def test_a_clip_that_is_cut_already_is_taken_whole(tmp_path):
    (clip,) = _read(tmp_path, {"ytb_id": "yyy"}, "a_0.mp4", "yyy.mp4").clips
    assert (clip.video, clip.box, clip.end_seconds) == ("a_0.mp4", None, None)

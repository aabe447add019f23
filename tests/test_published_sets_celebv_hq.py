"""CelebV-HQ's JSON: times, boxes of shares, and emotions in both of their forms."""

import json

import pytest

from datasets.published_sets import celebv_hq, clips, video_files
from vasa_jax import errors


def _entry(emotion, **changes):
    return {
        "ytb_id": "AbCdEfGhIjK",
        "duration": {"start_sec": 81.62, "end_sec": 86.18},
        "bbox": {"top": 0.0, "bottom": 0.88, "left": 0.2, "right": 0.6},
        "attributes": {"appearance": [0, 1], "action": [1], "emotion": emotion},
        "version": "v0.1",
    } | changes


ONE = {"sep_flag": False, "labels": "happy"}
SOME = {
    "sep_flag": True,
    "labels": [
        {"emotion": "neutral", "start_sec": 0, "end_sec": 0.28},
        {"emotion": "disgust", "start_sec": 1.28, "end_sec": 3.28},
    ],
}

LATER = {"start_sec": 100.0, "end_sec": 104.0}
OUTSIDE = {"top": 0, "bottom": 2, "left": 0, "right": 1}


def _read(folder, entries, *paths):
    text = json.dumps({"meta_info": {}, "clips": entries})
    (folder / celebv_hq.FILE).write_text(text)
    files = video_files.VideoFiles(dict.fromkeys(paths, 1))
    reading = celebv_hq.read(folder, files)
    assert reading.num_rows == len(entries)
    return reading


def test_a_clip_of_a_whole_video_has_its_times_and_its_box(tmp_path):
    (clip,) = _read(tmp_path, {"a_0": _entry(ONE)}, "raw/AbCdEfGhIjK.mp4").clips
    assert (clip.start_seconds, clip.end_seconds) == (81.62, 86.18)
    sides = clip.box.in_pixels(1000, 1000)
    assert sides == pytest.approx((180, 0, 620, 900))
    assert clip.person is None and clip.identity == "AbCdEfGhIjK"


def test_clips_of_one_video_are_one_identity(tmp_path):
    entries = {"a_0": _entry(ONE), "a_1": _entry(ONE, duration=LATER)}
    reading = _read(tmp_path, entries, "AbCdEfGhIjK.mp4")
    assert len({clip.identity for clip in reading.clips}) == 1


def test_a_clip_that_is_cut_already_is_taken_whole(tmp_path):
    paths = ["raw/AbCdEfGhIjK.mp4", "processed/a_0.mp4"]
    (clip,) = _read(tmp_path, {"a_0": _entry(SOME)}, *paths).clips
    assert clip.video == "processed/a_0.mp4" and clip.box is None
    assert (clip.start_seconds, clip.end_seconds) == (0, None)
    assert clip.identity == "AbCdEfGhIjK" and len(clip.emotions) == 2


def test_emotions_come_as_a_word_or_with_times_and_gaps(tmp_path):
    assert celebv_hq.reported_emotions(ONE) == (clips.Emotion("happiness"),)
    told = celebv_hq.reported_emotions(SOME)
    assert told == (
        clips.Emotion("neutral", 1.0, 0.0, 0.28),
        clips.Emotion("disgust", 1.0, 1.28, 3.28),
    )
    # What the entry holds counts, not the flag beside it.
    assert celebv_hq.reported_emotions(SOME | {"sep_flag": False}) == told
    assert celebv_hq.reported_emotions({"sep_flag": True, "labels": []}) == ()


@pytest.mark.parametrize(
    "entry, kind",
    [
        (_entry(ONE, bbox=OUTSIDE), "with a wrong box"),
        (_entry(ONE, bbox={"top": 0, "bottom": 1}), "of an unknown form"),
        (_entry({"labels": "bored"}), "with an unknown emotion"),
        (_entry({"labels": 3}), "of an unknown form"),
        (_entry(ONE, ytb_id="zzz"), "without a file"),
        (_entry(ONE, duration={"start_sec": 5, "end_sec": 5}), "with impossible times"),
        ([], "of an unknown form"),
    ],
)
def test_what_is_wrong_is_left_out_by_its_reason(tmp_path, entry, kind):
    (row,) = _read(tmp_path, {"a_0": entry}, "AbCdEfGhIjK.mp4").left_out
    assert row[:2] == ("a_0", kind)


@pytest.mark.parametrize("text", ["{", "[]", '{"clips": []}', '{"clip": {}}', "1"])
def test_a_file_of_another_form_is_refused(tmp_path, text):
    (tmp_path / celebv_hq.FILE).write_text(text)
    with pytest.raises(errors.UserError, match="is no JSON with 'clips'"):
        celebv_hq.read(tmp_path, video_files.VideoFiles({}))

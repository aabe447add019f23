"""TalkingHead-1KH's tubes: height before width, frames of a piece, scaled boxes."""

import pytest

from datasets.building import shard_files
from datasets.published_sets import talkinghead_1kh, video_files
from vasa_jax import errors

TRAIN = [
    "a_b_0001, 720, 1280, 10, 139, 300, 40, 700, 440",
    "a_b_0002, 720, 1280, 0, 99, 300, 40, 700, 440",
    "a_b_0002, 1280, 720, 0, 99, 300, 40, 700, 440",  # Height and width mixed up.
    "a_b_0001, 720, 1280, 10, 139, 300, 40, 1300, 440",
    "a_b_0001, 720, 1280, 140, 139, 300, 40, 700, 440",
    "a_b_0001, 720, 1280, 10, 139, 300, 40, 700",
    "ccc_0000, 720, 1280, 10, 139, 300, 40, 700, 440",
    "ddd_0000, 720, 1280, 10, 139, 300, 40, 700, 440",
]
VALIDATION = "ccc_0003, 360, 640, 10, 139, 30, 40, 70, 80\n"


@pytest.fixture
def reading(tmp_path):
    (tmp_path / "train_video_tubes.txt").write_text("\n".join(TRAIN))
    (tmp_path / "val_video_tubes.txt").write_text(VALIDATION)
    names = "a_b_0001 a_b_0002 ccc_0000 ccc_0003".split()
    files = video_files.VideoFiles({f"1min_clips/{name}.mp4": 1 for name in names})
    return talkinghead_1kh.read(tmp_path, files)


def test_every_row_is_a_clip_or_has_a_reason(reading):
    assert reading.num_rows == len(TRAIN) + 1
    assert sorted(row[:2] for row in reading.left_out) == [
        ("ccc_0000/10-139/300-40", "of someone in two parts of the set"),
        ("train:3", "given twice"),
        ("train:4", "with a wrong box"),
        ("train:5", "with impossible times"),
        ("train:6", "of an unknown form"),
        ("train:8", "without a file"),
    ]
    placed = [(clip.video, clip.identity, clip.split) for clip in reading.clips]
    assert placed == [
        ("1min_clips/a_b_0001.mp4", "a_b", None),
        ("1min_clips/a_b_0002.mp4", "a_b", None),
        ("1min_clips/ccc_0003.mp4", "ccc", "validation"),
    ]


def test_frames_are_of_the_piece_and_boxes_of_the_stated_size(reading):
    clip = reading.clips[0]
    assert clip.stored_frames == (10, 139)
    assert clip.box.in_pixels(360, 640) == (150, 20, 350, 220)
    with pytest.raises(shard_files.UnfitError, match="720 x 1280 pixels"):
        clip.box.in_pixels(1280, 720)


def test_a_missing_list_is_refused(tmp_path):
    (tmp_path / "train_video_tubes.txt").write_text(TRAIN[0])
    with pytest.raises(errors.UserError, match="no file .*val_video_tubes.txt"):
        talkinghead_1kh.read(tmp_path, video_files.VideoFiles({}))

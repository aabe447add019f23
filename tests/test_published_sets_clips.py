"""What every reader keeps to: a row is a clip or left out, and nobody in two parts."""

import dataclasses

import pytest

from datasets.building import shard_files
from datasets.published_sets import clips, emotions, readers, video_files
from vasa_jax import errors, types


def _clip(name, **changes):
    fields = {"video": f"{name}.mp4", "source_video": name} | changes
    return clips.Clip(name=name, **fields)


def _read(made):
    """Read clips, or kinds of reasons to leave them out."""

    def make(name, row):
        if isinstance(row, str):
            raise shard_files.UnfitError(row, f"{row}, for a test")
        return row

    rows = [(row if isinstance(row, str) else row.name, row) for row in made]
    reading = clips.read(rows, make)
    assert reading.num_rows == len(made)
    return [clip.name for clip in reading.clips], [row[:2] for row in reading.left_out]


def test_clips_come_in_order_and_what_is_left_out_with_its_reason():
    assert _read([_clip("b"), "without a crop", _clip("a")]) == (
        ["a", "b"],
        [("without a crop", "without a crop")],
    )


def test_a_row_that_is_given_twice_counts_once():
    first = _clip("a", start_seconds=1.0, end_seconds=2.0)
    again = dataclasses.replace(first, name="b", video="the_same_again.mp4")
    other = dataclasses.replace(first, start_seconds=0.5)
    kept, left_out = _read([first, again, other])
    assert kept == ["a"]
    assert left_out == [("b", "given twice"), ("a", "given twice")]


def test_who_is_in_two_parts_of_a_set_stays_in_the_last():
    rows = [
        _clip("a", person="ann"),
        _clip("b", person="ann", split="test"),
        _clip("c", person="ann", split="validation"),
        _clip("d", person="bob"),
    ]
    kind = "of someone in two parts of the set"
    assert _read(rows) == (["b", "d"], [("a", kind), ("c", kind)])
    by_video = [
        _clip("e", source_video="v"),
        _clip("f", source_video="v", split="test"),
    ]
    assert _read(by_video) == (["f"], [("e", kind)])


@pytest.mark.parametrize("span", [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (-1.0, None)])
def test_times_that_are_none_are_left_out(span):
    row = _clip("a", start_seconds=span[0], end_seconds=span[1])
    assert _read([row]) == ([], [("a", "with impossible times")])


def test_boxes_become_pixels_of_the_file_at_hand():
    sides = {"left": 100, "top": 50, "right": 300, "bottom": 250}
    by_height = clips.Box(**sides, of_height=360)
    assert by_height.in_pixels(720, 1280) == (200, 100, 600, 500)
    by_both = clips.Box(**sides, of_width=1280, of_height=720)
    assert by_both.in_pixels(360, 640) == (50, 25, 150, 125)
    assert clips.Box(**sides).in_pixels(360, 640) == (100, 50, 300, 250)
    share = clips.Box(left=0.25, top=0, right=1, bottom=0.5, of_width=1, of_height=1)
    assert share.in_pixels(100, 400) == (100, 0, 400, 50)


def test_a_box_ends_where_the_picture_does():
    box = clips.Box(left=-50, top=0, right=150, bottom=200)
    assert box.in_pixels(300, 400) == (0, 0, 150, 200)
    beyond = clips.Box(left=350, top=0, right=550, bottom=200)
    with pytest.raises(shard_files.UnfitError, match="beyond the 400 x 300 pixels"):
        beyond.in_pixels(300, 400)


def test_height_and_width_that_are_mixed_up_are_noticed():
    box = clips.Box(left=0, top=0, right=9, bottom=9, of_width=720, of_height=1280)
    with pytest.raises(shard_files.UnfitError, match="1280 x 720 pixels"):
        box.in_pixels(720, 1280)


def test_every_word_is_one_of_our_emotions():
    words = "happy Sad ANGRY surprised disgust disgusted fear fearful contempt neutral"
    assert {emotions.name_of(word) for word in words.split()} == set(types.EMOTIONS)
    with pytest.raises(shard_files.UnfitError, match="'calm' is none of"):
        emotions.name_of("calm")


def test_an_unknown_set_is_refused_with_the_nearest_name():
    with pytest.raises(errors.UserError, match="'hdft'; did you mean 'hdtf'"):
        readers.by_name("hdft")
    assert readers.by_name("HDTF") is readers.READERS["hdtf"]


def test_files_are_found_by_the_ends_of_their_paths():
    files = video_files.VideoFiles(
        {"raw/a.b.mp4": 1, "x/id/v/1.MP4": 1, "y/id/w/1.mp4": 1, "y/id/w/1.m4a": 1}
    )
    assert files.video("a.b") == "raw/a.b.mp4"
    assert files.video("none", "v/1") == "x/id/v/1.MP4"
    assert files.sound("w/1") == "y/id/w/1.m4a" and files.sound("v/1") is None
    for name, kind in (("1", "with several files"), ("2", "without a file")):
        with pytest.raises(shard_files.UnfitError) as caught:
            files.video(name)
        assert caught.value.kind == kind


def test_parts_of_an_archive_are_told_from_videos(tmp_path):
    for letter in "abc":
        (tmp_path / f"vox2_dev_mp4_parta{letter}").write_bytes(b"\0")
    with pytest.raises(errors.UserError, match="_partaa' and 2 more .* join them"):
        video_files.find(tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"\0")
    (tmp_path / "a.wav").write_bytes(b"\0\0")
    assert video_files.find(tmp_path).sizes == {"a.mp4": 1, "a.wav": 2}

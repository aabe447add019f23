"""The table of crops of VoxCeleb1: scaled, split by person, counted once."""

import pytest

from datasets.published_sets import video_files, voxceleb_table
from vasa_jax import errors

HEADER = "video_id,start,end,bbox,fps,width,height,partition,person_id\n"
ROWS = [
    "aaa,0,100,100-50-300-250,25,1280,720,train,id10001",
    "aaa,0,100,100-50-300-250,25,1280,720,train,id10001",  # Twice.
    "aaa,200,264,500-100-700-600,25.0,1280,720,train,id10001",  # Tall.
    "bbb,10,90,-20-40-180-240,25,640,360,train,id10282",
    "ccc,10,90,20-40-180-240,25,640,360,test,id10282",  # In both parts.
    "ddd,10,90,20.5-40-180-240,25,640,360,test,id10270",
    "ddd,10,90,x,25,640,360,test,id10270",
    "eee,10,90,20-40-180-240,0,640,360,test,id10270",
    "fff,10,90,20-40-180-240,25,640,360,test,id10270",  # Not at hand.
]


@pytest.fixture
def reading(tmp_path):
    (tmp_path / voxceleb_table.FILE).write_text(HEADER + "\n".join(ROWS))
    files = {f"{name}.mp4": 1 for name in "aaa bbb ccc ddd eee".split()}
    return voxceleb_table.read(tmp_path, video_files.VideoFiles(files))


def test_every_row_is_a_clip_or_has_a_reason(reading):
    assert reading.num_rows == len(ROWS)
    assert sorted(row[1] for row in reading.left_out) == [
        "given twice",
        "of an unknown form",
        "of an unknown form",
        "of someone in two parts of the set",
        "without a file",
    ]
    placed = [(clip.source_video, clip.person, clip.split) for clip in reading.clips]
    assert placed == [
        ("aaa", "id10001", None),
        ("aaa", "id10001", None),
        ("ccc", "id10282", "test"),
        ("ddd", "id10270", "test"),
    ]


def test_ends_are_exclusive_and_boxes_of_the_listed_size(reading):
    first, tall, *_ = reading.clips
    assert (first.start_seconds, first.end_seconds) == (0, 4)
    assert first.box.in_pixels(360, 640) == (50, 25, 150, 125)
    left, top, right, bottom = tall.box.in_pixels(720, 1280)
    assert (right - left, bottom - top) == (200, 500)  # No square, and none is made.


def test_a_box_that_leaves_the_frame_a_bit_is_used(tmp_path):
    (tmp_path / voxceleb_table.FILE).write_text(HEADER + ROWS[3])
    files = video_files.VideoFiles({"bbb.mp4": 1})
    (clip,) = voxceleb_table.read(tmp_path, files).clips
    assert clip.box.in_pixels(360, 640) == (0, 40, 180, 240)


def test_a_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / voxceleb_table.FILE).write_text("video_id,start,end\na,1,2\n")
    with pytest.raises(errors.UserError, match="no column 'bbox'"):
        voxceleb_table.read(tmp_path, video_files.VideoFiles({}))

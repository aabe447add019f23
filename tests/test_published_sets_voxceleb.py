"""Utterances of VoxCeleb as its text files tell them: units, offsets, people, parts."""

import pytest

from datasets.building import shard_files
from datasets.published_sets import video_files, voxceleb
from vasa_jax import errors


def _text(offset="3", rows=None):
    header = [
        "Identity  : \tid00134",
        "Reference : \tAbCdEfGhIjK",
        f"Offset    : \t{offset}",
        "FV Conf   : \t16.140\t(1)",
        "ASD Conf  : \t4.031",
        "",
        "FRAME \tX \tY \tW \tH ",
    ]
    rows = rows or ["000123\t0.31\t0.12\t0.25\t0.44", "000124\t0.33\t0.10\t0.25\t0.44"]
    return "\n".join([*header, *rows]) + "\n"


def _write(folder, name, text):
    path = folder / "txt" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _read(folder, paths, read=voxceleb.read_2):
    reading = read(folder, video_files.VideoFiles(dict.fromkeys(paths, 1)))
    texts = [path for path in folder.rglob("0*.txt")]
    assert reading.num_rows == len(texts)
    return reading


def test_a_clip_at_hand_is_taken_whole_and_its_sound_moved(tmp_path):
    for offset, name in (("0", "1"), ("3", "2"), ("-2", "3")):
        _write(tmp_path, f"id00134/AbCdEfGhIjK/0000{name}", _text(offset))
    paths = [f"dev/mp4/id00134/AbCdEfGhIjK/0000{n}.mp4" for n in (1, 2, 3)]
    made = _read(tmp_path, paths).clips
    # The picture is late by the offset, so the sound must come later by as much.
    shifts = [clip.sound_shift_seconds for clip in made]
    assert shifts == pytest.approx([0, 0.12, -0.08])
    assert {clip.person for clip in made} == {"id00134"}
    assert {(c.start_seconds, c.end_seconds) for c in made} == {(0.0, None)}
    left, top, right, bottom = made[0].box.in_pixels(224, 224)
    assert 0 < left < 112 < right < 224 and 0 < top < 112 < bottom < 224


def test_of_a_whole_video_frames_are_25_a_second_and_boxes_shares(tmp_path):
    _write(tmp_path, "id00134/AbCdEfGhIjK/00001", _text())
    (clip,) = _read(tmp_path, ["AbCdEfGhIjK.webm"]).clips
    assert (clip.start_seconds, clip.end_seconds) == pytest.approx((4.92, 5.0))
    around = clip.box.in_pixels(1000, 2000)
    assert around == pytest.approx((620, 100, 1160, 560))


def test_boxes_of_the_first_set_count_pixels_at_360_lines(tmp_path):
    rows = ["000010\t100\t50\t80\t90", "000011\t0\t1\t180\t120"]
    _write(tmp_path, "id10001/AbCdEfGhIjK/00001", _text(rows=rows))
    (clip,) = _read(tmp_path, ["AbCdEfGhIjK.mp4"], voxceleb.read_1).clips
    assert clip.box.in_pixels(720, 1280) == pytest.approx((0, 2, 360, 280))


@pytest.mark.parametrize(
    "person, read", [("id10001", voxceleb.read_2), ("id00134", voxceleb.read_1)]
)
def test_people_of_the_other_set_are_told_by_their_ids(tmp_path, person, read):
    _write(tmp_path, f"{person}/AbCdEfGhIjK/00001", _text())
    reading = _read(tmp_path, ["AbCdEfGhIjK.mp4"], read)
    assert reading.left_out[0][1] == "of the other VoxCeleb"


@pytest.mark.parametrize("offset", ["6", "-11"])
def test_sound_far_from_the_picture_is_left_out(tmp_path, offset):
    _write(tmp_path, "id00134/AbCdEfGhIjK/00001", _text(offset))
    reading = _read(tmp_path, ["id00134/AbCdEfGhIjK/00001.mp4"])
    (row,) = reading.left_out
    assert row[1] == "with sound far from the picture" and offset in row[2]


@pytest.mark.parametrize(
    "text", ["", "FRAME \tX \n", _text("x"), _text().replace("FRAME", "frames")]
)
def test_a_text_of_another_form_is_left_out(text):
    with pytest.raises(shard_files.UnfitError, match="has no Offset or no rows"):
        voxceleb.parse(text)


MARK = "\N{BYTE ORDER MARK}"
TABLES = [
    MARK + "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \n"
    "id00134 ,n000140 ,f ,dev \nid00137 ,n000136 ,m ,test \n",
    "VoxCeleb2 ID,VGGFace2 ID,Gender,Set\n"
    "id00134 ,n000140 ,f ,dev \nid00137 ,n000136 ,m ,test ",
    "VoxCeleb2 ID,VGGFace2 ID,Gender,Set\nid00134,n000140,f,dev\n"
    "id00137,n000136,m,test\n",
]


@pytest.mark.parametrize("table", TABLES)
def test_the_table_tells_the_part_in_any_white_space(tmp_path, table):
    (tmp_path / "vox2_meta.csv").write_text(table, encoding="utf-8")
    names = ["id00134/AbCdEfGhIjK/00001", "id00137/BbCdEfGhIjK/00001"]
    for name in [*names, "id00140/CbCdEfGhIjK/00001"]:
        _write(tmp_path, name, _text())
    reading = _read(tmp_path, [f"{name}.mp4" for name in names])
    placed = [(clip.person, clip.split) for clip in reading.clips]
    assert placed == [("id00134", None), ("id00137", "test")]
    # n000140 is another's number in the other set, and is not taken for an id.
    assert [row[:2] for row in reading.left_out] == [
        ("id00140/CbCdEfGhIjK/00001", "of an unlisted person")
    ]


def test_a_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / "vox2_meta.csv").write_text("id,set\nid00134,dev\n")
    _write(tmp_path, "id00134/AbCdEfGhIjK/00001", _text())
    with pytest.raises(errors.UserError, match="no column 'voxceleb2 id'"):
        _read(tmp_path, [])


def test_a_video_that_is_not_at_hand_is_left_out(tmp_path):
    _write(tmp_path, "id00134/AbCdEfGhIjK/00001", _text())
    (row,) = _read(tmp_path, ["other.mp4"]).left_out
    assert row[:2] == ("id00134/AbCdEfGhIjK/00001", "without a file")


def test_a_folder_without_text_files_is_refused(tmp_path):
    with pytest.raises(errors.UserError, match="No path below .* idXXXXX/VIDEO"):
        voxceleb.read_2(tmp_path, video_files.VideoFiles({}))
    with pytest.raises(errors.UserError, match="--annotations_dir is missing"):
        voxceleb.read_2(None, video_files.VideoFiles({}))
    with pytest.raises(errors.UserError, match="There is no folder"):
        voxceleb.read_2(tmp_path / "none", video_files.VideoFiles({}))

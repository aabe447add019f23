"""HDTF's five lists with the slips that they have: joined, scaled, and reported."""

import pytest

from datasets.published_sets import hdtf, video_files
from vasa_jax import errors

LISTS = {
    "video_url": (
        "Radio1 https://www.youtube.com/watch?v=aaaaaaaaaaa\n"
        "Radio2 https://www.youtube.com/watch?v=bbbbbbbbbbb&t=12s\n"
        "Radio3 https://youtu.be/bbbbbbbbbbb?t=40\n"
        "NoTimes https://www.youtube.com/watch?v=ccccccccccc\n"
        "NoHeight https://www.youtube.com/watch?v=ddddddddddd\n"
        "Falling https://www.youtube.com/watch?v=eeeeeeeeeee\n"
        "Wide https://www.youtube.com/watch?v=fffffffffff"
    ),
    "annotion_time": (
        "Radio1.mp4 00:30-01:20 02:00-03:00 \n"
        "Radio2.mp4 00:10-00:20\n"
        "Radio3.mp4 00:30-00:50\n"
        "NoHeight.mp4 00:10-00:20\n"
        "Falling.mp4 08:10-08:30 00:33-08:53 09:00-08:59 10:00-10:30\n"
        "Wide.mp4 1:00:00-1:00:10\n"
        "Nameless.mp4 00:01-00:09\n"
    ),
    "crop_wh": (
        "Radio1_0.mp4 100 400 60 400\n"
        "Radio2_0.mp4 10 300 20 300\n"
        "Radio3_0.mp4 10 20 300 300\n"
        "NoHeight_0.mp4 10 300 20 300\n"
        "Falling_0.mp4 10 300 20 300\n"
        "Falling_1.mp4 10 300 20 300\n"
        "Falling_2.mp4 10 300 20 300\n"
        "Falling_3.mp4 10 300 500 300\n"
        "Wide_0.mp4 1000 300 20 300\n"
        "Nameless_0.mp4 10 300 20 300\n"
    ),
    "resolution": (
        "Radio1.mp4 720\nRadio2.mp4 1080\nRadio3.mp4 720\nNoTimes.mp4 720\n"
        "NoHeight.mp4 0\nFalling.mp4 720\nWide.mp4 720\nNameless.mp4 720"
    ),
    "crop_ratio": "Radio1_0.mp4 0.1 0.2 0.3 0.4\n",
}
NAMES = "Radio1 Radio2 Radio3 NoTimes NoHeight Falling Wide Nameless".split()


@pytest.fixture
def lists(tmp_path):
    """One subset with a byte-order mark before its addresses, and two small ones."""
    for kind, text in LISTS.items():
        mark = "\N{BYTE ORDER MARK}" if kind == "video_url" else ""
        (tmp_path / f"RD_{kind}.txt").write_text(mark + text, encoding="utf-8")
        for subset in ("WDA", "WRA"):
            first = text.split("\n")[0].replace("Radio1", f"{subset}1")
            path = tmp_path / f"{subset}_{kind}.txt"
            path.write_text(first.replace("aaa", subset), encoding="utf-8")
    return tmp_path


def _read(folder, *names):
    paths = {f"raw/{name}.mp4": 1 for name in names}
    return hdtf.read(folder, video_files.VideoFiles(paths))


def _all(folder):
    return _read(folder, *(f"RD_{name}" for name in NAMES), "WDA1", "WRA_WRA1")


def test_what_is_sound_is_kept_and_scaled_to_the_file(lists):
    made = {clip.name: clip for clip in _all(lists).clips}
    assert set(made) == {
        "RD_Radio1_0", "RD_Radio2_0", "RD_Falling_0", "WDA_WDA1_0", "WRA_WRA1_0"
    }  # fmt: skip
    clip = made["RD_Radio1_0"]  # The first line, behind the byte-order mark.
    assert (clip.start_seconds, clip.end_seconds) == (30, 80)
    # x, width, y, height at 720 lines, in a file of 1080.
    assert clip.box.in_pixels(1080, 1920) == (150, 90, 750, 690)
    assert clip.video == "raw/RD_Radio1.mp4"
    assert made["WDA_WDA1_0"].video == "raw/WDA1.mp4"


def test_everything_else_is_named_with_its_reason(lists):
    reading = _all(lists)
    assert {row[0]: row[1] for row in reading.left_out} == {
        "RD_Radio1_1": "without a crop",
        "RD_Radio3_0": "with a wrong crop",
        "RD_NoTimes_0": "without times",
        "RD_NoHeight_0": "of unknown height",
        "RD_Falling_1": "with overlapping times",
        "RD_Falling_2": "with impossible times",
        "RD_Falling_3": "with a crop beyond the picture",
        "RD_Wide_0": "with a crop beyond the picture",
        "RD_Nameless_0": "without an address",
        "WDA_WDA1_1": "without a crop",
        "WRA_WRA1_1": "without a crop",
    }
    assert reading.num_rows == 16


def test_one_address_under_two_names_is_one_video(lists):
    crops = lists / "RD_crop_wh.txt"
    crops.write_text(crops.read_text().replace("10 20 300 300", "10 300 20 300"))
    made = {clip.name: clip for clip in _all(lists).clips}
    same, again = made["RD_Radio2_0"], made["RD_Radio3_0"]
    assert same.source_video == again.source_video == "bbbbbbbbbbb"
    assert same.identity == again.identity != made["RD_Radio1_0"].identity


def test_numbers_behind_a_name_are_no_other_person(lists):
    rows = {
        "AnnLee0": "one",
        "AnnLee1": "two",
        "SenatorLee": "two",  # One address under two names.
        "BobRay": "three",
    }
    texts = {
        "video_url": [f"{name} https://youtu.be/{id_}" for name, id_ in rows.items()],
        "annotion_time": [
            f"{name}.mp4 00:{start}-00:{start + 9}"
            for start, name in enumerate(rows, 10)
        ],
        "crop_wh": [f"{name}_0.mp4 10 300 20 300" for name in rows],
        "resolution": [f"{name}.mp4 720" for name in rows],
    }
    for kind, lines in texts.items():
        (lists / f"WDA_{kind}.txt").write_text("\n".join(lines))
    people = {c.video: c.person for c in _read(lists, *rows).clips}
    ann, again, senator, bob = (people[f"raw/{name}.mp4"] for name in rows)
    assert ann == again == senator != bob


def test_clips_of_one_name_of_which_somebody_made_files_are_no_videos(lists):
    reading = _read(lists, "RD_Radio1_000", "Radio1_0")
    assert not reading.clips
    assert ("RD_Radio1_0", "without a file") in [row[:2] for row in reading.left_out]


def test_a_missing_or_empty_list_is_refused_with_its_name(lists):
    (lists / "WRA_crop_wh.txt").write_text(" \n")
    with pytest.raises(errors.UserError, match="WRA_crop_wh.txt' is empty"):
        _all(lists)
    (lists / "WRA_crop_wh.txt").unlink()
    with pytest.raises(errors.UserError, match="no file .*WRA_crop_wh.txt"):
        _all(lists)
    with pytest.raises(errors.UserError, match="folder that holds RD_video_url.txt"):
        hdtf.read(None, video_files.VideoFiles({}))

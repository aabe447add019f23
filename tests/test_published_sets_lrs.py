"""LRS2 and LRS3: parts by folders or by lists, split by source videos."""

import pytest

from datasets.published_sets import lrs, video_files
from vasa_jax import errors


def _files(*paths):
    return video_files.VideoFiles(dict.fromkeys(paths, 1))


def test_folders_of_the_third_set_are_its_parts():
    paths = ["lrs3/trainval/aaa/00001.mp4", "lrs3/test/bbb/00001.mp4"]
    reading = lrs.read_3(None, _files(*paths, "lrs3/pretrain/bbb/00002.mp4", "x.mp4"))
    placed = {clip.name: (clip.identity, clip.split) for clip in reading.clips}
    assert placed == {paths[0]: ("aaa", None), paths[1]: ("bbb", "test")}
    assert {row[1] for row in reading.left_out} == {
        "of someone in two parts of the set",
        "of an unknown form",
    }
    assert reading.num_rows == 4


def test_lists_of_the_second_set_tell_its_parts(tmp_path):
    (tmp_path / "test.txt").write_text("123/00002 NF\n\n")
    (tmp_path / "val.txt").write_text("456/00001\r\n")
    paths = ["main/123/00002.mp4", "main/456/00001.mp4", "main/789/00001.mp4"]
    # A number means another clip in the other folder.
    paths.append("pretrain/900/00001.mp4")
    reading = lrs.read_2(tmp_path, _files(*paths))
    assert reading.num_rows == len(reading.clips) == 4
    assert [clip.split for clip in reading.clips] == ["test", "validation", None, None]
    assert all(clip.box.in_pixels(160, 160)[0] == 32 for clip in reading.clips)


@pytest.mark.parametrize(
    "text",
    [
        "Text:  HELLO THERE\nConf:  3\n\nWORD START END ASDSCORE\nHELLO 0.1 0.4 7.0\n",
        "Text:  HELLO\nConf:  3\nRef:  aaa\n\nFRAME X Y W H\n000010 0.3 0.2 0.2 0.3\n",
    ],
)
def test_texts_with_and_without_a_section_change_nothing(tmp_path, text):
    for part in ("pretrain", "trainval"):
        clip = tmp_path / part / "aaa" / "00001.mp4"
        clip.parent.mkdir(parents=True)
        clip.write_bytes(b"video")
    before = lrs.read_3(None, video_files.find(tmp_path))
    for clip in tmp_path.rglob("*.mp4"):
        clip.with_suffix(".txt").write_text(text)
    after = lrs.read_3(None, video_files.find(tmp_path))
    assert after == before and after.num_rows == len(after.clips) == 2
    # Boxes of the texts are of the videos before they were cropped.
    assert {clip.box.in_pixels(160, 160) for clip in after.clips} == {
        (32, 32, 128, 128)
    }


def test_other_folders_and_missing_lists_are_refused(tmp_path):
    with pytest.raises(errors.UserError, match="holds LRS2's test.txt and val.txt"):
        lrs.read_2(None, _files("main/1/1.mp4"))
    with pytest.raises(errors.UserError, match="There is no file .*val.txt"):
        lrs.read_2(tmp_path, _files("main/1/1.mp4"))
    with pytest.raises(errors.UserError, match="such as pretrain/VIDEO/00001.mp4"):
        lrs.read_3(None, _files("main/1/1.mp4"))

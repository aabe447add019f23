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
    assert [clip.split for clip in reading.clips] == ["test", "validation", None, None]
    assert all(clip.box.in_pixels(160, 160)[0] == 32 for clip in reading.clips)


def test_other_folders_and_missing_lists_are_refused(tmp_path):
    with pytest.raises(errors.UserError, match="holds LRS2's test.txt and val.txt"):
        lrs.read_2(None, _files("main/1/1.mp4"))
    with pytest.raises(errors.UserError, match="There is no file .*val.txt"):
        lrs.read_2(tmp_path, _files("main/1/1.mp4"))
    with pytest.raises(errors.UserError, match="such as pretrain/VIDEO/00001.mp4"):
        lrs.read_3(None, _files("main/1/1.mp4"))

"""GRID's paths: speakers by folders, sentences by six letters."""

import pytest

from datasets.published_sets import grid, video_files
from vasa_jax import errors


def _read(*paths):
    reading = grid.read(None, video_files.VideoFiles(dict.fromkeys(paths, 1)))
    assert reading.num_rows == len(paths)
    return reading


def test_a_speakers_folder_names_the_person():
    paths = {"grid/s1/video/bbaf2n.mpg": "s1", "s33/lgiz9s.mpg": "s33"}
    assert {clip.name: clip.person for clip in _read(*paths).clips} == paths


def test_files_of_words_change_nothing_whatever_their_unit_and_folder(tmp_path):
    words = (
        "0 23750 sil\r\n23750 29500 lay\r\n29500 34000 green\r\n34000 35500 by\r\n"
        "35500 41000 g\r\n41000 47250 zero\r\n47250 53000 soon\r\n53000 74500 sil\r\n"
    )
    for name in ("s5/bbaf2n.mpg", "s6/lgiz9s.mpg"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(b"video")
    before = grid.read(None, video_files.find(tmp_path))
    # The words of another sentence, in the folder of another speaker.
    for name in ("s5/align/bbaf2n.align", "align/s6/bbaf2n.align"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(words.encode())
    after = grid.read(None, video_files.find(tmp_path))
    assert after == before and after.num_rows == len(after.clips) == 2
    assert {clip.end_seconds for clip in after.clips} == {None}


@pytest.mark.parametrize("path", ["bbaf2n.mpg", "s1/bbaf2.mpg", "s1/hello1.mpg"])
def test_other_names_are_left_out(path):
    (row,) = _read("s1/bbaf2n.mpg", path).left_out
    assert row[:2] == (path, "of an unknown form")


def test_a_folder_of_another_form_is_refused():
    with pytest.raises(errors.UserError, match="such as s1/bbaf2n.mpg"):
        _read("bbaf2n.mpg", "s1/other.mpg")

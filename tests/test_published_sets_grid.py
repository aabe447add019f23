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


@pytest.mark.parametrize("path", ["bbaf2n.mpg", "s1/bbaf2.mpg", "s1/hello1.mpg"])
def test_other_names_are_left_out(path):
    (row,) = _read("s1/bbaf2n.mpg", path).left_out
    assert row[:2] == (path, "of an unknown form")


def test_a_folder_of_another_form_is_refused():
    with pytest.raises(errors.UserError, match="such as s1/bbaf2n.mpg"):
        _read("bbaf2n.mpg", "s1/other.mpg")

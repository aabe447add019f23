"""Folders that programs fill."""

import json

import pytest

from experiments.running import folders
from vasa_jax import errors
from vasa_jax.encode import encoding


def test_a_folder_takes_up_again_what_was_begun_alike_and_nothing_else(tmp_path):
    place = tmp_path / "new" / "clips"
    folders.keep_settings(place, {"seed": 1})
    folders.keep_settings(place, {"seed": 1})
    with pytest.raises(errors.UserError, match=r"begun with .*1.*, not .*2.*; give"):
        folders.keep_settings(place, {"seed": 2})
    file = place / encoding.SETTINGS_NAME
    assert json.loads(file.read_text(encoding="utf-8")) == {"seed": 1}
    assert [path.name for path in place.iterdir()] == [encoding.SETTINGS_NAME]


def test_a_folder_is_made_or_refused_by_name(tmp_path):
    place = tmp_path / "a" / "b"
    assert folders.make(place) == place == folders.make(place)
    assert place.is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(errors.UserError, match="file/c cannot be made"):
        folders.make(tmp_path / "file" / "c")

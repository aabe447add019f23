"""Which videos are scored, and against which references."""

import pathlib

import pytest

from vasa_jax import errors
from vasa_jax.evaluation.benchmark import video_clip


def test_videos_are_found_in_folders_lists_and_globs(tmp_path):
    for name in ("b.mp4", "a.webm", "notes.md"):
        (tmp_path / name).touch()
    listing = tmp_path / "list.txt"
    listing.write_text("b.mp4\n\na.webm\n")
    expected = [tmp_path / "a.webm", tmp_path / "b.mp4"]
    for pattern in (tmp_path, listing, tmp_path / "?.*"):
        assert video_clip.find_videos(str(pattern)) == expected
    assert video_clip.find_videos(str(tmp_path / "b.mp4")) == expected[1:]
    for pattern, message in (
        (tmp_path / "*.mov", "no videos"),
        (tmp_path / "c.mp4", "does not exist"),
    ):
        with pytest.raises(errors.UserError, match=message):
            video_clip.find_videos(str(pattern))
    (tmp_path / "b.mov").touch()
    with pytest.raises(errors.UserError, match="have one name"):
        video_clip.find_videos(str(tmp_path))


def test_a_name_that_exists_is_no_glob(tmp_path, monkeypatch):
    for folder in ("take[1]", "take1"):
        (tmp_path / folder).mkdir()
        for name in ("a[1].mp4", "a1.mp4"):
            (tmp_path / folder / name).touch()
    monkeypatch.chdir(tmp_path)
    both = ["take[1]/a1.mp4", "take[1]/a[1].mp4"]
    for pattern, expected in (
        ("take[1]/a[1].mp4", both[1:]),
        ("take[1]", both),
        ("take[1]/*.mp4", both),
        ("take[12]/a1.*", ["take1/a1.mp4"]),
    ):
        for root in (pathlib.Path(), tmp_path):
            found = video_clip.find_videos(str(root / pattern))
            assert found == [root / name for name in expected]


def test_references_are_matched_by_name_and_one_that_lacks_is_named():
    made = [pathlib.Path("made/a.mp4")]
    real = [pathlib.Path("real/a.mpg"), pathlib.Path("real/b.mpg")]
    assert video_clip.match_references(made, real) == {made[0]: real[0]}
    with pytest.raises(errors.UserError, match="no reference named 'a'"):
        video_clip.match_references(made, real[1:])

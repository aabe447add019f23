"""Which videos are scored, against which references, by which metrics."""

import json
import pathlib

import pytest

from vasa_jax import errors
from vasa_jax.evaluation.benchmark import benchmark_items
from vasa_jax.evaluation.metrics import registry


def test_videos_are_found_in_folders_lists_and_globs(tmp_path):
    for name in ("b.mp4", "a.webm", "notes.md"):
        (tmp_path / name).touch()
    listing = tmp_path / "list.txt"
    listing.write_text("b.mp4\n\na.webm\n")
    expected = [tmp_path / "a.webm", tmp_path / "b.mp4"]
    for pattern in (tmp_path, listing, tmp_path / "?.*"):
        assert benchmark_items.find_videos(str(pattern)) == expected
    assert benchmark_items.find_videos(str(tmp_path / "b.mp4")) == expected[1:]
    for pattern, message in (
        (tmp_path / "*.mov", "no videos"),
        (tmp_path / "c.mp4", "does not exist"),
    ):
        with pytest.raises(errors.UserError, match=message):
            benchmark_items.find_videos(str(pattern))
    (tmp_path / "b.mov").touch()
    with pytest.raises(errors.UserError, match="have one name"):
        benchmark_items.find_videos(str(tmp_path))


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
            found = benchmark_items.find_videos(str(root / pattern))
            assert found == [root / name for name in expected]


def test_references_are_matched_by_name_and_one_that_lacks_is_named():
    made = [pathlib.Path("made/a.mp4")]
    real = [pathlib.Path("real/a.mpg"), pathlib.Path("real/b.mpg")]
    assert benchmark_items.match_references(made, real) == {made[0]: real[0]}
    with pytest.raises(errors.UserError, match="no reference named 'a'"):
        benchmark_items.match_references(made, real[1:])


def test_an_unknown_metric_is_answered_with_the_nearest():
    known = registry.make(registry.Settings())
    assert [m.name for m in registry.select(known, ["ssim", "lips"])] == [
        "lips",
        "ssim",
    ]
    with pytest.raises(errors.UserError, match="did you mean 'psnr'"):
        registry.select(known, ["psrn"])


def test_every_row_belongs_to_its_metric_and_settings_are_json():
    for metric in registry.make(registry.Settings()):
        json.dumps(metric.settings())
        assert all(key.split("/")[0] == metric.name for key in metric.rows)

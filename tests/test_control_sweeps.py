"""The sweep of controls: every control has one, and its table says what was seen."""

import numpy as np
import pytest

from experiments.tools import control_sweeps
from vasa_jax import errors
from vasa_jax.animate import control_files


def rows_of(seen):
    """Return rows of two portraits, of which one sees nothing change."""
    return [
        {
            "control": sweep.name,
            "asked": float(value),
            "portrait": portrait,
            "seen": seen(value) if portrait == "a" else 1.0,
        }
        for sweep in control_sweeps.SWEEPS
        for value in sweep.asked
        for portrait in ("a", "b")
    ]


def test_every_value_is_one_that_controls_take_and_every_kind_is_swept():
    for sweep in control_sweeps.SWEEPS:
        assert len(set(sweep.asked)) == len(sweep.asked) > 2
        for value in sweep.asked:
            control_sweeps.controls_of(sweep, value, 0)
    names = {sweep.name for sweep in control_sweeps.SWEEPS}
    assert set(control_files.NUMBERS) <= names
    assert {"gaze_yaw", "pose_offset_yaw", "pose_offset_roll"} <= names


def test_the_table_has_means_and_counts_portraits_that_go_one_way():
    lines = control_sweeps.to_table(rows_of(lambda value: -value)).splitlines()
    (line,) = [line for line in lines if line.startswith("| mouth_scale ")]
    assert line == (
        "| mouth_scale | 0, 0.5, 1, 1.5, 2 | deviation of opening "
        "| 0.5, 0.25, 0, -0.25, -0.5 | 1 of 2 |"
    )


def test_table_and_plot_are_written_also_where_a_face_was_lost(tmp_path):
    output = tmp_path / "controls.json"
    control_sweeps.write(output, rows_of(lambda value: np.nan))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [
        ".json",
        ".md",
        ".png",
    ]


def test_some_controls_may_be_chosen_and_alone_are_written():
    chosen = control_sweeps.choose(["anger", "gaze_yaw"])
    assert [sweep.name for sweep in chosen] == ["anger", "gaze_yaw"]
    with pytest.raises(errors.UserError, match="Unknown control 'joy'"):
        control_sweeps.choose(["joy"])
    rows = [row for row in rows_of(float) if row["control"] == "anger"]
    assert len(control_sweeps.to_table(rows).splitlines()) == 3


def test_pictures_of_a_folder_are_found_and_an_empty_one_is_refused(tmp_path):
    with pytest.raises(errors.UserError, match="has no picture"):
        control_sweeps.find_pictures([str(tmp_path)])
    (tmp_path / "b.png").touch()
    (tmp_path / "a.JPG").touch()
    (tmp_path / "notes.txt").touch()
    found = control_sweeps.find_pictures([str(tmp_path)])
    assert [path.name for path in found] == ["a.JPG", "b.png"]
    assert len(control_sweeps.find_pictures(["x.png", "y.png"])) == 2

"""Files of controls: JSON and CSV, and one sentence for each fault."""

import dataclasses
import json

import pytest

from vasa_jax.animate import control_files
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.curves import Curve
from vasa_jax.errors import UserError


def read(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return control_files.read(path)


def test_numbers_and_curves_are_read_from_json(tmp_path):
    text = """{"gaze_yaw": [[0, -20], [2, 20]], "pose_offset_roll": 5,
        "happiness": [[1, 0], [2.5, 1]], "fear": 0.2, "blink_rate": 12}"""
    assert read(tmp_path, "a.json", text) == {
        "gaze": (Curve((0, 2), (-20, 20)), 0.0),
        "pose_offset": (0.0, 0.0, 5.0),
        "emotion": {"happiness": Curve((1, 2.5), (0, 1)), "fear": 0.2},
        "blink_rate": 12.0,
    }


def test_columns_of_csv_are_curves_and_empty_cells_no_points(tmp_path):
    text = (
        "\ufeffseconds, gaze_yaw ,gaze_pitch,mouth_scale\r\n0,-20,,1\r\n\r\n2,20,5,\n"
    )
    assert read(tmp_path, "a.CSV", text) == {
        "gaze": (Curve((0, 2), (-20, 20)), Curve((2,), (5,))),
        "mouth_scale": Curve((0,), (1,)),
    }


def test_every_control_that_may_be_a_curve_has_a_name_in_files():
    whole = {"seed", "num_steps", "step_frames"}
    fields = {field.name for field in dataclasses.fields(Controls)} - whole
    named = control_files.to_fields(
        dict.fromkeys(control_files.NAMES, Curve((0,), (0,)))
    )
    assert set(named) == fields
    inside = {**dict.fromkeys(control_files.NAMES, 0.0), "head_distance": 1.0}
    Controls(**control_files.to_fields({**inside, "liveliness": 1.0}))


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("a.txt", "", "end neither in .json nor in .csv"),
        ("a.json", "{", "it is no JSON"),
        ("a.json", "[" * 100_000, "it is no JSON"),
        ("a.json", "[1]", "it is no JSON object"),
        ("a.json", '{"gaze": 1}', "Unknown control 'gaze'; did you mean 'gaze_yaw'?"),
        ("a.json", '{"fear": 1, "fear": 0}', "fear is named twice"),
        ("a.json", '{"fear": "much"}', "fear is neither a number nor a list"),
        ("a.json", '{"fear": [[1, 0], [0, 1]]}', "fear: A curve has the times 1, 0;"),
        ("a.csv", "", "the first column is not called seconds"),
        ("a.csv", "time,fear\n0,1\n", "the first column is not called seconds"),
        ("a.csv", "seconds,fear,fear\n0,1,1\n", "fear is named twice"),
        ("a.csv", "seconds,fear\n0,1\n1\n", "row 2 has 1 cells"),
        ("a.csv", "seconds,fear\n0,much\n", "fear in row 1 is 'much'; give a number"),
        ("a.csv", "seconds,fear\n0,nan\n", "fear in row 1 is 'nan'"),
        ("a.csv", "seconds,fear\n1,0\n1,1\n", "fear: A curve has the times 1, 1;"),
        ("a.csv", "seconds,fear\n", "fear: A curve has 0 times"),
        ("a.csv", "seconds,joy\n0,1\n", "Unknown control 'joy'"),
    ],
)
def test_a_fault_is_told_in_one_sentence_with_the_file(tmp_path, name, text, words):
    with pytest.raises(UserError) as caught:
        read(tmp_path, name, text)
    assert words in str(caught.value) and name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(UserError, match="Cannot read the controls .*: No such file"):
        control_files.read(tmp_path / "missing.json")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="it is no text in UTF-8"):
        control_files.read(tmp_path / "a.csv")


def test_the_two_examples_of_the_module_are_read(tmp_path):
    _, as_json, as_csv = control_files.__doc__.split("\n\n")
    assert json.loads(as_json)
    assert set(read(tmp_path, "a.json", as_json)) == {"gaze", "emotion", "mouth_scale"}
    curve = read(tmp_path, "a.csv", as_csv)["gaze"][0]
    assert curve == Curve((0, 2), (-20, 20))

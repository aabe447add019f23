"""ARKit's weights in a CSV: by name, in time, and one sentence for each fault."""

import numpy as np
import pytest

from vasa_jax import arkit
from vasa_jax.animate import arkit_csv
from vasa_jax.errors import UserError
from vasa_jax.face.dynamics_code import Expression


def table(names, rows):
    """Return the text of a CSV."""
    return "\n".join(",".join(map(str, row)) for row in (names, *rows)) + "\n"


def read(tmp_path, text):
    path = tmp_path / "take.csv"
    path.write_text(text, encoding="utf-8")
    return arkit_csv.read(path)


def capture(num_rows=120, start=0, rate=60):
    """Return columns and rows as Live Link Face writes them, with jawOpen rising."""
    names = [name[0].upper() + name[1:] for name in reversed(arkit.NAMES)]
    jaw = names.index("JawOpen")
    rows = []
    for row in range(num_rows):
        seconds, frame = divmod(start + row, rate)
        weights = [0.0] * 52
        weights[jaw] = row / num_rows
        rows.append([f"00:00:{seconds:02d}:{frame:02d}.123", 52, *weights, -0.1])
    return ["Timecode", "BlendShapeCount", *names, "HeadYaw"], rows


def test_what_is_written_is_read_back(tmp_path):
    generator = np.random.default_rng(0)
    gaze = generator.uniform(-0.4, 0.4, (7, 2)).astype(np.float32)
    weights = arkit.with_gaze(generator.random((7, 52)), gaze)
    arkit_csv.write(tmp_path / "a.csv", Expression(arkit=weights, gaze_in_head=gaze))
    found = arkit_csv.read(tmp_path / "a.csv")
    np.testing.assert_allclose(found.arkit, weights, atol=1e-5)
    np.testing.assert_allclose(found.gaze_in_head, gaze, atol=1e-5)
    header = (tmp_path / "a.csv").read_text().splitlines()[0].split(",")
    assert header == ["seconds", *arkit.NAMES]


def test_units_are_told_by_name_whatever_order_and_capitals(tmp_path):
    found = read(tmp_path, table(*capture()))
    assert found.arkit.shape == (50, 52)
    jaw = found.arkit[:, arkit.index("jawOpen")]
    rows = (np.arange(50) + 0.5) * 60 / 25 - 0.5
    np.testing.assert_allclose(jaw, np.clip(rows, 0, 119) / 120, atol=1e-6)
    others = np.delete(found.arkit, arkit.index("jawOpen"), axis=1)
    assert not others.any()


def test_the_rate_is_told_by_the_whole_seconds_of_the_time_code(tmp_path):
    for rate, num_frames in ((30, 100), (60, 50), (25, 120)):
        found = read(tmp_path, table(*capture(120, start=7, rate=rate)))
        assert len(found.arkit) == num_frames


def test_mediapipes_list_without_the_tongue_is_read_by_name(tmp_path):
    names = ["seconds", "_neutral", *arkit.NAMES[:-1]]
    row = [0.9] + [0.0] * 51
    row[1 + arkit.index("browInnerUp")] = 0.5
    rows = [[number / 30, *row] for number in range(30)]
    found = read(tmp_path, table(names, rows))
    assert found.arkit.shape == (25, 52)
    expected = np.zeros(52)
    expected[arkit.index("browInnerUp")] = 0.5
    np.testing.assert_allclose(found.arkit, np.tile(expected, (25, 1)), atol=1e-6)


def test_rows_in_which_the_face_was_lost_are_bridged(tmp_path):
    names, rows = capture()
    for row in range(40, 60):
        rows[row] = [rows[row][0], 0]
    bridged, whole = (
        read(tmp_path, table(names, rows)),
        read(tmp_path, table(*capture())),
    )
    np.testing.assert_allclose(bridged.arkit, whole.arkit, atol=1e-6)


def test_weights_a_little_out_of_range_are_cut(tmp_path):
    names = ["seconds", *arkit.NAMES]
    rows = [[number / 25, *[1.3] * 26, *[-0.1] * 26] for number in range(25)]
    found = read(tmp_path, table(names, rows)).arkit
    np.testing.assert_array_equal(found[0], [1] * 26 + [0] * 26)


def _row(seconds, weight="0"):
    return [seconds, *[weight] * 52]


NAMES = ["seconds", *arkit.NAMES]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "has no row below the names"),
        (table(NAMES, []), "has no row below the names"),
        (table(range(53), [_row(0)]), "it has no column browDownLeft and lacks 50 mor"),
        (table(NAMES[:-2] + ["x", "y"], [_row(0)]), "it has no column noseSneerRight;"),
        (table(["time", *arkit.NAMES], [_row(0)]), "neither a column seconds nor Tim"),
        (table([*NAMES, "JawOpen"], [_row(0)]), "two of its columns are called 'jawo"),
        (table(NAMES, [[*_row(0), 1]]), "row 1 has more cells"),
        (table(NAMES, [_row(0, "x")]), "browDownLeft in row 1 is 'x'; give weights"),
        (table(NAMES, [_row(0, "50")]), "browDownLeft in row 1 is '50'; give weights"),
        (table(NAMES, [_row(0, "nan")]), "browDownLeft in row 1 is 'nan'"),
        (table(NAMES, [_row(0, "")]), "none of its rows has weights"),
        (table(NAMES, [_row(1), _row(1)]), "its column seconds does not rise"),
        (table(NAMES, [_row("x"), _row(1)]), "its column seconds does not rise"),
        (table(NAMES, [_row(0), _row(1e9)]), "rows a second, too few for a face"),
        (table(NAMES, [_row(0), _row(33), _row(67)]), "0.03 rows a second, too few"),
        (
            table(["Timecode", *arkit.NAMES], [_row("1.5")]),
            "Timecode in row 1 is '1.5'",
        ),
        (
            table(["Timecode", *arkit.NAMES], [_row("0:0:1:0"), _row("0:0:0:1")]),
            "Timecode goes back in row 2",
        ),
        (
            table(["Timecode", *arkit.NAMES], [_row(f"0:0:{i}:0") for i in range(9)]),
            "it has 1 rows a second, too few",
        ),
    ],
)
def test_a_fault_is_told_in_one_sentence(tmp_path, text, words):
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value) and "take.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(UserError, match="Cannot read the weights .*: No such file"):
        arkit_csv.read(tmp_path / "a.csv")

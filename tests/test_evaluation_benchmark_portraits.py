"""Portraits by kind: lists, derived pictures, tables, and a run that goes on."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from datasets import portrait_split
from vasa_jax import errors, media
from vasa_jax.evaluation.benchmark import (
    portrait_list,
    portrait_runner,
)
from vasa_jax.evaluation.benchmark.scoring import ClipResult
from vasa_jax.evaluation.metrics.definition import Measured, Score, State
from vasa_jax.evaluation.report import portrait_report, score_report
from vasa_jax.portrait import locate

ROOT = pathlib.Path(__file__).parent.parent
COMMITTED = ROOT / "experiments" / "portraits_of_nobody.tsv"


def test_the_committed_list_is_of_validation_portraits_of_one_age_and_one_skin():
    listed = portrait_list.read(COMMITTED)
    assert len(listed) == 153
    for one in listed:
        assert portrait_split.split_of(one.name) == portrait_split.VALIDATION
        for group in (("child", "adult", "old"), ("light", "medium", "dark")):
            names = group if "child" in group else [f"{tone} skin" for tone in group]
            assert sum(kind in names for kind in one.looked_at) == 1
    shown = {kind for one in listed for kind in one.kinds}
    assert shown == set(portrait_list.KINDS)


def test_a_list_is_read_as_it_was_written_and_a_wrong_one_is_told(tmp_path):
    path = tmp_path / "list.tsv"
    listed = [
        portrait_list.Listed(name="a.png", looked_at=("old", "beard")),
        portrait_list.Listed(name="b.png", measured=("small face", "turned head")),
    ]
    portrait_list.write(path, listed)
    assert portrait_list.read(path) == listed
    assert listed[1].kinds == ("turned head", "small face")
    header = "name\tlooked at\tmeasured\n"
    for text, words in (
        ("", "must begin with"),
        (header + "a.png\told\n", "Line 2 of .* has 2 cells"),
        (header + "a.png\tbeards\t\n", "did you mean 'beard'"),
        (header + "a.png\t\t\n" * 2, "names a.png twice"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(errors.UserError, match=words):
            portrait_list.read(path)


def test_a_few_portraits_are_chosen_over_all_kinds():
    listed = [portrait_list.Listed(name=f"{i}", looked_at=("adult",)) for i in range(9)]
    listed.append(portrait_list.Listed(name="hat", looked_at=("adult", "hat")))
    listed.append(portrait_list.Listed(name="old", looked_at=("old",)))
    chosen = portrait_list.choose(listed, 2)
    assert [one.name for one in chosen] == ["hat", "old"]
    assert portrait_list.choose(listed, None) == listed


def test_derived_pictures_are_of_their_kind(rendered_photo):
    found = locate.locate_face(rendered_photo)
    before = portrait_list.measure_kinds(rendered_photo, found)
    for made, kind in (
        ("made greyscale", "greyscale or painted"),
        ("made dark", "dark picture"),
        ("made small", "small face"),
    ):
        image = portrait_list.derive(rendered_photo, made, found.box)
        kinds = portrait_list.measure_kinds(image, locate.locate_face(image))
        assert kind in kinds
        assert kind not in before


def test_a_kind_below_the_mean_and_one_of_few_portraits_are_marked():
    metric = portrait_report.Photographs(num_seconds=6.0)
    lips = {f"old{i}": 0.4 for i in range(3)} | {f"adult{i}": 0.9 for i in range(12)}
    state = State(
        {
            name: Measured(scores={"lips": Score(value, 0.0)})
            for name, value in lips.items()
        }
    )
    names = {kind: [n for n in lips if kind in n] for kind in ("old", "adult", "hat")}
    kinds = portrait_report.summarise_kinds(metric, state, names)
    assert [one.few for one in kinds.values()] == [True, False]
    text = portrait_report.kinds_to_markdown(metric.rows, metric.finish(state), kinds)
    assert "| old | 3 * | 0.40 (0.40 to 0.40) ▼ |" in text
    assert "| adult | 12 | 0.90 (0.90 to 0.90) |" in text
    assert text.count("| copying the source |  | 0.00 |") == 2


def test_filmed_people_stand_beside_the_rows_that_they_can_fill():
    measured = Measured(
        scores={"std_yaw": Score(1.0, 0.0), "lips": Score(0.5, 0.0, 1.0)}
    )
    beside = portrait_report.beside_filmed(measured, {"std_yaw": 4.6}).scores
    assert beside["std_yaw"] == Score(1.0, 0.0, 4.6)
    assert np.isnan(beside["lips"].ceiling)


def test_two_pictures_of_one_name_are_told(tmp_path):
    for name in ("a.png", "b.png", "b.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(errors.UserError, match="are called 'b'"):
        portrait_list.find(tmp_path, None, None, None, 0)


@pytest.fixture
def portraits_dir(tmp_path, rendered_photo):
    """A folder of a face, an empty picture and a broken file."""
    folder = tmp_path / "portraits"
    folder.mkdir()
    media.write_image(folder / "face.png", rendered_photo)
    media.write_image(folder / "nobody.png", 0 * rendered_photo)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


@pytest.mark.slow
def test_a_run_goes_on_and_names_what_it_cannot_use(
    tmp_path, tiny_checkpoint, portraits_dir, voice
):
    sound = tmp_path / "voice.mp4"
    black = np.zeros((50, 32, 32, 3), np.uint8)
    with media.VideoWriter(sound, 32, 32, waveform=voice) as out:
        out.write(black)
    output = tmp_path / "report"
    output.mkdir()
    with pytest.raises(errors.UserError, match="There is no folder"):
        portrait_list.find(tmp_path / "missing", None, None, None, 1)
    items = portrait_list.find(portraits_dir, None, None, None, 1)
    assert [item.name for item in items] == [
        *("face", "nobody", "torn"),
        *("face-made-greyscale", "face-made-dark", "face-made-small"),
    ]
    settings = portrait_runner.Settings(
        voices=(sound,), num_voices=2, num_seconds=0.12, control_seconds=0.04, seed=0
    )

    def runner():
        return portrait_runner.Runner(
            str(tiny_checkpoint), output, settings, networks={}
        )

    first = runner().measure(items[0], 0)
    clip = output / "clips" / "face.mp4"
    assert media.probe_video(clip).has_sound
    before = clip.stat().st_mtime_ns
    going_on = runner()
    again = going_on.measure(items[0], 0)
    assert clip.stat().st_mtime_ns == before
    assert again.measured.scores.keys() == first.measured.scores.keys()
    # Nothing was taught to the tiny model, so it paints no face.
    assert first.measured.scores["face"] == Score(0.0, 1.0)
    assert first.measured.scores["control_face"] == Score(0.0, 1.0)
    assert np.isnan(first.measured.scores["eyes_large"].value)
    assert first.measured.scores["eyes_own"].floor == pytest.approx(1.0)
    for item, words in zip(items[1:3], ("No face", "torn.jpg"), strict=True):
        with pytest.raises(errors.UserError, match=words):
            going_on.measure(item, 0)
    shown = clip.read_bytes()
    going_on.measure(items[0], 1)
    assert clip.read_bytes() != shown, "another place has another seed"
    sheets = portrait_report.write_sheets(output, ["face"])
    assert media.read_image(sheets[0]).shape == (2 * 160, 12 * 160, 3)
    page = portrait_report.to_html("Faces", "| a |", {"face": first}, {"torn": "<no>"})
    assert 'src="clips/face.mp4"' in page
    assert "torn: &lt;no&gt;" in page
    metric = portrait_report.Photographs(num_seconds=1.0)
    results = {"face": ClipResult(measured={metric.name: first.measured})}
    report = score_report.summarise([metric], results, {"seed": 0})
    plain = json.loads(score_report.to_json(report))
    assert plain["rows"]["face"]["floor"] == 1.0
    assert plain["rows"]["lips"]["mean"] is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--portraits_dir=datasets", "--voices=datasets"], "There are no voices in"),
        (
            ["--portraits_dir=datasets", "--voices=a", "--list=README.md"],
            "The list README.md must begin with",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(tmp_path, given, words):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "experiments.benchmark_portraits"),
            *(f"--output={tmp_path / 'out'}", *given),
        ],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {words}")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_program_reports_on_what_it_can_use(
    tmp_path, tiny_checkpoint, portraits_dir, voice
):
    pytest.importorskip("dlib")
    sound = tmp_path / "voice.mp4"
    with media.VideoWriter(sound, 32, 32, waveform=voice) as out:
        out.write(np.zeros((50, 32, 32, 3), np.uint8))
    output = tmp_path / "report"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "experiments.benchmark_portraits"),
            *(f"--portraits_dir={portraits_dir}", f"--voices={sound}"),
            *(f"--checkpoint={tiny_checkpoint}", f"--output={output}"),
            *("--seconds=1", "--control_seconds=0.4", "--num_voices=1"),
            *("--num_derived=1", f"--filmed={sound}"),
        ],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 portraits, 1 voices")
    assert "- nobody is left out: No face was found" in done.stdout
    assert "| made dark | 1 * |" in done.stdout
    plain = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert set(plain["about"]["left_out"]) == {"nobody", "torn"}
    assert plain["rows"]["face"]["floor"] == 1.0
    for name in ("report.md", "report.html", "sheets/sheet_01.png"):
        assert (output / name).is_file()
    for clip in ("face", "face-made-small"):
        assert (output / "clips" / f"{clip}.mp4").is_file()

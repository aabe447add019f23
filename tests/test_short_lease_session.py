"""The steps of a session on a borrowed GPU, at the tiny size on a CPU."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest

from experiments.tools import curve_sheet, one_step
from vasa_jax import export, media
from vasa_jax.animate import trained
from vasa_jax.data import records
from vasa_jax.train import metric_writer

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = "experiments/short_lease/session.sh"

ABSENT = (
    "ai_edge_litert",
    "array_record",
    "av",
    "espeakng_loader",
    "grain",
    "pi_heif",
    "pocketsphinx",
    "soxr",
    "tensorflow_datasets",
)
"""Packages that the borrowed machine lacks."""

BLOCKER = f"""
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            raise ImportError(f"{{name}} is not on this machine")


sys.meta_path.insert(0, Blocker())
"""

MAX_FILE_BYTES = 16 * 2**20


def told_of_face(printed):
    """Return the command of the renderer's training, told before it is run."""
    (told,) = [
        line for line in printed.splitlines() if "experiments/configs/face.py" in line
    ]
    return told


def read_rows(work):
    path = work / "check.json"
    return json.loads(path.read_text()) if path.exists() else {}


def run_step(step, work, carried, **more):
    environment = {
        **os.environ,
        "SIZE": "tiny",
        "CARRIED": str(carried),
        "PYTHON": sys.executable,
        "INIT": "",
        **more,
    }
    return subprocess.run(
        ["bash", SCRIPT, str(step), str(work)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "given, flags",
    [
        ({}, ["face_loss.perceptual=0", "face_loss.cross_identity=0"]),
        (
            {"VGG16": "vgg16.npz"},
            ["perceptual_weights=vgg16.npz", "face_loss.cross_identity=0"],
        ),
        (
            {"VGG16": "vgg16.npz", "IDENTITY": "faces.onnx"},
            ["perceptual_weights=vgg16.npz", "identity_weights=faces.onnx"],
        ),
    ],
)
def test_losses_by_frozen_networks_are_left_out_where_there_are_none(
    tmp_path, given, flags
):
    (tmp_path / "check.json").write_text("{}")
    # Nothing is run: the session tells each command before it runs it.
    more = {"SIZE": "gpu", "PYTHON": "true", "INIT": "somewhere", **given}
    ended = run_step(3, tmp_path, tmp_path, **more)
    assert ended.returncode == 0, ended.stderr
    told = told_of_face(ended.stdout)
    names = ("perceptual", "cross_identity", "identity_weights")
    found = [word for word in told.split() if any(name in word for name in names)]
    assert found == [f"--set={flag}" for flag in flags]


def test_the_last_step_goes_on_with_the_run_that_the_first_began(tmp_path):
    (tmp_path / "check.json").write_text("{}")
    for split in ("heads", "voices"):
        (tmp_path / split / "train").mkdir(parents=True)
    for number in range(32):
        (tmp_path / "heads" / "train" / f"{number}.npz").touch()
    more = {"SIZE": "gpu", "PYTHON": "true", "INIT": "here", "FACE_STEPS": "900"}
    more["OMP_NUM_THREADS"] = "16"  # `nproc` heeds it
    told = []
    for step in (1, 3):
        ended = run_step(step, tmp_path, tmp_path, **more)
        told.append(told_of_face(ended.stdout).split(": ", 1)[1].split())
    # What is compiled in must be the same, or it would be compiled again.
    differing = {word.split("=")[0] for word in set(told[0]) ^ set(told[1])}
    assert differing == {"--max_steps", "--set"}
    (more_workers,) = [w for w in set(told[1]) - set(told[0]) if "--set" in w]
    assert "data.num_workers" in more_workers
    assert "--max_steps=40" in told[0] and "--max_steps=899" in told[1]
    assert "--set=train.num_steps=900" in told[0]


def test_a_training_without_clips_is_told_and_one_core_is_enough(tmp_path):
    python, told = tmp_path / "python", tmp_path / "told"
    python.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    python.chmod(0o755)
    # `nproc` heeds this variable.
    more = {"PYTHON": str(python), "OMP_NUM_THREADS": "1"}
    ended = run_step(1, tmp_path / "work", tmp_path / "carried", **more)
    assert ended.returncode == 1
    assert "nothing is rendered in" in ended.stdout
    commands = told.read_text()
    assert "experiments.train" not in commands
    rendered = re.findall(r"short_lease.render .*--num_workers=(\d+)", commands)
    assert rendered == ["1", "1"]


@pytest.mark.parametrize(
    "step, size, word", [("7", "tiny", "0 to 3"), ("1", "huge", "gpu or tiny")]
)
def test_an_unknown_step_or_size_ends_with_one_sentence(tmp_path, step, size, word):
    ended = run_step(step, tmp_path / "work", tmp_path / "carried", SIZE=size)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ") and word in ended.stderr
    assert not any(tmp_path.iterdir())


def test_variants_are_compared_with_the_first_of_their_stage():
    rows = {
        "face float32 recomputed": {"loss": 10.0, "gradient_norm": 2.0},
        "face bfloat16 recomputed": {"loss": 10.1, "gradient_norm": 2.1},
        "face float32 kept": {"loss": 10.0, "gradient_norm": 2.1},
        "motion float32 kept": {"error": "out of memory"},
    }
    one_step.compare(rows)
    assert rows["face bfloat16 recomputed"]["difference"] == pytest.approx(0.05)
    agrees = [row.get("agrees") for row in rows.values()]
    assert agrees == [True, True, False, None]
    measured = dict(
        step_seconds=0.2, floor_seconds=0.1, temporary_gib=1.5, compile_seconds=9.0
    )
    for row in rows.values():
        row.update({} if "error" in row else measured)
    table = one_step.to_table(rows).splitlines()
    assert len(table) == 2 + len(rows)
    assert len({line.count("|") for line in table}) == 1
    assert "DISAGREES" in table[4] and "out of memory" in table[5]


def test_noise_for_a_check_is_what_both_stages_read(tmp_path):
    one_step.write_clips(tmp_path / "clips", 32)
    one_step.write_encoded(tmp_path / "encoded", 14, 8)
    clip = records.open_folder(tmp_path / "clips").read(0)
    assert clip["video"].shape == (one_step.CLIP_FRAMES, 32, 32, 3)
    assert records.open_folder(tmp_path / "encoded").read(3)["motion"].shape[1] == 14


def test_curves_show_the_first_and_last_values(tmp_path):
    writer = metric_writer.MetricWriter(tmp_path / "run")
    for step, value in ((10, 4.0), (20, 2.0), (30, 1.0)):
        writer.write(step, {"face/loss": value})
    writer.close()
    runs = {"run": curve_sheet.read_curves(str(tmp_path / "run"))}
    assert (
        curve_sheet.to_table(runs).splitlines()[-1]
        == "| run | face/loss | 30 | 4 | 1 |"
    )
    pytest.importorskip("matplotlib")
    curve_sheet.draw(runs, str(tmp_path / "curves.png"))
    assert media.read_image(tmp_path / "curves.png").std() > 0


@pytest.mark.long
def test_all_steps_run_where_only_jax_and_numba_are(tmp_path):
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKER)
    work, carried, out = tmp_path / "work", tmp_path / "carried", tmp_path / "out"
    ended = run_step(0, work, carried)
    assert ended.returncode == 0, ended.stderr
    assert "| repository |" in ended.stdout
    size = sum(path.stat().st_size for path in carried.iterdir())
    assert size < 32 * 10_000  # four pairs of 0.8 s

    for step in (1, 2, 3):
        ended = run_step(
            step, work, carried, OUT=str(out), PYTHONPATH=str(tmp_path / "blocked")
        )
        told = ended.stdout + ended.stderr
        assert ended.returncode == 0, f"step {step}: {told[-4000:]}"
        assert f"| step {step}, " in ended.stdout, told[-4000:]
        files = list(out.iterdir())
        assert len(files) <= 8
        assert all(file.stat().st_size < MAX_FILE_BYTES for file in files)

    deadline = time.monotonic() + 300
    while len(rows := read_rows(work)) < len(one_step.VARIANTS):
        assert time.monotonic() < deadline, (work / "check.log").read_text()
        time.sleep(1)
    assert all(row["agrees"] for row in rows.values())
    timed = [
        row["name"]
        for part in ("decode", "motion")
        for row in json.loads((work / f"benchmark_{part}.json").read_text())["rows"]
    ]
    for word in ("decode", "motion window", "first frames"):
        assert any(name.startswith(word) for name in timed)
    clips = records.open_folder(work / "heads", "train")
    assert len(clips) == 24
    assert isinstance(clips.read(0)["video"], np.ndarray)
    # What comes home is a checkpoint of both models.
    parts = sorted(out.glob("checkpoint.tar.part_*"))
    (tmp_path / "home.tar").write_bytes(b"".join(p.read_bytes() for p in parts))
    with tarfile.open(tmp_path / "home.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    assert (tmp_path / "checkpoint" / export.MANIFEST_NAME).exists()
    models = trained.load(tmp_path / "checkpoint")
    assert models.animation.audio_encoder == "mel"
    with tarfile.open(out / "results.tar.gz") as archive:
        held = archive.getnames()
    for name in ("curves.png", "check.log", "face/metrics.jsonl"):
        assert f"./{name}" in held

    # Run again, a step keeps what is there.
    before = (work / "face" / "metrics.jsonl").read_text()
    ended = run_step(
        3, work, carried, OUT=str(out), PYTHONPATH=str(tmp_path / "blocked")
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert (work / "face" / "metrics.jsonl").read_text() == before

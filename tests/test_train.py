"""The program that trains: it exports, starts from an export, refuses wrong flags."""

import json
import pathlib
import subprocess
import sys

import pytest

from tests import training_process

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_program_trains_exports_and_starts_from_the_export(tmp_path):
    first = training_process.start(tmp_path / "first")
    assert "done at step 20" in first.communicate(timeout=120)[0]
    settings = json.loads((tmp_path / "first" / "config.json").read_text())
    assert settings["model"]["num_inputs"] == 8
    exported = subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments.export",
            f"--workdir={tmp_path / 'first'}",
            f"--output={tmp_path / 'export'}",
            "--dtype=bfloat16",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert exported.returncode == 0, exported.stderr
    second = training_process.start(
        tmp_path / "second", f"--init_from={tmp_path / 'export'}", "--max_steps=1"
    )
    output, _ = second.communicate(timeout=120)
    assert "3 arrays taken, 0 not" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--set=model.nois=1"], "did you mean 'noise'"),
        (["--preset=tinny"], "did you mean 'tiny'"),
        (["--config=tests/none.py"], "no experiment file"),
        (["--mesh=data:3"], "product of its sizes"),
        (["--init_from=/nowhere"], "no checkpoint at"),
        (["--max_steps=0"], "above 0"),
    ],
)
def test_a_wrong_flag_ends_with_one_sentence_and_code_2(tmp_path, flags, sentence):
    process = training_process.start(tmp_path, *flags)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert output.startswith("error: ") and sentence in output
    assert len(output.splitlines()) == 1


@pytest.mark.slow
def test_a_dry_run_prints_sizes_and_shardings(tmp_path):
    process = training_process.start(tmp_path / "none", "--dry_run")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "model 36 36" in output and "constants 4 0" in output
    assert "model/layer/kernel [8, 4] float32" in output
    assert not (tmp_path / "none").exists()

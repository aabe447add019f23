"""The script that shows that `vasa1` learns, at the tiny size."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

TINY = {"PRESET": "tiny", "SIZE": "64", "FACE_STEPS": "4", "MOTION_STEPS": "4"}


def run(*arguments):
    environment = {
        **os.environ,
        **TINY,
        "PYTHON": sys.executable,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0 "
        "--xla_llvm_disable_expensive_passes=true",
    }
    return subprocess.run(
        ["bash", "experiments/overfit.sh", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_it_trains_both_stages_and_measures_them_on_the_same_clips(tmp_path):
    pytest.importorskip("matplotlib")
    ended = run(tmp_path, "random", "random")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "10 clips (10 train)" in ended.stdout
    assert "10 clips encoded" in ended.stdout
    for measure in ("face/evaluation/psnr_copy", "motion/evaluation/seam"):
        assert f" {measure} " in ended.stdout
    assert (tmp_path / "curves.png").stat().st_size

"""The program that scores videos, as a process: its report and its refusals."""

import os
import pathlib
import subprocess
import sys

import numpy as np

from vasa_jax import media

ROOT = pathlib.Path(__file__).parent.parent


def write_noise(path, seed):
    path.parent.mkdir()
    coarse = np.random.default_rng(seed).integers(0, 256, (50, 4, 4, 3), np.uint8)
    with media.VideoWriter(path, 32, 32) as out:
        out.write(coarse.repeat(8, axis=1).repeat(8, axis=2))


def evaluate(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "experiments.evaluate", *arguments],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )


def test_the_program_writes_a_report_or_one_sentence(tmp_path):
    write_noise(tmp_path / "made" / "a.mp4", seed=0)
    write_noise(tmp_path / "real" / "a.mp4", seed=1)
    output = tmp_path / "report"
    flags = [f"--videos={tmp_path / 'made'}", f"--output={output}", "--num_workers=1"]
    refused = evaluate(*flags, "--metrics=psnr")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: The metric psnr needs references (--reference); give it, or leave the "
        "metric out.\n"
    )
    assert not output.exists()
    done = evaluate(*flags, "--metrics=psnr,ssim", f"--reference={tmp_path / 'real'}")
    assert done.returncode == 0, done.stderr
    assert "| PSNR, dB |" in done.stdout
    names = sorted(path.name for path in output.iterdir())
    assert names == ["clips", "report.html", "report.json", "report.md"]

"""The script of the shipped checkpoint, from seeds to a folder, at the tiny size."""

import os
import pathlib
import subprocess
import sys

import pytest

from vasa_jax.animate import trained

ROOT = pathlib.Path(__file__).resolve().parent.parent

TINY = {
    # The fourth pair of identities, with four takes each, is for validation.
    "NUM_CLIPS": "32",
    "NUM_SMILES": "32",
    "ENCODER_STEPS": "4",
    "FACE_STEPS": "4",
    "DRAWING_STEPS": "4",
    "MOTION_STEPS": "4",
    "SIZE": "64",
    "SIZES": "tiny",
}


def run(*arguments, **more):
    environment = {
        **os.environ,
        **TINY,
        "PYTHON": sys.executable,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0 "
        "--xla_llvm_disable_expensive_passes=true",
        **more,
    }
    return subprocess.run(
        ["bash", "experiments/demo_checkpoint.sh", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.long
def test_it_goes_from_seeds_to_a_checkpoint_with_both_models(tmp_path):
    ended = run(tmp_path / "work", tmp_path / "checkpoint")
    assert ended.returncode == 0, ended.stderr[-2000:]
    models = trained.load(tmp_path / "checkpoint")
    assert models.face_params and models.motion_params
    assert [models.metadata[name]["step"] for name in ("drawing", "motion")] == [4, 4]

"""The launch files name flags, settings and presets that there are."""

import pathlib
import re
import shutil
import subprocess

import pytest

from experiments.running import experiment_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAUNCH = ROOT / "experiments" / "launch"
TEXTS = [LAUNCH / "slurm.sh", ROOT / "docs" / "many_machines.md"]


def _name(path):
    return path.name


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_flags_of_the_program_are_those_that_it_has(path):
    text = path.read_text(encoding="utf-8")
    program = (ROOT / "experiments" / "train.py").read_text(encoding="utf-8")
    known = set(re.findall(r'DEFINE_\w+\(\s*"(\w+)"', program))
    # Flags of other programs have a dash, stand in a line that names them, or are
    # Slurm's `nodes` and the builders' `size`.
    ours = "\n".join(
        line
        for line in text.splitlines()
        if not re.search(r"sbatch --ntasks|^#SBATCH|srun|gcloud|jax\[tpu\]", line)
    )
    used = set(re.findall(r"--([a-z_]+)\b(?!-)", ours)) - {"nodes", "size"}
    assert used and used <= known, used - known


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_settings_fit_their_preset(path):
    text = path.read_text(encoding="utf-8")
    module = experiment_file.load("experiments/configs/face.py")
    changes = re.findall(r"--set=([\w.]+=[^\s,\]']+)", text)
    assert changes
    for preset in set(re.findall(r"--preset=(\w+)", text)):
        experiment_file.settings_of(module, preset, changes)


def test_the_launch_file_is_a_shell_program():
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    subprocess.run(["bash", "-n", LAUNCH / "slurm.sh"], check=True)

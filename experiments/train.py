"""Train an experiment, from its newest checkpoint if there is one.

    python -m experiments.train --config=experiments/configs/face.py --preset=demo \
        --workdir=runs/face --set=optimizer.learning_rate=1e-4

SIGTERM (or Ctrl-C) saves and ends; the same command goes on from there.
"""

import difflib
import json
import pathlib
import sys

import jax
from absl import flags

from experiments.running import dry_run, experiment_file, program
from vasa_jax import compilation_cache, config
from vasa_jax.train import (
    checkpoint,
    loop,
    processes,
    sharding,
    step_profile,
    warm_start,
)

CONFIG = flags.DEFINE_string("config", None, "Experiment file.", required=True)
PRESET = flags.DEFINE_string("preset", "demo", "One of the file's presets.")
WORKDIR = flags.DEFINE_string("workdir", None, "Work folder of the run.")
SET = flags.DEFINE_multi_string("set", [], "Change a setting: name=value.")
MESH = flags.DEFINE_string("mesh", None, "Such as data:4,fsdp:2; all on data if left.")
DRY_RUN = flags.DEFINE_bool("dry_run", False, "Print sizes and shardings and leave.")
DRY_RUN_COMPILES = flags.DEFINE_bool(
    "dry_run_compiles", False, "Let the dry run count activations, which takes minutes."
)
DEVICE_MEMORY = flags.DEFINE_float(
    "device_memory_gib", None, "What the dry run may fill; the devices' own if left."
)
MAX_STEPS = flags.DEFINE_integer("max_steps", None, "End early at this step.")
INIT_FROM = flags.DEFINE_string(
    "init_from", None, "Export, or work folder of a run, to start from."
)
PROFILE_STEPS = flags.DEFINE_string(
    "profile_steps", None, "First and last step, such as 10:13, to trace into profile/."
)
COORDINATOR = flags.DEFINE_string(
    "coordinator_address", None, "host:port of process 0; the environment's if left."
)
DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "Let jax find the other processes, as on TPU pods."
)
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "Processes of the run.")
PROCESS_ID = flags.DEFINE_integer("process_id", None, "This process, from 0.")

SETTINGS_NAME = "config.json"


def main(_) -> int:
    """Train as the flags say; return the exit code."""
    module = experiment_file.load(CONFIG.value)
    settings = experiment_file.settings_of(module, PRESET.value, SET.value)
    profile_steps = _check_flags()
    processes.join(
        COORDINATOR.value, NUM_PROCESSES.value, PROCESS_ID.value, DISTRIBUTED.value
    )
    init_params = warm_start.read(INIT_FROM.value) if INIT_FROM.value else None
    compilation_cache.enable()
    experiment = experiment_file.build(module, settings)
    mesh = sharding.make_mesh(MESH.value)
    if DRY_RUN.value:
        print(
            dry_run.describe(
                experiment, mesh, DRY_RUN_COMPILES.value, DEVICE_MEMORY.value
            )
        )
        return 0

    workdir = pathlib.Path(WORKDIR.value)
    is_first_process = jax.process_index() == 0
    text = config.to_json(settings)
    if is_first_process:
        _keep_settings(workdir, text)
    outcome = loop.run(
        experiment,
        workdir,
        mesh,
        max_steps=MAX_STEPS.value,
        init_params=init_params,
        provenance={
            "config_file": CONFIG.value,
            "preset": PRESET.value,
            "settings": json.loads(text),
            "init_from": INIT_FROM.value,
        },
        profile_steps=profile_steps,
    )
    if is_first_process:
        word = "done" if outcome.is_complete else "saved and stopped early"
        print(f"{word} at step {outcome.step}: {workdir}")
        for name, value in sorted(outcome.metrics.items()):
            print(f"  {name} {value:.6g}")
    return 0


def _check_flags() -> tuple[int, int] | None:
    """Refuse flags that do not fit; return the steps to trace, if any."""
    config.require(
        DRY_RUN.value or WORKDIR.value is not None,
        "There is no work folder; give --workdir=FOLDER.",
    )
    config.require(
        MAX_STEPS.value is None or MAX_STEPS.value > 0,
        f"--max_steps is {MAX_STEPS.value}; give a number above 0.",
    )
    return (
        None if PROFILE_STEPS.value is None else step_profile.parse(PROFILE_STEPS.value)
    )


def _keep_settings(workdir: pathlib.Path, text: str) -> None:
    """Write the resolved settings; on resume say which of them have changed."""
    workdir.mkdir(parents=True, exist_ok=True)
    file = workdir / SETTINGS_NAME
    if file.exists() and (workdir / checkpoint.FOLDER).exists():
        before = file.read_text(encoding="utf-8").splitlines()
        changes = [
            line
            for line in difflib.unified_diff(before, text.splitlines(), n=0)
            if line[:1] in "+-" and line[:3] not in ("+++", "---")
        ]
        if changes:
            print("settings changed since this run began:", file=sys.stderr)
            print("\n".join(changes), file=sys.stderr)
    beside = file.with_suffix(".writing")
    beside.write_text(text, encoding="utf-8")
    beside.rename(file)


if __name__ == "__main__":
    program.run(main)

"""Compare a training step of each stage in each arithmetic, on random records.

    python -m experiments.tools.compare_arithmetic --preset=vasa1 --output=steps.json

For each stage: bfloat16 beside float32, and with activations kept or computed again
(`use_remat`), from the same seed on the same batch. Loss and gradient norm must agree;
time and memory may differ. The file is written after each row, and rows that it holds
are not run again.
"""

import gc
import json
import pathlib
import tempfile

import jax
from absl import flags

from experiments.running import program, timing
from experiments.tools import one_step
from vasa_jax import compilation_cache, config, media

PRESET = flags.DEFINE_string("preset", "vasa1", "Of both experiment files.")
STAGES = flags.DEFINE_list("stages", ["face", "motion"], "Of face, motion.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 4, "Rows.", lower_bound=1)
NUM_REPEATS = flags.DEFINE_integer("num_repeats", 3, "Timed steps.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output", None, "JSON to write.", required=True)


def main(_) -> int:
    """Compare what the flags name; return the exit code."""
    compilation_cache.enable()
    for stage in STAGES.value:
        if stage not in ("face", "motion"):
            raise config.unknown_name(stage, ("face", "motion"), "stage")
    output = pathlib.Path(OUTPUT.value)
    rows = json.loads(output.read_text()) if output.exists() else {}
    for dtype, use_remat in one_step.VARIANTS:
        for stage in STAGES.value:
            name = one_step.row_name(stage, dtype, use_remat)
            if name in rows:
                continue
            with tempfile.TemporaryDirectory() as folder:
                experiment = one_step.make_experiment(
                    stage, PRESET.value, dtype, use_remat, BATCH_SIZE.value, folder
                )
                try:
                    rates = timing.measure_rates(dtype)
                    rows[name] = one_step.measure(experiment, rates, NUM_REPEATS.value)
                except jax.errors.JaxRuntimeError as error:  # such as out of memory
                    rows[name] = {"error": str(error).splitlines()[0][:80]}
            gc.collect()
            one_step.compare(rows)
            with media.written_beside(output) as beside:
                beside.write_text(json.dumps(rows, indent=1))
            print(f"{name} {json.dumps(rows[name])}", flush=True)
    print(one_step.to_table(rows))
    return 0


if __name__ == "__main__":
    program.run(main)

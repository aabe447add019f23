"""Write the averaged parameters of one or more runs as one folder to publish.

    python -m experiments.export --workdir=runs/face --workdir=runs/motion \
        --output=checkpoint --dtype=float16

A renderer that was trained on with its motion encoders fixed joins the denoiser that
ships:

    python -m experiments.export --workdir=runs/face --output=checkpoint \
        --rest_from=vasa_jax/weights/demo

`--average_with` takes the mean of that and of an export that it was a warm start of,
which may be better than either; `--average_share` says how much of the export:

    python -m experiments.export --rest_from=trained --output=checkpoint \
        --average_with=vasa_jax/weights/demo --average_share=0.7
"""

import json
import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from absl import flags

from experiments.running import export_settings, program
from experiments.tools import rounding
from vasa_jax import config, export, older_settings
from vasa_jax.animate import trained
from vasa_jax.motion import sampler
from vasa_jax.train import checkpoint, warm_start

WORKDIR = flags.DEFINE_multi_string(
    "workdir", [], "Work folder of a run; give one for each stage."
)
REST_FROM = flags.DEFINE_string(
    "rest_from", None, "Export that gives the stages for which no run is named."
)
AVERAGE_WITH = flags.DEFINE_string(
    "average_with", None, "Export of the same stages to average the weights with."
)
AVERAGE_SHARE = flags.DEFINE_float(
    "average_share", 0.5, "Of that export in the mean.", lower_bound=0, upper_bound=1
)
STEP = flags.DEFINE_integer("step", None, "Checkpoint step; the newest if left.")
OUTPUT = flags.DEFINE_string("output", None, "Folder to write.", required=True)
DTYPE = flags.DEFINE_enum(
    "dtype", "float32", ["float32", "bfloat16", "float16"], "Of the kernels."
)
REMARK = flags.DEFINE_multi_string(
    "remark", [], "Sentence for the model card, such as whom the data show."
)
NAME = flags.DEFINE_string("name", "vasa_jax checkpoint", "Title of the model card.")
COMPARE_ROUNDING = flags.DEFINE_bool(
    "compare_rounding", True, "Measure what a dtype below float32 costs, for the card."
)
DYNAMICS_GAIN = flags.DEFINE_float(
    "dynamics_gain",
    None,
    "How far facial dynamics are overdone when rendered; the run's (1) if left.",
)
IMAGE_SIZE = flags.DEFINE_integer(
    "image_size",
    None,
    "Side of the frames, pixels; with the image shortcut it may be larger than that "
    "of training; the run's if left.",
)
NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Steps in which motion is sampled; the run's if left."
)
SAMPLER = flags.DEFINE_enum(
    "sampler", None, list(sampler.METHODS), "How it is sampled; the run's if left."
)
LICENSE = flags.DEFINE_string("license", "apache-2.0", "Licence of the weights.")


def read_run(workdir: str, step: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what a run would publish.

    Args:
        workdir: its work folder.
        step: of the checkpoint; None takes the newest.

    Returns:
        Parameters by group (averages where there are any), and the checkpoint's
        metadata with `step`.

    Raises:
        UserError: no such checkpoint.
    """
    folder = pathlib.Path(workdir) / checkpoint.FOLDER
    run = checkpoint.RunCheckpoints(folder, is_read_only=True)
    try:
        step = run.latest_step() if step is None else step
        config.require(
            step is not None and (folder / str(step)).is_dir(),
            f"There is no checkpoint of step {step} in {folder}; train first, or name "
            "a step that is there.",
        )
        metadata = {**run.metadata(step), "step": step}
        parts = run.restore_part(step, ("params", "ema"))
    finally:
        run.close()
    params = warm_start.by_todays_names({**parts["params"], **parts.get("ema", {})})
    return {group: params[group] for group in metadata["groups"]}, metadata


def read_rest(
    folder: str, known: Collection[str]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Read the stages of an export that no run has given.

    Args:
        folder: of the export.
        known: groups of parameters that runs have given.

    Returns:
        For each such stage what `read_run` returns.

    Raises:
        UserError: the folder cannot be read, or runs have given all of it.
    """
    params, texts, stages = export.load_export(folder)
    # The gain is the renderer's: another one begins without.
    rest = []
    for metadata in stages.values():
        if set(metadata["groups"]) & set(known):
            continue
        configs = {name: json.loads(texts[name]) for name in metadata["configs"]}
        shapes = trained.read_shaping(texts) is not None
        if "animation" in configs and "face" in known and shapes:
            configs["animation"] = json.loads(export_settings.with_gain(texts, 1.0))
        groups = {group: params[group] for group in metadata["groups"]}
        rest.append((groups, {**metadata, "configs": configs}))
    config.require(
        bool(rest),
        f"--rest_from={folder} names no stage beside those that the runs give "
        f"({', '.join(sorted(known))}); leave the flag out, or name another export.",
    )
    return rest


def average(groups: Mapping[str, Any], folder: str, share: float) -> dict[str, Any]:
    """Average the groups of a stage with those of an export.

    Follows: Wortsman et al. 2022 (model soups): weights that were fine-tuned from one
    another lie in one basin.

    Args:
        groups: parameters by group.
        folder: of the export.
        share: of the export in the mean.

    Returns:
        The mean of both, by group.

    Raises:
        UserError: the export lacks a group, or has it in other sizes.
    """
    other, *_ = export.load_export(folder)
    own = {name: array.shape for name, array in export.flatten(groups).items()}
    there = {
        name: array.shape
        for name, array in export.flatten(other).items()
        if name.split("/")[0] in groups
    }
    config.require(
        own == there,
        f"--average_with={folder} holds other parameters than the stages "
        f"({', '.join(sorted(groups))}); name an export of the same stages and sizes.",
    )
    return {
        name: jax.tree.map(
            lambda a, b: (1.0 - share) * a + share * b, group, other[name]
        )
        for name, group in groups.items()
    }


def same(groups: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Tell whether two sets of parameters agree but for rounding, by group."""
    arrays, others = export.flatten(groups), export.flatten(others)
    return all(np.allclose(a, others[name], 1e-6, 0) for name, a in arrays.items())


def model_card(runs: list[dict[str, Any]], remarks: Sequence[str] = ()) -> str:
    """Write the model card.

    Args:
        runs: metadata of each run.
        remarks: paragraphs that follow the first.

    Returns:
        Markdown with the header that model hubs read.
    """
    lines = [
        "---",
        f"license: {LICENSE.value}",
        "library_name: vasa_jax",
        "tags: [talking-head, jax]",
        "---",
        f"# {NAME.value}",
        "",
        f"Weights in safetensors ({DTYPE.value}); open them with",
        '`vasa_jax.load("this folder")`.',
        *(line for remark in remarks for line in ("", remark)),
    ]
    for run in runs:
        lines += [
            "",
            f"## {run['experiment']}",
            "",
            f"Trained for {run['step']} steps by `{run.get('config_file')}`, preset "
            f"`{run.get('preset')}`; all settings are in `{export.CONFIG_NAME}` and "
            "`manifest.json`.",
            "",
            run["card"],
        ]
        if run["metrics"]:
            lines += ["", "| metric | value |", "|---|---|"]
            lines += [f"| {k} | {v:.6g} |" for k, v in sorted(run["metrics"].items())]
    return "\n".join(lines) + "\n"


def averaged(
    stages: Sequence[tuple[dict[str, Any], dict[str, Any]]], folder: str, share: float
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Average stages with those of an export, and say so in their cards.

    Args:
        stages: for each what `read_run` returns.
        folder, share: as of `average`.

    Returns:
        The same of the means. A stage that is that export's own stays as it is, and is
        called so.

    Raises:
        UserError: as of `average`.
    """
    sentence = (
        "The weights are a mean with those that their training started from "
        f"({share:g} of these)."
    )
    made = []
    for groups, metadata in stages:
        mean = average(groups, folder, share)
        if same(groups, mean):
            made.append((groups, metadata))
        else:
            card = f"{metadata['card']}\n\n{sentence}"
            made.append((mean, {**metadata, "card": card}))
    return made


def join(
    stages: Sequence[tuple[dict[str, Any], dict[str, Any]]],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Put the parameters and the settings of stages together.

    Args:
        stages: for each what `read_run` returns.

    Returns:
        Parameters by group, and settings, JSON with today's names, by model.

    Raises:
        UserError: two stages hold the same group.
    """
    params: dict[str, Any] = {}
    configs: dict[str, Any] = {}
    for groups, metadata in stages:
        for name in groups:
            config.require(
                name not in params,
                f"Two runs hold a group {name!r}; export them to two folders.",
            )
        params |= groups
        configs |= metadata["configs"]
    renewed = older_settings.renew(configs)
    return params, {name: json.dumps(value) for name, value in renewed.items()}


def changed_by_flags(configs: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Change settings as the flags say.

    Args:
        configs: JSON by model.

    Returns:
        The settings, and sentences about them for the model card.

    Raises:
        UserError: a flag is of a model that is not there, or out of its range.
    """
    configs, remarks = dict(configs), []
    if DYNAMICS_GAIN.value is not None:
        configs["animation"] = export_settings.with_gain(configs, DYNAMICS_GAIN.value)
        remarks.append(
            f"Facial dynamics are overdone by {DYNAMICS_GAIN.value:g} when rendered "
            f"(`dynamics_gain` in `{export.CONFIG_NAME}`)."
        )
    if IMAGE_SIZE.value is not None:
        configs["face"] = export_settings.with_image_size(configs, IMAGE_SIZE.value)
    if NUM_STEPS.value is not None or SAMPLER.value is not None:
        configs["animation"] = export_settings.with_sampling(
            configs, NUM_STEPS.value, SAMPLER.value
        )
    return configs, remarks


def main(_) -> int:
    """Export as the flags say; return the exit code."""
    config.require(
        WORKDIR.value or REST_FROM.value is not None,
        "There is nothing to export; give --workdir=FOLDER of a run, or --rest_from.",
    )
    stages = [read_run(workdir, STEP.value) for workdir in WORKDIR.value]
    known = {group for groups, _ in stages for group in groups}
    if REST_FROM.value is not None:
        stages += read_rest(REST_FROM.value, known)
    if AVERAGE_WITH.value is not None:
        stages = averaged(stages, AVERAGE_WITH.value, AVERAGE_SHARE.value)
    params, configs = join(stages)
    if REST_FROM.value is not None and "face" not in known:
        gain = export_settings.gain_of(REST_FROM.value)
        if gain is not None and trained.read_shaping(configs) is not None:
            configs["animation"] = export_settings.with_gain(configs, gain)
    configs, remarks = changed_by_flags(configs)
    remarks += REMARK.value
    is_rounded = DTYPE.value != "float32" and COMPARE_ROUNDING.value
    if is_rounded and rounding.PARTS <= configs.keys():
        remarks.append(rounding.compare(params, configs, DTYPE.value))
        print(remarks[-1])
    runs = [metadata for _, metadata in stages]
    digest = export.save_export(
        OUTPUT.value,
        params,
        configs,
        {run["experiment"]: export.without_folders(run) for run in runs},
        model_card(runs, remarks),
        DTYPE.value,
    )
    count = sum(array.size for array in export.flatten(params).values())
    print(f"{OUTPUT.value}: {count:,} parameters, hash {digest[:16]}")
    return 0


if __name__ == "__main__":
    program.run(main)

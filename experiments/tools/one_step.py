"""One training step of a stage in some arithmetic, on records of noise."""

import dataclasses
import pathlib
import time

import jax
import numpy as np

from datasets.synthetic_heads import names
from experiments.configs import face, face_networks, motion
from experiments.running import timing
from vasa_jax import arkit, types
from vasa_jax.data import records
from vasa_jax.train import batch_names, sharding
from vasa_jax.train import experiment as experiment_lib
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib

VARIANTS = (
    ("float32", True),
    ("bfloat16", True),
    ("bfloat16", False),
    ("float32", False),
)
"""Arithmetic and `use_remat`; the first is what the others are compared with, and the
one that needs most memory comes last."""

AGREEMENT = {"float32": 1e-3, "bfloat16": 0.1}
"""Relative difference of loss and gradient norm that counts as agreement. Ours: float32
differs by the order of sums; bfloat16 keeps two to three digits, and losses of random
parameters are sums of large terms."""

CLIP_FRAMES = 4


def write_clips(folder: pathlib.Path, size: int) -> None:
    """Write clips of noise with the fields that stage one reads.

    Args:
        folder: gets the split `train`.
        size: pixels of a side.
    """
    generator = np.random.default_rng(0)
    (folder / "train").mkdir(parents=True)
    count = len(names.KEYPOINT_NAMES)
    for number in range(4):
        pose = generator.normal(0, 0.1, (CLIP_FRAMES, types.POSE_CHANNELS))
        pose[:, -1] += 1
        record = {
            "clip_id": f"clip_{number}",
            "identity": f"identity_{number // 2}",
            "performance": f"performance_{number % 2}",
            "num_frames": CLIP_FRAMES,
            "video": generator.integers(0, 256, (CLIP_FRAMES, size, size, 3), np.uint8),
            "head_pose": pose.astype(np.float32),
            "arkit": generator.random((CLIP_FRAMES, arkit.NUM_UNITS), np.float32),
            "gaze_in_head": generator.normal(0, 0.1, (CLIP_FRAMES, 2)),
            "keypoints": generator.uniform(-0.5, 0.5, (CLIP_FRAMES, count, 2)),
        }
        records.write_npz_record(folder / "train" / f"clip_{number}.npz", record)


def write_encoded(folder: pathlib.Path, motion_channels: int, audio_channels: int):
    """Write encoded clips of noise.

    Args:
        folder: gets the split `train`.
        motion_channels, audio_channels: M and A.
    """
    generator = np.random.default_rng(0)
    (folder / "train").mkdir(parents=True)
    for number in range(4):
        count = 200
        moving = generator.normal(0, 0.1, (count, motion_channels))
        moving[:, types.POSE_CHANNELS - 1] += 1
        record = {
            "clip_id": f"clip_{number}",
            "motion": moving.astype(np.float32),
            "audio_features": generator.normal(0, 1, (count, audio_channels)),
            "gaze": generator.normal(0, 0.1, 2),
            "head_distance": generator.uniform(0.9, 1.1, 1),
            "emotion": generator.random(len(types.EMOTIONS)),
            "arkit": generator.random((count, arkit.NUM_UNITS)),
            "mouth_opening": generator.random(count),
        }
        records.write_npz_record(folder / "train" / f"clip_{number}.npz", record)


def make_settings(
    stage: str, preset: str, dtype: str, use_remat: bool, batch_size: int, folder
) -> face.FaceExperiment | motion.MotionExperiment:
    """Write records of noise, and fit a stage's settings to them.

    Args:
        stage: "face" or "motion".
        preset: of its experiment file.
        dtype, use_remat: of the model.
        batch_size: rows.
        folder: empty or as an earlier call left it.

    Returns:
        What the stage's experiment file builds from.
    """
    settings = (face if stage == "face" else motion).get_config(preset)
    model = dataclasses.replace(settings.model, dtype=dtype, use_remat=use_remat)
    folder = pathlib.Path(folder) / stage
    if not folder.exists():
        if stage == "face":
            write_clips(folder, model.image_size)
        else:
            write_encoded(folder, model.num_motion_channels, model.num_audio_channels)
    settings = dataclasses.replace(
        settings,
        model=model,
        data_dir=str(folder),
        train=dataclasses.replace(
            settings.train, batch_size=batch_size, accumulation_steps=1
        ),
    )
    if stage == "motion":
        return settings
    # Noise has neither a surface nor a head; and what frozen networks make of it takes
    # the same time and memory whatever their weights are.
    return dataclasses.replace(
        settings,
        face_loss=dataclasses.replace(settings.face_loss, uses_geometry=False),
        perceptual_weights=face_networks.RANDOM,
        identity_weights=face_networks.RANDOM,
    )


def make_experiment(
    stage: str, preset: str, dtype: str, use_remat: bool, batch_size: int, folder
) -> experiment_lib.Experiment:
    """Build a stage's experiment on records of noise; see `make_settings`."""
    settings = make_settings(stage, preset, dtype, use_remat, batch_size, folder)
    return (face if stage == "face" else motion).build(settings)


def measure(
    experiment: experiment_lib.Experiment, rates: timing.Rates, num_repeats: int
) -> dict[str, float]:
    """Take steps of an experiment, sharded as `loop.run` would.

    Args:
        experiment: what to step.
        rates: of the device.
        num_repeats: timed steps after the first.

    Returns:
        Of the first step `loss` and `gradient_norm`; `step_seconds`, `compile_seconds`,
        `temporary_gib`, and `floor_seconds` by counted operations and bytes of state.
    """
    mesh = sharding.make_mesh(f"data:{jax.local_device_count()}")
    data = experiment.train_data()
    batch, _ = batch_names.split_names(next(data))
    data.close()
    batch = sharding.shard_batch(batch, mesh)
    abstract = state_lib.abstract_state(experiment, mesh)
    placed = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    state = jax.jit(lambda: state_lib.init_state(experiment), out_shardings=placed)()
    start = time.perf_counter()
    lowered = jax.jit(
        step_lib.make_step(experiment),
        donate_argnums=0,
        out_shardings=(placed, sharding.replicated(mesh)),
    ).lower(state, batch)
    step = lowered.compile()
    compile_seconds = time.perf_counter() - start
    group = next(iter(experiment.task.losses))
    moved = 2 * timing.num_bytes(state.params, state.opt_state, state.ema)
    state, found = step(state, batch)
    first = {name: float(value) for name, value in jax.device_get(found).items()}

    def again():
        nonlocal state
        state, metrics = step(state, batch)
        return metrics

    seconds = timing.median_seconds(again, num_repeats)
    memory = step.memory_analysis()
    cost = lowered.cost_analysis() or {}
    return {
        "loss": first[f"{group}/loss"],
        "gradient_norm": first[f"{group}/gradient_norm"],
        "step_seconds": seconds,
        "compile_seconds": compile_seconds,
        "temporary_gib": memory.temp_size_in_bytes / 2**30 if memory else 0.0,
        "floor_seconds": rates.floor_seconds(float(cost.get("flops", 0.0)), moved),
    }


def compare(rows: dict[str, dict]) -> None:
    """Add to each row how much it differs from the first of its stage.

    Ours: relative difference of loss and gradient norm, the larger.
    """
    for name, row in rows.items():
        stage = name.split()[0]
        reference = rows.get(row_name(stage, *VARIANTS[0]))
        if reference is None or "loss" not in reference or "loss" not in row:
            continue
        row["difference"] = max(
            abs(row[key] - reference[key]) / max(abs(reference[key]), 1e-9)
            for key in ("loss", "gradient_norm")
        )
        row["agrees"] = row["difference"] <= AGREEMENT[name.split()[1]]


def to_table(rows: dict[str, dict]) -> str:
    """Lay rows out as a Markdown table."""
    lines = [
        "| stage, arithmetic, activations | loss | gradient | differs | s a step | "
        "times the floor | GiB | s to compile |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if "error" in row:
            lines.append(f"| {name} | {row['error']} | | | | | | |")
            continue
        word = {True: "agrees", False: "DISAGREES", None: ""}[row.get("agrees")]
        lines.append(
            f"| {name} | {row['loss']:.5g} | {row['gradient_norm']:.5g} | "
            f"{row.get('difference', 0):.2g} {word} | {row['step_seconds']:.4g} | "
            f"{row['step_seconds'] / row['floor_seconds']:.1f} | "
            f"{row['temporary_gib']:.3g} | {row['compile_seconds']:.0f} |"
        )
    return "\n".join(lines)


def row_name(stage: str, dtype: str, use_remat: bool) -> str:
    """Return what the table calls a variant of a stage."""
    return f"{stage} {dtype} {'recomputed' if use_remat else 'kept'}"

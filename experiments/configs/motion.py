"""Stage two: the motion denoiser, on clips that `experiments.encode` has encoded.

    python -m experiments.train --config=experiments/configs/motion.py --preset=demo \
        --workdir=runs/motion --set=data_dir=ENCODED --set=face_export=FACE

FACE, an export of stage one, serves the lip loss; leave it out to train without.

What each preset takes and gives, and how to read the figures of an evaluation:
`docs/training.md`.
"""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from experiments.running import clip_batches, data_card
from vasa_jax import config, export, types
from vasa_jax.animate import trained
from vasa_jax.data import examples, mixed_sets, pipeline, records
from vasa_jax.encode import encoding
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.motion import conditions, losses, normalization, windows
from vasa_jax.motion import config as motion_config
from vasa_jax.motion import training as motion_training
from vasa_jax.motion.shaping.config import ShapingConfig
from vasa_jax.train import experiment, optimizer

PRESETS = ("demo", "demo_gpu", "vasa1", "vasa1_quarter", "tiny")

MAX_STATISTICS_RECORDS = 2000
"""Records that the normalisation is measured on. Ours: enough for two digits."""

STREAMING_DROPOUT = conditions.DropoutConfig(last_frames=0.5)
"""Ours: as often as not, since these denoisers are used live, with the shortest windows
that they take, as well as offline."""

PAPER_DROPOUT = conditions.DropoutConfig(liveliness=1.0)
"""Paper: no condition on how lively a head is."""

CARD = """Motion was learned from encoded talking-head clips; see the stage-one card
for the clips themselves."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionExperiment:
    """Settings of stage two.

    Attributes:
        model: sizes; channels must be those of the encoded clips.
        data_dir: folder of encoded clips, with the splits train and validation;
            several, with commas between them, are read as one.
        evaluation_split: of the clips that evaluations measure.
        face_export: stage one's export, for the lip loss; None trains without.
        sampling: how evaluations and animations sample.
        shaping: what animations do to motion beyond the paper; None is the paper.
        train: the run.
        optimizer: of the denoiser.
        loss: weights.
        dropout: how often conditions are hidden.
        data: workers and threads.
    """

    model: motion_config.MotionConfig
    data_dir: str = "data/encoded"
    evaluation_split: str = "validation"
    face_export: str | None = None
    sampling: motion_config.SamplingConfig
    shaping: ShapingConfig | None
    train: experiment.TrainConfig
    optimizer: optimizer.OptimizerConfig
    loss: losses.LossConfig = losses.LossConfig()
    dropout: conditions.DropoutConfig = conditions.DropoutConfig()
    data: pipeline.PipelineConfig = pipeline.PipelineConfig()


def get_config(preset: str) -> MotionExperiment:
    """Return the settings of a preset."""
    return {
        "demo": _demo,
        "demo_gpu": _demo_gpu,
        "vasa1": _vasa1,
        "vasa1_quarter": _vasa1_quarter,
        "tiny": _tiny,
    }[preset]()


def _animation(preset: str) -> dict[str, Any]:
    """Return `sampling` and `shaping` as checkpoints of a preset are used."""
    used = trained.PRESETS[preset]()
    return {"sampling": used.sampling, "shaping": used.shaping}


def _demo() -> MotionExperiment:
    return MotionExperiment(
        model=motion_config.demo(),
        **_animation("demo"),
        train=experiment.TrainConfig(
            batch_size=16, num_steps=5000, evaluate_every_steps=500
        ),
        optimizer=optimizer.for_transformers(1e-3, 100, 0.995),
        dropout=STREAMING_DROPOUT,
    )


def _demo_gpu() -> MotionExperiment:
    return MotionExperiment(
        model=motion_config.demo(),
        **_animation("demo"),
        train=experiment.TrainConfig(
            batch_size=64, num_steps=2500, evaluate_every_steps=500
        ),
        optimizer=optimizer.for_transformers(1e-3, 100, 0.998),
        dropout=STREAMING_DROPOUT,
    )


def _vasa1() -> MotionExperiment:
    return MotionExperiment(
        model=dataclasses.replace(motion_config.vasa1(), dtype="bfloat16"),
        **_animation("vasa1"),
        train=experiment.TrainConfig(
            batch_size=128,
            num_steps=300_000,
            evaluate_every_steps=5000,
            save_every_steps=2000,
        ),
        optimizer=optimizer.for_transformers(2e-4, 2000, 0.9999),
        loss=losses.PAPER,
        dropout=PAPER_DROPOUT,
    )


def _vasa1_quarter() -> MotionExperiment:
    """Learn ten clips by heart: see `experiments/overfit.sh`."""
    return MotionExperiment(
        model=motion_config.vasa1_quarter(),
        **_animation("vasa1_quarter"),
        train=experiment.TrainConfig(
            batch_size=8, num_steps=2000, evaluate_every_steps=250
        ),
        optimizer=optimizer.for_transformers(1e-3, 100, 0.99),
        loss=losses.PAPER,
        dropout=PAPER_DROPOUT,
    )


def _tiny() -> MotionExperiment:
    return MotionExperiment(
        model=motion_config.tiny(),
        **_animation("tiny"),
        train=experiment.TrainConfig(
            batch_size=8,
            num_steps=20,
            log_every_steps=5,
            evaluate_every_steps=10,
            save_every_steps=10,
        ),
        optimizer=optimizer.for_transformers(2e-3, 2, 0.9),
    )


def build(settings: MotionExperiment) -> experiment.Experiment:
    """Build the experiment.

    Args:
        settings: of a preset, with changes.

    Returns:
        What `experiments.train` runs.

    Raises:
        UserError: no encoded clips, or channels that differ from the model's.
    """
    model = settings.model
    folders = mixed_sets.split_folders(settings.data_dir)
    clips = mixed_sets.open_folders(settings.data_dir, "train")
    first = next(_some_records(clips), None)
    config.require(
        first is not None,
        f"No clip in {settings.data_dir!r} can be read; encode them again.",
    )
    check_channels(first, model)
    task = motion_training.MotionTask(
        model,
        normalization.measure(_some_records(clips), model.window_frames),
        settings.loss,
        settings.dropout,
        read_arkit_function(settings.face_export, model),
        settings.sampling,
        settings.shaping,
    )

    make_example = functools.partial(_cut, model)

    train_data, evaluation_data = clip_batches.of_clips(
        clips,
        functools.partial(
            mixed_sets.open_folders, settings.data_dir, settings.evaluation_split
        ),
        make_example,
        settings.train,
        settings.data,
    )
    return experiment.Experiment(
        name="motion",
        task=task,
        settings=settings.train,
        optimizers={motion_training.GROUP: settings.optimizer},
        train_data=train_data,
        evaluation_data=evaluation_data,
        evaluate=task.evaluate,
        model_configs={
            "motion": model,
            **read_animation(folders, settings.sampling, settings.shaping),
        },
        export_groups=(motion_training.GROUP, motion_training.STATISTICS_GROUP),
        frames_per_example=model.window_frames,
        card=" ".join(filter(None, [CARD, *map(data_card.describe, folders)])),
    )


def _cut(
    model: motion_config.MotionConfig,
    generator: np.random.Generator,
    record: records.Record,
) -> examples.Example:
    """Cut one window of a clip, also in another process."""
    return windows.cut(
        record,
        generator,
        window_frames=model.window_frames,
        previous_frames=model.previous_frames,
    )


def _some_records(clips: records.Records) -> Iterator[records.Record]:
    """Read at most `MAX_STATISTICS_RECORDS`, evenly over the set; leave out corrupt."""
    count = min(len(clips), MAX_STATISTICS_RECORDS)
    fields = ["motion", "audio_features", "gaze", "head_distance"]
    for index in np.linspace(0, len(clips) - 1, count).astype(int):
        try:
            yield clips.read(int(index), fields)
        except records.CorruptRecordError:
            continue


def read_animation(
    folders: Sequence[str],
    sampling: motion_config.SamplingConfig,
    shaping: ShapingConfig | None,
) -> dict[str, trained.AnimationConfig]:
    """Return how a checkpoint is used, if the encoded clips say what encoded voices.

    Args:
        folders: that `experiments.encode` filled.
        sampling, shaping: of the experiment.

    Returns:
        `{"animation": ...}` with the audio encoder of the clips and, where it does not
        come with the package, the file of its weights; or nothing.

    Raises:
        UserError: the folders name different ones.
    """
    found = []
    for folder in folders:
        file = pathlib.Path(folder) / encoding.SETTINGS_NAME
        text = file.read_text(encoding="utf-8") if file.is_file() else "{}"
        found.append(json.loads(text))
        config.require(
            found[-1] == found[0],
            f"{folders[0]!r} and {folder!r} were encoded differently; encode both with "
            "the same --checkpoint and --audio_encoder.",
        )
    named = {k: v for k, v in found[0].items() if k.startswith("audio_")}
    if not named:
        return {}
    encoded = config.from_json(trained.AnimationConfig, json.dumps(named))
    animation = dataclasses.replace(encoded, sampling=sampling, shaping=shaping)
    return {"animation": animation}


def check_channels(record: records.Record, model: motion_config.MotionConfig) -> None:
    """Refuse clips whose channels are not the model's.

    Args:
        record: an encoded record.
        model: sizes.

    Raises:
        UserError: they differ.
    """
    for field, name in (
        ("motion", "num_motion_channels"),
        ("audio_features", "num_audio_channels"),
    ):
        given, wanted = record[field].shape[-1], getattr(model, name)
        config.require(
            given == wanted,
            f"The encoded clips have {given} channels of {field} and the model takes "
            f"{wanted}; add --set=model.{name}={given}.",
        )


def read_arkit_function(
    folder: str | None, model: motion_config.MotionConfig
) -> losses.ArkitFunction | None:
    """Return stage one's read-out of ARKit weights from facial dynamics.

    Args:
        folder: an export of stage one; None gives None.
        model: sizes of stage two, which must fit.

    Returns:
        From `[..., Z]` to `[..., 52]`, or None.

    Raises:
        UserError: no face model there, or one of another number of dynamics.
    """
    if folder is None:
        return None
    params, configs, _ = export.load_export(folder)
    config.require(
        "face" in configs and "face" in params,
        f"The export {folder!r} holds no face model; give one of stage one.",
    )
    sizes = config.from_json(face_config.FaceConfig, configs["face"])
    dynamics = model.num_motion_channels - types.POSE_CHANNELS
    config.require(
        sizes.dynamics_channels == dynamics,
        f"The face model in {folder!r} has {sizes.dynamics_channels} channels of "
        f"facial dynamics and the clips {dynamics}; give the export that encoded them.",
    )
    face = face_model.FaceModel(sizes)

    def read(facial_dynamics: jax.Array) -> jax.Array:
        readout = face.apply(
            {"params": params["face"]}, facial_dynamics, method="read_dynamics"
        )
        return readout.arkit

    return read

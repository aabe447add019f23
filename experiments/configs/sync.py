"""The lip-sync network of `S_C (own)` and `S_D (own)`, on encoded lips.

    python -m experiments.tools.encode_lips --data_dir=data/heads --output_dir=data/lips
    python -m experiments.train --config=experiments/configs/sync.py --preset=demo \
        --workdir=runs/sync --set=data_dir=data/lips
    python -m experiments.export --workdir=runs/sync --output=sync --dtype=float16

Moved photographs and real videos join by `--set=data_dir=data/photo_lips,data/lips`,
encoded likewise from what `datasets.photo_heads` and `datasets.video_clips` make, also
from the network that ships (`--init_from=vasa_jax/weights/sync`). Without filmed people
its scores favour systems that learnt on the same kinds of heads.

Presets:

- `demo`: about 15 minutes of two CPU cores (0.5 s a step, measured). What ships went
  600 steps further on moved photographs (docs/log/run_31_lips_of_photographs.md).
- `paper`: the widths of SyncNet, for a GPU and real video; nothing measured.
- `tiny`: for tests.

`far_accuracy`, pair by pair and from windows of 0.2 s alone, is 0.5 by chance and well
above it when training works; a clip averages over many windows
(`experiments.sync_tables`).
"""

import dataclasses
import functools

import numpy as np

from experiments.running import clip_batches, data_card, scorer_training
from vasa_jax import config
from vasa_jax.data import examples, mixed_sets, pipeline, records
from vasa_jax.evaluation.networks import lip_sync
from vasa_jax.train import experiment, optimizer

PRESETS = ("demo", "paper", "tiny")

FIELDS = ("lips", "audio_features")
"""What training needs of a record."""

WEIGHT_DECAY = 0.05
"""Ours: clips are few."""

CARD = """Tells how well lips and sound belong together, in the manner of SyncNet.
Scores are comparable among scores of these weights only, not with those of the
published network. Unless filmed people are among its data, it favours systems that
learnt on the same kinds of heads."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyncExperiment:
    """Settings of the lip-sync network.

    Attributes:
        model: sizes; channels must be those of the encoded clips.
        data_dir: folder of encoded lips, with the splits train and validation; or
            several with commas between them, of which the first evaluates.
        windows_per_clip: different windows of each clip of a batch.
        train: the run; its batch size counts clips.
        optimizer: of both networks.
        data: workers and threads.
    """

    model: lip_sync.LipSyncConfig
    data_dir: str = "data/lips"
    windows_per_clip: int = scorer_training.LIP_WINDOWS
    train: experiment.TrainConfig
    optimizer: optimizer.OptimizerConfig
    data: pipeline.PipelineConfig = pipeline.PipelineConfig()

    def __post_init__(self) -> None:
        config.require_positive(self, "windows_per_clip")


def get_config(preset: str) -> SyncExperiment:
    """Return the settings of a preset."""
    return {"demo": _demo, "paper": _paper, "tiny": _tiny}[preset]()


def _demo() -> SyncExperiment:
    return SyncExperiment(
        model=lip_sync.demo(),
        train=experiment.TrainConfig(
            batch_size=12,
            num_steps=1650,
            log_every_steps=50,
            evaluate_every_steps=300,
            save_every_steps=300,
        ),
        optimizer=optimizer.for_transformers(1e-3, 100, 0.99, WEIGHT_DECAY),
    )


def _paper() -> SyncExperiment:
    return SyncExperiment(
        model=lip_sync.paper(),
        train=experiment.TrainConfig(
            batch_size=64,
            num_steps=100_000,
            evaluate_every_steps=2000,
            save_every_steps=2000,
        ),
        optimizer=optimizer.for_transformers(3e-4, 1000, 0.999, WEIGHT_DECAY),
    )


def _tiny() -> SyncExperiment:
    return SyncExperiment(
        model=lip_sync.tiny(),
        windows_per_clip=4,
        train=experiment.TrainConfig(
            batch_size=2,
            num_steps=10,
            log_every_steps=5,
            evaluate_every_steps=10,
            save_every_steps=10,
        ),
        optimizer=optimizer.for_transformers(2e-3, 2, 0.9, WEIGHT_DECAY),
    )


def build(settings: SyncExperiment) -> experiment.Experiment:
    """Build the experiment.

    Args:
        settings: of a preset, with changes.

    Returns:
        What `experiments.train` runs.

    Raises:
        UserError: no encoded lips, or channels that differ from the model's.
    """
    model = settings.model
    folders = mixed_sets.split_folders(settings.data_dir)
    clips = mixed_sets.open_folders(settings.data_dir, "train")
    for folder, part in zip(folders, mixed_sets.parts_of(clips), strict=True):
        features = part.read(0, list(FIELDS))["audio_features"]
        config.require(
            features.shape[-1] == model.num_audio_channels,
            f"The clips of {folder!r} have {features.shape[-1]} channels of "
            f"audio_features and the model takes {model.num_audio_channels}; add "
            f"--set=model.num_audio_channels={features.shape[-1]}.",
        )
    task = scorer_training.LipSyncTask(model)
    make_example = functools.partial(_cut, model, settings.windows_per_clip)

    train_data, evaluation_data = clip_batches.of_clips(
        clips,
        functools.partial(records.open_folder, folders[0], "validation"),
        make_example,
        settings.train,
        settings.data,
    )
    described = " ".join(data_card.describe(folder) for folder in folders)
    return experiment.Experiment(
        name="sync",
        task=task,
        settings=settings.train,
        optimizers={lip_sync.GROUP: settings.optimizer},
        train_data=train_data,
        evaluation_data=evaluation_data,
        evaluate=task.evaluate,
        model_configs={"sync": model},
        export_groups=(lip_sync.GROUP,),
        frames_per_example=model.window_frames * settings.windows_per_clip,
        card=f"{CARD} {described}".rstrip(),
    )


def _cut(
    sizes: lip_sync.LipSyncConfig,
    num_windows: int,
    generator: np.random.Generator,
    record: records.Record,
) -> examples.Example:
    """Cut the windows of a clip, also in another process."""
    return scorer_training.cut_lips(
        record, generator, sizes=sizes, num_windows=num_windows
    )

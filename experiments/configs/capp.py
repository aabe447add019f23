"""CAPP: a contrastive score of voice and head movement, on encoded clips.

    python -m experiments.encode_performances --checkpoint=vasa_jax/weights/demo \
        --output_dir=data/poses --num_clips=500 --seconds=8
    python -m experiments.train --config=experiments/configs/capp.py --preset=demo \
        --workdir=runs/capp --set=data_dir=data/poses
    python -m experiments.export --workdir=runs/capp --output=capp --dtype=float16

Any folder of encoded clips does, such as those of `experiments.encode`: clips must be
longer than a window. Those of three seconds want `--set=model.window_frames=50`.

Real videos and moved photographs join by `--set=data_dir=data/poses,data/encoded`,
encoded by `experiments.encode` from what `datasets.video_clips` and
`datasets.photo_heads` make; without them the network has heard and seen synthetic
performances only, and its scores favour systems that learnt from these.

Presets:

- `demo`: about 3 minutes of one quiet CPU core after the encoding (0.4 s a step,
  measured); 0.2 M parameters; the network that ships was stopped at step 320.
- `paper`: the widths of the paper's motion transformer, for a GPU and real video;
  nothing measured.
- `tiny`: for tests.

`cosine` should be well above `cosine_shifted`, and `cosine_other` near 0; then
`experiments.capp_tables` prints the paper's two sanity tables.
"""

import dataclasses
import functools

import numpy as np

from experiments.running import clip_batches, data_card, scorer_training
from vasa_jax import config
from vasa_jax.data import examples, mixed_sets, pipeline, records
from vasa_jax.evaluation.networks import capp
from vasa_jax.train import experiment, optimizer

PRESETS = ("demo", "paper", "tiny")

FIELDS = ("motion", "audio_features")
"""What is read of a record."""

WEIGHT_DECAY = 0.05
"""Ours: clips are few."""

CARD = """A contrastive score of how well head movement goes with a voice (CAPP, VASA-1
section 4.1). Scores are comparable among scores of these weights only, not with the
paper's. What is learned from performances of `datasets.synthetic_heads` alone knows
how those heads move: it tells nothing of filmed people, who score by chance."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CappExperiment:
    """Settings of CAPP.

    Attributes:
        model: sizes; channels must be those of the encoded clips.
        data_dir: folder of encoded clips, with the splits train and validation; or
            several with commas between them, of which the first evaluates.
        windows_per_clip: different windows of each clip of a batch.
        train: the run; its batch size counts clips.
        optimizer: of both encoders.
        data: workers and threads.
    """

    model: capp.CappConfig
    data_dir: str = "data/poses"
    windows_per_clip: int = scorer_training.CAPP_WINDOWS
    train: experiment.TrainConfig
    optimizer: optimizer.OptimizerConfig
    data: pipeline.PipelineConfig = pipeline.PipelineConfig()

    def __post_init__(self) -> None:
        config.require_positive(self, "windows_per_clip")


def get_config(preset: str) -> CappExperiment:
    """Return the settings of a preset."""
    return {"demo": _demo, "paper": _paper, "tiny": _tiny}[preset]()


def _demo() -> CappExperiment:
    return CappExperiment(
        model=capp.demo(),
        train=experiment.TrainConfig(
            batch_size=8,
            num_steps=400,
            log_every_steps=20,
            evaluate_every_steps=100,
            save_every_steps=50,
        ),
        optimizer=optimizer.for_transformers(2e-3, 50, 0.99, WEIGHT_DECAY),
    )


def _paper() -> CappExperiment:
    return CappExperiment(
        model=capp.paper(),
        train=experiment.TrainConfig(
            batch_size=128,
            num_steps=100_000,
            evaluate_every_steps=2000,
            save_every_steps=2000,
        ),
        optimizer=optimizer.for_transformers(2e-4, 1000, 0.999, WEIGHT_DECAY),
    )


def _tiny() -> CappExperiment:
    return CappExperiment(
        model=capp.tiny(),
        train=experiment.TrainConfig(
            batch_size=4,
            num_steps=10,
            log_every_steps=5,
            evaluate_every_steps=10,
            save_every_steps=10,
        ),
        optimizer=optimizer.for_transformers(2e-3, 2, 0.9, WEIGHT_DECAY),
    )


def build(settings: CappExperiment) -> experiment.Experiment:
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
    for folder, part in zip(folders, mixed_sets.parts_of(clips), strict=True):
        given = part.read(0, list(FIELDS))["audio_features"].shape[-1]
        config.require(
            given == model.num_audio_channels,
            f"The clips of {folder!r} have {given} channels of audio_features and the "
            f"model takes {model.num_audio_channels}; add "
            f"--set=model.num_audio_channels={given}.",
        )
    task = scorer_training.CappTask(model)
    make_example = functools.partial(
        _cut, model.window_frames, settings.windows_per_clip
    )

    train_data, evaluation_data = clip_batches.of_clips(
        clips,
        functools.partial(records.open_folder, folders[0], "validation"),
        make_example,
        settings.train,
        settings.data,
    )
    described = " ".join(data_card.describe(folder) for folder in folders)
    return experiment.Experiment(
        name="capp",
        task=task,
        settings=settings.train,
        optimizers={capp.GROUP: settings.optimizer},
        train_data=train_data,
        evaluation_data=evaluation_data,
        evaluate=task.evaluate,
        model_configs={"capp": model},
        export_groups=(capp.GROUP,),
        frames_per_example=model.window_frames * settings.windows_per_clip,
        card=f"{CARD} {described}".rstrip(),
    )


def _cut(
    window_frames: int,
    num_windows: int,
    generator: np.random.Generator,
    record: records.Record,
) -> examples.Example:
    """Cut the windows of a clip, also in another process."""
    return scorer_training.cut_turns(
        record, generator, window_frames=window_frames, num_windows=num_windows
    )

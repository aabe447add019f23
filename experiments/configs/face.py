"""Stage one: the face latent model, in two steps.

First the motion encoders, taught by the truth of synthetic heads, then the renderer
with the encoders as they are:

    python -m datasets.synthetic_heads.build --output_dir=DATA --num_clips=4000 \
        --size=256
    python -m experiments.train --config=experiments/configs/face.py \
        --preset=demo_encoders --workdir=runs/encoders --set=data_dir=DATA
    python -m experiments.export --workdir=runs/encoders --output=runs/encoders/export
    python -m experiments.train --config=experiments/configs/face.py --preset=demo \
        --workdir=runs/face --set=data_dir=DATA --init_from=runs/encoders/export

A decoder is taught by the frames of another export, whose own is wider, such as one
trained with `--set=model.decoder_channels=144,96,56 --set=model.detail_channels=16`:

    python -m experiments.train --config=experiments/configs/face.py \
        --preset=demo_distillation --workdir=runs/narrow --set=data_dir=PHOTOS,DATA \
        --init_from=runs/wide/export --set=teacher=runs/wide/export

Mouths and eyes that are drawn last, from the renderer's export, which it changes
nothing else of:

    python -m experiments.train --config=experiments/configs/face.py \
        --preset=demo_drawing --workdir=runs/drawing --set=data_dir=PHOTOS,DATA \
        --init_from=runs/face/export

The paper's scale, at 256 px and then, from the same networks, at 512 px; the second run
takes over face model and discriminator from the first one's work folder:

    python -m experiments.train --config=experiments/configs/face.py \
        --preset=vasa1_256 --workdir=runs/face256 --set=data_dir=DATA --mesh=data:-1 \
        --set=perceptual_weights=VGG16.npz --set=identity_weights=MobileFaceNet.onnx
    python -m experiments.train --config=experiments/configs/face.py --preset=vasa1 \
        --workdir=runs/face512 --set=data_dir=DATA --mesh=data:-1 \
        --init_from=runs/face256 \
        --set=perceptual_weights=VGG16.npz --set=identity_weights=MobileFaceNet.onnx

Losses by frozen networks, in these two presets and `demo_gpu`, read them from files:
`face_loss.perceptual` VGG16 as `experiments.tools.pack_lpips` packs it, and
`face_loss.cross_identity` a face network, MobileFaceNet as ONNX (foamliu/MobileFaceNet,
Apache-2.0, exported with its 112 px input; its data, MS-Celeb-1M, were withdrawn by
their makers, so judge yourself whether you may use it). `random` in place of a file
draws weights, for tests and dry runs; `--set=face_loss.NAME=0` leaves a loss out.

What each preset takes and gives, what was measured and what not: `docs/training.md`.
`docs/log` has the runs behind them; `--dry_run` counts parameters, memory and
operations of any settings, and `experiments.tools.full_step` takes one step.
"""

import dataclasses
import functools
import pathlib
from typing import Literal

import jax
import numpy as np

from datasets import exact_features, exact_flow
from datasets.synthetic_heads import names
from experiments.configs import face_fields, face_networks, face_presets
from experiments.running import data_card
from vasa_jax import arkit, media
from vasa_jax.data import examples as data_examples
from vasa_jax.data import mixed_sets, pipeline
from vasa_jax.face import (
    augmentation,
    distillation,
    encoder_training,
    examples,
    half_size,
)
from vasa_jax.face import config as face_config
from vasa_jax.face import training as face_training
from vasa_jax.face.drawing import training as drawing
from vasa_jax.train import batch_names, experiment
from vasa_jax.train import optimizer as optimizer_lib

PRESETS = tuple(face_presets.VARIANTS)

Part = Literal["encoders", "renderer", "distillation", "drawing"]

PARTS = {
    "encoders": "encoders",
    "renderer": "face",
    "distillation": "distillation",
    "drawing": "drawing",
}
"""What is trained by itself, and what the run is called."""

CARD = """Trained on synthetic talking heads made by `datasets.synthetic_heads`: no
person's likeness is in the data. The heads' shapes are MakeHuman's (CC0)."""

PHOTO_CARD = """Trained, at least in the end, on portraits moved by
`datasets.photo_heads`, beside synthetic heads: where these show real people, their
consent and the pictures' licences bind who uses or passes on this model."""

VIDEO_CARD = """Trained, at least in the end, on clips of videos cut by
`datasets.video_clips`: real people may be in the data, so their consent and the
videos' licences bind who uses or passes on this model."""

MOUTH_WEIGHT = 3.0
"""Weight of the units that shape lips, jaw and lids among the 52. Ours: these carry
speech and blinks."""

IMPORTANT_UNITS = (
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthRollLower",
    "mouthRollUpper",
    "eyeBlinkLeft",
    "eyeBlinkRight",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceExperiment:
    """Settings of stage one.

    Attributes:
        model: sizes.
        part: what is trained: the motion encoders, on single frames; the renderer; its
            decoder alone, on another's frames; or what draws mouths and eyes, on
            frames of one clip.
        data_dir: folder of a set made by `datasets`; several, with commas between
            them, are read as one.
        evaluation_split: of the clips that evaluations measure and draw.
        train: the run.
        optimizer: of the face model.
        discriminator_channels: of the discriminator; None takes its own widths.
        discriminator_learning_rate: the peak of the discriminator, where a loss wants
            one; its schedule is the face model's.
        encoder_loss, face_loss: weights.
        augment: how far drivers are changed, of `augmentation.AMOUNTS`.
        example: how examples are cut.
        data: workers and threads.
        perceptual_weights, identity_weights: npz of VGG16 and ONNX of MobileFaceNet,
            for the losses that compare by them; `random` draws weights, for tests and
            for measuring speed. See `experiments.configs.face_networks`.
        teacher: export whose frames teach the decoder.
    """

    model: face_config.FaceConfig
    part: Part = "renderer"
    data_dir: str = "data/heads"
    evaluation_split: str = "validation"
    train: experiment.TrainConfig = experiment.TrainConfig()
    optimizer: optimizer_lib.OptimizerConfig = optimizer_lib.OptimizerConfig()
    discriminator_channels: tuple[int, ...] | None = None
    discriminator_learning_rate: float = 2e-4
    encoder_loss: encoder_training.EncoderLossConfig = (
        encoder_training.EncoderLossConfig()
    )
    face_loss: face_training.FaceLossConfig = face_training.FaceLossConfig()
    augment: Literal["severe", "mild"] = "severe"
    example: examples.ExampleConfig = examples.ExampleConfig()
    data: pipeline.PipelineConfig = pipeline.PipelineConfig()
    perceptual_weights: str | None = None
    identity_weights: str | None = None
    teacher: str | None = None


def get_config(preset: str) -> FaceExperiment:
    """Return the settings of a preset."""
    part = next((p for p in PARTS if preset.endswith(f"_{p}")), "renderer")
    name = preset if preset in face_config.PRESETS else preset.split("_")[0]
    model = face_config.PRESETS[name]()
    if preset == face_presets.HALF_SIZE:
        model = half_size.halved(model)
    settings = FaceExperiment(model=model, part=part)
    return face_presets.VARIANTS[preset](settings)


def expression_weight() -> np.ndarray:
    """Return the `[52]` weights of the units, with mean 1."""
    weight = np.array(
        [MOUTH_WEIGHT if name in IMPORTANT_UNITS else 1.0 for name in arkit.NAMES]
    )
    return (weight / weight.mean()).astype(np.float32)


def build(settings: FaceExperiment) -> experiment.Experiment:
    """Build the experiment; see `experiment.Experiment`."""
    task = make_task(settings)

    @functools.cache
    def drawn(is_training: bool):
        split = "train" if is_training else settings.evaluation_split
        return make_examples(settings, split, is_training)

    def train_data():
        return pipeline.training_batches(
            drawn(True),
            batch_size=settings.train.batch_size,
            seed=settings.train.seed,
            settings=settings.data,
        )

    def evaluation_data():
        return pipeline.evaluation_batches(
            drawn(False), batch_size=settings.train.batch_size
        )

    optimizers = {"face": settings.optimizer}
    if "discriminator" in task.losses:
        optimizers["discriminator"] = discriminator_optimizer(settings)
    return experiment.Experiment(
        name=PARTS[settings.part],
        task=task,
        settings=settings.train,
        optimizers=optimizers,
        train_data=train_data,
        evaluation_data=evaluation_data,
        evaluate=task.evaluate,
        report=functools.partial(_write_strip, settings, task, drawn)
        if settings.part == "renderer"
        else None,
        model_configs={"face": settings.model},
        export_groups=("face",),
        card=make_card(settings.data_dir),
    )


def discriminator_optimizer(settings: FaceExperiment) -> optimizer_lib.OptimizerConfig:
    """Return how the discriminator is trained: on the face model's schedule.

    Follows: EMOPortraits for the betas. Ours: no average, as nothing evaluates by it.
    """
    usual = optimizer_lib.OptimizerConfig()
    return dataclasses.replace(
        settings.optimizer,
        learning_rate=settings.discriminator_learning_rate,
        rates=(),
        beta1=usual.beta1,
        beta2=usual.beta2,
        ema_decay=None,
    )


def make_card(data_dir: str) -> str:
    """Say for model cards what the model has seen."""
    folders = mixed_sets.split_folders(data_dir)
    names = set().union(*map(face_fields.set_names, folders))
    card = PHOTO_CARD if face_fields.PHOTO_SET in names else CARD
    card = VIDEO_CARD if face_fields.VIDEO_SET in names else card
    return " ".join(filter(None, [card, *map(data_card.describe, folders)]))


def make_task(settings: FaceExperiment):
    """Return the task of the settings."""
    amounts = augmentation.AMOUNTS[settings.augment]
    if settings.part == "drawing":
        return drawing.DrawingTask(settings.model)
    if settings.part == "distillation":
        return distillation.DistillationTask(
            settings.model, *face_networks.load_teacher(settings.teacher)
        )
    if settings.part == "encoders":
        return encoder_training.EncoderTask(
            settings.model, settings.encoder_loss, amounts, expression_weight()
        )
    return face_training.FaceTask(
        settings.model,
        settings.face_loss,
        amounts,
        expression_weight(),
        discriminator_channels=settings.discriminator_channels,
        **face_networks.load(settings),
    )


def make_examples(
    settings: FaceExperiment, split: str, is_training: bool = True
) -> data_examples.Examples:
    """Open the data set's split and return what can be drawn from it."""
    opened = mixed_sets.open_folders(settings.data_dir, split)
    face_fields.check(opened, settings)
    if not is_training:
        # What is measured is as clips are.
        example = dataclasses.replace(
            settings.example, blink_share=0.0, wide_share=0.0, cast_share=0.0
        )
        settings = dataclasses.replace(settings, example=example)
    if settings.part != "renderer":
        return data_examples.RecordExamples(
            opened, functools.partial(_frames, settings)
        )
    return data_examples.PairExamples(
        opened,
        functools.partial(_pair, settings),
        num_same=2,
        match_field="performance",
    )


def _frames(settings, rng, record):
    size = settings.model.image_size
    if settings.part != "drawing":
        return examples.frames(rng, record, size)
    share = settings.example.blink_share
    return examples.frames(rng, record, size, exact_features.find, share)


def _pair(settings, rng, same, other):
    exact = None
    if face_fields.uses_geometry(settings):
        exact = examples.Geometry(
            size=settings.model.flow_size,
            flow_function=exact_flow.between,
        )
    return examples.pair(
        rng,
        same,
        other,
        config=settings.example,
        image_size=settings.model.image_size,
        region_indices=tuple(map(names.KEYPOINT_NAMES.index, examples.REGIONS)),
        exact=exact,
    )


def _write_strip(settings, task, drawn, params, step, folder: pathlib.Path):
    """Write source, driver and frame of some pairs, and what the frame is made of."""
    count = min(8, settings.train.batch_size)
    batch = next(iter(pipeline.evaluation_batches(drawn(False), batch_size=count)))
    arrays, _ = batch_names.split_names(batch)
    pair, frame = jax.jit(task.sample)(params, arrays)
    size = frame.image.shape[1]

    def tile(images):
        images = np.asarray(images)
        growth = size // images.shape[1]
        images = images.repeat(growth, 1).repeat(growth, 2)
        return np.concatenate(list(images), axis=1)

    rows = [pair.source.image, pair.driver.image, frame.image]
    if parts := frame.shortcut:
        mask = 2.0 * jax.nn.sigmoid(parts.mask_logits).repeat(3, axis=-1) - 1.0
        rows += [frame.decoded, parts.warped, parts.mirrored, mask]
    strip = np.concatenate([tile(row) for row in rows])
    image = np.clip((strip + 1.0) * 127.5, 0, 255).astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    media.write_image(folder / f"strip_{step:07d}.png", image)

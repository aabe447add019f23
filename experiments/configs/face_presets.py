"""How long, by which losses, and at which rates each preset of stage one trains."""

import dataclasses
from typing import Any

from experiments.configs import face_fields
from vasa_jax.data import pipeline
from vasa_jax.face import distillation
from vasa_jax.face import training as face_training
from vasa_jax.face.losses import discriminator
from vasa_jax.train import experiment
from vasa_jax.train import optimizer as optimizer_lib

Settings = Any
"""`experiments.configs.face.FaceExperiment`, which imports this file."""

ENCODERS = ("pose_encoder", "dynamics_encoder", "dynamics_heads", "dynamics_map")

WIDE_SHARE, CAST_SHARE = 0.35, 0.4
"""Of the pairs of the small presets, whose runs see few. Ours: insides of mouths were
dark blots, their teeth greenish; see `examples.ExampleConfig`."""

LOWERED_SHARE = 0.6
"""Of the examples that teach drawn eyes. Ours: with as few as clips show, shut lids
were told a pixel or two apart, and slivers of white shone between."""

RANDOM_CROPS = 2
"""On a GPU. Ours: with those of mouth and eyes, five crops of 64 pixels show a third of
a frame of 256."""

HALF_SIZE = "vasa1_256"
"""The preset whose parameters fit `vasa1` at half its size."""


def _demo_encoders(settings: Settings) -> Settings:
    steps = 1500
    return dataclasses.replace(
        settings,
        train=experiment.TrainConfig(
            batch_size=16, num_steps=steps, evaluate_every_steps=250
        ),
        optimizer=optimizer_lib.OptimizerConfig(
            learning_rate=None,
            rates=_rates(ENCODERS, 1e-3),
            warmup_steps=100,
            beta1=0.9,
            ema_decay=0.99,
        ),
    )


def _demo(settings: Settings) -> Settings:
    steps = 3400
    return dataclasses.replace(
        settings,
        train=experiment.TrainConfig(
            batch_size=8, num_steps=steps, evaluate_every_steps=300
        ),
        optimizer=optimizer_lib.OptimizerConfig(
            learning_rate=6e-4,
            rates=_rates(ENCODERS, None),
            warmup_steps=100,
            beta1=0.9,
            beta2=0.99,
            ema_decay=0.99,
        ),
        face_loss=face_training.FaceLossConfig(
            motion_cycle=1.5, expression_cycle=1.5, pose_cycle=4.0
        ),
        augment="mild",
        example=dataclasses.replace(
            settings.example, wide_share=WIDE_SHARE, cast_share=CAST_SHARE
        ),
    )


def _demo_distillation(settings: Settings) -> Settings:
    steps = 6000
    return dataclasses.replace(
        settings,
        train=experiment.TrainConfig(
            batch_size=2, num_steps=steps, evaluate_every_steps=500
        ),
        optimizer=optimizer_lib.OptimizerConfig(
            learning_rate=None,
            rates=_rates(distillation.TRAINED, 1e-3),
            warmup_steps=100,
            beta1=0.9,
            ema_decay=0.99,
        ),
    )


def _demo_drawing(settings: Settings) -> Settings:
    steps = 2500
    return dataclasses.replace(
        settings,
        train=experiment.TrainConfig(
            batch_size=8, num_steps=steps, evaluate_every_steps=500
        ),
        optimizer=optimizer_lib.OptimizerConfig(
            learning_rate=None,
            rates=_rates(("shortcut/mouth_shape", "shortcut/eye_shape"), 2e-3),
            warmup_steps=50,
            beta1=0.9,
            weight_decay=1e-3,
            ema_decay=0.99,
        ),
        example=dataclasses.replace(settings.example, blink_share=LOWERED_SHARE),
    )


def _demo_videos(settings: Settings) -> Settings:
    """Leave out what videos do not know, and pairs across a person's other videos,
    which show other clothes and places."""
    settings = _demo(settings)
    return dataclasses.replace(
        settings,
        face_loss=dataclasses.replace(settings.face_loss, uses_geometry=False),
        example=dataclasses.replace(settings.example, same_clip_share=1.0),
    )


def _demo_gpu(settings: Settings) -> Settings:
    steps = 4000
    settings = _demo(settings)
    return dataclasses.replace(
        settings,
        model=dataclasses.replace(settings.model, dtype="bfloat16"),
        train=experiment.TrainConfig(
            batch_size=32, num_steps=steps, evaluate_every_steps=None
        ),
        optimizer=dataclasses.replace(settings.optimizer, ema_decay=0.998),
        discriminator_learning_rate=4e-4,
        face_loss=face_training.FaceLossConfig(
            motion_cycle=1.5,
            expression_cycle=1.5,
            pose_cycle=6.0,
            visibility=0.8,
            contrast=0.2,
            consistency=1.0,
            cross_identity=0.5,
            canonical=0.1,
            perceptual=1.0,
            adversarial=0.1,
            feature_matching=3.0,
            adversarial_start=300,
            num_random_crops=RANDOM_CROPS,
            expensive_every=2,
        ),
        example=dataclasses.replace(settings.example, blink_share=0.25),
        data=pipeline.PipelineConfig(num_workers=12),
    )


def _vasa1_256(settings: Settings) -> Settings:
    # Follows: MegaPortraits at 256 px for the rows.
    return _paper(settings, batch_size=24, steps=200_000)


def _vasa1(settings: Settings) -> Settings:
    # Ours: as many rows in all as at 256 px, in steps of which more fit a GPU.
    return _paper(settings, batch_size=16, steps=300_000)


def _paper(settings: Settings, batch_size: int, steps: int) -> Settings:
    return dataclasses.replace(
        settings,
        train=experiment.TrainConfig(
            batch_size=batch_size, num_steps=steps, evaluate_every_steps=5000
        ),
        optimizer=optimizer_lib.OptimizerConfig(),
        face_loss=face_training.FaceLossConfig(
            expression=1.0,
            gaze=1.0,
            contrast=2.0,
            consistency=1.0,
            cross_identity=1.0,
            canonical=0.1,
            perceptual=20.0,
            adversarial=1.0,
            feature_matching=40.0,
            # Follows: MegaPortraits, whose networks see whole frames.
            num_random_crops=None,
            is_motion_trained=True,
        ),
        data=pipeline.PipelineConfig(num_workers=16),
    )


def _vasa1_quarter(settings: Settings) -> Settings:
    """Learn a few clips by heart: see `experiments/overfit.sh`."""
    settings = _paper(settings, batch_size=4, steps=600)
    return dataclasses.replace(
        settings,
        discriminator_channels=tuple(
            count // 4 for count in discriminator.FRAME_CHANNELS
        ),
        train=dataclasses.replace(
            settings.train, evaluate_every_steps=100, save_every_steps=50
        ),
        optimizer=dataclasses.replace(
            settings.optimizer, learning_rate=1e-3, warmup_steps=30, ema_decay=0.98
        ),
        face_loss=dataclasses.replace(settings.face_loss, adversarial_start=0),
        data=pipeline.PipelineConfig(),
    )


def _tiny(settings: Settings) -> Settings:
    return dataclasses.replace(
        settings,
        train=experiment.TrainConfig(
            batch_size=4,
            num_steps=20,
            evaluate_every_steps=None,
            evaluate_batches=1,
            save_every_steps=10,
        ),
        optimizer=optimizer_lib.OptimizerConfig(learning_rate=1e-3, warmup_steps=2),
    )


VARIANTS = {
    "demo_encoders": _demo_encoders,
    "demo": _demo,
    face_fields.VIDEO_PRESET: _demo_videos,
    "demo_distillation": _demo_distillation,
    "demo_drawing": _demo_drawing,
    "demo_gpu": _demo_gpu,
    HALF_SIZE: _vasa1_256,
    "vasa1": _vasa1,
    "vasa1_quarter": _vasa1_quarter,
    "tiny_encoders": _tiny,
    "tiny": _tiny,
    "tiny_distillation": _tiny,
    "tiny_drawing": _tiny,
}
"""How each preset changes the settings that fit its sizes."""


def _rates(paths, learning_rate) -> tuple[optimizer_lib.PathRate, ...]:
    return tuple(
        optimizer_lib.PathRate(path=path, learning_rate=learning_rate) for path in paths
    )

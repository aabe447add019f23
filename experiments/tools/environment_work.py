"""What `experiments.compare_environments` has each environment do.

First both animate the example by the shipped checkpoint, train the smallest denoiser
for `NUM_STEPS` steps, and for `SAVED_STEP` of them in a run that ends there. Then both
go on with their own such run and with the other's, and read the other's export.
"""

import hashlib
import json
import pathlib
import platform
import shutil

import jax
import numpy as np

from experiments.configs import motion
from experiments.running import folders
from vasa_jax import audio, config, export, media, types
from vasa_jax.animate import talking_face
from vasa_jax.animate.controls import Controls
from vasa_jax.data import records
from vasa_jax.motion import config as motion_config
from vasa_jax.motion import training
from vasa_jax.train import loop, metric_writer

SAVED_STEP, NUM_STEPS = 5, 15
"""Ours: ten losses are compared behind the checkpoint."""

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
WHOLE, HALF, RESUMED, CROSSED = "whole", "half", "resumed", "crossed"
"""Runs: in one go; until it is saved; from there on; from there on by another."""

FRAMES_NAME, ABOUT_NAME, EXPORT_NAME = "frames.npy", "{}.json", "export"


def begin(output: pathlib.Path, num_frames: int) -> None:
    """Animate, train in one go and train until a checkpoint, into a folder."""
    data_dir = write_clips(output / "clips")
    np.save(output / FRAMES_NAME, animate(num_frames))
    params = train(output, WHOLE, data_dir, NUM_STEPS)
    train(output, HALF, data_dir, SAVED_STEP)
    export.save_export(output / EXPORT_NAME, params, {}, {}, "Compared.")


def go_on(output: pathlib.Path, another: pathlib.Path) -> None:
    """Go on with one's own run and with that in another folder; read its export."""
    for name, source in ((RESUMED, output), (CROSSED, another)):
        shutil.copytree(source / HALF, output / name)
        train(output, name, output / "clips", NUM_STEPS)
    params, _, _ = export.load_export(another / EXPORT_NAME)
    _tell(output, EXPORT_NAME, {"digest": digest(params)})


def animate(num_frames: int) -> np.ndarray:
    """Return frames uint8 `[T, H, W, 3]` of the example by the shipped checkpoint."""
    face = talking_face.TalkingFace.from_checkpoint()
    portrait = media.read_image(EXAMPLES / "portrait.png")
    waveform = audio.load_waveform(EXAMPLES / "voice.wav")
    waveform = waveform[: num_frames * types.SAMPLES_PER_FRAME]
    return np.concatenate(list(face.animate(portrait, waveform, Controls(seed=0))))


def write_clips(folder: pathlib.Path) -> pathlib.Path:
    """Write encoded clips of chance, the same everywhere, and return their folder."""
    sizes = motion_config.tiny()
    generator = np.random.default_rng(0)
    for split, count in (("train", 12), ("validation", 8)):
        folders.make(folder / split)
        for number in range(count):
            motion_rows = 0.1 * generator.normal(size=(40, sizes.num_motion_channels))
            heard = generator.normal(size=(40, sizes.num_audio_channels))
            record = {
                "clip_id": f"{split}{number}",
                "split": split,
                "motion": motion_rows.astype(np.float32),
                "audio_features": heard.astype(np.float16),
                "gaze": generator.uniform(-0.3, 0.3, 2).astype(np.float32),
                "head_distance": generator.uniform(0.8, 1.2, 1).astype(np.float32),
                "emotion": np.eye(8, dtype=np.float32)[number % 8],
            }
            records.write_npz_record(folder / split / f"{number}.npz", record)
    return folder


def train(
    output: pathlib.Path, name: str, data_dir: pathlib.Path, last_step: int
) -> dict:
    """Train or go on until a step, tell the losses, and return the parameters."""
    changes = [
        f"data_dir={data_dir}",
        f"train.num_steps={NUM_STEPS}",
        "train.log_every_steps=1",
        f"train.evaluate_every_steps={NUM_STEPS}",
        f"train.save_every_steps={NUM_STEPS}",
    ]
    settings = config.override(motion.get_config("tiny"), changes)
    experiment = motion.build(settings)
    outcome = loop.run(experiment, output / name, max_steps=last_step)
    rows = metric_writer.read_metrics(output / name / metric_writer.FILE_NAME)
    key = f"{experiment.name}/{training.GROUP}/loss"
    params = jax.device_get(outcome.state.params)
    losses = {row["step"]: row[key] for row in rows if key in row}
    _tell(output, name, {"losses": losses, "digest": digest(params)})
    return params


def digest(params: dict) -> str:
    """Hash the bits of all arrays in the order of their names."""
    found = hashlib.sha256()
    for name, value in sorted(export.flatten(params).items()):
        found.update(name.encode() + np.asarray(value).tobytes())
    return found.hexdigest()


def _tell(output: pathlib.Path, name: str, about: dict) -> None:
    versions = {"python": platform.python_version(), "jax": jax.__version__}
    with media.written_beside(output / ABOUT_NAME.format(name)) as beside:
        beside.write_text(json.dumps({**versions, **about}), encoding="utf-8")

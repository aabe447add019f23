r"""Measure speed: decoding, motion, first frame, training; each beside its floor.

    python -m experiments.benchmark --checkpoint=FOLDER
    python -m experiments.benchmark --preset=vasa1 --parts=decode,motion
    python -m experiments.benchmark --parts=train \
        --config=experiments/configs/motion.py --train_preset=demo \
        --set=data_dir=ENCODED

A floor is the counted operations over the rate of a large matrix product, or the bytes
of parameters, inputs and outputs over the rate of a copy, both measured on this device;
the larger counts. Every figure is a median after warming up; on CPUs a training step
stands beside the same one with XLA's own convolutions, both timed in turn.
"""

import dataclasses
import functools
import json
import os
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from absl import flags

from experiments.running import program, timing
from experiments.tools import training_speed, untrained
from vasa_jax import compilation_cache, config, media, types
from vasa_jax.animate import (
    backdrop,
    controls,
    motion_stream,
    rendering,
    talking_face,
    trained,
)
from vasa_jax.face import config as face_config
from vasa_jax.motion import controls as motion_controls
from vasa_jax.motion import denoiser
from vasa_jax.motion import model as motion_model
from vasa_jax.portrait import crop, marks

PAPER_LATENCY_SECONDS = 0.17
"""Paper: VASA-1, abstract and section 4: starting latency of online streaming at 512
pixels, on one NVIDIA RTX 4090."""

PAPER_LATENCY_SOURCE = "the paper's 0.17 s, RTX 4090"

PARTS = ("decode", "motion", "latency", "train")

PRESET = flags.DEFINE_string(
    "preset", "demo", "Sizes, with random weights, where no checkpoint is given."
)
CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Folder of both models.")
PART = flags.DEFINE_list(
    "parts", ["decode", "motion", "latency"], f"Of {', '.join(PARTS)}."
)
BATCHES = flags.DEFINE_list("batches", ["1", "5", "25"], "Frames decoded at once.")
STEPS = flags.DEFINE_list("steps", ["10", "50"], "Sampling steps.")
DTYPE = flags.DEFINE_enum(
    "dtype", None, ["float32", "bfloat16"], "Of the computation; the config's if left."
)
NUM_REPEATS = flags.DEFINE_integer("num_repeats", 5, "Runs to take the median of.")
CONFIG = flags.DEFINE_string(
    "config", "experiments/configs/motion.py", "Experiment file whose step is timed."
)
TRAIN_PRESET = flags.DEFINE_string("train_preset", "demo", "Its preset.")
SET = flags.DEFINE_multi_string("set", [], "name=value changes of its settings.")
OUTPUT = flags.DEFINE_string("output", None, "JSON file to write as well.")


def decode_rows(
    models: trained.TrainedModels, rates: timing.Rates, batches: list[int], repeats: int
) -> list[timing.Row]:
    """Time the portrait's encoding, and decoding at several batch sizes.

    Args:
        models: to run.
        rates: of the device.
        batches: frames at once.
        repeats: runs of each.

    Returns:
        A row for each.
    """
    settings = models.face_config
    params = jax.device_put(models.face_params)
    size = settings.image_size
    generator = np.random.default_rng(0)
    image = jnp.asarray(generator.integers(0, 256, (1, size, size, 3), np.uint8))
    pose = types.HeadPose.from_vector(jnp.array([[0.1, 0, 0, 0, 0, 1.0]]))
    seen = marks.open_marks(1)

    def encode():
        return rendering.encode_portrait(settings, params, image, pose, seen)

    render = functools.partial(
        rendering.render, settings, shaping=models.animation.shaping
    )
    latents = jax.block_until_ready(encode())
    if latents.pixels is not None:
        # As portraits are animated: the person stands before what is behind it.
        shown = np.asarray(image[0])
        person = generator.uniform(size=(size, size)).astype(np.float32)
        side = size + 2 * round(backdrop.REACH * size)
        cutout = generator.integers(0, 256, (side, side, 4), np.uint8)
        scene = backdrop.Scene(person=person, backdrop=shown, cutout=cutout)
        latents = backdrop.place(latents, shown, scene)
    rows = [
        timing.Row(
            name="encode a portrait",
            seconds=timing.median_seconds(encode, repeats),
            amount=1,
            unit="portraits",
        )
    ]
    for batch in batches:
        motion = jnp.asarray(
            generator.normal(0, 0.1, (batch, models.motion_config.num_motion_channels)),
            jnp.float32,
        )
        motion = motion.at[:, types.POSE_CHANNELS - 1].set(1.0)

        def decode(motion=motion):
            return render(params, latents, motion)[0]

        operations = timing.count_operations(render, params, latents, motion)
        frames = decode()
        rows.append(
            timing.Row(
                name=f"decode {size} px, {batch} at once",
                seconds=timing.median_seconds(decode, repeats),
                amount=batch,
                unit="frames",
                floor_seconds=rates.floor_seconds(
                    operations, timing.num_bytes(params, latents, motion, frames)
                ),
            )
        )
    return rows


def motion_rows(
    models: trained.TrainedModels, rates: timing.Rates, steps: list[int], repeats: int
) -> list[timing.Row]:
    """Time one window of motion with the paper's guidance, and its audio features.

    Args:
        models: to run.
        rates: of the device.
        steps: numbers of sampling steps.
        repeats: runs of each.

    Returns:
        A row for each.
    """
    voice = motion_stream.SpeechModel(models)
    encoder_name = models.animation.audio_encoder
    look_ahead = voice.encoder.grid.frames_after / types.FRAME_RATE_HZ
    settings = models.motion_config
    num_frames = settings.window_frames
    generator = np.random.default_rng(0)
    waveform = generator.normal(0, 0.1, num_frames * types.SAMPLES_PER_FRAME)
    waveform = waveform.astype(np.float32)

    def features():
        return voice.encoder.features(voice.audio_variables, waveform[None])

    rows = [
        timing.Row(
            name=f"audio features of a window, {encoder_name}, "
            f"{look_ahead:g} s of sound ahead",
            seconds=timing.median_seconds(features, repeats),
            amount=num_frames,
            unit="frames",
        )
    ]
    audio = jnp.asarray(features())
    asked = motion_controls.default_controls(voice.statistics)
    branches = 1 + len(asked.guidance)
    operations = timing.count_operations(
        denoiser.MotionDenoiser(settings).apply,
        {"params": voice.params},
        *untrained.denoiser_inputs(settings, branches),
    )
    for num_steps in steps:
        windows = voice.window_config(num_steps)

        def window(windows=windows):
            return motion_model.next_window(
                voice.params,
                voice.statistics,
                motion_model.start_carry(windows),
                audio,
                asked,
                jax.random.key(0),
                config=windows,
            )

        rows.append(
            timing.Row(
                name=f"motion window, {num_steps} steps, {branches} branches",
                seconds=timing.median_seconds(window, repeats),
                amount=num_frames,
                unit="frames",
                floor_seconds=rates.floor_seconds(
                    operations * num_steps, timing.num_bytes(voice.params) * num_steps
                ),
            )
        )
    return rows


def latency_rows(models: trained.TrainedModels, repeats: int) -> list[timing.Row]:
    """Time a stream from the sample that completes a step to its first frames.

    Args:
        models: to run.
        repeats: runs.

    Returns:
        A row for steps of whole windows and one for the shortest; its name says what
        sound must have come before.
    """
    face = talking_face.TalkingFace(models)
    size = face.image_size
    portrait = talking_face.Portrait(
        image=np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8),
        head_pose=types.HeadPose.from_vector(np.array([[0, 0, 0, 0, 0, 1]], "f4")),
        box=crop.CropBox.of_whole(size, size),
        marks=marks.open_marks(1),
    )
    quiet = np.zeros(types.SAMPLES_PER_FRAME, np.float32)
    sizes = models.motion_config
    rows = []
    for step_frames in (sizes.window_frames, sizes.previous_frames):
        asked = controls.Controls(step_frames=step_frames)
        times = []
        for _ in range(repeats + 1):
            stream = face.stream(portrait, asked)
            num_pushed, frames = 0, None
            while frames is None:
                start = time.perf_counter()
                frames = next(stream.push(quiet), None)
                num_pushed += 1
            times.append(time.perf_counter() - start)
        waited = num_pushed / types.FRAME_RATE_HZ
        rows.append(
            timing.Row(
                name=f"first frames of a stream, {waited:.2f} s of sound waited for",
                seconds=statistics.median(times[1:]),
                amount=1,
                unit="starts",
                baseline=PAPER_LATENCY_SOURCE,
                baseline_seconds=PAPER_LATENCY_SECONDS,
            )
        )
    return rows


def main(_) -> int:
    """Measure the parts that the flags name; return the exit code."""
    parts = PART.value
    for part in parts:
        if part not in PARTS:
            raise config.unknown_name(part, PARTS, "part")
    batches = [_whole_number("batches", text) for text in BATCHES.value]
    steps = [_whole_number("steps", text) for text in STEPS.value]
    repeats = NUM_REPEATS.value
    config.require(repeats > 0, f"--num_repeats is {repeats}; give at least 1.")
    compilation_cache.enable()
    models = None
    if set(parts) - {"train"}:
        models = _models()
    dtype = DTYPE.value or (models.face_config.dtype if models else "float32")
    rates = timing.measure_rates(dtype)
    rows: list[timing.Row] = []
    for part in tqdm.tqdm(parts, desc="benchmark", leave=False):
        if part == "decode":
            rows += decode_rows(models, rates, batches, repeats)
        elif part == "motion":
            rows += motion_rows(models, rates, steps, repeats)
        elif part == "latency":
            rows += latency_rows(models, repeats)
        else:
            rows += training_speed.train_rows(
                rates, CONFIG.value, TRAIN_PRESET.value, SET.value, repeats
            )
    device = jax.devices()[0]
    title = (
        f"{jax.device_count()} x {device.device_kind}, {os.cpu_count()} CPU cores, jax "
        f"{jax.__version__}; {rates.operations / 1e9:.4g} GFLOP/s in {dtype}, "
        f"{rates.bytes / 1e9:.4g} GB/s"
    )
    print(f"{title}\n\n{timing.to_table(rows)}")
    if OUTPUT.value:
        content = {
            "device": title,
            "source": CHECKPOINT.value or f"preset {PRESET.value}, random weights",
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        with media.written_beside(OUTPUT.value) as path:
            path.write_text(json.dumps(content, indent=1))
    return 0


def _models() -> trained.TrainedModels:
    """Load the checkpoint, or make the preset's models, in the dtype asked for."""
    if CHECKPOINT.value:
        models = trained.load(CHECKPOINT.value)
    else:
        if PRESET.value not in face_config.PRESETS:
            raise config.unknown_name(PRESET.value, face_config.PRESETS, "preset")
        models = untrained.preset(PRESET.value)
    if DTYPE.value is None:
        return models
    return dataclasses.replace(
        models,
        face_config=dataclasses.replace(models.face_config, dtype=DTYPE.value),
        motion_config=dataclasses.replace(models.motion_config, dtype=DTYPE.value),
    )


def _whole_number(name: str, text: str) -> int:
    config.require(
        text.isdigit() and int(text) > 0,
        f"--{name} has {text!r}; give whole numbers above 0, with commas.",
    )
    return int(text)


if __name__ == "__main__":
    program.run(main)

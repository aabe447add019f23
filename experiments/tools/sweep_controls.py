"""Sweep each control on photographs: what was asked against what is seen.

    python -m experiments.tools.sweep_controls --portraits=photos/ \
        --voice=examples/voice.wav --output=controls.json

Writes a table (.md) and a plot (.png) beside. Every control is tried alone, with one
voice and seed; its measure is of landmarks, not of the model's own code.
"""

import pathlib
from typing import Any

import tqdm
from absl import flags

from experiments.running import program
from experiments.tools import control_sweeps
from vasa_jax import audio, compilation_cache, config, media
from vasa_jax.animate import trained
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import driven_videos

PORTRAITS = flags.DEFINE_list(
    "portraits", None, "Pictures, or one folder of them.", required=True
)
VOICE = flags.DEFINE_string("voice", None, "Sound file that is spoken.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "JSON to write.", required=True)
CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Both models; None ships.")
SECONDS = flags.DEFINE_float("seconds", 4.0, "Of the voice.", lower_bound=1.0)
SEED = flags.DEFINE_integer("seed", 0, "Of every performance.", lower_bound=0)
EVERY = flags.DEFINE_integer(
    "every", 4, "Render one frame in so many, where only means count.", lower_bound=1
)

CONTROLS = flags.DEFINE_list("controls", None, "Only these; all if left.")


def main(_) -> int:
    """Sweep as the flags say; return the exit code."""
    output = pathlib.Path(OUTPUT.value)
    config.require(output.suffix == ".json", f"--output is {output}; end it in .json.")
    media.check_place(output)
    pictures = control_sweeps.find_pictures(PORTRAITS.value)
    sweeps = control_sweeps.choose(CONTROLS.value)
    waveform = audio.load_waveform(VOICE.value)
    waveform = waveform[: round(SECONDS.value * 16_000)]
    compilation_cache.enable()
    performer = driven_videos.Performer(trained.load(CHECKPOINT.value))
    plain = performer.speak(waveform, Controls(seed=SEED.value))
    motions = {}
    for sweep in tqdm.tqdm(sweeps, desc="speak", unit="control"):
        step = 1 if sweep.is_movement else EVERY.value
        for value in sweep.asked:
            asked = control_sweeps.controls_of(sweep, value, SEED.value)
            # What does not steer is edited into the same motion.
            steers = bool(asked.steering)
            motion = (
                performer.speak(waveform, asked)
                if steers
                else performer.edit(plain, asked)
            )
            motions[sweep.name, float(value)] = motion[::step]
    rows: list[dict[str, Any]] = []
    for picture in tqdm.tqdm(pictures, desc="sweep", unit="portrait"):
        portrait = performer.locate(media.read_image(picture))
        for (control, asked), seen in control_sweeps.measure(
            performer, portrait, motions
        ).items():
            row = {"control": control, "asked": asked, "seen": seen}
            rows.append({**row, "portrait": picture.name})
        # What is done stays if the rest is stopped.
        control_sweeps.write(output, rows)
    print(control_sweeps.to_table(rows))
    return 0


if __name__ == "__main__":
    program.run(main)

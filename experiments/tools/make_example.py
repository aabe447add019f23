"""Make the example that ships: a rendered person of the test split, and a voice.

python -m experiments.tools.make_example --output_dir=examples
"""

import pathlib
import wave

import numpy as np
from absl import flags

from datasets.synthetic_heads.performance import voices as voices_lib
from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import renderer, scene
from experiments.running import program
from vasa_jax import arkit, config, media, types

OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder to fill.", required=True)
IDENTITY = flags.DEFINE_integer("identity", 94, "An identity of the test split.")
SIZE = flags.DEFINE_integer("size", 512, "Pixels of a side of the portrait.")
SEED = flags.DEFINE_integer("seed", 3, "Of the set that the identity belongs to.")
TEXT = flags.DEFINE_string(
    "text",
    "Hello! Nobody in this picture is real, and neither is my voice. "
    "Bring a portrait of your own, and I will borrow its face for a while.",
    "What the voice says.",
)

VOICE = voices_lib.Voice(variant=voices_lib.TEST_VARIANTS[0])
"""A voice of the test split. Ours: espeak-ng's are free of anyone's likeness."""


def main(_) -> int:
    """Write `portrait.png` and `voice.wav`; return the exit code."""
    config.require(
        plan.split_of(IDENTITY.value) == "test",
        f"--identity is {IDENTITY.value}, of the split "
        f"'{plan.split_of(IDENTITY.value)}'; give one of the test split, such as 94.",
    )
    clip = plan.clips_of(plan.Settings(seed=SEED.value), IDENTITY.value)[0]
    folder = pathlib.Path(OUTPUT_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    state = geometry.FrameState(
        arkit=np.zeros(arkit.NUM_UNITS, np.float32),
        gaze_in_head=np.zeros(2),
        rotation=np.zeros(3),
        translation=np.zeros(3),
    )
    frame = renderer.Renderer(SIZE.value).render(
        avatar.build_avatar(clip.identity_seed, None),
        scene.random_scene(clip.identity_seed),
        scene.camera(20.0),
        state,
    )
    media.write_image(folder / "portrait.png", frame.image)
    said = voices_lib.say(VOICE, TEXT.value)
    samples = np.clip(said.waveform * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(folder / "voice.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(types.SAMPLE_RATE_HZ)
        file.writeframes(samples.tobytes())
    print(f"{folder}: identity {IDENTITY.value}, {len(said.waveform)} samples")
    return 0


if __name__ == "__main__":
    program.run(main)

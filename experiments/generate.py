"""Animate a portrait by a voice and write the talking face as a video.

python -m experiments.generate --image=face.jpg --audio=voice.mp3 --output=talk.mp4
"""

import sys

import tqdm
from absl import flags

from experiments.running import compilation_cache, program
from vasa_jax import config
from vasa_jax.animate import controls as controls_lib
from vasa_jax.animate import files

IMAGE = flags.DEFINE_string("image", None, "A picture with one clear face.")
AUDIO = flags.DEFINE_string("audio", None, "A voice, in any format FFmpeg reads.")
OUTPUT = flags.DEFINE_string("output", None, "The mp4 to write.")
CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Folder of both models; the shipped one if left."
)
AUDIO_WEIGHTS = flags.DEFINE_string(
    "audio_weights", None, "File of the audio encoder, if the checkpoint needs one."
)
IMAGE_SIZE = flags.DEFINE_integer(
    "image_size",
    None,
    "Side of the face's frames, pixels, such as 512; the checkpoint's own if left.",
)
SEED = flags.DEFINE_integer("seed", 0, "Another seed, another performance.")
NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Steps of the diffusion sampler; the checkpoint's own if left."
)
AUDIO_GUIDANCE = flags.DEFINE_float("audio_guidance", 0.5, "Hold to the voice, 0-10.")
GAZE_GUIDANCE = flags.DEFINE_float("gaze_guidance", 1.0, "Hold to the gaze, 0-10.")
GAZE = flags.DEFINE_string(
    "gaze",
    "0,0",
    "Yaw,pitch in degrees within 25,15; right side of the image and down positive.",
)
DISTANCE = flags.DEFINE_float(
    "distance", 1.0, "Of the head; 1 is the portrait's framing, 0.85-1.3."
)
EMOTION = flags.DEFINE_string(
    "emotion",
    "",
    "Such as happiness, neutral or sadness:0.7,surprise:0.3; the voice's if left.",
)
WHOLE_PICTURE = flags.DEFINE_bool(
    "whole_picture", False, "Lay the face back into the whole picture."
)
LIVELINESS = flags.DEFINE_float(
    "liveliness", 1.0, "Head movement over what goes with the voice, 0.3-3."
)
POSE_SCALE = flags.DEFINE_float(
    "pose_scale", 1.0, "Turns of the head over those generated, 0 still to 2."
)


def main(_) -> int:
    """Animate as the flags say; return the exit code."""
    for flag in (IMAGE, AUDIO, OUTPUT):
        config.require(bool(flag.value), f"--{flag.name} is missing; name a file.")
    controls = controls_lib.Controls(
        seed=SEED.value,
        num_steps=NUM_STEPS.value,
        audio_guidance=AUDIO_GUIDANCE.value,
        gaze_guidance=GAZE_GUIDANCE.value,
        gaze=controls_lib.parse_gaze(GAZE.value),
        head_distance=DISTANCE.value,
        emotion=controls_lib.parse_emotion(EMOTION.value),
        liveliness=LIVELINESS.value,
        pose_scale=POSE_SCALE.value,
    )
    compilation_cache.enable()
    # The bar stays, so that what is said after it, such as an error, has its own line.
    with tqdm.tqdm(unit="frame", desc="animate", delay=0.5) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        num_frames = files.animate_files(
            IMAGE.value,
            AUDIO.value,
            OUTPUT.value,
            controls=controls,
            checkpoint=CHECKPOINT.value,
            audio_weights=AUDIO_WEIGHTS.value,
            image_size=IMAGE_SIZE.value,
            show_whole_picture=WHOLE_PICTURE.value,
            warn=lambda sentence: bar.write(f"warning: {sentence}", file=sys.stderr),
            progress=progress,
        )
    print(f"{OUTPUT.value}: {num_frames} frames")
    return 0


if __name__ == "__main__":
    program.run(main)

"""Turn portraits about their faces: what frames lose, turned back, by the tilt.

    python -m experiments.tools.tilted_portraits --portraits_dir=PORTRAITS \
        --list=experiments/portraits_of_nobody.tsv --voice=examples/voice.wav \
        --identity_weights=MobileFaceNet.onnx

Each portrait speaks upright and turned, with one motion; turned back, its frames are
compared with the upright portrait.
"""

import dataclasses
import pathlib

import numpy as np
import tqdm
from absl import flags

from experiments.running import program
from vasa_jax import audio, compilation_cache, errors, media
from vasa_jax.animate import talking_face, trained
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import portrait_list
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.portrait import crop, resample

PORTRAITS_DIR = flags.DEFINE_string("portraits_dir", None, "Pictures.", required=True)
LIST = flags.DEFINE_string("list", None, "Which of them, TSV; all if left.")
NUM_PORTRAITS = flags.DEFINE_integer("num_portraits", 40, "At most.", lower_bound=1)
VOICE = flags.DEFINE_string("voice", None, "Sound file that is spoken.", required=True)
IDENTITY_WEIGHTS = flags.DEFINE_string(
    "identity_weights", None, "MobileFaceNet as ONNX.", required=True
)
CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Both models; None ships.")

TILTS_DEGREES = (0, 15, 30, 45)
NUM_FRAMES = 8
"""Of the motion, evenly spread."""

REACH = 3.0
"""Half the side of the turned picture, in half crops."""


def turned_picture(image: np.ndarray, box: crop.CropBox, degrees: float):
    """Turn a picture about a face.

    Args:
        image: uint8 `[H, W, 3]`.
        box: of the face.
        degrees: clockwise as seen.

    Returns:
        The picture, uint8 `[S, S, 3]`, and the box by which it was cut.
    """
    around = dataclasses.replace(
        box, half_size=REACH * box.half_size, angle=-np.deg2rad(degrees)
    )
    return crop.extract(image, around, round(2 * around.half_size)), around


def turned_back(
    frames: np.ndarray,
    box: crop.CropBox,
    around: crop.CropBox,
    wanted: crop.CropBox,
) -> np.ndarray:
    """Show frames of a turned picture as the upright portrait's crop would.

    Args:
        frames: uint8 `[n, size, size, 3]`.
        box: where they lie in the turned picture.
        around: by which that was cut out of the first.
        wanted: the crop of the first.

    Returns:
        uint8 `[n, size, size, 3]`.
    """
    size = frames.shape[1]
    to_picture = _square(wanted.matrix(size))
    to_turned = np.linalg.inv(_square(around.matrix(round(2 * around.half_size))))
    to_frame = np.linalg.inv(_square(box.matrix(size)))
    matrix = (to_frame @ to_turned @ to_picture)[:2]
    back = [resample.sample_affine(frame, matrix, size, size) for frame in frames]
    return np.clip(np.rint(back), 0, 255).astype(np.uint8)


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    listed = None if LIST.value is None else portrait_list.read(LIST.value)
    items = portrait_list.find(
        pathlib.Path(PORTRAITS_DIR.value), listed, NUM_PORTRAITS.value, 0, 0
    )
    network = face_recognition.MobileIdentity(IDENTITY_WEIGHTS.value)
    waveform = audio.load_waveform(VOICE.value)
    compilation_cache.enable()
    face = talking_face.TalkingFace(trained.load(CHECKPOINT.value))
    motion = np.concatenate(list(face.speak([waveform], Controls(seed=0))))
    motion = motion[np.linspace(0, len(motion) - 1, NUM_FRAMES).astype(int)]
    found, num_refused = [], 0
    for item in tqdm.tqdm(items, unit="portrait"):
        try:
            found.append(_measure(face, media.read_image(item.path), motion, network))
        except errors.UserError:
            num_refused += 1
    scores = np.array(found)
    print(f"{len(found)} portraits; {num_refused} whose tilt was refused.")
    print("tilt, degrees: PSNR of the portrait's own frame, identity cosine of speech")
    for number, degrees in enumerate(TILTS_DEGREES):
        psnr, cosine = np.nanmean(scores[:, number], axis=0)
        lost = np.nanmean(scores[:, 0] - scores[:, number], axis=0)
        print(
            f"{degrees:3}: {psnr:.2f} dB, {cosine:.3f}; lost {lost[0]:.2f} dB, "
            f"{lost[1]:.3f}"
        )
    return 0


def _measure(face, image, motion, network):
    """Return PSNR and identity cosine `[tilts, 2]` of one portrait."""
    box = face.locate(image).box
    scores, upright = [], None
    for degrees in TILTS_DEGREES:
        picture, around = turned_picture(image, box, degrees)
        portrait = face.locate(picture)
        shown = np.concatenate([face.own_motion(portrait)[None], motion])
        frames = np.concatenate(list(face.render(portrait, [shown])))
        if upright is None:
            upright, first, wanted = portrait.image, around, portrait.box
            # From the turned pictures' pixels to those of the first.
            side = round(2 * around.half_size)
        turn = dataclasses.replace(
            crop.CropBox.of_whole(side, side), angle=around.angle - first.angle
        )
        back = turned_back(frames, portrait.box, turn, wanted)
        error = np.square(back[0].astype(float) - upright).mean()
        psnr = 10 * np.log10(255**2 / error)
        scores.append((psnr, face_recognition.mean_cosine(network, upright, back[1:])))
    return scores


def _square(matrix):
    return np.concatenate([matrix, [[0, 0, 1]]])


if __name__ == "__main__":
    program.run(main)

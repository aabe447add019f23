"""Animate a portrait by a voice and write the talking face as a video.

    vasa animate face.jpg voice.mp3 -o talk.mp4

A text is spoken by a voice that belongs to nobody, with the extra `voices`:

    vasa animate face.jpg --text="I *did* see it. [pause 0.5] Really." -o talk.mp4

Motion is saved and replayed, whole or in parts; captures of ARKit's weights, too:

    vasa animate face.jpg voice.mp3 -o talk.mp4 --motion_output=motion.npz
    vasa animate other.jpg voice.mp3 -o talk.mp4 --motion=motion.npz --parts=head

Several portraits or voices, with commas between them, run one after another:

    vasa animate a.png,b.png voice.mp3 -o FOLDER
"""

import argparse
from collections.abc import Sequence
from typing import Any

from vasa_jax.command import marks, performance, progress
from vasa_jax.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("image", metavar="IMAGE", help="a picture with one clear face, or several")
    sound = add(
        "sound",
        metavar="SOUND",
        help="a voice, in any format that FFmpeg reads; several are spoken by the one "
        "image, or by as many images in their order; left out with --text, and for a "
        "silent video with --motion",
    )
    add(
        "-o",
        "--output",
        metavar="OUT.mp4",
        required=True,
        help="the .mp4 or .webm to write, or pictures as frames/%%05d.png; with "
        "several images or voices, a folder",
    )
    add(
        "--frame_rate",
        metavar="N",
        type=int,
        help="frames a second, 24 to 60; motion is generated at 25 (25)",
    )
    add_model_arguments(parser)
    _add_motion_arguments(parser, sound)
    _add_text_arguments(parser, sound)
    performance.add_arguments(parser)


def _add_motion_arguments(
    parser: argparse.ArgumentParser, sound: argparse.Action
) -> None:
    """Add those of motion in files, which may stand in place of a sound."""
    add = parser.add_argument_group("motion in files").add_argument
    add(
        "--motion",
        metavar="FILE",
        action=InPlaceOf,
        instead_of=[sound],
        help="that drives the face: .npz or .json by --motion_output, or a capture "
        "app's .csv of ARKit's weights (docs/controls.md)",
    )
    add(
        "--parts",
        metavar="PARTS",
        help="of --motion that drive, of head,mouth,brows,eyes; the voice moves the "
        "others (default: all that the file has)",
    )
    add(
        "--motion_output",
        metavar="FILE",
        help="also write the motion: .npz, .json, or .csv with ARKit's weights alone",
    )


def _add_text_arguments(
    parser: argparse.ArgumentParser, sound: argparse.Action
) -> None:
    """Add those of typed text, which is said in place of a sound."""
    add = parser.add_argument_group("typed text").add_argument
    add(
        "--text",
        metavar="TEXT",
        action=InPlaceOf,
        instead_of=[sound],
        help="words to say instead of a sound: *word* is emphasised, marks pause, and "
        "[pause 0.5] pauses so many seconds",
    )
    add(
        "--voice",
        metavar="SEED|NAME",
        help="who says the text: a whole number draws somebody who is nobody, names "
        "such as hazel stand for some of them (default: hazel)",
    )
    add(
        "--language",
        metavar="NAME",
        help="of the text: en, en-gb, fr, es, it, pt, hi or ja (default: en)",
    )


class InPlaceOf(argparse.Action):
    """Take a flag, such as a text, after which others, such as a sound, may miss."""

    def __init__(self, *names, instead_of: Sequence[argparse.Action], **keywords):
        """Remember the arguments that are not required once this is given."""
        super().__init__(*names, **keywords)
        self._instead_of = instead_of

    def __call__(self, parser, namespace, values, option_string=None):
        """Take the value."""
        setattr(namespace, self.dest, values)
        for action in self._instead_of:
            action.required = False


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that renders: which models, which frames."""
    add = parser.add_argument_group("models and frames").add_argument
    add(
        "--checkpoint",
        metavar="DIR",
        help="folder of both models (default: the one that comes with the package)",
    )
    add(
        "--audio_weights",
        metavar="FILE",
        help="of the audio encoder, if the checkpoint needs one",
    )
    add(
        "--image_size",
        metavar="PIXELS",
        type=int,
        help="side of the face's frames, such as 512 (default: the checkpoint's)",
    )
    add(
        "--whole_picture",
        action="store_true",
        default=False,
        help="lay the face back into the whole picture",
    )
    add(
        "--background",
        metavar="NAME|FILE",
        help="what stands behind the person: kept, blurred, transparent (with an OUT "
        "such as talk.webm or frames/%%05d.png), or the file of a picture (default: "
        "kept)",
    )
    marks.add_arguments(parser)


def run(chosen: argparse.Namespace) -> None:
    """Animate as the arguments say.

    Raises:
        UserError: a file or a control cannot be used.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    from vasa_jax import compilation_cache
    from vasa_jax.animate import files, many_files

    given = vars(chosen)
    asked = performance.controls_of(given)
    driving = _driving(given)
    speech = _speech(given)
    seal = marks.seal_of(given, is_voice_generated=speech is not None)
    compilation_cache.enable()
    with progress.shown("animate") as listener:
        shared = {
            "controls": asked,
            "models": models_of(given),
            "settings": settings_of(given, seal),
            "listener": listener,
        }
        images = many_files.split_names(chosen.image)
        if speech and len(images) > 1:
            raise UserError("A text is said by one image; animate one after another.")
        sound = speech or given.get("sound")
        voices = many_files.split_names(sound) if isinstance(sound, str) else [sound]
        if len(images) > 1 or len(voices) > 1:
            if driving is not None or "motion_output" in given:
                raise UserError(
                    "--motion and --motion_output are of one image and one voice; "
                    "animate one after another."
                )
            _animate_many(images, voices, chosen.output, shared)
            return
        num_frames = files.animate_files(
            chosen.image,
            sound,
            chosen.output,
            driving=driving,
            motion_output=given.get("motion_output"),
            **shared,
        )
    print(f"{chosen.output}: {num_frames} frames")


def _animate_many(
    images: Sequence[str], voices: Sequence[str], folder: str, shared: dict[str, Any]
) -> None:
    """Animate several, and say of each what became of it.

    Raises:
        UserError: as of `many_files.animate_many`, or one could not be made.
    """
    # Imported late, as in `run`.
    from vasa_jax.animate import many_files

    num_failed = many_files.animate_many(
        images,
        voices,
        folder,
        **shared,
        finished=lambda output, count: print(f"{output}: {count} frames"),
        failed=lambda output, error: shared["listener"].warn(
            f"{output} was left out: {error}"
        ),
    )
    if num_failed:
        raise UserError(f"{num_failed} of the videos could not be made.")


def models_of(given: dict[str, Any]) -> Any:
    """Return the `ModelFiles` that arguments ask for."""
    # Imported late, as in `run`.
    from vasa_jax.animate import model_files

    names = "checkpoint", "audio_weights", "image_size"
    return model_files.ModelFiles(**{name: given.get(name) for name in names})


def settings_of(given: dict[str, Any], seal: Any) -> Any:
    """Return the `VideoSettings` that arguments ask for.

    Args:
        given: arguments by name, without those that were left out.
        seal: as of `marks.seal_of`.

    Raises:
        UserError: there is no background of this name, its picture cannot be read, or
            the frame rate is out of range.
    """
    # Imported late, as in `run`.
    from vasa_jax import types
    from vasa_jax.animate import backdrop, video_files

    background = None
    if "background" in given:
        background = backdrop.parse_background(given["background"])
    return video_files.VideoSettings(
        background=background,
        show_whole_picture=given["whole_picture"],
        frame_rate_hz=given.get("frame_rate", types.FRAME_RATE_HZ),
        seal=seal,
    )


def _driving(given: dict[str, Any]):
    """Return the motion that is to drive; None if there is none.

    Raises:
        UserError: the file cannot be used, or has not these parts.
    """
    if "motion" not in given:
        if "parts" in given:
            raise UserError("--parts says what of --motion drives; give --motion, too.")
        return None
    # Imported late, as in `run`.
    from vasa_jax.animate import driving_motion

    parts = given["parts"].split(",") if "parts" in given else None
    return driving_motion.read(given["motion"], parts)


def _speech(given: dict[str, Any]):
    """Return pieces of the voice that says the text; None if there is no text.

    Raises:
        UserError: text, voice or language cannot be used, or do not go together with
            what else is given.
    """
    asked = {name: given[name] for name in ("voice", "language") if name in given}
    if "text" not in given:
        if asked:
            raise UserError("--voice and --language are of --text; give it, too.")
        return None
    if "sound" in given:
        raise UserError(
            f"Both --text and the sound {given['sound']} are given; leave one out."
        )
    # Imported late, since few animate typed text.
    from vasa_jax.speech import natural_speaker

    return natural_speaker.NaturalSpeaker(**asked).speak(given["text"])

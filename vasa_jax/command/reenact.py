"""Let a video of someone drive a portrait; the sound of the video stays.

vasa reenact face.jpg driver.mp4 -o talk.mp4
vasa reenact face.jpg driver.mp4 -o talk.mp4 --pose_from=other.mp4
vasa reenact --image=face.jpg --video=driver.mp4 -o talk.mp4
"""

import argparse
from typing import Any

from vasa_jax.command import animate, marks, progress
from vasa_jax.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    in_order = [
        add("image", metavar="IMAGE", help="a picture with one clear face"),
        add(
            "video",
            metavar="VIDEO",
            help="of one person, in any format that FFmpeg reads",
        ),
    ]
    by_flag = {"metavar": "FILE", "action": animate.InPlaceOf, "instead_of": in_order}
    add("--image", dest="image_by_flag", help="in place of IMAGE", **by_flag)
    add("--video", dest="video_by_flag", help="in place of VIDEO", **by_flag)
    add("-o", "--output", metavar="OUT.mp4", required=True, help="to write, or .webm")
    add(
        "--pose_from",
        metavar="FILE",
        help="another video, or motion by --motion_output, whose head poses are taken",
    )
    add(
        "--dynamics_from",
        metavar="FILE",
        help="the same for lips, brows and eyes; also a .csv of ARKit's weights",
    )
    add(
        "--turns_about",
        choices=("portrait", "camera"),
        help="portrait (default): the head moves about its own pose, as the driver's "
        "does about its mean; camera: it takes the driver's poses as they are",
    )
    add(
        "--motion_output",
        metavar="FILE",
        help="also write the motion: .npz, .json, or .csv with ARKit's weights alone",
    )
    animate.add_model_arguments(parser)


def run(chosen: argparse.Namespace) -> None:
    """Reenact as the arguments say.

    Raises:
        UserError: a file cannot be used.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    from vasa_jax import compilation_cache
    from vasa_jax.animate import motion_files, reenactment

    given = vars(chosen)
    image, video = _image_and_video(given)
    seal = marks.seal_of(given)
    compilation_cache.enable()
    with progress.shown("reenact") as listener:
        num_frames = reenactment.reenact_files(
            image,
            video,
            chosen.output,
            pose_from=given.get("pose_from"),
            dynamics_from=given.get("dynamics_from"),
            turns_about=given.get("turns_about", motion_files.PORTRAIT),
            motion_output=given.get("motion_output"),
            models=animate.models_of(given),
            settings=animate.settings_of(given, seal),
            listener=listener,
        )
    print(f"{chosen.output}: {num_frames} frames")


def _image_and_video(given: dict[str, Any]) -> tuple[str, str]:
    """Return both files, given in their order or by flags.

    Raises:
        UserError: one is missing, or both ways are used at once.
    """
    names = "image", "video"
    by_flag = [f"{name}_by_flag" for name in names if f"{name}_by_flag" in given]
    if not by_flag:
        return given["image"], given["video"]
    if any(name in given for name in names):
        raise UserError(
            "Files are given both in their order and by --image or --video; give both "
            "files one way."
        )
    if len(by_flag) == 1:
        raise UserError("--image and --video belong together; give the other, too.")
    return given["image_by_flag"], given["video_by_flag"]

"""Let a video of someone drive a portrait; the sound of the video stays.

vasa reenact face.jpg driver.mp4 -o talk.mp4
vasa reenact face.jpg driver.mp4 -o talk.mp4 --pose_from=other.mp4
"""

import argparse

from vasa_jax.command import animate, marks, progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("image", metavar="IMAGE", help="a picture with one clear face")
    add("video", metavar="VIDEO", help="of one person, in any format that FFmpeg reads")
    add("-o", "--output", metavar="OUT.mp4", required=True, help="the mp4 to write")
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
    from vasa_jax.animate import reenactment

    given = vars(chosen)
    seal = marks.seal_of(given)
    compilation_cache.enable()
    with progress.shown("reenact") as calls:
        num_frames = reenactment.reenact_files(
            chosen.image,
            chosen.video,
            chosen.output,
            pose_from=given.get("pose_from"),
            dynamics_from=given.get("dynamics_from"),
            motion_output=given.get("motion_output"),
            checkpoint=given.get("checkpoint"),
            audio_weights=given.get("audio_weights"),
            image_size=given.get("image_size"),
            show_whole_picture=chosen.whole_picture,
            seal=seal,
            **calls,
        )
    print(f"{chosen.output}: {num_frames} frames")

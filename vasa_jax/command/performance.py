"""The arguments that say what a performance shall be, and the controls they make."""

import argparse
from collections.abc import Mapping
from typing import Any

from vasa_jax.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a performance."""
    add = parser.add_argument_group("the performance").add_argument
    add(
        "--controls",
        metavar="FILE",
        help="JSON or CSV with any of these, also as curves over time "
        "(docs/controls.md)",
    )
    add(
        "--seed",
        metavar="N",
        type=int,
        help="another seed, another performance (default: 0)",
    )
    add(
        "--emotion",
        metavar="NAME",
        help="such as happiness or sadness:0.7,surprise:0.3 (default: the voice's)",
    )
    add(
        "--gaze",
        metavar="YAW,PITCH",
        help="degrees within 25,15; right side of the image and down positive, such "
        "as --gaze=-10,5 (default: 0,0)",
    )
    add(
        "--distance",
        metavar="X",
        type=float,
        help="of the head, 0.85 to 1.3; 1 is the portrait's framing (default: 1)",
    )
    add(
        "--liveliness",
        metavar="X",
        type=float,
        help="head movement over what goes with the voice, 0.3 to 3 (default: 1)",
    )
    add(
        "--pose_scale",
        metavar="X",
        type=float,
        help="turns of the head over those generated, 0 still to 2 (default: 1)",
    )
    add(
        "--pose_offset",
        metavar="YAW,PITCH,ROLL",
        help="degrees within 20,15,15 by which the head is turned further; right side "
        "of the image, down and counter-clockwise positive (default: 0,0,0)",
    )
    add(
        "--mouth_scale",
        metavar="X",
        type=float,
        help="movement of jaw and lips over that generated, 0 to 2 (default: 1)",
    )
    add(
        "--brow_offset",
        metavar="X",
        type=float,
        help="-1 lowers the brows, 1 raises them (default: 0)",
    )
    add(
        "--smile_offset",
        metavar="X",
        type=float,
        help="-1 draws the mouth's corners down, 1 up (default: 0)",
    )
    add(
        "--blink_rate",
        metavar="N",
        type=float,
        help="blinks a minute, 0 to 60 (default: as generated)",
    )
    add(
        "--audio_guidance",
        metavar="X",
        type=float,
        help="hold to the voice, 0 to 10 (default: 0.5)",
    )
    add(
        "--gaze_guidance",
        metavar="X",
        type=float,
        help="hold to the gaze, 0 to 10 (default: 1)",
    )
    add(
        "--num_steps",
        metavar="N",
        type=int,
        help="steps of the diffusion sampler (default: the checkpoint's)",
    )


def controls_of(given: Mapping[str, Any]) -> Any:
    """Return the `Controls` that arguments ask for.

    Args:
        given: arguments by name, without those that were left out.

    Raises:
        UserError: one is out of range, the file cannot be used, or a control is asked
            for both in the file and by an argument.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    from vasa_jax.animate import control_files, controls

    parsers = {
        "gaze": controls.parse_gaze,
        "pose_offset": controls.parse_pose_offset,
        "emotion": controls.parse_emotion,
    }
    fields = {
        name: parse(given[name]) for name, parse in parsers.items() if name in given
    }
    plain = "seed", "num_steps", *control_files.NUMBERS
    fields |= {name: given[name] for name in plain if name in given}
    if "distance" in given:
        fields["head_distance"] = given["distance"]
    if "controls" in given:
        in_file = control_files.read(given["controls"])
        twice = [name for name in in_file if name in fields]
        if twice:
            raise UserError(
                f"{twice[0]} is asked for by an argument and in {given['controls']}; "
                "leave one out."
            )
        fields |= in_file
    return controls.Controls(**fields)

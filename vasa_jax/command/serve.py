"""Open a page on which a portrait listens and speaks, live.

    vasa serve

Then open the address that it prints. Needs `pip install "vasa_jax[live]"`.
"""

import argparse
import sys

from vasa_jax.command import marks
from vasa_jax.errors import UserError

DEFAULT_PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add(
        "portrait",
        metavar="PORTRAIT",
        nargs="?",
        help="shown unless the user gives one (default: a person who does not exist)",
    )
    add("--host", metavar="ADDRESS", help="to listen at (default: 127.0.0.1)")
    add("--port", metavar="N", type=int, help=f"(default: {DEFAULT_PORT})")
    add(
        "--token",
        metavar="SECRET",
        help="that requests must carry; needed at any address but this machine's own",
    )
    add("--prefix", metavar="PATH", help="of every path, behind a proxy, such as /face")
    add("--tls_cert", metavar="FILE", help="certificate in PEM, for https")
    add("--tls_key", metavar="FILE", help="its private key in PEM")
    add("--max_sessions", metavar="N", type=int, help="faces at once (default: 2)")
    add(
        "--idle_minutes",
        metavar="X",
        type=float,
        help="without a word, after which a session ends (default: 10)",
    )
    add = parser.add_argument_group("picture and sound").add_argument
    add(
        "--image_size",
        metavar="PIXELS",
        type=int,
        help="side of the face's frames (default: 512)",
    )
    add(
        "--num_steps",
        metavar="N",
        type=int,
        help="steps of the diffusion sampler; fewer are faster (default: 8)",
    )
    add(
        "--codec",
        choices=("vp8", "h264"),
        help="of the picture; h264 costs four times as much (default: vp8)",
    )
    add("--stun", metavar="URL", help="such as stun:example.org:3478 (default: none)")
    add("--turn", metavar="URL", help="such as turn:example.org:3478")
    add("--turn_user", metavar="NAME", help="for --turn")
    add("--turn_password", metavar="SECRET", help="for --turn")
    add = parser.add_argument_group("typed text").add_argument
    add(
        "--voice",
        metavar="SEED|NAME",
        help="who says it unless the page chooses; needs the extra `voices` (hazel)",
    )
    add("--language", metavar="NAME", help="of the text, likewise (default: en)")
    add = parser.add_argument_group("models").add_argument
    add("--checkpoint", metavar="DIR", help="folder of both models")
    add("--audio_weights", metavar="FILE", help="of the audio encoder, if it needs one")
    marks.add_arguments(parser)


def run(chosen: argparse.Namespace) -> None:
    """Serve as the arguments say, until Ctrl-C.

    Raises:
        UserError: a file or an address cannot be used, or the extra is missing.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    try:
        import aiohttp  # noqa: F401
        import aiortc  # noqa: F401
    except ImportError as error:
        raise UserError(
            f'{error.name} is not installed; run `pip install "vasa_jax[live]"`.'
        ) from error
    from vasa_jax.live import serving

    given = {name: value for name, value in vars(chosen).items() if name != "command"}
    given["seal"] = marks.seal_of(given)
    asked = serving.ServeSettings(**given)
    serving.serve(asked, say=lambda sentence: print(sentence, file=sys.stderr))

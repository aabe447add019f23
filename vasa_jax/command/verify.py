"""Tell whether a video or picture says that it is generated.

    vasa verify talk.mp4

Looks for a C2PA manifest and for vasa_jax's watermark (docs/provenance.md). The exit
code is 0 where one of them says that the file is generated, 1 where neither does, and 2
where the file cannot be read.
"""

import argparse
import pathlib

from vasa_jax.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="a video or picture")
    parser.add_argument(
        "--trust_anchors",
        metavar="FILE",
        help="certificates in PEM whose signers are trusted (default: none)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Verify as the arguments say, and return the exit code.

    Raises:
        UserError: a file cannot be read.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    from vasa_jax.provenance import verification

    anchors = None
    if "trust_anchors" in vars(chosen):
        try:
            anchors = pathlib.Path(chosen.trust_anchors).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"Cannot read {chosen.trust_anchors}; give a file of certificates in "
                "PEM."
            ) from error
    sentences, tells = verification.verify(chosen.file, anchors)
    print("\n".join(sentences))
    return 0 if tells else 1

"""Words of every command that writes or shows frames: how they are marked."""

import argparse
from typing import Any

from vasa_jax.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of marks and manifests."""
    add = parser.add_argument_group("what says that the face is generated").add_argument
    add(
        "--no_mark",
        action="store_true",
        default=False,
        help="neither watermark nor manifest: for research; whoever publishes such a "
        "file must say by other means that it is generated",
    )
    add(
        "--mark_number",
        metavar="N",
        type=int,
        help="that the watermark holds, 0 to 65535 (default: 0)",
    )
    add(
        "--certificate",
        metavar="FILE",
        help="chain in PEM that signs the C2PA manifest (default: a test one of this "
        "machine, which readers show as not trusted)",
    )
    add("--private_key", metavar="FILE", help="of --certificate, in PEM")


def seal_of(given: dict[str, Any], is_voice_generated: bool = False):
    """Return the `Seal` that was asked for; None for --no_mark.

    Args:
        given: words by name, of which those of this group are taken out.
        is_voice_generated: see `provenance.manifest.Claim`.

    Raises:
        UserError: words do not go together, or a file cannot be used.
    """
    # Imported late, so that `--help` and mistakes in words answer at once.
    from vasa_jax.provenance import certificate, manifest, sealing, watermark

    no_mark = given.pop("no_mark", False)
    number = given.pop("mark_number", None)
    files = {
        name: given.pop(name)
        for name in ("certificate", "private_key")
        if name in given
    }
    if no_mark and (files or number is not None):
        raise UserError(
            "--no_mark leaves out what --mark_number and --certificate are for; leave "
            "it or them out."
        )
    if len(files) == 1:
        raise UserError(
            "--certificate and --private_key belong together; give the other, too."
        )
    if no_mark:
        return None
    watermark.Marker(number or 0)  # Refuses numbers out of range.
    own = None
    if files:
        if not manifest.is_available():
            raise UserError(f"--certificate needs {manifest.INSTALL}.")
        own = certificate.read(files["certificate"], files["private_key"])
    return sealing.Seal(number or 0, own, is_voice_generated)

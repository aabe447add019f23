"""What programs that build sets share: flags, folders, and what they print."""

import logging
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from absl import app, flags

from datasets.building import set_builder
from vasa_jax import errors


def run(build: Callable[[], None]) -> None:
    """Run a program; a user's mistake becomes one sentence and exit code 2.

    Args:
        build: the program, without arguments.
    """

    def main(argv: list[str]) -> None:
        # At its start JAX tells which kinds of devices there are not.
        logging.getLogger("jax").setLevel(logging.WARNING)
        try:
            if len(argv) > 1:
                raise errors.UserError(
                    f"The argument {argv[1]!r} is no flag; write --name=value."
                )
            build()
        except errors.UserError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)

    app.run(main, flags_parser=_parse)


def folder(flag: Any, meaning: str) -> pathlib.Path:
    """Return the folder that a flag names.

    Args:
        flag: of a text.
        meaning: what the folder is for, after the word folder.

    Raises:
        UserError: the flag is not given.
    """
    if not flag.value:
        raise errors.UserError(f"--{flag.name} is missing; name the folder {meaning}.")
    return pathlib.Path(flag.value).expanduser().absolute()


def print_outcome(
    outcome: set_builder.Outcome, output_dir: str, source: str, person: str
) -> None:
    """Print what was made and what was left out.

    Args:
        outcome: of the build.
        output_dir: as given.
        source, person: what clips are made of and who is in them, in the singular.
    """
    parts = [
        f"{count} {split} of {outcome.num_identities[split]} {person}s"
        for split, count in outcome.num_clips.items()
    ]
    print(
        f"{sum(outcome.num_clips.values())} clips ({', '.join(parts)}) in {output_dir}"
    )
    for kind, count in sorted(outcome.num_skipped.items()):
        print(f"skipped {count} {source}s {kind}: see {set_builder.SKIPPED_FILE}")
    if outcome.num_damaged:
        print(
            f"used what is left of {outcome.num_damaged} damaged {source}s: see "
            f"{set_builder.SKIPPED_FILE}"
        )


def _parse(arguments: list[str]) -> list[str]:
    """Parse flags; a flag that is unknown or malformed ends with code 2."""
    try:
        return flags.FLAGS(arguments)
    except flags.Error as error:
        print(f"error: {' '.join(str(error).split())}; see --help.", file=sys.stderr)
        sys.exit(2)

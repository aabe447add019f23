"""Runs a program: a user's mistake becomes one sentence and exit code 2."""

import logging
import sys
from collections.abc import Callable, Sequence

from absl import app, flags
from absl import logging as absl_logging

from vasa_jax.errors import UserError


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Parse flags, call `main`, and leave with its exit code.

    Args:
        main: takes the arguments that are no flags; returns None or an exit code.
    """

    def guarded(arguments: Sequence[str]) -> int | None:
        try:
            if len(arguments) > 1:
                raise UserError(
                    f"The argument {arguments[1]!r} is no flag; write --name=value, "
                    "and see --help for the names."
                )
            return main(arguments)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2

    app.run(guarded, flags_parser=_parse)


def _parse(arguments: Sequence[str]) -> list[str]:
    """Parse flags; a flag that is unknown or malformed ends with code 2."""
    try:
        rest = flags.FLAGS(arguments)
    except flags.Error as error:
        sentence = " ".join(str(error).split())
        print(f"error: {sentence}; see --help.", file=sys.stderr)
        sys.exit(2)
    _quieten_libraries()
    return rest


def _quieten_libraries() -> None:
    """Let libraries log errors alone, unless `--verbosity` asks for more.

    Ours: TFDS, Orbax and jax tell of each of their steps. Of jax, warnings stay, such
    as that of a GPU which it does not use.
    """
    if flags.FLAGS["verbosity"].using_default_value:
        absl_logging.set_verbosity(absl_logging.ERROR)
        logging.getLogger("jax").setLevel(logging.WARNING)

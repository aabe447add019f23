"""Read the words after `vasa` and do what they ask."""

import argparse
import sys
import warnings
from collections.abc import Sequence

from vasa_jax.command import animate, reenact, serve, verify
from vasa_jax.errors import UserError

COMMANDS = {
    "animate": animate,
    "reenact": reenact,
    "serve": serve,
    "verify": verify,
}
"""Modules with `add_arguments` and `run`, which may return an exit code; the first line
of each is its help."""


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one sentence, as all else here does."""

    def error(self, message: str) -> None:
        """Raise `UserError`."""
        raise UserError(f"{message}; see `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after `vasa`; None takes those of this process.

    Returns:
        The exit code: the command's own, 0 for most, or 2 after a mistake that the
        user can mend.
    """
    # Pillow remarks on what is odd in a file; what is wrong we say in a sentence.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        chosen = make_parser().parse_args(arguments)
        return COMMANDS[chosen.command].run(chosen) or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # As shells count what Ctrl-C ends.


def make_parser() -> Parser:
    """Return the parser of the whole command."""
    parser = Parser(prog="vasa", description="A portrait and a voice in, a video out.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        first_line = module.__doc__.splitlines()[0]
        # What is not given is left out, so that its default stands in one place.
        own = commands.add_parser(
            name,
            help=first_line,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        module.add_arguments(own)
    return parser

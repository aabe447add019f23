"""`python -m vasa_jax` is the command `vasa`."""

import sys

from vasa_jax.command import main

if __name__ == "__main__":
    sys.exit(main.main())

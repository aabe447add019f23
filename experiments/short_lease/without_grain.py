"""Run a program of this repository with batches that need no Grain.

    python -m experiments.short_lease.without_grain experiments.train --config=...

Ours: so that neither the library nor the programs know of machines without Grain, what
makes their batches is replaced here, before they start.
"""

import runpy
import sys

from experiments.short_lease import plain_batches
from vasa_jax.data import pipeline


def main() -> None:
    """Run the program that the first argument names with the arguments after it."""
    if len(sys.argv) < 2:
        print(f"error: name a program; {__doc__.splitlines()[2].strip()}")
        sys.exit(2)
    pipeline.training_batches = plain_batches.training_batches
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

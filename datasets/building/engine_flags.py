"""The flags that say where shards are made, of all programs that make them."""

import os
import shlex

from absl import flags

from datasets.building import beam, engines
from vasa_jax import errors

_NUM_WORKERS = flags.DEFINE_integer(
    "num_workers",
    None,
    "Processes of this machine; all cores by default, for experiments.encode one.",
    lower_bound=1,
)
_BEAM_RUNNER = flags.DEFINE_enum(
    "beam_runner",
    None,
    list(beam.RUNNERS),
    "Make shards by Apache Beam in place of processes (docs/building_on_clusters.md).",
)
_BEAM_FLAGS = flags.DEFINE_string(
    "beam_flags",
    "",
    "Beam's own flags in one text, such as '--dask_client_address=tcp://host:8786'.",
)


def engine(num_workers: int | None = None) -> engines.Engine:
    """Return what the flags ask for.

    Args:
        num_workers: processes where the flag does not say; None takes all cores.

    Raises:
        UserError: the flags do not fit together, or as `beam.Beam`.
    """
    if _BEAM_RUNNER.value is None:
        if _BEAM_FLAGS.value:
            raise errors.UserError(
                "--beam_flags is for Apache Beam; choose its runner by --beam_runner, "
                f"one of {', '.join(beam.RUNNERS)}."
            )
        cores = len(os.sched_getaffinity(0))
        return engines.Pool(_NUM_WORKERS.value or num_workers or cores)
    if _NUM_WORKERS.value:
        raise errors.UserError(
            "--num_workers is for processes of this machine; leave it out, because "
            f"{_BEAM_RUNNER.value} has workers of its own."
        )
    return beam.Beam(_BEAM_RUNNER.value, tuple(shlex.split(_BEAM_FLAGS.value)))

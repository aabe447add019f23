"""Finds the other processes of a run on many machines, and joins them."""

import os
from collections.abc import Mapping
from typing import Any

import jax

from vasa_jax.errors import UserError


def arguments_of(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Read from environment variables how processes find one another.

    In this order: `JAX_COORDINATOR_ADDRESS`, `JAX_NUM_PROCESSES`, `JAX_PROCESS_ID`
    (or, on Kubernetes, `JOB_COMPLETION_INDEX`) given by hand; Slurm, Open MPI and TPU
    pods, which jax itself understands.

    Args:
        environment: such as `os.environ`.

    Returns:
        Arguments of `jax.distributed.initialize`, or None for a single process.

    Raises:
        UserError: the variables given by hand are incomplete or no numbers.
    """
    if environment.get("JAX_COORDINATOR_ADDRESS"):
        return _given_by_hand(environment)
    # An empty dict lets jax ask the cluster itself.
    return {} if _is_cluster(environment) else None


def _given_by_hand(environment: Mapping[str, str]) -> dict[str, Any]:
    address = environment["JAX_COORDINATOR_ADDRESS"]
    count = environment.get("JAX_NUM_PROCESSES", "")
    index = environment.get(
        "JAX_PROCESS_ID", environment.get("JOB_COMPLETION_INDEX", "")
    )
    if not (count.isdigit() and index.isdigit() and int(index) < int(count)):
        raise UserError(
            f"JAX_COORDINATOR_ADDRESS is {address!r} but JAX_NUM_PROCESSES is "
            f"{count!r} and JAX_PROCESS_ID is {index!r}; give both as numbers, the "
            "id below the count."
        )
    return {
        "coordinator_address": address,
        "num_processes": int(count),
        "process_id": int(index),
    }


def _is_cluster(environment: Mapping[str, str]) -> bool:
    """Tell whether Slurm, Open MPI or a TPU pod started several processes."""
    counts = (
        environment.get("SLURM_STEP_NUM_TASKS", environment.get("SLURM_NTASKS", "1"))
        if "SLURM_PROCID" in environment
        else "1",
        environment.get("OMPI_COMM_WORLD_SIZE", "1"),
        str(1 + environment.get("TPU_WORKER_HOSTNAMES", "").count(",")),
    )
    return any(count.isdigit() and int(count) > 1 for count in counts)


def join(
    coordinator_address: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    is_distributed: bool = False,
) -> bool:
    """Join the other processes of a run, if there are any; call before any other jax.

    Args:
        coordinator_address: `host:port` of process 0; None reads the environment.
        num_processes: how many processes there are.
        process_id: which one this is.
        is_distributed: let jax look for the others although no variable tells of them,
            as on TPU pods, whose metadata only a server knows.

    Returns:
        Whether the run has several processes.

    Raises:
        UserError: an address was given without count and index.
    """
    environment = dict(os.environ)
    if coordinator_address is not None:
        environment["JAX_COORDINATOR_ADDRESS"] = coordinator_address
        if num_processes is not None:
            environment["JAX_NUM_PROCESSES"] = str(num_processes)
        if process_id is not None:
            environment["JAX_PROCESS_ID"] = str(process_id)
    arguments = arguments_of(environment)
    if arguments is None:
        if not is_distributed:
            return False
        arguments = {}
    jax.distributed.initialize(**arguments)
    return jax.process_count() > 1

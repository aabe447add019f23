"""How the processes of a run find one another."""

import pytest

from vasa_jax.errors import UserError
from vasa_jax.train import processes


@pytest.mark.parametrize(
    "environment, arguments",
    [
        ({}, None),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, None),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "4"}, {}),
        ({"SLURM_NTASKS": "4"}, None),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, {}),
        ({"TPU_WORKER_HOSTNAMES": "a,b"}, {}),
        ({"TPU_WORKER_HOSTNAMES": "localhost"}, None),
        (
            {
                "JAX_COORDINATOR_ADDRESS": "a:1",
                "JAX_NUM_PROCESSES": "3",
                "JOB_COMPLETION_INDEX": "2",
            },
            {"coordinator_address": "a:1", "num_processes": 3, "process_id": 2},
        ),
    ],
)
def test_processes_find_one_another_by_the_environment(environment, arguments):
    assert processes.arguments_of(environment) == arguments


@pytest.mark.parametrize("index", ["", "x", "3"])
def test_an_incomplete_environment_is_refused(index):
    environment = {
        "JAX_COORDINATOR_ADDRESS": "a:1",
        "JAX_NUM_PROCESSES": "3",
        "JAX_PROCESS_ID": index,
    }
    with pytest.raises(UserError, match="the id below the count"):
        processes.arguments_of(environment)

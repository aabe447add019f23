"""Processes that are killed are started anew, with what is missing."""

import pytest
import threadpoolctl
import tiny_shards

from datasets.building import engines
from vasa_jax import errors


def test_killed_processes_are_started_anew_with_the_shards_that_have_no_report(
    tmp_path, capsys
):
    shards = [tiny_shards.TinyShard(f"calm{number}") for number in range(4)]
    shards.append(tiny_shards.TinyShard("deadly", kills=2))
    job = tiny_shards.job(tmp_path)
    engines.Pool(2).make_all(job, shards, "clip")
    assert job.missing(shards) == []
    assert tiny_shards.num_attempts(tmp_path, shards[-1]) == 3
    assert "clip" in capsys.readouterr().err


def test_a_shard_that_kills_every_process_ends_with_a_sentence(tmp_path):
    shards = [
        tiny_shards.TinyShard("calm"),
        tiny_shards.TinyShard("deadly", kills=9),
    ]
    with pytest.raises(errors.UserError, match="killed 4 times, and 1 shard"):
        engines.Pool(1).make_all(tiny_shards.job(tmp_path), shards, "clip")
    assert tiny_shards.num_attempts(tmp_path, shards[-1]) == 4


def test_a_finished_shard_is_not_made_again(tmp_path):
    shard = tiny_shards.TinyShard("one", num_sources=3)
    job = tiny_shards.job(tmp_path)
    assert (job(shard), job(shard)) == (3, 3)
    assert tiny_shards.num_attempts(tmp_path, shard) == 1


def test_shards_are_made_on_one_thread_of_blas_whatever_the_machine():
    with threadpoolctl.threadpool_limits(4):
        seen = []
        job = engines.Job(
            lambda _: seen.extend(threadpoolctl.threadpool_info()), lambda _: False
        )
        job(tiny_shards.TinyShard("one"))
    counts = {pool["num_threads"] for pool in seen if pool["user_api"] == "blas"}
    assert counts == {1}

"""Beam's runners make what processes make."""

import importlib.util
import sys

import pytest
import tiny_shards

from datasets.building import beam
from vasa_jax import errors

SHARDS = [tiny_shards.TinyShard(f"{number:03d}") for number in range(5)]
needs_beam = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None, reason="needs the extra `beam`"
)


def test_a_runner_that_is_not_offered_is_named():
    with pytest.raises(errors.UserError, match="'DirectRunner'; choose one of FnApi"):
        beam.Beam("DirectRunner")


@pytest.mark.parametrize(
    "flag", ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
)
def test_beams_own_processes_are_not_offered(flag):
    with pytest.raises(errors.UserError, match="--num_workers"):
        beam.Beam("FnApiRunner", (flag,))


def test_without_beam_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(errors.UserError, match=r'pip install -e "\.\[data,beam\]"'):
        beam.Beam("FnApiRunner")


@needs_beam
@pytest.mark.parametrize(
    "runner, flags",
    [
        ("FnApiRunner", ()),
        ("PortableRunner", ("--job_endpoint=embed", "--environment_type=LOOPBACK")),
    ],
)
def test_a_runner_makes_each_shard_once_and_shows_it(tmp_path, capsys, runner, flags):
    job = tiny_shards.job(tmp_path)
    beam.Beam(runner, flags).make_all(job, SHARDS, "clip")
    assert job.missing(SHARDS) == []
    assert {tiny_shards.num_attempts(tmp_path, shard) for shard in SHARDS} == {1}
    assert "10/10" in capsys.readouterr().err


@needs_beam
def test_workers_that_do_not_share_the_folder_are_told_of(monkeypatch):
    monkeypatch.setattr(beam, "SECONDS_TO_APPEAR", 0)

    class WritesElsewhere:
        def __call__(self, shard):
            return shard.num_sources

        def missing(self, shards):
            return list(shards)

    with pytest.raises(errors.UserError, match="5 of 5 shards .* they and this"):
        beam.Beam("FnApiRunner").make_all(WritesElsewhere(), SHARDS, "clip")

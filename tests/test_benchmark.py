"""Timing, floors, and the table of the benchmark."""

import dataclasses
import functools
import json
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from experiments.running import timing
from experiments.tools import training_speed, untrained
from vasa_jax.animate import trained
from vasa_jax.audio import encoders, wav2vec2, wav2vec2_encoder
from vasa_jax.face import config as face_config
from vasa_jax.motion import config as motion_config

ROOT = pathlib.Path(__file__).parent.parent


def test_a_matrix_product_counts_two_operations_for_each_product():
    a, b = jnp.zeros((8, 16)), jnp.zeros((16, 32))
    assert timing.count_operations(lambda a, b: a @ b, a, b) == 2 * 8 * 16 * 32


def test_the_floor_is_the_dearer_of_arithmetic_and_memory():
    rates = timing.Rates(operations=10.0, bytes=100.0)
    assert rates.floor_seconds(num_operations=50, num_bytes=100) == 5.0
    assert rates.floor_seconds(num_operations=50, num_bytes=1000) == 10.0


def test_the_bytes_of_trees_are_added():
    tree = {"a": jnp.zeros((2, 3)), "b": [jnp.zeros(4, jnp.uint8)]}
    assert timing.num_bytes(tree, jnp.zeros(1, jnp.bfloat16)) == 24 + 4 + 2


def test_the_first_run_is_not_timed():
    calls = []

    def run():
        calls.append(1)
        return jax.numpy.zeros(1)

    assert len(timing.all_seconds(run, 3)) == 3
    assert len(calls) == 4
    assert timing.median_seconds(run, 3) > 0


def test_the_papers_preset_is_timed_with_the_features_that_it_is_trained_with():
    models = untrained.make(
        face_config.tiny(),
        motion_config.tiny(num_audio_channels=770),
        trained.vasa1(),
    )
    encoder = models.audio_encoder()
    assert isinstance(encoder, wav2vec2_encoder.Wav2Vec2Encoder)
    assert encoder.grid == encoders.make("wav2vec2").grid
    # The published file is not needed: a small network of the kind is drawn.
    small = wav2vec2.Wav2Vec2Network(
        conv_channels=(8,) * 7, width=16, num_layers=1, num_heads=2, mlp_width=16
    )
    drawn = dataclasses.replace(encoder, network=small).load_variables()
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(drawn))


@pytest.mark.slow
def test_the_benchmark_prints_a_table_and_writes_json(tmp_path):
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments.benchmark",
            "--preset=tiny",
            "--batches=2",
            "--steps=2",
            "--num_repeats=1",
            f"--output={tmp_path / 'speed.json'}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    for words in ("decode 32 px, 2 at once", "motion window, 2 steps", "first frames"):
        assert words in ended.stdout
    content = json.loads((tmp_path / "speed.json").read_text())
    assert content["source"] == "preset tiny, random weights"
    assert all(row["seconds"] > 0 for row in content["rows"])


def test_runs_that_are_compared_take_turns():
    calls = []

    def run(name):
        calls.append(name)
        return jnp.zeros(1)

    runs = {name: functools.partial(run, name) for name in "ab"}
    seconds = training_speed.in_turn(runs, repeats=2)
    assert "".join(calls) == "ab" + "abab"
    assert set(seconds) == {"a", "b"} and min(seconds.values()) > 0


def test_a_training_step_stands_beside_the_one_with_stock_convolutions():
    rates = timing.Rates(operations=1e9, bytes=1e9)
    ours, stock = training_speed.train_rows(
        rates, "tests/linear_regression.py", "tiny", [], 1
    )
    assert ours.baseline_seconds == stock.seconds and stock.baseline_seconds is None
    assert 0 < ours.floor_seconds == stock.floor_seconds
    last = timing.to_table([ours, stock]).splitlines()[-2:]
    assert training_speed.STOCK in last[0] and last[1].endswith("|  |")

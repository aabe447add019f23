"""Meshes, shardings by size, and how processes find one another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from vasa_jax.errors import UserError
from vasa_jax.train import sharding


@pytest.mark.parametrize(
    "text, sizes",
    [
        (None, {"data": 8, "fsdp": 1}),
        ("", {"data": 8, "fsdp": 1}),
        ("data:2,fsdp:4", {"data": 2, "fsdp": 4}),
        ("fsdp:8", {"data": 1, "fsdp": 8}),
        ("data:-1,fsdp:2", {"data": 4, "fsdp": 2}),
    ],
)
def test_a_mesh_text_gives_the_sizes_of_the_axes(text, sizes):
    assert sharding.parse_mesh(text, 8) == sizes
    assert dict(sharding.make_mesh(text).shape) == sizes


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("data:3", "does not use the 8 devices"),
        ("model:8", "not an axis"),
        ("data", "not an axis"),
        ("data:0,fsdp:8", "not an axis"),
        ("data:-1,fsdp:-1", "does not use"),
        ("data:-1,fsdp:3", "does not use"),
    ],
)
def test_a_mesh_that_does_not_fit_is_refused(text, sentence):
    with pytest.raises(UserError, match=sentence):
        sharding.parse_mesh(text, 8)


def test_a_mesh_may_use_some_devices_only():
    assert sharding.make_mesh(num_devices=2).size == 2
    with pytest.raises(UserError, match="9 devices were asked for and 8 are here"):
        sharding.make_mesh(num_devices=9)


@pytest.mark.parametrize(
    "shape, spec",
    [
        ((512, 1024), PartitionSpec(None, "fsdp")),
        ((3, 3, 3, 128, 96), PartitionSpec(None, None, None, "fsdp")),
        ((1023, 512), PartitionSpec(None, "fsdp")),
        ((1023, 1021), PartitionSpec()),
        ((8, 8), PartitionSpec()),
        ((), PartitionSpec()),
    ],
)
def test_large_arrays_are_split_along_their_largest_axis_that_divides(shape, spec):
    assert sharding.partition_by_size(shape, 4) == spec


def test_nothing_is_split_when_the_axis_has_one_device():
    assert sharding.partition_by_size((4096, 4096), 1) == PartitionSpec()


def test_a_state_is_born_sharded_and_counted():
    mesh = sharding.make_mesh("data:2,fsdp:4")
    shapes = {
        "kernel": jax.ShapeDtypeStruct((512, 1024), jnp.float32),
        "bias": jax.ShapeDtypeStruct((1024,), jnp.float32),
    }
    placed = sharding.state_shardings(shapes, mesh)
    born = jax.jit(
        lambda: {"kernel": jnp.ones((512, 1024)), "bias": jnp.ones(1024)},
        out_shardings=placed,
    )()
    assert born["kernel"].addressable_shards[0].data.shape == (512, 256)
    assert born["bias"].addressable_shards[0].data.shape == (1024,)
    assert sharding.bytes_per_device(shapes, placed) == 4 * (512 * 256 + 1024)


def test_the_rows_of_a_batch_go_over_all_devices():
    mesh = sharding.make_mesh("data:4,fsdp:2")
    batch = sharding.shard_batch({"rows": np.arange(32).reshape(16, 2)}, mesh)
    shards = batch["rows"].addressable_shards
    assert len(shards) == 8
    assert all(shard.data.shape == (2, 2) for shard in shards)
    np.testing.assert_array_equal(batch["rows"], np.arange(32).reshape(16, 2))


def test_a_batch_that_does_not_divide_is_refused_with_the_unit():
    mesh = sharding.make_mesh()
    sharding.check_batch_size(32, mesh, 4)
    with pytest.raises(UserError, match="give a multiple of 32"):
        sharding.check_batch_size(16, mesh, 4)

"""Places arrays on devices: the only mesh maker, FSDP by size, batches by rows.

Axes: `data` splits the batch; `fsdp` splits the batch too, and large parameters with
their optimizer state. No module needs an annotation.

Follows: big_vision and kauldron (parameters sharded by size along one axis, state born
sharded). Ours: two axes only, because models of this size need no tensor parallelism.
"""

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from vasa_jax.errors import UserError

AXES = ("data", "fsdp")

SMALLEST_SHARDED_SIZE = 2**18
"""Elements below which an array is kept whole on each device.

Follows: big_vision, which leaves arrays under about a million bytes unsharded.
"""


def parse_mesh(text: str | None, num_devices: int) -> dict[str, int]:
    """Read a mesh such as `data:4,fsdp:2`.

    Args:
        text: sizes of the axes; a missing axis has size 1, and None or an empty text
            puts all devices on `data`. One size may be -1: all devices that are left.
        num_devices: how many devices there are.

    Returns:
        The size of each axis of `AXES`.

    Raises:
        UserError: an unknown axis, a size that is no number, or sizes whose product is
            not the number of devices.
    """
    sizes = dict.fromkeys(AXES, 1)
    if not text:
        return {**sizes, "data": num_devices}
    for part in text.split(","):
        name, _, size = part.strip().partition(":")
        is_number = size.isdigit() or size == "-1"
        if name not in AXES or not is_number or int(size) == 0:
            raise UserError(
                f"The mesh part {part!r} is not an axis and a size; write for example "
                f"data:{num_devices},fsdp:1."
            )
        sizes[name] = int(size)
    free = [name for name, size in sizes.items() if size == -1]
    if len(free) == 1:
        others = math.prod(size for size in sizes.values() if size != -1)
        sizes[free[0]] = max(1, num_devices // others)
    if len(free) > 1 or math.prod(sizes.values()) != num_devices:
        raise UserError(
            f"The mesh {text!r} does not use the {num_devices} devices exactly; the "
            "product of its sizes must be that number (one size may be -1)."
        )
    return sizes


def make_mesh(text: str | None = None, num_devices: int | None = None) -> Mesh:
    """Make the mesh that all arrays of a run live on.

    Args:
        text: see `parse_mesh`.
        num_devices: use the first so many devices; None takes all.

    Returns:
        A mesh with the axes `data` and `fsdp`.

    Raises:
        UserError: the text does not fit the devices.
    """
    devices = jax.devices()
    if num_devices is not None:
        if not 1 <= num_devices <= len(devices):
            raise UserError(
                f"{num_devices} devices were asked for and {len(devices)} are here; "
                f"ask for 1 to {len(devices)}."
            )
        devices = devices[:num_devices]
    sizes = parse_mesh(text, len(devices))
    # Auto axes: Linen crashes under the Explicit axes that jax now makes by default.
    return jax.make_mesh(
        tuple(sizes[name] for name in AXES),
        AXES,
        axis_types=(jax.sharding.AxisType.Auto,) * len(AXES),
        devices=devices,
    )


def partition_by_size(
    shape: tuple[int, ...], num_shards: int, smallest: int | None = None
) -> PartitionSpec:
    """Choose the axis of an array that is split over `fsdp`.

    Follows: big_vision `infer_sharding` (the largest axis that divides).

    Args:
        shape: shape of the array.
        num_shards: size of the `fsdp` axis.
        smallest: arrays with fewer elements stay whole; None is
            `SMALLEST_SHARDED_SIZE`.

    Returns:
        A spec that names `fsdp` for at most one axis.
    """
    if smallest is None:
        smallest = SMALLEST_SHARDED_SIZE
    if num_shards == 1 or math.prod(shape) < smallest:
        return PartitionSpec()
    divisible = [i for i, size in enumerate(shape) if size % num_shards == 0]
    if not divisible:
        return PartitionSpec()
    chosen = max(divisible, key=lambda i: shape[i])
    return PartitionSpec(*(None,) * chosen, "fsdp")


def state_shardings(abstract: Any, mesh: Mesh, smallest: int | None = None) -> Any:
    """Choose a sharding for each array of a state.

    Args:
        abstract: a tree of anything with a `shape`, as `jax.eval_shape` gives it.
        mesh: from `make_mesh`.
        smallest: as of `partition_by_size`.

    Returns:
        A tree of `NamedSharding` of the same structure.
    """
    num_shards = mesh.shape["fsdp"]
    return jax.tree.map(
        lambda leaf: NamedSharding(
            mesh, partition_by_size(tuple(leaf.shape), num_shards, smallest)
        ),
        abstract,
    )


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Return the sharding of a batch: rows over all devices."""
    return NamedSharding(mesh, PartitionSpec(AXES))


def replicated(mesh: Mesh) -> NamedSharding:
    """Return the sharding that puts the whole array on every device."""
    return NamedSharding(mesh, PartitionSpec())


def check_batch_size(batch_size: int, mesh: Mesh, num_parts: int = 1) -> None:
    """Refuse a batch that devices and accumulation steps cannot share equally.

    Args:
        batch_size: rows over all processes.
        mesh: from `make_mesh`.
        num_parts: gradient accumulation steps.

    Raises:
        UserError: the batch size is not such a multiple.
    """
    unit = mesh.size * num_parts
    if batch_size % unit:
        raise UserError(
            f"The batch size {batch_size} is not a multiple of {unit}, the number of "
            f"devices ({mesh.size}) times accumulation steps ({num_parts}); give a "
            f"multiple of {unit}, or fewer devices."
        )


def shard_batch(batch: Mapping[str, Any], mesh: Mesh) -> dict[str, Any]:
    """Put this process's rows of a batch on the devices.

    Args:
        batch: arrays `[B / processes, ...]` on the host.
        mesh: from `make_mesh`.

    Returns:
        Global arrays `[B, ...]` with rows over all devices.
    """
    sharding = batch_sharding(mesh)
    return jax.tree.map(
        lambda rows: jax.make_array_from_process_local_data(sharding, np.asarray(rows)),
        dict(batch),
    )


def bytes_per_device(abstract: Any, shardings: Any) -> int:
    """Sum the bytes that one device holds of a sharded tree."""
    total = 0
    for leaf, sharding in zip(
        jax.tree.leaves(abstract), jax.tree.leaves(shardings), strict=True
    ):
        itemsize = 8 if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key) else 0
        itemsize = itemsize or leaf.dtype.itemsize
        total += math.prod(sharding.shard_shape(tuple(leaf.shape))) * itemsize
    return total

"""Rotations, rigid transforms, coordinate grids and the only sampling of them.

One convention everywhere: a grid of n cells over [-1, 1] has its values at the cells'
centres, (i + 1/2) / n * 2 - 1. Ours: mixing it with corner-aligned sampling would scale
every flow, so the identity grid returns the image exactly, at any resolution.
"""

import itertools

import einops
import jax
import jax.numpy as jnp

from vasa_jax import types


def rotation_matrix(rotation: jax.Array) -> jax.Array:
    """Build rotation matrices in the image frame (x right, y down, z away).

    Ours: the paper does not say how z_pose is parametrised; yaw, pitch and roll are
    what users control and what evaluation reports.

    Args:
        rotation: `[..., 3]` yaw, pitch, roll in radians, signs as in `types`.

    Returns:
        `[..., 3, 3]` matrices that turn canonical points into posed ones.
    """
    yaw, pitch, roll = rotation[..., 0], rotation[..., 1], rotation[..., 2]
    zero, one = jnp.zeros_like(yaw), jnp.ones_like(yaw)

    def matrix(*entries):
        stacked = jnp.stack(entries, axis=-1)
        return einops.rearrange(stacked, "... (i j) -> ... i j", i=3)

    cos, sin = jnp.cos, jnp.sin
    about_y = matrix(
        cos(yaw), zero, -sin(yaw), zero, one, zero, sin(yaw), zero, cos(yaw)
    )
    about_x = matrix(
        one, zero, zero, zero, cos(pitch), -sin(pitch), zero, sin(pitch), cos(pitch)
    )
    about_z = matrix(
        cos(roll), sin(roll), zero, -sin(roll), cos(roll), zero, zero, zero, one
    )
    return about_y @ about_x @ about_z


def rotation_angles(matrix: jax.Array) -> jax.Array:
    """Read yaw, pitch, roll `[..., 3]` out of rotation matrices `[..., 3, 3]`.

    The inverse of `rotation_matrix` for pitch within a right angle.
    Ours: see `rotation_matrix`.
    """
    yaw = jnp.arctan2(-matrix[..., 0, 2], matrix[..., 2, 2])
    pitch = jnp.arcsin(jnp.clip(-matrix[..., 1, 2], -1.0, 1.0))
    roll = jnp.arctan2(-matrix[..., 1, 0], matrix[..., 1, 1])
    return jnp.stack([yaw, pitch, roll], axis=-1)


def inverse_2d(matrix: jax.Array) -> jax.Array:
    """Invert matrices `[..., 2, 2]`.

    Ours: by formula, so that a frame calls no LAPACK; see `face.dynamics_map`.
    """
    a, b, c, d = jnp.unstack(matrix.reshape(*matrix.shape[:-2], 4), axis=-1)
    adjugate = jnp.stack([d, -b, -c, a], axis=-1) / (a * d - b * c)[..., None]
    return adjugate.reshape(matrix.shape)


def cell_centres(num_cells: int) -> jax.Array:
    """Return the `[n]` centres of n equal cells over [-1, 1]."""
    return (jnp.arange(num_cells, dtype=jnp.float32) + 0.5) / num_cells * 2.0 - 1.0


def image_grid(height: int, width: int) -> jax.Array:
    """Return the identity grid `[H, W, 2]` of (x, y)."""
    y, x = jnp.meshgrid(cell_centres(height), cell_centres(width), indexing="ij")
    return jnp.stack([x, y], axis=-1)


def volume_grid(depth: int, height: int, width: int) -> jax.Array:
    """Return the identity grid `[D, H, W, 3]` of (x, y, z)."""
    z, y, x = jnp.meshgrid(
        cell_centres(depth), cell_centres(height), cell_centres(width), indexing="ij"
    )
    return jnp.stack([x, y, z], axis=-1)


def pose_points(points: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Carry canonical points into the image frame of a head pose.

    Follows: face-vid2vid Eq. 4 (rotation and translation), with the weak-perspective
    scale of `types.HeadPose`.

    Args:
        points: `[B, N..., 3]` canonical points (x, y, z).
        head_pose: leading shape `[B]`.

    Returns:
        `[B, N..., 3]` posed points; x and y are image coordinates.
    """
    rotation = rotation_matrix(head_pose.rotation)
    turned = jnp.einsum("bij,b...j->b...i", rotation, points)
    return turned * _spread(head_pose.scale, points) + _shift(head_pose, points)


def unpose_points(points: jax.Array, head_pose: types.HeadPose) -> jax.Array:
    """Carry points `[B, N..., 3]` of the image frame back to canonical space.

    The inverse of `pose_points`. Follows: face-vid2vid Eq. 4.
    """
    rotation = rotation_matrix(head_pose.rotation)
    centred = (points - _shift(head_pose, points)) / _spread(head_pose.scale, points)
    return jnp.einsum("bji,b...j->b...i", rotation, centred)


def _spread(per_item: jax.Array, points: jax.Array) -> jax.Array:
    inner = (1,) * (points.ndim - 2)
    return per_item.reshape(per_item.shape[:1] + inner + per_item.shape[1:])


def _shift(head_pose: types.HeadPose, points: jax.Array) -> jax.Array:
    depth = jnp.zeros_like(head_pose.scale)
    return _spread(jnp.concatenate([head_pose.translation, depth], axis=-1), points)


def sample_image(image: jax.Array, grid: jax.Array) -> jax.Array:
    """Sample images bilinearly; beyond the border the nearest cell counts.

    Args:
        image: `[B, H, W, C]`.
        grid: `[B, N..., 2]` of (x, y) in [-1, 1].

    Returns:
        `[B, N..., C]` in the image's dtype.
    """
    return jax.vmap(_sample)(image, grid[..., ::-1])


def sample_volume(volume: jax.Array, grid: jax.Array) -> jax.Array:
    """Sample volumes trilinearly; beyond the border the nearest cell counts.

    Args:
        volume: `[B, D, H, W, C]`.
        grid: `[B, N..., 3]` of (x, y, z) in [-1, 1].

    Returns:
        `[B, N..., C]` in the volume's dtype.
    """
    return jax.vmap(_sample)(volume, grid[..., ::-1])


def _sample(values: jax.Array, where: jax.Array) -> jax.Array:
    """Interpolate `[S_1, ..., S_n, C]` at `[..., n]`, slowest axis first.

    Ours: in float32 whatever the dtype. The gradient adds many points to one cell (all
    that lie beyond a border, for one): bfloat16 loses small ones, and GPUs, which have
    no such addition in memory, try again for each (openxla/xla#26371).
    """
    sizes, channels = values.shape[:-1], values.shape[-1]
    flat = values.reshape((-1, channels)).astype(jnp.float32)
    first, shares = 0, []
    for axis, size in enumerate(sizes):
        position = (where[..., axis].astype(jnp.float32) + 1.0) * (0.5 * size) - 0.5
        position = jnp.clip(position, 0.0, size - 1.0)
        low = jnp.minimum(jnp.floor(position), max(size - 2.0, 0.0))
        high_share = (position - low)[..., None]
        shares.append((1.0 - high_share, high_share))
        first = first * size + low.astype(jnp.int32)
    total = 0.0
    for steps in itertools.product((0, 1), repeat=len(sizes)):
        offset, weight = 0, 1.0
        for size, step, share in zip(sizes, steps, shares, strict=True):
            offset = offset * size + min(step, size - 1)
            weight = weight * share[step]
        # Positions are clipped, so no index needs to be looked at again.
        cells = flat.at[first + offset].get(mode="promise_in_bounds")
        total = total + cells * weight
    return total.astype(values.dtype)


def once(values: jax.Array, axis: int = -1) -> jax.Array:
    """Return values that are computed once, whatever uses them.

    Ours: XLA computes an array anew in each of its uses, for each of their channels,
    but not a product of matrices. A CPU draws mouth and eyes in half the time.

    Args:
        values: a few channels of many cells.
        axis: of the channels, the first (0) or the last (-1).
    """
    same = jnp.eye(values.shape[axis], dtype=values.dtype)
    first, second = (values, same) if axis == -1 else (same, values)
    # Exactly: TPUs and GPUs round factors otherwise.
    return jnp.tensordot(first, second, axes=1, precision="highest")


def resize(values: jax.Array, *sizes: int) -> jax.Array:
    """Resize the axes between the first and the last linearly, at cell centres.

    Args:
        values: `[B, S_1, ..., S_n, C]`.
        *sizes: the n new sizes.

    Returns:
        `[B, *sizes, C]`; shrinking averages (antialiased), growing interpolates.
    """
    for axis, size in enumerate(sizes, start=1):
        if size > values.shape[axis] and size % values.shape[axis] == 0:
            values = _grow(values, axis, size // values.shape[axis])
    shape = (values.shape[0], *sizes, values.shape[-1])
    return (
        jax.image.resize(values, shape, "linear") if shape != values.shape else values
    )


def _grow(values: jax.Array, axis: int, times: int) -> jax.Array:
    """Interpolate linearly to so many times the cells along an axis.

    Ours: sums of neighbours, since `jax.image.resize` multiplies by a matrix that is
    nearly all zeros: from 256 to 512 pixels it takes a CPU six times as long.
    """
    last = values.shape[axis] - 1
    first = jax.lax.slice_in_dim(values, 0, 1, axis=axis)
    before = jax.lax.slice_in_dim(values, 0, last, axis=axis)
    before = jnp.concatenate([first, before], axis=axis)
    after = jax.lax.slice_in_dim(values, 1, last + 1, axis=axis)
    end = jax.lax.slice_in_dim(values, last, last + 1, axis=axis)
    after = jnp.concatenate([after, end], axis=axis)
    grown = []
    for phase in range(times):
        place = (phase + 0.5) / times - 0.5
        near = before if place < 0.0 else after
        grown.append((1.0 - abs(place)) * values + abs(place) * near)
    stacked = jnp.stack(grown, axis=axis + 1)
    shape = list(values.shape)
    shape[axis] *= times
    return stacked.reshape(shape)

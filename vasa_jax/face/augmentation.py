"""Changes to drivers that motion must survive and identity must not.

Follows: MegaPortraits: face crop, thin-plate-spline warp, severe colour jitter. Without
them identity leaks through the motion code.
"""

import dataclasses

import jax
import jax.numpy as jnp

from vasa_jax import geometry, layers, types


@dataclasses.dataclass(frozen=True, kw_only=True)
class Amounts:
    """How far drivers are changed; each is the largest or the typical amount.

    Attributes:
        gain: of each colour channel, 1 plus or minus this.
        brightness: added to all channels, of the range [-1, 1].
        contrast: about the mean, 1 plus or minus this.
        noise: standard deviation of pixel noise, at most.
        blur_share: of images that are halved and doubled again.
        shift: of the head in the image, half images.
        zoom: logarithm of the change of size.
        turn: in the image plane, radians.
        spline: standard deviation of the thin-plate spline's control points, half
            images.
        pose_noise: of the pose by which faces are aligned: radians and half images.
    """

    gain: float
    brightness: float
    contrast: float
    noise: float
    blur_share: float
    shift: float = 0.12
    zoom: float = 0.2
    turn: float = 0.2
    spline: float
    pose_noise: float


AMOUNTS = {
    "severe": Amounts(
        gain=0.25,
        brightness=0.2,
        contrast=0.35,
        noise=0.06,
        blur_share=0.25,
        spline=0.015,
        pose_noise=0.03,
    ),
    "mild": Amounts(
        gain=0.12,
        brightness=0.1,
        contrast=0.15,
        noise=0.03,
        blur_share=0.1,
        spline=0.006,
        pose_noise=0.012,
    ),
}
"""Follows: MegaPortraits, which names the kinds and not the amounts. Ours: "severe"
keeps faces readable; "mild" is for encoders that are fixed, where noise in the codes
teaches the renderer to move mouths less than asked, and what the encoders must not see
they have learnt."""


def change_driver(
    key: jax.Array,
    image: jax.Array,
    head_pose: types.HeadPose,
    amounts: Amounts,
    is_cropped: bool,
) -> tuple[jax.Array, types.HeadPose, jax.Array, types.HeadPose]:
    """Change one driver as the motion encoders are to see it.

    Follows: MegaPortraits (crop, thin-plate spline, colour jitter). Ours: the pose
    encoder sees the image before it is bent, as its truth knows no bends.

    Args:
        key: of this image.
        image: `[H, H, 3]`.
        head_pose: with no leading axis.
        amounts: how far.
        is_cropped: whether the head is shifted, zoomed and turned too.

    Returns:
        What the pose encoder sees with the pose in it, and what the face is cut out of
        with the pose to cut it by.
    """
    parts = jax.random.split(key, 3)
    if is_cropped:
        image, head_pose = move(
            jax.random.fold_in(key, 1), image, head_pose, amounts, image.shape[0]
        )
    seen = shake_pose(parts[0], head_pose, amounts)
    image = jitter_colour(parts[1], image, amounts)
    return image, head_pose, bend(parts[2], image, amounts), seen


def jitter_colour(key: jax.Array, image: jax.Array, amounts: Amounts) -> jax.Array:
    """Change colours, contrast, noise and sharpness of one image `[H, W, 3]`.

    Follows: MegaPortraits (severe colour jitter).
    """
    keys = jax.random.split(key, 6)

    def around(key, shape, reach):
        return jax.random.uniform(key, shape, minval=-reach, maxval=reach)

    image = image * (1.0 + around(keys[0], (1, 1, 3), amounts.gain))
    mean = image.mean(keepdims=True)
    image = mean + (image - mean) * (1.0 + around(keys[1], (), amounts.contrast))
    image = image + around(keys[2], (), amounts.brightness)
    soft = layers.double(layers.halve(image[None]))[0]
    is_soft = jax.random.bernoulli(keys[3], amounts.blur_share)
    image = jnp.where(is_soft, soft, image)
    amount = amounts.noise * jax.random.uniform(keys[4])
    image = image + amount * jax.random.normal(keys[5], image.shape)
    return jnp.clip(image, -1.0, 1.0)


def move(
    key: jax.Array,
    image: jax.Array,
    head_pose: types.HeadPose,
    amounts: Amounts,
    size: int,
) -> tuple[jax.Array, types.HeadPose]:
    """Shift, zoom and turn one image, and its head's pose with it.

    Follows: MegaPortraits (crop). Ours: the pose is carried along exactly.

    Args:
        key: of this image.
        image: `[H, W, 3]`.
        head_pose: with no leading axis.
        amounts: how far.
        size: side of the new image, pixels; not under half the old one's.

    Returns:
        The new image `[size, size, 3]` and the pose of the head in it.
    """
    keys = jax.random.split(key, 3)
    shift = jax.random.uniform(keys[0], (2,), minval=-1.0) * amounts.shift
    zoom = jnp.exp(jax.random.uniform(keys[1], (), minval=-1.0) * amounts.zoom)
    turn = jax.random.uniform(keys[2], (), minval=-1.0) * amounts.turn
    rotation = geometry.rotation_matrix(jnp.zeros(3).at[2].set(turn))
    flat = rotation[:2, :2]
    # A cell of the new image shows what lay at `flat @ cell / zoom + shift`.
    grid = geometry.image_grid(size, size)
    grid = jnp.einsum("ij,hwj->hwi", flat, grid) / zoom + shift[None, None]
    moved = geometry.sample_image(image[None], grid[None])[0]
    seen = rotation.T @ geometry.rotation_matrix(head_pose.rotation)
    return moved, types.HeadPose(
        rotation=geometry.rotation_angles(seen),
        translation=flat.T @ (head_pose.translation - shift) * zoom,
        scale=head_pose.scale * zoom,
    )


def bend(key: jax.Array, image: jax.Array, amounts: Amounts) -> jax.Array:
    """Bend one image `[H, W, 3]` smoothly.

    Follows: MegaPortraits (thin-plate spline). Ours: displacements of a 4x4 grid,
    interpolated linearly over a coarse and cubically over the full grid, are as smooth
    and need no linear system.
    """
    coarse = jax.random.normal(key, (4, 4, 2)) * amounts.spline
    smooth = jax.image.resize(coarse, (*image.shape[:2], 2), "cubic")
    grid = geometry.image_grid(*image.shape[:2]) + smooth
    return geometry.sample_image(image[None], grid[None])[0]


def shake_pose(
    key: jax.Array, head_pose: types.HeadPose, amounts: Amounts
) -> types.HeadPose:
    """Add to a pose the errors that a pose estimate has, for aligning faces.

    Ours: at inference the encoder's estimate takes the place of the truth.
    """
    keys = jax.random.split(key, 3)

    def noise(key, like):
        return amounts.pose_noise * jax.random.normal(key, like.shape)

    return types.HeadPose(
        rotation=head_pose.rotation + noise(keys[0], head_pose.rotation),
        translation=head_pose.translation + 0.5 * noise(keys[1], head_pose.translation),
        scale=head_pose.scale * jnp.exp(noise(keys[2], head_pose.scale)),
    )

"""Frames out of latents and motion, in batches of one size that are traced once."""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import kept_programs, types
from vasa_jax.animate import backdrop
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.motion import normalization
from vasa_jax.motion.shaping import gains
from vasa_jax.motion.shaping.config import ShapingConfig

BATCH_FRAMES = 2
"""Frames decoded at once. Ours: on two cores one alone takes 1.08 times as long each,
and five take 1.1 times, since memory of that size is taken from the system and given
back for every batch."""

kept_programs.register(
    types.Eyes,
    types.FaceLatents,
    types.HeadPose,
    types.Marks,
    types.PortraitPixels,
    types.SeenMouth,
    types.Teeth,
)


class Renderer:
    """Encode portraits and render them in motion, with one set of parameters.

    Ours: every batch has the same number of frames, the last filled up by repeating,
    so that one compiled program renders videos of any length.
    """

    def __init__(
        self,
        config: face_config.FaceConfig,
        params: dict[str, Any],
        shaping: ShapingConfig | None,
        batch_frames: int = BATCH_FRAMES,
    ):
        """Put the parameters on the device.

        Args:
            config: of the face model.
            params: its parameters.
            shaping: whose gain overdoes motion; None renders it as it is.
            batch_frames: frames rendered at once.
        """
        self.image_size = config.image_size
        self.batch_frames = batch_frames
        self._config = config
        self._params = jax.device_put(params)
        self._shaping = shaping

    @property
    def is_shaped(self) -> bool:
        """Whether a voice's motion begins at a face at rest, turned as it is."""
        return self._shaping is not None

    def encode_portrait(
        self,
        image: np.ndarray,
        head_pose: types.HeadPose,
        scene: backdrop.Scene | None = None,
        marks: types.Marks | None = None,
        is_driven: bool = False,
        turns_about_own: bool | None = None,
    ) -> types.FaceLatents:
        """Encode one portrait.

        Ours: a voice's motion begins at a face at rest, so where motion is shaped, the
        portrait counts as one, in expression and gaze (`FaceModel.at_rest`) and in the
        turn of its head: asked to face the camera, a portrait that looks up would show
        what no photograph of it has.

        Args:
            image: uint8 `[H, W, 3]`, cut by the one crop definition.
            head_pose: where the head is, leading shape `[1]`.
            scene: what stands behind the person; None leaves it to the decoder.
            marks: of `portrait.marks`, leading shape `[1]`, which let eyes and the
                inside of the mouth be drawn; None leaves them to the decoder.
            is_driven: whether frames of somebody, encoded as the portrait is, move it.
            turns_about_own: whether motion turns the head about the portrait's own
                turn; None is where motion is shaped and nobody drives it.

        Returns:
            Latents of a batch of one.
        """
        own = "seen"
        if self.is_shaped:
            own = "as_read" if is_driven else "at_rest"
        encode = kept_programs.kept(encode_portrait, self._config, own=own)
        latents = encode(self._params, image[None], head_pose, marks)
        if turns_about_own is None:
            turns_about_own = own == "at_rest"
        if turns_about_own:
            latents = latents.replace(rest_rotation=head_pose.rotation)
        if scene is None:
            return latents
        latents = backdrop.place(latents, image, scene)
        _, still_share = self._render(latents, self._fill(own_motion(latents)[None]))
        return backdrop.keep_still(latents, image, scene, np.asarray(still_share)[0])

    def encode_motion(self, images: np.ndarray) -> np.ndarray:
        """Encode frames of a driver.

        Args:
            images: uint8 `[n, H, W, 3]`, cut by the one crop definition; at most
                `batch_frames`.

        Returns:
            float32 `[n, M]`: head pose and facial dynamics.
        """
        is_read, count = self.is_shaped, len(images)
        images = self._fill(images)
        motion = encode_motion(self._config, self._params, images, is_read=is_read)
        return np.asarray(motion)[:count]

    def render(
        self, latents: types.FaceLatents, motion: Iterable[np.ndarray]
    ) -> Iterator[np.ndarray]:
        """Render pieces of motion as frames.

        While a batch is read, the next is being computed.

        Args:
            latents: of one portrait.
            motion: pieces float32 `[n, M]` of any length, in their own units.

        Yields:
            Frames uint8 `[n, H, W, C]`, n at most `batch_frames`; as of `render`.
        """
        pending = None
        for piece in motion:
            for start in range(0, len(piece), self.batch_frames):
                batch = piece[start : start + self.batch_frames]
                frames, _ = self._render(latents, self._fill(batch))
                if pending is not None:
                    yield _fetch(*pending)
                pending = frames, len(batch)
        if pending is not None:
            yield _fetch(*pending)

    def _render(self, latents, motion):
        program = kept_programs.kept(render, self._config, shaping=self._shaping)
        return program(self._params, latents, motion)

    def _fill(self, values: np.ndarray) -> np.ndarray:
        """Repeat the last entry until the batch is full."""
        missing = self.batch_frames - len(values)
        last = einops.repeat(values[-1], "... -> n ...", n=missing)
        return np.concatenate([values, last])


def own_motion(latents: types.FaceLatents) -> np.ndarray:
    """Return the motion `[M]` in which a portrait shows itself."""
    pose = latents.head_pose
    if latents.rest_rotation is not None:
        pose = pose.replace(rotation=pose.rotation - latents.rest_rotation)
    return np.concatenate([pose.to_vector()[0], latents.facial_dynamics[0]])


@functools.partial(jax.jit, static_argnums=0, static_argnames="own")
def encode_portrait(
    config: face_config.FaceConfig,
    params: dict[str, Any],
    image: jax.Array,
    head_pose: types.HeadPose,
    marks: types.Marks | None = None,
    *,
    own: Literal["seen", "as_read", "at_rest"] = "seen",
) -> types.FaceLatents:
    """Encode uint8 portraits `[B, H, W, 3]`; see `FaceModel.encode_portrait`.

    Ours: their facial dynamics may be those of `FaceModel.as_read` or `.at_rest`.
    """
    seen = to_model_range(image)

    def encode(model):
        _, dynamics = model.encode_motion(seen, head_pose)
        if own != "seen":
            dynamics = getattr(model, own)(dynamics)
        return model.encode_portrait(seen, head_pose, dynamics, marks)

    return face_model.FaceModel(config).apply({"params": params}, method=encode)


@functools.partial(jax.jit, static_argnums=0, static_argnames="is_read")
def encode_motion(
    config: face_config.FaceConfig,
    params: dict[str, Any],
    images: jax.Array,
    *,
    is_read: bool = False,
) -> jax.Array:
    """Encode uint8 images `[B, H, W, 3]` as motion `[B, M]`.

    Ours: facial dynamics may be those of `FaceModel.as_read`.
    """

    def encode(model):
        head_pose, dynamics = model.encode_motion(to_model_range(images))
        return head_pose, model.as_read(dynamics) if is_read else dynamics

    head_pose, facial_dynamics = face_model.FaceModel(config).apply(
        {"params": params}, method=encode
    )
    return jnp.concatenate([head_pose.to_vector(), facial_dynamics], axis=-1)


@functools.partial(jax.jit, static_argnums=0, static_argnames="shaping")
def render(
    config: face_config.FaceConfig,
    params: dict[str, Any],
    latents: types.FaceLatents,
    motion: jax.Array,
    *,
    shaping: ShapingConfig | None,
) -> tuple[jax.Array, jax.Array | None]:
    """Render one portrait in motion `[n, M]`.

    Returns:
        Frames uint8 `[n, H, W, 3]`; with a backdrop that has opacity `[n, H, W, 4]`,
        colours not weighted by alpha. And, of the image shortcut, how far each place
        of them keeps still, `[n, h, w]` from 0 to 1; None without it.
    """
    head_pose, facial_dynamics = normalization.split_motion(motion)
    if latents.rest_rotation is not None:
        turned = latents.rest_rotation + head_pose.rotation
        head_pose = head_pose.replace(rotation=turned)
    if shaping is not None:
        readout = params["dynamics_heads"]["linear"]
        facial_dynamics = gains.overdo(latents, facial_dynamics, shaping, readout)
    latents_of_all = face_model.expand(latents, motion.shape[0])
    frame = face_model.FaceModel(config).apply(
        {"params": params}, latents_of_all, head_pose, facial_dynamics, method="render"
    )
    pixels = to_pixels(frame.image)
    if frame.person is not None and latents.pixels.backdrop.shape[-1] == 4:
        alpha = to_pixels(2.0 * frame.person - 1.0)
        pixels = jnp.concatenate([pixels, alpha], axis=-1)
    return pixels, None if frame.shortcut is None else frame.shortcut.still_share


def to_model_range(pixels: jax.Array) -> jax.Array:
    """Turn uint8 pixels into float32 in [-1, 1]. Ours: the range of `types`."""
    return jnp.asarray(pixels, jnp.float32) / 127.5 - 1.0


def to_pixels(image: jax.Array) -> jax.Array:
    """Turn float images in [-1, 1] into uint8, rounded. Ours: see `to_model_range`."""
    scaled = (jnp.clip(image.astype(jnp.float32), -1.0, 1.0) + 1.0) * 127.5
    return jnp.round(scaled).astype(jnp.uint8)


def _fetch(frames: jax.Array, num_frames: int) -> np.ndarray:
    return np.asarray(frames)[:num_frames]

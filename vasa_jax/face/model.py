"""The face latent model: portraits to latents, images to motion, latents to frames."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import arkit, geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import decoder, dynamics_map, encoders, rendered_frame, warping
from vasa_jax.face.shortcut import network
from vasa_jax.portrait import marks as marks_lib


@struct.dataclass
class DynamicsReadout:
    """What small heads read out of facial dynamics.

    Attributes:
        arkit: `[..., 52]` ARKit expression weights, about 0 to 1.
        gaze_in_head: `[..., 2]` yaw and pitch of the eyes in the head, radians.
    """

    arkit: jax.Array
    gaze_in_head: jax.Array


class DynamicsHeads(nn.Module):
    """Read expression and gaze out of facial dynamics, linearly.

    Ours: z_dyn is encoded from images; linear heads supervise it where truth is known
    and make it measurable, for the lip loss and for evaluation.
    """

    @nn.compact
    def __call__(self, facial_dynamics: jax.Array) -> DynamicsReadout:
        """Map `[..., Z]` to its readout."""
        raw = nn.Dense(arkit.NUM_UNITS + 2, name="linear")(facial_dynamics)
        return DynamicsReadout(
            arkit=raw[..., : arkit.NUM_UNITS], gaze_in_head=raw[..., arkit.NUM_UNITS :]
        )


class FaceModel(nn.Module):
    """Turn a portrait into latents, images into motion, and both into frames.

    Paper: VASA-1 §3.1: four encoders and one decoder.

    Attributes:
        config: sizes; see `face.config`.
    """

    config: face_config.FaceConfig

    def setup(self):
        """Name the networks; a checkpoint holds their parameters by these names."""
        config = self.config
        self.appearance_encoder = encoders.AppearanceEncoder(config)
        self.identity_encoder = encoders.IdentityEncoder(config)
        self.pose_encoder = encoders.PoseEncoder(config)
        self.dynamics_encoder = encoders.DynamicsEncoder(config)
        self.dynamics_heads = DynamicsHeads()
        self.dynamics_map = dynamics_map.DynamicsMap(config.dynamics_channels)
        self.source_warp = warping.WarpGenerator(config)
        self.driver_warp = warping.WarpGenerator(config)
        self.canonical_network = warping.CanonicalNetwork(config)
        self.decoder = decoder.Decoder(config)
        if config.shortcut is not None:
            self.shortcut = network.Shortcut(config)

    def encode_motion(
        self, image: jax.Array, head_pose: types.HeadPose | None = None
    ) -> tuple[types.HeadPose, jax.Array]:
        """Encode images as head pose and facial dynamics.

        Paper: VASA-1 §3.1, z_pose and z_dyn.

        Args:
            image: `[B, H, W, 3]` in [-1, 1], of any size.
            head_pose: where the head is, if known; else the pose encoder's.

        Returns:
            The head pose (leading shape `[B]`) and facial dynamics `[B, Z]`.
        """
        if head_pose is None:
            head_pose = self.pose_encoder(image)
        face = encoders.align_face(image, head_pose, self.config.dynamics_encoder.size)
        return head_pose, self.dynamics_encoder(face)

    def encode_portrait(
        self,
        image: jax.Array,
        head_pose: types.HeadPose | None = None,
        facial_dynamics: jax.Array | None = None,
        marks: types.Marks | None = None,
    ) -> types.FaceLatents:
        """Encode portraits as all that rendering needs.

        Paper: VASA-1 §3.1: the posed volume is warped into canonical space.

        Args:
            image: `[B, H, W, 3]` in [-1, 1]; with the shortcut frames come out at
                this size.
            head_pose: the portrait's, if known (fitted to landmarks, say).
            facial_dynamics: `[B, Z]` the portrait's, if already encoded.
            marks: what landmarks show of lips and eyes, if known; without them both
                are left to the decoder. See `shortcut.mouth` and `shortcut.eyes`.
        """
        config = self.config
        if facial_dynamics is None:
            head_pose, facial_dynamics = self.encode_motion(image, head_pose)
        size = config.appearance_size
        posed, maps = self.appearance_encoder(geometry.resize(image, size, size))
        identity = self.identity_encoder(image)
        displacement = self.source_warp(facial_dynamics, identity)
        grid = warping.batched_volume_grid(config, image.shape[0])
        points = warping.canonical_to_source(grid, displacement, head_pose)
        canonical = geometry.sample_volume(posed, points)
        pixels = None
        if config.shortcut is not None:
            pixels = self.shortcut.encode_pixels(image, maps, displacement, head_pose)
            if marks is not None:
                mouth = self.shortcut.see_mouth(marks, head_pose, facial_dynamics)
                pixels = pixels.replace(mouth=mouth, eyes=marks.eyes)
        return types.FaceLatents(
            appearance_volume=self.canonical_network(canonical),
            identity=identity,
            head_pose=head_pose,
            facial_dynamics=facial_dynamics,
            pixels=pixels,
        )

    def render(
        self,
        latents: types.FaceLatents,
        head_pose: types.HeadPose,
        facial_dynamics: jax.Array,
    ) -> rendered_frame.RenderedFrame:
        """Render latents in a head pose with facial dynamics.

        Paper: VASA-1 §3.1: the decoder applies the warps in the inverse direction.

        Args:
            latents: of B portraits.
            head_pose: leading shape `[B]`.
            facial_dynamics: `[B, Z]`.
        """
        displacement = self.driver_warp(facial_dynamics, latents.identity)
        grid = warping.batched_volume_grid(self.config, facial_dynamics.shape[0])
        canonical = warping.driver_to_canonical(grid, displacement, head_pose)
        volume = geometry.sample_volume(latents.appearance_volume, canonical)
        if self.config.shortcut is not None:
            change = self.read_change(latents.facial_dynamics, facial_dynamics)
            motion = network.Motion(head_pose, facial_dynamics, change)
            return self.shortcut(self.decoder, volume, canonical, latents, motion)
        image = self.decoder(volume)
        return rendered_frame.RenderedFrame(image=image, decoded=image)

    def read_dynamics(self, facial_dynamics: jax.Array) -> DynamicsReadout:
        """Read expression weights and gaze out of facial dynamics `[..., Z]`."""
        return self.dynamics_heads(facial_dynamics)

    def write_dynamics(self, arkit: jax.Array, gaze_in_head: jax.Array) -> jax.Array:
        """Return facial dynamics `[..., Z]`; see `dynamics_map.DynamicsMap`."""
        return self.dynamics_map(arkit, gaze_in_head)

    def shift_dynamics(
        self,
        facial_dynamics: jax.Array,
        before: tuple[jax.Array, jax.Array],
        after: tuple[jax.Array, jax.Array],
    ) -> jax.Array:
        """Tell facial dynamics of one frame from those encoded of another.

        Ours: labels of a photograph hold a face at rest that no encoder sees in it, as
        brows may be low by build or by mood. What lies between two frames is exact.
        Taught by codes of labels alone, inner brows went 0.29 of the way (run 32).

        Args:
            facial_dynamics: `[..., Z]` encoded of the frame before.
            before, after: expression weights `[..., 52]` and gaze in the head
                `[..., 2]`, radians, that are known of both frames.

        Returns:
            `[..., Z]` of the frame after.
        """
        change = self.write_dynamics(*after) - self.write_dynamics(*before)
        return facial_dynamics + change

    def read_change(self, before: jax.Array, after: jax.Array) -> jax.Array:
        """Return `[B, 54]`; see `dynamics_map.DynamicsMap.read_change`."""
        return self.dynamics_map.read_change(after - before)

    def as_read(self, facial_dynamics: jax.Array) -> jax.Array:
        """Tell facial dynamics `[B, Z]` by what is read of them.

        Ours: takes out of the codes of frames what is neither expression nor gaze, of
        which small parts would move a face far. Rendered people who drive themselves
        have mouths 0.3 dB nearer to the truth (run 33).
        """
        read = self.read_dynamics(facial_dynamics)
        told = self.write_dynamics(read.arkit, read.gaze_in_head)
        return self._where_taught(told, facial_dynamics)

    def at_rest(self, facial_dynamics: jax.Array) -> jax.Array:
        """Tell the facial dynamics of a portrait that counts as at rest.

        Ours: codes that come from no picture begin at the map's face at rest, and so
        must the portrait that they move, but for an open mouth, which speech shuts.
        What an encoder reads else would move a face though nothing is asked of it: of
        45 calm people unseen it reads brows and lids by 0.16 to 0.18 wrong, and gaze of
        photographs by 8 degrees (`docs/labels.md`). Smiles that are taken back come out
        crooked.

        Args:
            facial_dynamics: `[B, Z]` encoded of portraits.

        Returns:
            `[B, Z]` of the map.
        """
        read = self.read_dynamics(facial_dynamics)
        jaw = arkit.index("jawOpen")
        is_open = jnp.maximum(read.arkit[:, jaw], 0.0)
        weights = jnp.zeros_like(read.arkit).at[:, jaw].set(is_open)
        told = self.write_dynamics(weights, jnp.zeros_like(read.gaze_in_head))
        return self._where_taught(told, facial_dynamics)

    def map_agreement(self) -> jax.Array:
        """Return how well heads read the map's codes of single weights, a cosine."""
        units = jnp.eye(arkit.NUM_UNITS)
        codes = self.write_dynamics(units, jnp.zeros((len(units), 2)))
        seen = self.read_dynamics(codes).arkit
        seen = seen - seen.mean(axis=0, keepdims=True)
        size = jnp.linalg.norm(seen) * len(units) ** 0.5
        return jnp.trace(seen) / jnp.maximum(size, jnp.finfo(seen.dtype).tiny)

    def _where_taught(self, told, seen):
        """Take what a map tells that was taught; models of version 0.1 have none."""
        is_taught = self.map_agreement() > dynamics_map.LEAST_AGREEMENT
        return jnp.where(is_taught, told, seen)

    def __call__(
        self, source: jax.Array, driver: jax.Array
    ) -> tuple[rendered_frame.RenderedFrame, DynamicsReadout]:
        """Render sources `[B, H, W, 3]` with the motion of drivers `[B, H, W, 3]`.

        Touches every parameter; `init` uses it. Ours: mouths and eyes are predicted,
        not drawn, since drawing has no more parameters and takes a minute to compile.
        """
        seen = marks_lib.open_marks(len(source))
        latents = self.encode_portrait(source, marks=seen)
        if latents.pixels is not None:
            still = jnp.zeros((len(source), dynamics_map.NUM_KNOWN))
            self.shortcut.predict_shapes(latents, still)
            pixels = latents.pixels.replace(mouth=None, eyes=None)
            latents = latents.replace(pixels=pixels)
        head_pose, facial_dynamics = self.encode_motion(driver)
        readout = self.read_dynamics(facial_dynamics)
        written = self.write_dynamics(readout.arkit, readout.gaze_in_head)
        return self.render(latents, head_pose, written), readout


def expand(latents: types.FaceLatents, batch: int) -> types.FaceLatents:
    """Repeat the latents of one portrait for a batch of frames.

    Ours: no network runs again for a portrait that is already encoded. What is as large
    as the frames is not repeated; see `types.PortraitPixels.person`.
    """
    repeated = jax.tree.map(
        lambda x: jnp.broadcast_to(x, (batch, *x.shape[1:])), latents
    )
    if latents.pixels is None:
        return repeated
    pixels = repeated.pixels.replace(
        person=latents.pixels.person, backdrop=latents.pixels.backdrop
    )
    return repeated.replace(pixels=pixels)

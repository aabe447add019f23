"""The image shortcut: the portrait's own pixels, warped into the decoder's frame.

Ours: small models keep identity and sharpness when the pixels are the portrait's own.
`vasa1` leaves it out.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import decoder as face_decoder
from vasa_jax.face import rendered_frame
from vasa_jax.face.shortcut import (
    background,
    blending,
    face_detail,
    flows,
    mouth,
    mouth_layer,
    sampling_grids,
    unwrapping,
)


class Shortcut(nn.Module):
    """Warp the portrait's pixels into the frame, beside what the decoder paints.

    The composed warps give each voxel of the driver's space a place in the portrait. A
    softmax over depth makes a 2-D flow of them; what does not turn with the head takes
    another grid instead, that of the body, which comes along with it, or the still one;
    corrections refine it at two sizes. The portrait is warped by it, lit as its new
    place is, with its background in the place that the head leaves, and blended with
    the painted image by a mask. Where the portrait hides one side of the face, the
    other may be mirrored into the painted image.

    Ours: see the module. What the portrait shows comes into the decoder before its last
    stage: the map of facial dynamics and the background, laid over the view; the
    portrait's features in their places; and those of its mirror image.
    """

    config: face_config.FaceConfig

    def setup(self):
        """Name the parts; a checkpoint holds their parameters by these names."""
        config, dtype = self.config, jnp.dtype(self.config.dtype)
        *_, before, last = config.decoder_channels
        zeroed = functools.partial(
            nn.Dense, kernel_init=nn.initializers.zeros, dtype=dtype
        )
        self.features = nn.Dense(config.shortcut.channels, dtype=dtype)
        self.background = background.Background()
        self.decoder_code = nn.Dense(config.identity_channels)
        self.face_map = unwrapping.FaceMap(config)
        self.overlay = zeroed(before)
        self.background_overlay = zeroed(before)
        self.coarse_flow = flows.CoarseFlow()
        self.mirrored_features = zeroed(last)
        self.mirror = flows.Mirror()
        self.fine_flow = flows.slight(2)
        self.light = flows.slight(3)
        if config.shortcut.detail_size is not None:
            self.face_detail = face_detail.FaceDetail(config)
        if config.shortcut.mouth_hidden is not None:
            self.mouth_shape = mouth.MouthShape(config.shortcut.mouth_hidden)
            self.mouth_rows = mouth_layer.MouthRows()

    def encode_pixels(
        self,
        image: jax.Array,
        maps: tuple[jax.Array, ...],
        displacement: jax.Array,
        head_pose: types.HeadPose,
    ) -> types.PortraitPixels:
        """Keep of a portrait what frames may show of it.

        Args:
            image: `[B, H, W, 3]` the portrait.
            maps: of the appearance encoder, the largest first; the first at or below
                the size of the flow is taken.
            displacement: `[B, D, H, W, 3]` of the portrait's warp generator.
            head_pose: the portrait's, leading shape `[B]`.
        """
        size = self.config.flow_size
        features = self.features(next(x for x in maps if x.shape[1] <= size))
        behind_head, logits = self.background(features, image, head_pose)
        reduced = unwrapped = None
        if self.config.shortcut.detail_size is not None:
            reduced, unwrapped = face_detail.reduce_portrait(
                image, head_pose, self.config
            )
        return types.PortraitPixels(
            image=image,
            features=features,
            displacement=displacement,
            behind_head=behind_head,
            background_logits=logits,
            reduced=reduced,
            unwrapped=unwrapped,
        )

    def __call__(
        self,
        decoder: face_decoder.Decoder,
        volume: jax.Array,
        canonical: jax.Array,
        latents: types.FaceLatents,
        head_pose: types.HeadPose,
        facial_dynamics: jax.Array,
    ) -> rendered_frame.RenderedFrame:
        """Render a frame together with the decoder.

        Args:
            decoder: what paints; its features come in between.
            volume: `[B, D, h, w, C]` appearance in the driver's space.
            canonical: `[B, D, h, w, 3]` where its voxels lie in canonical space.
            latents: the portrait's.
            head_pose: the frame's, leading shape `[B]`.
            facial_dynamics: `[B, Z]` of the frame.
        """
        pixels, size = latents.pixels, self.config.flow_size
        grids = sampling_grids.find(canonical, latents, head_pose, size)
        # Ours: codes steer the decoder too, since a coarse warp cannot open a mouth
        # that is two cells wide.
        code = latents.identity + self.decoder_code(facial_dynamics)
        x = decoder.grow(volume, code)
        face_map = self.face_map(latents, facial_dynamics)
        x = x + self._overlay(face_map, pixels, head_pose)
        coarse = self.coarse_flow(x, grids)
        uncovered = background.uncover(pixels, coarse.still_share)
        seen = geometry.sample_image(pixels.features, coarse.flow)
        seen = blending.mix(seen, uncovered.features, uncovered.share)
        mirror_image = geometry.sample_image(pixels.features, coarse.mirrored_flow)
        x = decoder.refine(
            jnp.concatenate([x, seen.astype(x.dtype)], axis=-1),
            code,
            self.mirrored_features(mirror_image),
        )
        fine = self._refine(x, coarse)
        mirrored = self.mirror(x, coarse.mirrored_flow)
        painted = decoder.paint(x)
        if self.config.shortcut.detail_size is not None:
            detail = self.face_detail(
                x, face_map, painted, fine.flow, pixels, head_pose, code
            )
            painted = painted + detail.painted
            flow, person_flow = (
                geometry.resize(coarser, *painted.shape[1:3]) + detail.flow
                for coarser in (fine.flow, fine.person_flow)
            )
            fine = fine._replace(flow=flow, person_flow=person_flow)
        frame = blending.blend(
            jnp.tanh(painted[..., :3]),
            painted[..., 3:] + blending.MASK_BIAS,
            coarse,
            fine,
            mirrored,
            uncovered,
            pixels,
        )
        if self.config.shortcut.mouth_hidden is None or pixels.lips is None:
            return frame
        layer = self._draw_mouth(frame, latents, head_pose, facial_dynamics)
        return frame.replace(image=mouth_layer.lay(frame.image, layer))

    def _draw_mouth(self, frame, latents, head_pose, facial_dynamics):
        lips, colours = latents.pixels.lips
        told = self.mouth_shape(lips, colours, latents.facial_dynamics, facial_dynamics)
        own = mouth.corners(mouth.seen_lips(lips, latents.head_pose))
        expected = mouth.corners(mouth.posed_edge(told, head_pose))
        shown = mouth.find_in_frame(frame.shortcut.flow, own, expected)
        return self.mouth_rows(told, head_pose, shown, frame.image.shape[1])

    def _overlay(self, face_map, pixels, head_pose):
        """Lay facial dynamics and background over the view; all begins at nothing."""
        size = self.config.flow_size
        face = unwrapping.wrap(face_map, head_pose, size)
        features = geometry.resize(pixels.behind_head[..., :-3], size, size)
        features, colours = features.astype(face.dtype), pixels.behind_head[..., -3:]
        share = nn.sigmoid(pixels.background_logits)
        seen = geometry.resize(jnp.concatenate([colours, share], axis=-1), size, size)
        laid = self.overlay(jnp.concatenate([face, features], axis=-1))
        return laid + self.background_overlay(seen)

    def _refine(self, x, coarse):
        seen = nn.relu(x).astype(jnp.float32)
        correction = flows.FINE_REACH * jnp.tanh(self.fine_flow(seen))
        return flows.Fine(
            flow=coarse.flow + correction,
            person_flow=coarse.person_flow + correction,
            light=self.light(seen),
        )

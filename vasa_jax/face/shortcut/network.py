"""The image shortcut: the portrait's own pixels, warped into the decoder's frame.

Ours: small models keep identity and sharpness when the pixels are the portrait's own.
`vasa1` leaves it out.
"""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from vasa_jax import geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import decoder as face_decoder
from vasa_jax.face import dynamics_map, rendered_frame
from vasa_jax.face.shortcut import (
    background,
    blending,
    drawn_layer,
    eye_layer,
    eyes,
    face_flow,
    flows,
    mouth,
    mouth_layer,
    placing,
    sampling_grids,
    unwrapping,
)


class Motion(NamedTuple):
    """What B frames show.

    Attributes:
        head_pose: leading shape `[B]`.
        facial_dynamics: `[B, Z]`.
        change: `[B, 54]` expression weights and gaze, from the portraits'; see
            `dynamics_map.DynamicsMap.read_change`.
    """

    head_pose: types.HeadPose
    facial_dynamics: jax.Array
    change: jax.Array


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
    portrait's features where they belong; and those of its mirror image.
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
        self.face_flow = face_flow.FaceFlow(config.flow_size)
        self.overlay = zeroed(before)
        self.background_overlay = zeroed(before)
        self.coarse_flow = flows.CoarseFlow()
        self.mirrored_features = zeroed(last)
        self.mirror = flows.Mirror()
        self.fine_flow = flows.slight(2)
        self.light = flows.slight(3)
        if config.shortcut.drawn_hidden is not None:
            self.mouth_shape = mouth.MouthShape(config.shortcut.drawn_hidden)
            self.eye_shape = eyes.EyeShape(config.shortcut.drawn_hidden)

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
        return types.PortraitPixels(
            image=image,
            features=features,
            displacement=displacement,
            behind_head=behind_head,
            background_logits=logits,
            chroma=blending.chroma(image),
        )

    def __call__(
        self,
        decoder: face_decoder.Decoder,
        volume: jax.Array,
        canonical: jax.Array,
        latents: types.FaceLatents,
        motion: Motion,
    ) -> rendered_frame.RenderedFrame:
        """Render a frame together with the decoder.

        Args:
            decoder: what paints; its features come in between.
            volume: `[B, D, h, w, C]` appearance in the driver's space.
            canonical: `[B, D, h, w, 3]` where its voxels lie in canonical space.
            latents: the portrait's.
            motion: the frame's.
        """
        head_pose, facial_dynamics, change = motion
        pixels, size = latents.pixels, self.config.flow_size
        grids = sampling_grids.find(canonical, latents, head_pose, size)
        # Ours: codes steer the decoder too, since a coarse warp cannot open a mouth
        # that is two cells wide.
        code = latents.identity + self.decoder_code(facial_dynamics)
        x = decoder.grow(volume, code)
        face_map = self.face_map(latents, change)
        x = x + self._overlay(face_map, pixels, head_pose)
        coarse = self.coarse_flow(x, grids)
        coarse = coarse.shifted(self.face_flow(change, latents.head_pose, head_pose))
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
        frame = blending.blend(
            blending.coloured(jnp.tanh(painted[..., :3]), pixels.chroma),
            painted[..., 3:] + blending.MASK_BIAS,
            coarse,
            fine,
            mirrored,
            uncovered,
            pixels,
        )
        if self.config.shortcut.drawn_hidden is None:
            return frame
        image, size = frame.image, frame.image.shape[1]
        moved = latents, head_pose, change
        if pixels.mouth is not None:
            layer = self._draw_mouth(fine.flow, *moved, size)
            image = drawn_layer.lay(image, layer)
        if pixels.eyes is not None:
            for layer in self._draw_eyes(fine, *moved, size):
                image = drawn_layer.lay(image, layer)
        return frame.replace(image=image)

    def see_mouth(
        self,
        marks: types.Marks,
        head_pose: types.HeadPose,
        facial_dynamics: jax.Array,
    ) -> types.SeenMouth | None:
        """Find all of portraits that the mouths of frames are drawn by.

        Args:
            marks: the portraits'.
            head_pose: theirs.
            facial_dynamics: `[B, Z]` theirs.

        Returns:
            None where mouths are left to the decoder.
        """
        if self.config.shortcut.drawn_hidden is None:
            return None
        lips = mouth.flat_lips(marks.lips, head_pose)
        still = jnp.zeros((len(lips), dynamics_map.NUM_KNOWN))
        predicted = self.mouth_shape(lips, facial_dynamics, still)
        gaps = mouth.gaps(predicted.edge)
        return types.SeenMouth(lips=lips, gaps=gaps, teeth=marks.teeth)

    def predict_shapes(self, latents: types.FaceLatents, change: jax.Array):
        """Predict mouths and eyes of B frames, without drawing them.

        Args:
            latents: the portraits', with marks.
            change: `[B, 54]` of the frames; see `Motion`.

        Returns:
            The mouths and the eyes; None where they are left to the decoder.
        """
        if self.config.shortcut.drawn_hidden is None:
            return None
        mouths = self._predict_mouth(latents, change)
        return mouths, self._predict_eyes(latents, change)

    def _predict_mouth(self, latents, change):
        own = latents.facial_dynamics
        return self.mouth_shape(latents.pixels.mouth.lips, own, change)

    def _predict_eyes(self, latents, change):
        seen = latents.pixels.eyes
        own = eyes.encode_eyes(seen.rims, seen.discs, latents.head_pose)
        return self.eye_shape(own, latents.facial_dynamics, change)

    def _draw_mouth(self, flow, latents, head_pose, change, size):
        seen = latents.pixels.mouth
        predicted = self._predict_mouth(latents, change)
        own = mouth.corners(mouth.seen_lips(seen.lips, latents.head_pose))
        expected = mouth.corners(mouth.posed_edge(predicted, head_pose))
        shown = placing.find_in_frame(flow, own, expected)
        return mouth_layer.draw(predicted, seen, head_pose, shown, size)

    def _draw_eyes(self, fine, latents, head_pose, change, size):
        seen = latents.pixels.eyes
        predicted = self._predict_eyes(latents, change)
        rims, discs = eyes.posed(predicted, head_pose)
        points = jnp.concatenate([rims, discs], axis=2)
        expected = eyes.corners(rims)
        corners = placing.find_in_frame(fine.flow, eyes.corners(seen.rims), expected)
        shown = placing.shifted(points, expected, corners)
        gains = flows.light_gain(fine.light)
        light = geometry.sample_image(gains, corners.mean(axis=2))
        rims, discs = jnp.split(shown, [rims.shape[2]], axis=2)
        return eye_layer.draw(rims, discs, seen, light, size)

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

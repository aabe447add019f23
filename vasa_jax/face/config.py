"""Sizes of the face latent model, and its presets."""

import dataclasses
from typing import Literal

from vasa_jax import errors

FRAME_SIZES = (64, 1024)
"""Least and greatest side of frames, pixels. Ours: beyond, crops of portraits have no
more pixels."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class VectorEncoderConfig:
    """Sizes of an encoder from an image to a vector.

    Attributes:
        size: side of the image it sees, pixels.
        channels: of each stage; the first is at half the image's size.
        blocks: residual blocks of each stage.
        is_bottleneck: blocks of the ResNet-50 type rather than the ResNet-18 type.
        pooled_size: side of the last map, which is flattened. Ours: a mean over the
            map, as ResNets take, forgets where things are; position is what a pose is.
        hidden: width of the layer between the map and the vector.
    """

    size: int
    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    is_bottleneck: bool = False
    pooled_size: int = 4
    hidden: int = 256

    def __post_init__(self):
        if len(self.channels) != len(self.blocks):
            raise errors.UserError(
                f"channels has {len(self.channels)} stages and blocks "
                f"{len(self.blocks)}: give one number of blocks for each stage."
            )
        if self.size % (self.pooled_size * 2 ** len(self.channels)):
            raise errors.UserError(
                f"size is {self.size}: it must be a multiple of "
                f"{self.pooled_size * 2 ** len(self.channels)} (pooled_size times two "
                "for each stage)."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShortcutConfig:
    """Sizes of the image shortcut; see `shortcut.network`.

    Ours: small models keep identity and sharpness when pixels of the portrait are
    warped and blended into the frame.

    Attributes:
        channels: of the portrait's features that are warped.
        face_map_size, face_map_channels: side and channels of the map of facial
            dynamics on the unwrapped face; see `shortcut.unwrapping`.
        drawn_hidden: width of the networks that predict where mouths open and eyes
            look, so that both can be drawn; see `shortcut.mouth` and `shortcut.eyes`.
            None leaves them to the decoder.
    """

    channels: int = 24
    face_map_size: int = 32
    face_map_channels: int = 48
    drawn_hidden: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceConfig:
    """Sizes of the face latent model.

    Attributes:
        image_size: side of rendered frames, pixels. Paper: 512.
        volume_depth, volume_size, volume_channels: D, H = W and C of the appearance
            volume. Follows: MegaPortraits, 16, 64, 96.
        appearance_channels: of each stage; every stage but the first halves the image,
            and the last is at `volume_size`. Follows: MegaPortraits, 64 to 512.
        volume_blocks: 3-D residual blocks after the reshape. Follows: MegaPortraits, 6.
        canonical_channels: of the canonical 3-D U-Net, down and up again. Follows:
            MegaPortraits, 192, 384, 512, 512, 384, 192.
        identity_channels: I. Follows: MegaPortraits, 512.
        dynamics_channels: Z. Ours: EMOPortraits found that few components explain the
            motion code; fewer also ease the diffusion.
        identity_encoder, pose_encoder, dynamics_encoder: sizes of the encoders.
        warp_channels: input and blocks of the warp generators. Follows: MegaPortraits.
        warp_upsampling: factors (D, H, W) after each block. Follows: MegaPortraits.
        decoder_channels: of the decoder's stages; each but the first doubles the size.
            Follows: MegaPortraits, 512, 256, 128, 64.
        decoder_blocks: residual blocks of the first stage. Follows: MegaPortraits, 8.
        output_upsampling: factor of the last, sub-pixel convolutions, an even number; 1
            is a plain convolution. Follows: Shi et al. Ours: where a CPU must decode in
            real time.
        detail_channels: at half the image's size, where the last convolutions grow.
            Ours: see `subpixel.Painter`.
        shortcut: its sizes; None is the paper's decoder alone.
        use_remat: recompute blocks, and whole renderings, in the backward pass.
        dtype: "float32" or "bfloat16", of the computation.
    """

    image_size: int
    volume_depth: int
    volume_size: int
    volume_channels: int
    appearance_channels: tuple[int, ...]
    volume_blocks: int
    canonical_channels: tuple[int, ...]
    identity_channels: int
    dynamics_channels: int
    identity_encoder: VectorEncoderConfig
    pose_encoder: VectorEncoderConfig
    dynamics_encoder: VectorEncoderConfig
    warp_channels: tuple[int, ...]
    warp_upsampling: tuple[tuple[int, int, int], ...]
    decoder_channels: tuple[int, ...]
    decoder_blocks: int
    output_upsampling: int = 1
    detail_channels: int = 0
    shortcut: ShortcutConfig | None = None
    use_remat: bool = False
    dtype: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self):
        if len(self.warp_channels) != len(self.warp_upsampling) + 1:
            raise errors.UserError(
                f"warp_channels has {len(self.warp_channels)} numbers: give one more "
                f"than the {len(self.warp_upsampling)} entries of warp_upsampling."
            )
        if self.dtype not in ("float32", "bfloat16"):
            raise errors.UserError(
                f"dtype is '{self.dtype}': it must be 'float32' or 'bfloat16'."
            )
        if len(self.decoder_channels) < 2:
            raise errors.UserError(
                f"decoder_channels is {self.decoder_channels}: give two numbers or "
                "more, as each but the first is a stage that doubles the size."
            )
        if self.output_upsampling != 1 and (
            self.output_upsampling % 2 or not self.detail_channels
        ):
            raise errors.UserError(
                f"output_upsampling is {self.output_upsampling} and detail_channels "
                f"{self.detail_channels}: give output_upsampling 1, or an even number "
                "and at least one channel of detail."
            )
        if self.shortcut is None and self.image_size != self.decoder_size:
            raise errors.UserError(
                f"image_size is {self.image_size} and the decoder paints "
                f"{self.decoder_size} pixels a side: without the image shortcut they "
                f"must agree, so set image_size={self.decoder_size}."
            )

    @property
    def appearance_size(self) -> int:
        """Side of the image that the appearance encoder sees, pixels."""
        return self.volume_size * 2 ** (len(self.appearance_channels) - 1)

    @property
    def decoder_size(self) -> int:
        """Side of the painted image, pixels."""
        return self.flow_size * self.output_upsampling

    @property
    def flow_size(self) -> int:
        """Side of the decoder's last stage, at which the shortcut joins it, cells."""
        return self.volume_size * 2 ** (len(self.decoder_channels) - 1)


def resized(config: FaceConfig, image_size: int) -> FaceConfig:
    """Return the sizes of the same model for frames of another side.

    Ours: with the shortcut frames show the portrait's own pixels, which are as many as
    the picture has; what is painted is enlarged.

    Args:
        config: of a trained model.
        image_size: side of the frames, pixels.

    Raises:
        UserError: the model has no shortcut, or the side is out of range.
    """
    low, high = FRAME_SIZES
    if config.shortcut is None and image_size != config.image_size:
        raise errors.UserError(
            f"image_size is {image_size} and this model paints frames of "
            f"{config.image_size} pixels alone, without the image shortcut: leave it "
            "out, or train at that size."
        )
    if not low <= image_size <= high or image_size % 16:
        raise errors.UserError(
            f"image_size is {image_size}: give a multiple of 16 from {low} to {high}, "
            "such as 256 or 512."
        )
    return dataclasses.replace(config, image_size=image_size)


def vasa1() -> FaceConfig:
    """Return the paper's scale: about 200 M parameters, 512 px, no shortcut.

    Follows: MegaPortraits, appendix, for what VASA-1 does not print.
    """
    motion = VectorEncoderConfig(
        size=256,
        channels=(64, 128, 256, 512),
        blocks=(2, 2, 2, 2),
        hidden=512,
    )
    return FaceConfig(
        image_size=512,
        volume_depth=16,
        volume_size=64,
        volume_channels=96,
        appearance_channels=(64, 128, 256, 512),
        volume_blocks=6,
        canonical_channels=(192, 384, 512, 512, 384, 192),
        identity_channels=512,
        dynamics_channels=128,
        identity_encoder=VectorEncoderConfig(
            size=256,
            channels=(64, 128, 256, 512),
            blocks=(3, 4, 6, 3),
            is_bottleneck=True,
            pooled_size=2,
            hidden=512,
        ),
        pose_encoder=motion,
        dynamics_encoder=motion,
        warp_channels=(512, 256, 128, 64, 32),
        warp_upsampling=((2, 2, 2), (2, 2, 2), (1, 2, 2), (1, 2, 2)),
        decoder_channels=(512, 256, 128, 64),
        decoder_blocks=8,
        use_remat=True,
        dtype="bfloat16",
    )


def vasa1_quarter() -> FaceConfig:
    """Return `vasa1` at a quarter of its widths and 128 px.

    Ours: small enough that two CPU cores show within two hours that the graph learns.
    Depths and blocks are those of `vasa1`; warp generators end at the smaller volume.
    """
    full = vasa1()

    def narrow(channels: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(count // 4 for count in channels)

    def narrow_encoder(encoder: VectorEncoderConfig) -> VectorEncoderConfig:
        return dataclasses.replace(
            encoder,
            size=128,
            channels=narrow(encoder.channels),
            hidden=encoder.hidden // 4,
        )

    return dataclasses.replace(
        full,
        image_size=128,
        volume_size=16,
        volume_channels=full.volume_channels // 4,
        appearance_channels=narrow(full.appearance_channels),
        canonical_channels=narrow(full.canonical_channels),
        identity_channels=full.identity_channels // 4,
        dynamics_channels=full.dynamics_channels // 4,
        identity_encoder=narrow_encoder(full.identity_encoder),
        pose_encoder=narrow_encoder(full.pose_encoder),
        dynamics_encoder=narrow_encoder(full.dynamics_encoder),
        warp_channels=narrow(full.warp_channels),
        warp_upsampling=((2, 2, 2), (2, 2, 2), (1, 1, 1), (1, 1, 1)),
        decoder_channels=narrow(full.decoder_channels),
        use_remat=False,
        dtype="float32",
    )


def demo() -> FaceConfig:
    """Return the shipped checkpoint's scale: real time on a CPU.

    Ours: sizes at which two CPU cores train it in hours and decode it at 25 frames a
    second; see `FaceConfig` for the parts.
    """
    return FaceConfig(
        image_size=256,
        volume_depth=8,
        volume_size=16,
        volume_channels=16,
        appearance_channels=(16, 48, 96, 160),
        volume_blocks=1,
        canonical_channels=(24, 48, 24),
        identity_channels=128,
        dynamics_channels=32,
        identity_encoder=VectorEncoderConfig(
            size=64, channels=(24, 48, 96), blocks=(1, 1, 1), hidden=192
        ),
        pose_encoder=VectorEncoderConfig(
            size=64, channels=(24, 48, 96), blocks=(1, 1, 1), hidden=192
        ),
        dynamics_encoder=VectorEncoderConfig(
            size=96,
            channels=(24, 48, 96),
            blocks=(1, 1, 1),
            pooled_size=6,
            hidden=256,
        ),
        warp_channels=(64, 48, 32),
        warp_upsampling=((2, 2, 2), (2, 2, 2)),
        decoder_channels=(96, 64, 32),
        decoder_blocks=2,
        output_upsampling=4,
        detail_channels=8,
        shortcut=ShortcutConfig(drawn_hidden=192),
    )


def tiny() -> FaceConfig:
    """Return the tests' scale: under half a million parameters, 32 px.

    Ours: the smallest sizes at which every part of the model takes part.
    """
    encoder = VectorEncoderConfig(
        size=16, channels=(8, 16), blocks=(1, 1), pooled_size=2, hidden=16
    )
    return FaceConfig(
        image_size=32,
        volume_depth=4,
        volume_size=8,
        volume_channels=4,
        appearance_channels=(8, 16),
        volume_blocks=1,
        canonical_channels=(8,),
        identity_channels=16,
        dynamics_channels=8,
        identity_encoder=encoder,
        pose_encoder=encoder,
        dynamics_encoder=encoder,
        warp_channels=(8, 8),
        warp_upsampling=((2, 2, 2),),
        decoder_channels=(16, 8),
        decoder_blocks=1,
        output_upsampling=2,
        detail_channels=4,
        shortcut=ShortcutConfig(
            channels=8,
            face_map_size=8,
            face_map_channels=8,
            drawn_hidden=16,
        ),
    )


PRESETS = {"vasa1": vasa1, "vasa1_quarter": vasa1_quarter, "demo": demo, "tiny": tiny}

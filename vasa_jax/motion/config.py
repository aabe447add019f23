"""The numbers that make a motion denoiser and its sampler, in three presets."""

import dataclasses
from typing import Literal

from vasa_jax import config, types


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionConfig:
    """Sizes of the denoiser, of its windows and of the diffusion.

    Attributes:
        num_motion_channels: M, 6 of the head pose and Z of facial dynamics.
        num_audio_channels: A of the audio encoder.
        window_frames: W, frames generated at once.
        previous_frames: K, frames of the previous window that a window continues.
        num_layers: transformer blocks. Paper: VASA-1, appendix, 8.
        width: channels of a token. Paper: VASA-1, appendix, 512.
        num_heads: attention heads. Paper: VASA-1, appendix, 8.
        num_diffusion_steps: S. Follows: DiffPoseTalk, 500; the paper prints none.
        dtype: of the computation, "float32" or "bfloat16". # ours
        use_remat: whether blocks are recomputed in the backward pass, to save memory.
            # ours: off, the model is small.
    """

    num_motion_channels: int = 134
    num_audio_channels: int = 770
    window_frames: int = 100
    previous_frames: int = 10
    num_layers: int = 8
    width: int = 512
    num_heads: int = 8
    num_diffusion_steps: int = 500
    dtype: Literal["float32", "bfloat16"] = "float32"
    use_remat: bool = False

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        config.require_positive(
            self,
            "num_audio_channels",
            "window_frames",
            "previous_frames",
            "num_layers",
            "width",
            "num_heads",
        )
        config.require(
            self.num_motion_channels > types.POSE_CHANNELS,
            f"MotionConfig.num_motion_channels is {self.num_motion_channels}; give the "
            f"{types.POSE_CHANNELS} channels of the pose and at least one of facial "
            "dynamics.",
        )
        config.require(
            self.width % (2 * self.num_heads) == 0,
            f"MotionConfig.width is {self.width} with {self.num_heads} heads; give a "
            "multiple of twice num_heads.",
        )
        config.require(
            self.previous_frames <= self.window_frames,
            f"MotionConfig.previous_frames is {self.previous_frames}; give 1 to "
            f"window_frames, which is {self.window_frames}.",
        )
        config.require(
            self.num_diffusion_steps >= 2,
            f"MotionConfig.num_diffusion_steps is {self.num_diffusion_steps}; give 2 "
            "or more.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How windows are sampled; the defaults are the paper's.

    Attributes:
        num_steps: denoiser calls a window. Paper: VASA-1, appendix, 50, with 10 nearly
            as good.
        method: "ddpm", ancestral, or "ddim", deterministic. Follows: Ho et al., DDPM,
            on which VASA-1 section 3.2 rests; it names no sampler.
    """

    num_steps: int = 50
    method: Literal["ddpm", "ddim"] = "ddpm"

    def __post_init__(self):
        """Refuse an empty run of steps."""
        config.require_positive(self, "num_steps")


DEMO_SAMPLING = SamplingConfig(num_steps=10, method="ddim")
"""Of the shipped checkpoint. Ours: a CPU is faster than the voice, and in few steps
heads move further by DDIM: yaw by 1.51 degrees in 10 steps, by DDPM 1.32 in 15, truth
1.92 (run 9)."""


def vasa1(
    *, num_facial_dynamics: int = 128, num_audio_channels: int = 770
) -> MotionConfig:
    """Return the paper's denoiser, about 29 M parameters.

    Follows: DiffPoseTalk for W 100, K 10 and S 500 with the cosine schedule: the one
    complete published set of the numbers that the paper does not print. 110 frames
    are 4.4 s, within the paper's clips of 2 to 10 s.

    Args:
        num_facial_dynamics: Z. Follows: EMOPortraits, 128.
        num_audio_channels: A. Paper: wav2vec 2.0 (base has 768); Ours: and the two
            loudness channels of `audio.wav2vec2_encoder`.

    Returns:
        The configuration.
    """
    return MotionConfig(
        num_motion_channels=types.POSE_CHANNELS + num_facial_dynamics,
        num_audio_channels=num_audio_channels,
    )


def vasa1_quarter(
    *, num_facial_dynamics: int = 32, num_audio_channels: int = 770
) -> MotionConfig:
    """Return `vasa1` at a quarter of its width. Ours: see `face.config.vasa1_quarter`.

    Args:
        num_facial_dynamics: Z of the face model of this preset.
        num_audio_channels: A of the audio encoder.

    Returns:
        The configuration.
    """
    full = vasa1(
        num_facial_dynamics=num_facial_dynamics, num_audio_channels=num_audio_channels
    )
    return dataclasses.replace(
        full, width=full.width // 4, num_heads=full.num_heads // 4
    )


def demo(
    *, num_facial_dynamics: int = 32, num_audio_channels: int = 770
) -> MotionConfig:
    """Return the denoiser of the shipped checkpoint, about 5 M parameters.

    Follows: DiffPoseTalk for W 100 and K 10. Ours: the sizes, so that a CPU is faster
    than the voice. Windows of 4 s hold a turn of phrase; streams take as short ones as
    K, 0.4 s, which cost as much less.

    Args:
        num_facial_dynamics: Z of the face model of this preset.
        num_audio_channels: A. Ours: `audio.whisper` has two tokens of 384 and two
            loudness channels a frame.

    Returns:
        The configuration.
    """
    return MotionConfig(
        num_motion_channels=types.POSE_CHANNELS + num_facial_dynamics,
        num_audio_channels=num_audio_channels,
        window_frames=100,
        previous_frames=10,
        num_layers=6,
        width=256,
        num_heads=4,
    )


def tiny(*, num_facial_dynamics: int = 8, num_audio_channels: int = 8) -> MotionConfig:
    """Return the denoiser of the tests. Ours: as small as it can still learn.

    Args:
        num_facial_dynamics: Z of the face model of this preset.
        num_audio_channels: A of the audio encoder.

    Returns:
        The configuration.
    """
    return MotionConfig(
        num_motion_channels=types.POSE_CHANNELS + num_facial_dynamics,
        num_audio_channels=num_audio_channels,
        window_frames=16,
        previous_frames=4,
        num_layers=2,
        width=64,
        num_heads=2,
        num_diffusion_steps=100,
    )


PRESETS = {"vasa1": vasa1, "vasa1_quarter": vasa1_quarter, "demo": demo, "tiny": tiny}
"""The presets by name."""

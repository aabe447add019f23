"""All that shapes a finished denoiser's motion beyond the paper, in one place."""

import dataclasses

from vasa_jax import config

MAX_GAIN = 2.0
"""Largest gain. Ours: facial dynamics so far away were never seen in training, and
nothing beyond was tried."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShapingConfig:
    """How sampled motion is shaped; in its place `None` is the paper, which does not.

    Ours, all of it: a small denoiser in ten steps, and a renderer trained for hours,
    miss how far heads and lips move and how often lids close; each field makes up for
    what was measured. Shaping also joins windows and holds the head near where it began
    (`window_joining`, `homing`), whose numbers no run has changed. `docs/log` has the
    runs.

    Attributes:
        step_spacing: exponent of how sampling steps crowd at the noisy end; 1 spaces
            them evenly. What moves slowly or rarely is settled while there is much
            noise: ten steps of DDIM find 1.07 blinks in 3 s in place of 0.72, truth
            1.25 (run 9).
        lip_noise: share of the noise left along the facial dynamics that move lips, 0
            to 1. Lips of unknown voices correlate with the truth by 0.81 in place of
            0.78 (run 10).
        blink_noise: noise along the facial dynamics that close both lids, over that of
            others. Ten steps find 20 blinks a minute with 1, 32 with 1.2 and 42 with
            1.4, filmed people have 30 and VASA-1 36 (run 36).
        liveliness: how far heads move within a window, over what half of the training
            heads do with such a voice. With 1, heads turn by 3.8, 3.4 and 3.1 degrees
            of standard deviation, where people filmed in conversation turn by 4.6, 4.0
            and 3.5 (run 20).
        dynamics_gain: how much of the way from the portrait's own facial dynamics to
            those asked for is gone when rendered; above 1 overdoes it. Single weights
            move the flow of photographs 0.78 of the way of meshes (mean of twelve, run
            33), so the shipped checkpoint has 1.25.
    """

    step_spacing: float = 1.6
    lip_noise: float = 0.25
    blink_noise: float = 1.3
    liveliness: float = 1.0
    dynamics_gain: float = 1.0

    def __post_init__(self):
        """Refuse steps that crowd at the clean end, and noise or a gain of nothing."""
        config.require_positive(self, "blink_noise", "liveliness", "dynamics_gain")
        config.require_fraction(self, "lip_noise")
        config.require(
            self.step_spacing >= 1,
            f"ShapingConfig.step_spacing is {self.step_spacing}; give 1 (even) or "
            "more.",
        )
        config.require(
            self.dynamics_gain <= MAX_GAIN,
            f"ShapingConfig.dynamics_gain is {self.dynamics_gain}; give a number above "
            f"0, at most {MAX_GAIN:g}.",
        )

"""Weights of the losses that train the face model, and their course over a run."""

import dataclasses

from vasa_jax import config
from vasa_jax.train import loss_schedule

TERMS = (
    "reconstruction",
    "decoded",
    "warped",
    "mirrored",
    "flow",
    "coarse_flow",
    "visibility",
    "mirrored_flow",
    "mirrored_visibility",
    "background",
    "stillness",
    "head_pose",
    "expression",
    "gaze",
    "motion_cycle",
    "expression_cycle",
    "pose_cycle",
    "contrast",
    "consistency",
    "cross_identity",
    "canonical",
    "perceptual",
    "adversarial",
    "feature_matching",
)
"""Weights that a schedule may change."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceLossConfig:
    """Weights of stage one's losses; 0 leaves a term out, and its cost.

    Attributes:
        reconstruction, decoded, warped: of the blend, the painted image, the warped
            portrait. Ours: each of the three is taught by itself, or the mask
            saturates; `decoded` is 0 without the shortcut, where the painted image is
            the frame.
        mirrored: of the mirrored portrait where the portrait hides the head. Ours.
        flow, coarse_flow: exact correspondence. Ours.
        visibility: of the mask. Ours.
        mirrored_flow, mirrored_visibility: exact correspondence of mirror images, and
            where the portrait shows them but not the place itself. Ours: pixels alone
            left ears and far cheeks to a blur.
        background, stillness: of what is told to lie around the head, in the portrait
            and in the frame. Ours.
        head_pose, expression, gaze: as the encoders were taught. 0 with frozen ones.
        motion_cycle: facial dynamics read from the frame against the driver's. Ours:
            a loss on lips and lids that sees what viewers see.
        expression_cycle, pose_cycle: expression and head pose read from the frame
            against those read from its driver, unchanged. Ours: images compared pixel
            by pixel settle on mouths half open.
        contrast: CosFace on the motion code. Follows: MegaPortraits, 2.
        consistency: L_consist. Paper: VASA-1 §3.1; weight ours.
        cross_identity: L_cross_id, by a frozen network that knows faces. Paper: VASA-1
            §3.1; weight ours.
        canonical: agreement of canonical volumes. Follows: EMOPortraits; weight ours.
        perceptual: on crops of mouth, eyes and elsewhere. Follows: MegaPortraits, 20.
        adversarial, feature_matching: on the same crops. Follows: MegaPortraits, 1 and
            40 (features averaged here).
        crops_elsewhere: crops of each frame drawn at random, beside those of mouth and
            eyes. Ours: hair, ears and hidden cheeks, where there is time for them.
        adversarial_start: step from which the renderer hears the discriminator, which
            learns from the first step on.
        adversarial_every: the discriminator learns and is heard on every n-th step, n
            times as heavy. Ours: for CPUs.
        dear_every: the dear terms (consistency, cross_identity, canonical, perceptual)
            are computed on every n-th step, n times as heavy. Ours: for CPUs.
        is_motion_trained: whether gradients reach the motion encoders.
        uses_dynamics_map: whether the codes of drivers come from what their records
            know of expression and gaze, in place of what the encoder sees; where a
            record knows neither, the encoder tells. Ours: see `dynamics_map`.
        schedule: ramps of weights over steps; see `loss_schedule`.
    """

    reconstruction: float = 4.0
    decoded: float = 2.0
    warped: float = 2.0
    mirrored: float = 1.0
    flow: float = 30.0
    coarse_flow: float = 10.0
    visibility: float = 0.3
    mirrored_flow: float = 10.0
    mirrored_visibility: float = 0.1
    background: float = 1.0
    stillness: float = 0.5
    head_pose: float = 0.0
    expression: float = 0.0
    gaze: float = 0.0
    motion_cycle: float = 0.0
    expression_cycle: float = 0.0
    pose_cycle: float = 0.0
    contrast: float = 0.0
    consistency: float = 0.0
    cross_identity: float = 0.0
    canonical: float = 0.0
    perceptual: float = 0.0
    adversarial: float = 0.0
    feature_matching: float = 0.0
    crops_elsewhere: int = 0
    adversarial_start: int = 5000
    adversarial_every: int = 1
    dear_every: int = 1
    is_motion_trained: bool = False
    uses_dynamics_map: bool = False
    schedule: tuple[loss_schedule.Ramp, ...] = ()

    def __post_init__(self) -> None:
        config.require_positive(self, "adversarial_every", "dear_every")
        loss_schedule.check(self, TERMS)

"""Weights of the losses that train the face model, and their sum."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import jax

from vasa_jax import config


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceLossConfig:
    """Weights of stage one's losses; 0 leaves a term out, and its cost.

    Those from `reconstruction` to `head_pose` are constants (`ClassVar`), since no run
    changed them: other weights need an edit of this file.

    Attributes:
        reconstruction: of the frame. Ours.
        decoded, warped: of what the decoder paints and of the warped portrait, with the
            shortcut. Ours: each is taught by itself, or the mask saturates.
        mirrored: of the mirrored portrait where the portrait hides the head. Ours.
        flow, coarse_flow: exact correspondence. Ours.
        mirrored_flow, mirrored_visibility: exact correspondence of mirror images, and
            where the portrait shows them but not the place itself. Ours: pixels alone
            left ears and far cheeks to a blur.
        background, stillness: of what lies around the head, in the portrait and in the
            frame. Ours.
        head_pose: as the encoders were taught, where motion is trained.
        visibility: of the mask. Ours.
        expression, gaze: as the encoders were taught. 0 with frozen ones.
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
        perceptual: of frames or crops. Follows: MegaPortraits, 20.
        adversarial, feature_matching: of the same. Follows: MegaPortraits, 1 and 40
            (features averaged here).
        num_random_crops: the perceptual loss and the discriminator see crops of mouth
            and eyes, and so many elsewhere. None shows them whole frames. Follows:
            MegaPortraits (whole frames). Ours: crops, where compute is scarce.
        adversarial_start: step from which the discriminator teaches the renderer; it
            learns itself from the first step on.
        expensive_every: the terms that render or compare by a frozen network
            (consistency, cross_identity, canonical, perceptual) are computed on every
            n-th step, n times as heavy. Ours: for CPUs.
        uses_geometry: whether exact correspondence and masks teach, which only
            rendered heads and moved photographs have.
        is_motion_trained: whether gradients reach the motion encoders.
        uses_dynamics_map: whether the codes of drivers are told from the portrait's by
            what records know of expression and gaze in both frames, in place of what
            the encoder sees; where a record knows neither, the encoder's. It needs a
            map that `demo_encoders` has taught, as the shipped checkpoint holds. Ours:
            see `FaceModel.shift_dynamics`.
    """

    reconstruction: ClassVar[float] = 4.0
    decoded: ClassVar[float] = 2.0
    warped: ClassVar[float] = 2.0
    mirrored: ClassVar[float] = 1.0
    flow: ClassVar[float] = 30.0
    coarse_flow: ClassVar[float] = 10.0
    mirrored_flow: ClassVar[float] = 10.0
    mirrored_visibility: ClassVar[float] = 0.1
    background: ClassVar[float] = 1.0
    stillness: ClassVar[float] = 0.5
    head_pose: ClassVar[float] = 1.0

    visibility: float = 0.3
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
    num_random_crops: int | None = 0
    adversarial_start: int = 5000
    expensive_every: int = 1
    uses_geometry: bool = True
    is_motion_trained: bool = False
    uses_dynamics_map: bool = False

    def __post_init__(self) -> None:
        config.require_positive(self, "expensive_every")


def weighted_sum(
    weights: FaceLossConfig, terms: Mapping[str, jax.Array]
) -> jax.Array | float:
    """Sum terms by their weights.

    Args:
        weights: of all terms.
        terms: scalars by name.

    Returns:
        A scalar; 0 of nothing.
    """
    return sum(getattr(weights, name) * term for name, term in terms.items())

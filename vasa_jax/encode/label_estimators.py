"""The estimators of what faces show, by name, each with its licence.

Ours: `encoder` ships and estimates everything, lids by landmarks. `l2cs` estimates the
gaze and `hsemotion` the emotion in its place, as in the paper, by published files that
users bring.
"""

import functools

from vasa_jax.encode import encoder_labels, published_labels
from vasa_jax.portrait import face_labels, hsemotion, l2cs

LICENCES = {
    "encoder": "Apache-2.0, as are MediaPipe's networks, which place the face",
    "l2cs": "code MIT; its weights' data, Gaze360 or MPIIFaceGaze, are for research",
    "hsemotion": "code Apache-2.0; its weights' data, AffectNet, are for research",
}
"""Follows: the repositories that `l2cs.CURE` and `hsemotion.CURE` name; ask there."""


@functools.cache
def make(
    l2cs_weights: str | None = None, hsemotion_weights: str | None = None
) -> face_labels.LabelEstimator:
    """Return the estimator of labels, whose networks are loaded once a process.

    Args:
        l2cs_weights: file of L2CS-Net, which then estimates the gaze; see `l2cs.load`.
        hsemotion_weights: file of HSEmotion, which then recognises the emotion; see
            `hsemotion.EmotionNetwork`.

    Raises:
        UserError: a file does not fit, or a package that it needs is missing.
    """
    usual = encoder_labels.EncoderEstimator()
    if l2cs_weights is None and hsemotion_weights is None:
        return usual
    return published_labels.PublishedEstimator(
        other=usual,
        gaze=l2cs_weights and l2cs.load(l2cs_weights),
        emotion=hsemotion_weights and hsemotion.EmotionNetwork(hsemotion_weights),
    )


def names_of(l2cs_weights: str | None, hsemotion_weights: str | None) -> str:
    """Say by names who estimates the labels; arguments as of `make`."""
    gaze = ", gaze by l2cs" if l2cs_weights else ""
    emotion = ", emotion by hsemotion" if hsemotion_weights else ""
    return f"encoder{gaze}{emotion}"

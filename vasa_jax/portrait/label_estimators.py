"""The estimators of what faces show, by name.

Ours: names stand in the settings of a set, so that another estimator, such as
published networks for gaze and emotion, can take the place of the landmarks.
"""

from vasa_jax import config
from vasa_jax.portrait import face_labels, landmark_labels

_ESTIMATORS = {"landmarks": landmark_labels.LandmarkEstimator}

NAMES = tuple(_ESTIMATORS)
"""Names that `make` takes."""


def make(name: str) -> face_labels.LabelEstimator:
    """Return the estimator of that name.

    Args:
        name: one of `NAMES`.

    Raises:
        UserError: no such name.
    """
    if name not in _ESTIMATORS:
        raise config.unknown_name(name, NAMES, "estimator of labels")
    return _ESTIMATORS[name]()

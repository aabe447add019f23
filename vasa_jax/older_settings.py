"""Settings that older exports and work folders hold, in today's names.

Ours: plain JSON in and out, so that every reader of an export sees today's names alone.
Version 0.1 kept what shapes motion in the sampler's and the face model's settings; 0.2
keeps it in `animation.shaping`.
"""

import copy
from typing import Any

from vasa_jax.errors import UserError

_SHAPING_OF_SAMPLING = {
    "spacing": "step_spacing",
    "lip_noise": "lip_noise",
    "blink_noise": "blink_noise",
    "liveliness": "liveliness",
}
_GAINS = ("dynamics_gain", "pose_gain")
_MLP_RATIO = 4


def renew(configs: dict[str, Any]) -> dict[str, Any]:
    """Bring the configurations of an export to today's names.

    Args:
        configs: parsed JSON of each configuration, by name.

    Returns:
        The same settings; what is of today is returned as it is.

    Raises:
        UserError: a setting that is now a constant has another value, or gains have no
            denoiser beside them.
    """
    configs = copy.deepcopy(configs)
    face, motion = configs.get("face", {}), configs.get("motion", {})
    sampling = configs.get("animation", {}).get("sampling", {})
    if motion.pop("mlp_ratio", _MLP_RATIO) != _MLP_RATIO:
        raise UserError(
            f"This denoiser's mlp_ratio is not {_MLP_RATIO}, which is the only one "
            "left; install vasa_jax 0.1, which it was made with."
        )
    gains = {name: face.pop(name) for name in _GAINS if name in face}
    if "spacing" in sampling:
        shaping = {new: sampling.pop(old) for old, new in _SHAPING_OF_SAMPLING.items()}
        configs["animation"]["shaping"] = shaping | gains
    elif any(gain != 1.0 for gain in gains.values()):
        raise UserError(
            "This export holds gains of a renderer and no denoiser, and gains belong "
            "to both now; export the runs of both stages together (--workdir twice)."
        )
    return configs

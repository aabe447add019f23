"""Settings that older exports and work folders hold, in today's names.

Ours: plain JSON in and out, so that every reader of an export sees today's names alone.
Version 0.1 kept what shapes motion in the sampler's and the face model's settings; 0.2
keeps it in `animation.shaping`. Version 0.1 switched each part of the image shortcut by
itself; 0.2 has all of it or none. Before eyes were drawn beside mouths, the width of
what tells their places was the mouth's alone.
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
_MLP_RATIO = 4
_DEFAULTS_OF_FACE = {
    "shortcut_channels": 24,
    "flow_stage": 2,
    "face_map_size": 0,
    "face_map_channels": 32,
    "face_map_blocks": 2,
    "mirrors_face": False,
    "fills_background": False,
}


def renew(configs: dict[str, Any]) -> dict[str, Any]:
    """Bring the configurations of an export to today's names.

    Args:
        configs: parsed JSON of each configuration, by name.

    Returns:
        The same settings; what is of today is returned as it is.

    Raises:
        UserError: a setting that is now a constant has another value, the face model
            lacks parts that all of today's have, or a gain has no denoiser beside it.
    """
    configs = copy.deepcopy(configs)
    face, motion = configs.get("face", {}), configs.get("motion", {})
    sampling = configs.get("animation", {}).get("sampling", {})
    if motion.pop("mlp_ratio", _MLP_RATIO) != _MLP_RATIO:
        raise UserError(
            f"This denoiser's mlp_ratio is not {_MLP_RATIO}, which is the only one "
            "left; install vasa_jax 0.1, which it was made with."
        )
    shaping = configs.get("animation", {}).get("shaping") or {}
    for settings in (face, shaping):
        # Heads turn as asked; 0.95 of it was the least that was ever kept.
        settings.pop("pose_gain", None)
    # Renderers that needed gains of single units were never released.
    shaping.pop("unit_gains", None)
    gain = face.pop("dynamics_gain", 1.0)
    if "spacing" in sampling:
        shaping = {new: sampling.pop(old) for old, new in _SHAPING_OF_SAMPLING.items()}
        configs["animation"]["shaping"] = shaping | {"dynamics_gain": gain}
    elif gain != 1.0:
        raise UserError(
            "This export holds the gain of a renderer and no denoiser, and it belongs "
            "to both now; export the runs of both stages together (--workdir twice)."
        )
    if "use_shortcut" in face:
        configs["face"] = _renew_face(face)
    if "mouth_hidden" in (face.get("shortcut") or {}):
        _renew_drawing(face["shortcut"])
    return configs


def _renew_drawing(shortcut: dict[str, Any]) -> None:
    """Name what draws mouths and eyes, in place; it was of mouths alone."""
    shortcut["drawn_hidden"] = shortcut.pop("mouth_hidden")
    shortcut.pop("detail_channels")
    if shortcut.pop("detail_size") is not None:
        raise UserError(
            "The face model of this checkpoint corrects eyes on the unwrapped face "
            "(detail_size), which is gone; train its renderer anew."
        )


def _renew_face(face: dict[str, Any]) -> dict[str, Any]:
    face = {**_DEFAULTS_OF_FACE, **face}
    last_stage = len(face["decoder_channels"]) - 1
    parts = {
        "is_decoder_conditioned": face.pop("is_decoder_conditioned"),
        "mirrors_face": face.pop("mirrors_face"),
        "fills_background": face.pop("fills_background"),
        "flow_stage": face.pop("flow_stage") == last_stage,
        "face_map_blocks": face.pop("face_map_blocks") == 2,
    }
    shortcut = {
        "channels": face.pop("shortcut_channels"),
        "face_map_size": face.pop("face_map_size"),
        "face_map_channels": face.pop("face_map_channels"),
    }
    face.pop("appearance_size")
    uses_shortcut = face.pop("use_shortcut")
    if uses_shortcut and not all(parts.values()):
        odd = ", ".join(name for name, is_usual in parts.items() if not is_usual)
        raise UserError(
            f"The face model of this checkpoint is of an older kind ({odd}) that is "
            "gone; install vasa_jax 0.1, which it was made with, or train anew."
        )
    face["shortcut"] = shortcut if uses_shortcut else None
    return face

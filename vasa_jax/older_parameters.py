"""Parameters of older exports and work folders, by today's names.

Ours: an export and the work folder of a run outlive the code that wrote them. What is
renamed gets a row here; rows may go when nobody has such files any more.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

RENAMED_PARAMETERS = (
    # Version 3 to 4: the image shortcut left the decoder.
    (r"face/(face_map|background|decoder_code)/", r"face/shortcut/\1/"),
    (r"face/appearance_encoder/shortcut_features/", "face/shortcut/features/"),
    (
        r"face/decoder/(coarse_flow|fine_flow|light|mirror|overlay)/",
        r"face/shortcut/\1/",
    ),
    (r"face/decoder/mirrored/", "face/shortcut/mirrored_features/"),
    (r"face/decoder/background/", "face/shortcut/background_overlay/"),
    (r"face/decoder/narrow_1/", "face/decoder/stages_0/narrow/"),
    (r"face/decoder/narrow_2/", "face/decoder/stages_1/narrow/"),
    (r"face/decoder/narrow_3/", "face/decoder/stages_2/narrow/"),
    (r"face/decoder/grow_1/", "face/decoder/stages_0/block/"),
    (r"face/decoder/grow_2/", "face/decoder/stages_1/block/"),
    (r"face/decoder/grow_3/", "face/decoder/stages_2/block/"),
    (r"face/decoder/AdaptiveNorm_0/", "face/decoder/norm/"),
    (r"face/decoder/paint(er)?/", "face/decoder/output/"),
)
"""Beginnings of paths as patterns, and what takes their place."""

FACE_MAP = "face/shortcut/face_map/dynamics/kernel"

MAP_STEPS = np.array([0.5] * 52 + [0.2] * 2, np.float32)
FIELDS = (54, 2 * 32**2)
"""As `face.dynamics_map.STEPS`, and the shape of `face.shortcut.face_flow.FaceFlow`'s
fields, when codes gave way to changes."""


def new_name(name: str) -> str:
    """Return the path of a parameter by today's names; names of today stay."""
    for pattern, new in RENAMED_PARAMETERS:
        found, count = re.subn(f"^{pattern}", new, name)
        if count:
            return found
    return name


def renew(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Bring parameters to today's names.

    Args:
        flat: arrays by path, of any version.

    Returns:
        The arrays by today's paths.
    """
    renamed = {new_name(name): array for name, array in flat.items()}
    was_older = any(new_name(name) != name for name in flat)
    if was_older and not any("/coarse_flow/" in name for name in renamed):
        # Without the shortcut, version 3 held parts of it that nothing used.
        renamed = {
            name: array[..., :3] if name.startswith("face/decoder/output/") else array
            for name, array in renamed.items()
            if not name.startswith("face/shortcut/")
        }
    return _see_changes(renamed)


def _see_changes(flat: dict[str, Any]) -> dict[str, Any]:
    """Let the shortcut see what changes, where it saw the code that is asked for.

    Exact but for rounding: what is read of a change (`DynamicsMap.read_change`) makes
    that change again.
    """
    readout = flat.get("face/dynamics_heads/linear/kernel")
    old = flat.get(FACE_MAP)
    if readout is None or old is None or len(old) != 2 * len(readout):
        return flat
    channels = len(readout)
    if "face/dynamics_map/linear/kernel" not in flat:
        flat = flat | _plain_map(channels)
    slope = _map_slope(flat)
    asked, own = np.split(np.asarray(old, np.float32), 2)
    flat = flat | {FACE_MAP: np.concatenate([slope @ asked, own + asked])}
    for name in ("mouth_shape", "eye_shape"):
        path = f"face/shortcut/{name}/first/kernel"
        if path in flat:
            kernel = np.asarray(flat[path], np.float32)
            shape, own, asked = np.split(kernel, [-2 * channels, -channels])
            flat[path] = np.concatenate([shape, own + asked, slope @ asked])
    flat["face/shortcut/face_flow/fields/kernel"] = np.zeros(FIELDS, np.float32)
    return flat


def _map_slope(flat):
    """Return `[54, Z]` by how much the map moves the code for each weight."""

    def part(name):
        return np.asarray(flat[f"face/dynamics_map/{name}"], np.float32)

    rows = np.concatenate([np.diag(MAP_STEPS), np.zeros((1, len(MAP_STEPS)))])
    x = rows @ part("hidden/kernel") + part("hidden/bias")
    # As `flax.linen.gelu`.
    x = 0.5 * x * (1.0 + np.tanh((2.0 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    codes = rows @ part("linear/kernel") + x @ part("bent/kernel")
    return ((codes[:-1] - codes[-1:]) / MAP_STEPS[:, None]).astype(np.float32)


def _plain_map(channels):
    """Return a map for models that had none: each weight is a channel of the code."""
    return {
        "face/dynamics_map/linear/kernel": np.eye(54, channels, dtype=np.float32),
        "face/dynamics_map/linear/bias": np.zeros(channels, np.float32),
        "face/dynamics_map/hidden/kernel": np.zeros((54, 256), np.float32),
        "face/dynamics_map/hidden/bias": np.zeros(256, np.float32),
        "face/dynamics_map/bent/kernel": np.zeros((256, channels), np.float32),
    }

"""Parameters of older exports and work folders, by today's names.

Ours: an export and the work folder of a run outlive the code that wrote them. What is
renamed gets a row here; rows may go when nobody has such files any more.
"""

import re
from collections.abc import Mapping
from typing import Any

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
    return renamed

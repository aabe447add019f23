"""What a set of clips can teach stage one, and the settings to change where it cannot.

Ours: videos hold less truth than rendered heads (`datasets.video_clips.record`); a loss
without its truth is refused rather than left out in silence.
"""

import json
import pathlib
from typing import Any

from vasa_jax.data import clips, mixed_sets, records
from vasa_jax.errors import UserError

ALWAYS = ("video", "num_frames", "head_pose", "identity")
"""Fields without which nothing can be learnt. Ours."""

FLOW_FIELD = "geometry"
MASK_FIELD = "masks"
"""Fields with exact correspondence, and with what lies around the head."""

NEEDED_BY = {
    "renderer": ("keypoints", "performance"),
    "distillation": ("arkit", "gaze_in_head"),
    "drawing": (FLOW_FIELD, "arkit", "gaze_in_head", "blink"),
}
"""Fields without which a part cannot be learnt. Ours."""

OTHER_BUILDER = {
    "encoders": "datasets.video_clips",
    "renderer": "datasets.video_clips",
    "distillation": "datasets.photo_heads",
    "drawing": "datasets.photo_heads",
}
"""Whose clips teach a part too. Ours: videos hold no truth of mouths and eyes."""

FIELD_OF_WEIGHT = {"expression": "arkit", "gaze": "gaze_in_head"}
"""Losses whose truth is a field of its own."""

VIDEO_SET, PHOTO_SET = "video_clips", "photo_heads"
"""TFDS names of the sets by `datasets.video_clips` and `datasets.photo_heads`."""

VIDEO_PRESET = "demo_videos"
"""Preset of `experiments.configs.face` that leaves out what such sets do not know."""

MAX_TRIES = 8
"""Records read at most to see which fields a set has, as some may be damaged. Ours."""


def first_record(opened: records.Records) -> records.Record | None:
    """Return a record, all being alike; None if the first are corrupt."""
    for index in range(min(MAX_TRIES, len(opened))):
        try:
            return opened.read(index)
        except records.CorruptRecordError:
            continue
    return None


def check(opened: records.Records, settings: Any) -> None:
    """Refuse losses whose truth a set does not have, and frames that are too small.

    Args:
        opened: the records.
        settings: `experiments.configs.face.FaceExperiment`.

    Raises:
        UserError: names the settings to give, or how to build the set.
    """
    for part in mixed_sets.parts_of(opened):
        record = first_record(part)
        if record is not None:
            _check_fields(set(record), settings)
            _check_size(clips.read_frames(record, [0]).shape[1], settings)


def _check_size(pixels: int, settings: Any) -> None:
    size = settings.model.image_size
    if pixels % size:
        raise UserError(
            f"The clips in {settings.data_dir!r} have {pixels} pixels a side and the "
            f"model takes {size}; build them with --size={size} or a multiple of it."
        )


def _check_fields(fields: set[str], settings: Any) -> None:
    is_pairs = settings.part == "renderer"
    needed = ALWAYS + NEEDED_BY.get(settings.part, ())
    if missing := [name for name in needed if name not in fields]:
        raise UserError(
            f"The clips in {settings.data_dir!r} have no {', '.join(missing)}; make "
            f"them by datasets.synthetic_heads or {OTHER_BUILDER[settings.part]}."
        )
    if settings.part in ("distillation", "drawing"):
        return
    group = "face_loss" if is_pairs else "encoder_loss"
    weights = getattr(settings, group)
    unknown = [name for name, f in FIELD_OF_WEIGHT.items() if f not in fields]
    changes = []
    if is_pairs and uses_geometry(settings) and not {FLOW_FIELD, MASK_FIELD} <= fields:
        changes += ["face_loss.uses_geometry=False"]
    changes += [f"{group}.{name}=0" for name in unknown if getattr(weights, name)]
    if changes:
        raise UserError(
            f"The clips in {settings.data_dir!r} have no truth for these losses to "
            f"compare with; give {' '.join(f'--set={change}' for change in changes)}"
            f"{f', or --preset={VIDEO_PRESET}' * is_pairs}."
        )


def uses_geometry(settings: Any) -> bool:
    """Return whether exact correspondence and masks teach the face model.

    Args:
        settings: `experiments.configs.face.FaceExperiment`.
    """
    return settings.model.shortcut is not None and settings.face_loss.uses_geometry


def set_names(data_dir: str) -> set[str]:
    """Return the TFDS names of the sets in a folder.

    Args:
        data_dir: of the set's version, or up to two folders above.
    """
    folder = pathlib.Path(data_dir)
    patterns = ("", "*/", "*/*/")
    files = [f for p in patterns for f in folder.glob(f"{p}dataset_info.json")]
    return {json.loads(file.read_text(encoding="utf-8"))["name"] for file in files}

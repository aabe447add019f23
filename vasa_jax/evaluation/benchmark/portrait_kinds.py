"""The kinds of portraits that are told apart, and the ones that pixels can tell."""

import numpy as np

from vasa_jax.portrait import crop, landmarks, locate, resample

KINDS = (
    "child",
    "adult",
    "old",
    "light skin",
    "medium skin",
    "dark skin",
    "beard",
    "glasses",
    "hat",
    "open mouth or smile",
    "closed eyes",
    "greyscale or painted",
    "dark picture",
    "turned head",
    "small face",
)
"""In the order of reports; a portrait may be of several. Ours."""

DERIVED_KINDS = ("made greyscale", "made dark", "made small")
"""Of portraits that were made out of others; see `derive`."""

OPEN_MOUTH = 0.06
"""Gap of the lips, in eye distances, from which teeth or tongue may show. Ours."""

GREYSCALE_SPREAD = 6.0
"""Mean distance of a pixel's largest and least channel, of 255, below which a picture
has no colours. Ours: JPEG leaves about 5."""

DARK_LUMA = 70.0
"""Mean luma of the face's crop, of 255, below which a picture is dark. Ours: a tenth
to a fifth of photographs."""

TURNED_DEGREES = 12.0
"""Yaw from which a head is turned. Ours: one cheek is visibly narrower."""

SMALL_PIXELS = 200.0
"""Side of the face's crop below which a face is small. Ours: under half of 512 px."""

LUMA = np.array([0.299, 0.587, 0.114])
"""From RGB. Follows: BT.601."""

DARKENED = 0.35
"""Of the light that a picture made dark keeps. Ours: faces are still recognised."""

SHRUNK_PIXELS = 120
"""Crop side of a picture made small. Ours: below what `locate` calls soft."""


def measure(image: np.ndarray, found: locate.LocatedFace) -> tuple[str, ...]:
    """Return the kinds that can be measured.

    Ours: age, beard and the like must be looked at, and so must the tone of skin: by
    the cheeks' colour, light decides more than skin does.

    Args:
        image: uint8 `[H, W, 3]`.
        found: its face.

    Returns:
        Names of `KINDS`.
    """
    height, width = image.shape[:2]
    side = 2 * found.box.half_size
    left, top = (max(0, int(v)) for v in (found.box.left, found.box.top))
    right, bottom = found.box.left + side, found.box.top + side
    face = image[top : min(height, int(bottom)), left : min(width, int(right))]
    spread = np.ptp(image.astype(np.int16), axis=-1).mean()
    yaw_degrees = np.degrees(found.head_pose.rotation[0])
    is_kind = {
        "open mouth or smile": landmarks.mouth_opening(found.landmarks.points)
        > OPEN_MOUTH,
        "greyscale or painted": spread < GREYSCALE_SPREAD,
        "dark picture": (face @ LUMA).mean() < DARK_LUMA,
        "turned head": abs(yaw_degrees) > TURNED_DEGREES,
        "small face": side < SMALL_PIXELS,
    }
    return tuple(kind for kind in KINDS if is_kind.get(kind, False))


def derive(image: np.ndarray, kind: str, box: crop.CropBox) -> np.ndarray:
    """Make a portrait of another kind out of one.

    Ours: the same faces in two kinds tell the kind's effect apart from the faces'.

    Args:
        image: uint8 `[H, W, 3]`.
        kind: one of `DERIVED_KINDS`.
        box: of its face.

    Returns:
        uint8 `[H', W', 3]`.
    """
    if kind == "made greyscale":
        made = np.repeat(image @ LUMA[:, None], 3, axis=-1)
    elif kind == "made dark":
        made = DARKENED * image
    else:
        height, width = image.shape[:2]
        ratio = min(1.0, SHRUNK_PIXELS / (2 * box.half_size))
        rows, columns = (max(1, round(ratio * side)) for side in (height, width))
        made = resample.sample_window(image, 0, 0, width, height, rows, columns)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)

"""The inside of a portrait's mouth: teeth and tongue, painted in its own light.

Ours: how rows of teeth look is known; what a portrait shows is its light, and the
colour of teeth where it shows some. Colours that a network predicted turned white in
every smile. See `face.shortcut.mouth` for where frames show all this.
"""

import numpy as np
from PIL import Image, ImageDraw

from vasa_jax import types
from vasa_jax.portrait import lips, mouth_light, mouth_paint, pose

OPEN_MOUTH = 0.035
"""From which gap between the lips, head units, a portrait shows its teeth. Ours:
landmarks of shut lips are up to 3 mm apart."""

OWN = np.array([1.0, 0.91, 0.83])
"""Colour of teeth in white light. Ours: the mean of the rendered heads'."""

SEED = 3
"""Of the one set of teeth that all get. Ours: one that looks even."""

PIXELS = 171.0
"""Of a frame of 512 in a head unit, at scale 1."""

TONGUE_ABOVE = 0.157
"""How far the tongue reaches above the lower teeth, and their row is painted, head
units. Ours: the teeth's edge is 0.023 above the lip's, in the middle of what people
show."""


def paint_teeth(face: np.ndarray, points: np.ndarray, sclera: np.ndarray | None):
    """Paint the inside of a portrait's mouth.

    Args:
        face: uint8 `[S, S, 3]` the crop.
        points: `[468, 2 or more]` landmarks, its pixels, centres at halves.
        sclera: `[3]` colour of the white of the eyes, 0 to 255; None where none is
            seen.

    Returns:
        `types.Teeth` of leading shape `[1]`.
    """
    fit = pose.fit_head(points)
    pixels = points[:, :2] - 0.5
    light = mouth_light.measure_light(
        face.astype(np.float64),
        pixels,
        _inside(pixels, face, fit.unit),
        fit.unit,
        sclera,
        OWN,
    )
    return _rows(light)


def plain_teeth(batch: int) -> types.Teeth:
    """Return teeth in full light, where no portrait is at hand."""
    light = mouth_light.MouthLight(
        220.0 * OWN, 150.0 * mouth_light.FLESH, 0.0, 1.0, None
    )
    one = _rows(light)
    return types.Teeth(
        rows=tuple(np.concatenate([row] * batch) for row in one.rows),
        cavity=np.concatenate([one.cavity] * batch),
    )


def _inside(pixels, face, unit):
    """Tell which pixels `[S, S]` lie between open lips; None where lips are shut."""
    gap = np.linalg.norm(
        pixels[list(lips.LOWER)] - pixels[list(lips.UPPER)], axis=1
    ).max()
    if gap < OPEN_MOUTH * unit:
        return None
    ring = pixels[[*lips.UPPER, *lips.LOWER[-2:0:-1]]]
    mask = Image.new("1", face.shape[1::-1])
    ImageDraw.Draw(mask).polygon([tuple(point) for point in ring], fill=1)
    return np.asarray(mask)


def _rows(light):
    """Paint both rows, the tongue behind the lower one; `types.Teeth`."""
    generator = np.random.default_rng(SEED)
    upper, teeth, tongue, _ = mouth_paint.paint(light, PIXELS, generator)
    pitch = PIXELS * mouth_paint.RESOLUTION
    above = round(TONGUE_ABOVE * pitch)
    lower = np.zeros((above + len(teeth), teeth.shape[1], 4))
    left = (lower.shape[1] - tongue.shape[1]) // 2
    lower[: len(tongue), left : left + tongue.shape[1]] = _weighted(tongue)
    teeth = _weighted(teeth)
    lower[above:] = teeth + (1.0 - teeth[..., 3:]) * lower[above:]
    cavity = mouth_paint.DARK * light.flesh / 255.0
    return types.Teeth(
        rows=tuple(row[None].astype(np.float32) for row in (_weighted(upper), lower)),
        cavity=cavity[None].astype(np.float32),
    )


def _weighted(tile):
    """Weigh colours by opacity, in 0 to 1."""
    return np.concatenate([tile[..., :3] / 255.0 * tile[..., 3:], tile[..., 3:]], -1)

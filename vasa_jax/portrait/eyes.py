"""The eyes of a portrait, taken apart: rims of lids, irises, and layers for any gaze.

Ours: a decoder whose cells are as large as half an iris smears it when it looks aside.
An iris laid over a white is sharp wherever it goes; see `face.shortcut.eyes`.
"""

import dataclasses

import numpy as np

from vasa_jax import types
from vasa_jax.portrait import (
    crop,
    eye_texture,
    eyelids,
    gaze,
    irises,
    landmarks,
    pose,
    resample,
)

PATCH = (92, 130)
"""Rows and columns of an eye's layers. Ours: cells of 0.6 pixels of a crop of 512, as
they are sampled again."""

SPAN = 1.5
"""How far layers reach from the middle of the eye to the sides, in half its width.
Ours: beyond the lids by as much as the face moves about an eye."""

RIMS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
)
"""Landmarks of both eyes' rims, the image's left eye first: the upper lid to the right,
then the lower one back. Follows: MediaPipe's topology of 468 landmarks."""

NUM_UPPER, NUM_RIM, NUM_DISC = 9, 16, 3
"""Points of the upper lid, with both corners, of a rim, and of an iris: its centre, and
the ends of the radii that point to the right and down."""

NUM_SHADES, SHADE_REACH = 7, 0.6
"""How many times light below a lid is sampled, and how far down, half eye widths. Ours:
a lid's shade ends within a third of an open eye."""

SPREAD = (0.08, 0.04)
"""How far rims of upper and lower lids are moved off the eye, in heights of the eye.
Follows: `datasets.photo_heads`."""

WHITE_SPAN = (0.06, 0.15)
"""Which of an eye's layers is white, from their middle down and across, as a share of
them. Ours: well inside of the lids."""

LEAST_GAP = (0.11, 0.15)
"""Gaps between the lids, eye widths, below which a portrait's eye shows nothing of its
iris, and from which it shows all. Ours: by eye."""

LEAST_CONTRAST = (1.15, 1.24)
"""How much brighter than irises the better eye must be beside them, in the darkest
channel, from where it is doubted to where it is believed. Ours: of 150 portraits the
ten lowest have dark and mirrored glasses or look down, 0.99 to 1.15; then come 1.24 of
a blurred face and 1.32."""

MOST_APART = (0.11, 0.14)
"""How far rims by two networks may be apart, eye widths, and from where neither is
believed. Ours: by eye."""


def take_apart(
    face: np.ndarray, found: landmarks.Landmarks, box: crop.CropBox
) -> types.Eyes:
    """Take the eyes of a portrait apart.

    Args:
        face: uint8 `[S, S, 3]` the crop.
        found: landmarks of the picture that it was cut out of.
        box: where it was cut.

    Returns:
        The eyes, of leading shape `[1]`.
    """
    size = len(face)
    own = dataclasses.replace(found, points=in_crop(found.points, box, size))
    seen = gaze.find_eyes(face, own).astype(np.float64)
    fit = pose.fit_head(own.points)
    close, far = _close_rims(seen), _far_rims(own.points)
    rims = [_spread(rim) for rim in (close + far) / 2.0]
    lids = tuple(eyelids.Lids.of_rim((rim - fit.centre) / fit.unit) for rim in rims)
    irises_found = irises.measure_irises(
        seen[:, : gaze.NUM_IRIS_POINTS], own.points, fit
    )
    brightness = face.mean(axis=2)
    irises_found = irises.sharpened(irises_found, brightness, float(fit.unit), lids)
    centres, matrix = irises.discs(irises_found, np.zeros(2))
    parts, contrasts = [], []
    for eye, rim in enumerate(rims):
        centre = fit.centre + fit.unit * centres[eye]
        axes = fit.unit * irises_found.radii[eye] * matrix
        disc = centre + np.concatenate([np.zeros((1, 2)), axes.T])
        lid = eyelids.Lids.of_rim(rim)
        contrasts.append(irises.contrast(face.min(axis=2), centre, axes, lid))
        parts.append(
            {
                "rims": 2.0 * rim / size - 1.0,
                "discs": 2.0 * disc / size - 1.0,
                **_layers(face, rim, centre, axes, float(fit.unit)),
            }
        )
    known = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    contrast = _ramp(max(contrasts), *LEAST_CONTRAST)
    known["presence"] = contrast * _presence(gaze.lid_gaps(seen), close, far)
    return types.Eyes(
        **{name: value[None].astype(np.float32) for name, value in known.items()}
    )


def open_eyes(batch: int) -> types.Eyes:
    """Return open eyes, all white, where no portrait is at hand."""
    around = np.pi * (1.0 - 2.0 * np.arange(NUM_RIM) / NUM_RIM)
    almond = np.stack([np.cos(around), -0.5 * np.sin(around)], axis=-1)
    middles = np.array([[[-0.22, -0.09]], [[0.22, -0.09]]])
    radii = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    known = {
        "rims": middles + 0.1 * almond,
        "discs": middles + 0.04 * radii,
        "white": np.ones((2, *PATCH, 3)),
        "iris": np.zeros((2, *PATCH, 4)),
        "rest": np.zeros((2, *PATCH, 3)),
        "photograph": np.full((2, *PATCH, 3), 0.5),
        "lid": np.full((2, *PATCH, 3), 0.5),
        "shade": np.ones((2, NUM_SHADES)),
        "presence": np.ones(2),
    }
    values = {name: np.stack([known[name]] * batch).astype("f4") for name in known}
    return types.Eyes(**values)


def find_sclera(eyes: types.Eyes) -> np.ndarray | None:
    """Find the colour `[3]` of the white of a portrait's eyes, 0 to 255.

    Ours: the median of both eyes' middles, as the iris is filled there.

    Args:
        eyes: of one portrait.

    Returns:
        None where no eye is to be believed.
    """
    believed = eyes.presence[0] > 0.5
    if not believed.any():
        return None
    (rows, columns), (down, across) = PATCH, WHITE_SPAN
    part = [
        slice(int(n * (0.5 - s)), int(n * (0.5 + s)))
        for n, s in ((rows, down), (columns, across))
    ]
    white = eyes.white[0][believed][:, part[0], part[1]]
    return 255.0 * np.median(white.reshape(-1, 3), axis=0)


def in_crop(points: np.ndarray, box: crop.CropBox, size: int) -> np.ndarray:
    """Take landmarks of a picture to pixels of the crop.

    Args:
        points: `[468, 3]` pixels of the picture.
        box: where it was cut.
        size: side of the crop, pixels.

    Returns:
        `[468, 3]`, depth at the same scale.
    """
    matrix = box.matrix(size)
    flat = (points[:, :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    scale = size / (2.0 * box.half_size)
    return np.concatenate([flat, scale * points[:, 2:]], axis=1)


def evenly_spaced(chain: np.ndarray, count: int) -> np.ndarray:
    """Return points `[count, 2]` evenly along a chain of points `[P, 2]`."""
    steps = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    length = np.append(0.0, np.cumsum(steps))
    at = np.linspace(0.0, length[-1], count)
    return np.stack([np.interp(at, length, x) for x in chain.T], axis=1)


def _far_rims(points):
    """Return the rims `[2, 16, 2]` of landmarks `[468, 3]`, evenly spaced."""
    result = []
    for rim in points[np.array(RIMS), :2].astype(np.float64):
        end = NUM_UPPER - 1
        upper = evenly_spaced(rim[: end + 1], NUM_UPPER)
        lower = evenly_spaced(np.concatenate([rim[end:], rim[:1]]), NUM_UPPER)
        result.append(np.concatenate([upper, lower[1:-1]]))
    return np.stack(result)


def _close_rims(seen):
    """Order the lids of `gaze.find_eyes` like `RIMS`, `[2, 16, 2]`, evenly spaced."""
    corner = gaze.LID_CORNER
    result = []
    for lid, step in zip(seen[:, gaze.LID_POINTS], (1, -1), strict=True):
        lower = evenly_spaced(lid[: corner + 1], NUM_UPPER)[::step]
        upper = np.concatenate([lid[:1], lid[corner + 1 :], lid[corner : corner + 1]])
        upper = evenly_spaced(upper, NUM_UPPER)[::step]
        result.append(np.concatenate([upper, lower[-2:0:-1]]))
    return np.stack(result)


def _spread(rim):
    """Move a rim `[16, 2]` off the eye."""
    result = rim.copy()
    upper = np.arange(1, NUM_UPPER - 1)
    lower = NUM_RIM - upper
    gap = rim[lower] - rim[upper]
    result[upper] -= SPREAD[0] * gap
    result[lower] += SPREAD[1] * gap
    return result


def _layers(face, rim, centre, axes, unit):
    """Return an eye's layers by name, in its own square; see `types.Eyes`."""
    rows, columns = PATCH
    left, right = rim[0], rim[NUM_UPPER - 1]
    along = (right - left) / 2.0
    step = 2.0 * SPAN / columns * np.stack([along, [-along[1], along[0]]], axis=1)
    corner = (left + right) / 2.0 - step @ np.array([columns, rows]) / 2.0
    matrix = np.concatenate([step, corner[:, None]], axis=1)
    picture = resample.sample_affine(face, matrix, rows, columns)
    back = np.linalg.inv(step)

    def to_patch(points):
        return (points - corner) @ back.T - 0.5

    texture = eye_texture.fit_eye(
        picture,
        eyelids.Lids.of_rim(to_patch(rim)),
        to_patch(centre),
        back @ axes,
        unit / np.linalg.norm(step[:, 0]),
    )

    def whole(values, mode):
        before = np.asarray(texture.corner)[::-1]
        after = np.array(PATCH) - before - texture.opacity.shape
        pad = [*zip(before, after, strict=True), (0, 0)]
        return np.pad(values, pad, mode=mode) / 255.0

    opacity = 255.0 * texture.opacity[..., None]
    return {
        "white": whole(texture.white, "edge"),
        "iris": whole(np.concatenate([texture.iris, opacity], axis=-1), "constant"),
        "rest": whole(texture.rest, "constant"),
        "photograph": picture / 255.0,
        "lid": whole(texture.lid * texture.light()[..., None], "edge"),
        "shade": np.interp(
            np.linspace(0.0, SHADE_REACH, NUM_SHADES) * np.linalg.norm(along) / unit,
            np.linspace(0.0, eye_texture.SHADE_REACH, len(texture.shade)),
            texture.shade,
        ),
    }


def _presence(gaps, close, far):
    """Tell how far to believe what is seen of each eye, `[2]` in [0, 1]."""
    width = np.linalg.norm(close[:, NUM_UPPER - 1] - close[:, 0], axis=-1)
    apart = np.linalg.norm(close - far, axis=-1).mean(axis=-1) / width
    return _ramp(gaps, *LEAST_GAP) * (1.0 - _ramp(apart, *MOST_APART))


def _ramp(value, low, high):
    return np.clip((value - low) / (high - low), 0.0, 1.0)

"""Fit the canonical face to landmarks: rotation, place and size of the head.

Follows: MediaPipe face geometry (its canonical face and the weights of 33 landmarks
that expressions hardly move). Ours: a weak-perspective fit in closed form, repeated
with perspective, depth and outliers estimated from the last fit.
"""

import dataclasses
import functools

import numpy as np
import safetensors.numpy

from vasa_jax import types
from vasa_jax.portrait import crop, landmarks, networks, resample

HEAD_UNITS_PER_CENTIMETRE = 0.0984
CENTRE_CENTIMETRES = (0.0, 0.6, -5.4)
PITCH_OFFSET_RADIANS = 0.083
"""From the canonical face (x right, y up, z to the viewer) to the head frame.

Ours: measured by `experiments/tools/calibrate_portrait.py` on rendered heads. Over 600
frames of 100 people (yaw within 40 degrees, pitch and roll within 20) fits with them
err, on average, by 1.7, 2.8 and 0.8 degrees in yaw, pitch and roll (1.4, 1.4 and 0.7
once each person's own offset is taken out), 0.03 in place, 4 % in scale; yaw has
slope 1.0.
"""

CAMERA_DISTANCE = 16.0
"""Assumed distance of the camera, head units (of 10 cm).

Ours: portraits are taken from 1 to 2.5 m; without perspective, turns of heads seen from
0.8 m were overestimated by a tenth.
"""

DEPTH_WEIGHT = 0.6
"""Trust in the landmarks' own depth against the model's, in [0, 1].

Ours: without it pitch shrinks by a sixth; with more of it yaw gets no better.
"""

OUTLIER_DISTANCE = 0.1
"""Residual, in head units, at which a landmark's weight is halved. Ours: 1 cm."""

NUM_ITERATIONS = 10
"""Ours: changes are below a hundredth of a degree after ten."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeadFit:
    """Where heads are, in image pixels.

    Attributes:
        rotation: `[..., 3]` yaw, pitch, roll in radians, signs as in `types`.
        centre: `[..., 2]` projected head centre in image pixels.
        unit: `[...]` pixels of one head unit (10 cm) at the head centre's depth.
    """

    rotation: np.ndarray
    centre: np.ndarray
    unit: np.ndarray

    def matrix(self) -> np.ndarray:
        """Return the rotation as `[..., 3, 3]`.

        The same as `geometry.rotation_matrix`. Ours: in numpy, because a call of jax
        outside of jit takes longer than the whole fit.
        """
        yaw, pitch, roll = np.moveaxis(np.asarray(self.rotation, np.float64), -1, 0)
        zero, one = np.zeros_like(yaw), np.ones_like(yaw)

        def matrix(*rows):
            return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

        cos, sin = np.cos, np.sin
        about_y = matrix(
            (cos(yaw), zero, -sin(yaw)), (zero, one, zero), (sin(yaw), zero, cos(yaw))
        )
        about_x = matrix(
            (one, zero, zero),
            (zero, cos(pitch), -sin(pitch)),
            (zero, sin(pitch), cos(pitch)),
        )
        about_z = matrix(
            (cos(roll), sin(roll), zero),
            (-sin(roll), cos(roll), zero),
            (zero, zero, one),
        )
        return about_y @ about_x @ about_z


def fit_head(points: np.ndarray) -> HeadFit:
    """Fit the canonical face to landmarks.

    Ours: see the module. Each round is a weighted Procrustes fit (Umeyama 1991).

    Args:
        points: `[..., 468, 3]` landmarks in image pixels, z away from the viewer.

    Returns:
        The fit, of leading shape `[...]`.
    """
    model, base_weights = _fit_points()
    seen = points[..., _fit_indices(), :].astype(np.float64)
    weights = np.broadcast_to(base_weights, seen.shape[:-1])
    rotation, unit, centre = _procrustes(model, seen, weights)
    for _ in range(NUM_ITERATIONS):
        turned = model @ np.swapaxes(rotation, -1, -2)
        nearness = 1 + turned[..., 2:] / CAMERA_DISTANCE
        offset = (seen[..., :2] - centre[..., None, :2]) * nearness
        offset = offset / unit[..., None, None]
        depth = seen[..., 2] / unit[..., None] - turned[..., 2]
        depth = depth - _mean(depth[..., None], weights)
        blended = turned[..., 2] + DEPTH_WEIGHT * depth
        target = np.concatenate([offset, blended[..., None]], axis=-1)
        distance = np.linalg.norm(offset - turned[..., :2], axis=-1)
        weights = base_weights / (1 + (distance / OUTLIER_DISTANCE) ** 2)
        rotation, zoom, shift = _procrustes(model, target, weights)
        centre = centre + unit[..., None] * shift
        unit = unit * zoom
    return HeadFit(rotation=_angles(rotation), centre=centre[..., :2], unit=unit)


def fit_head_pose(found: landmarks.Landmarks, box: crop.CropBox) -> types.HeadPose:
    """Fit a head pose to landmarks, in the image units of a crop.

    Args:
        found: landmarks of one face in image pixels.
        box: the crop of the same image.

    Returns:
        A `HeadPose` without leading axes, float32.
    """
    return head_pose_in_crop(fit_head(found.points), box)


def crop_of_fit(fit: HeadFit) -> crop.CropBox:
    """Return the upright crop in which a fitted head has translation 0 and scale 1.

    Ours: this is the one crop definition; see `crop`.
    """
    return crop.CropBox(
        center_x=float(fit.centre[0]),
        center_y=float(fit.centre[1]),
        half_size=crop.HALF_IMAGE_HEAD_UNITS * float(fit.unit),
    )


def tilt(fit: HeadFit) -> np.ndarray:
    """Return how far heads lean in the picture: radians `[...]`, clockwise as seen.

    Ours: the head's upward axis as it is seen, whatever the yaw.
    """
    up = -fit.matrix()[..., 1]
    return np.arctan2(up[..., 0], -up[..., 1])


def head_pose_in_crop(fit: HeadFit, box: crop.CropBox) -> types.HeadPose:
    """Express fits in the image units of a crop.

    Args:
        fit: fits of leading shape `[...]`.
        box: the crop of the same image.

    Returns:
        A `HeadPose` of leading shape `[...]`, float32.
    """
    rotation = fit.rotation
    translation = (fit.centre - [box.center_x, box.center_y]) / box.half_size
    if box.angle:
        back = resample.rotation_2d(-box.angle)
        translation = translation @ back.T
        in_space = np.eye(3)
        in_space[:2, :2] = back
        rotation = _angles(in_space @ fit.matrix())
    scale = crop.HALF_IMAGE_HEAD_UNITS * fit.unit[..., None] / box.half_size
    return types.HeadPose(
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        scale=scale.astype(np.float32),
    )


@functools.cache
def canonical_face() -> tuple[np.ndarray, np.ndarray]:
    """Return the canonical face in the head frame, and the weights of the fit.

    Returns:
        float64 `[468, 3]` points (x right, y down, z away from the viewer, head units,
        origin at the head centre) and float64 `[468]` weights of sum 1.
    """
    path = networks.ASSETS / "canonical_face.safetensors"
    arrays = safetensors.numpy.load_file(path)
    centred = arrays["vertices"].astype(np.float64) - np.array(CENTRE_CENTIMETRES)
    points = HEAD_UNITS_PER_CENTIMETRE * centred * np.array([1.0, -1.0, -1.0])
    cos, sin = np.cos(PITCH_OFFSET_RADIANS), np.sin(PITCH_OFFSET_RADIANS)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    weights = arrays["fit_weights"].astype(np.float64)
    return points @ turn.T, weights / weights.sum()


@functools.cache
def _fit_indices():
    return np.flatnonzero(canonical_face()[1])


@functools.cache
def _fit_points():
    points, weights = canonical_face()
    return points[_fit_indices()], weights[_fit_indices()]


def _mean(values, weights):
    total = weights.sum(axis=-1)[..., None]
    return np.einsum("...n,...nc->...c", weights, values) / total


def _procrustes(model, seen, weights):
    """Fit seen = scale * rotation @ model + shift by weighted least squares."""
    model_mean, seen_mean = _mean(model, weights), _mean(seen, weights)
    model = model - model_mean[..., None, :]
    seen = seen - seen_mean[..., None, :]
    spread = np.einsum("...n,...ni,...nj->...ij", weights, seen, model)
    left, values, right = np.linalg.svd(spread)
    sign = np.ones_like(values)
    sign[..., 2] = np.sign(np.linalg.det(left @ right))
    rotation = (left * sign[..., None, :]) @ right
    size = np.einsum("...n,...nc,...nc->...", weights, model, model)
    scale = (values * sign).sum(axis=-1) / size
    turned_mean = np.einsum("...ij,...j->...i", rotation, model_mean)
    return rotation, scale, seen_mean - scale[..., None] * turned_mean


def _angles(matrix):
    """Read yaw, pitch, roll as `geometry.rotation_angles` does, in numpy."""
    yaw = np.arctan2(-matrix[..., 0, 2], matrix[..., 2, 2])
    pitch = np.arcsin(np.clip(-matrix[..., 1, 2], -1, 1))
    roll = np.arctan2(-matrix[..., 1, 0], matrix[..., 1, 1])
    return np.stack([yaw, pitch, roll], axis=-1)

"""Tell gaze, lids, expression and emotion by landmarks, irises and the edges of lids.

Ours: linear maps, fitted to the exact truth of rendered heads and moved photographs by
`experiments.tools.fit_face_labels`; how well they do on people unseen is in
`docs/labels.md`.
"""

import functools
from collections.abc import Mapping

import einops
import numpy as np

from vasa_jax import arkit
from vasa_jax.portrait import face_labels, gaze, landmarks, networks, pose

WEIGHTS_NAME = "face_labels.npz"

OPEN_PERCENTILE = 80.0
"""Of the lids' gaps in a clip, at which eyes count as open.

Ours: how far open eyes are open differs from person to person by more than a blink
closes them; in most frames of any clip they are open.
"""

SHUT_GAP = 0.49
"""Share of the open gap that is seen where lids are shut. Ours: measured where the
truth is 1; the network puts the lids of shut eyes apart."""

GAZE_HIDDEN_BLINK = 0.7
"""Blink from which lids hide where eyes look. Ours: beyond it gaze errs as much as if
all looked straight ahead."""

_GAZE, _HEAD, _GAP, _UNITS = slice(0, 2), slice(2, 4), 4, slice(5, None)
"""Columns of what is measured: gaze, yaw and pitch of the head, gap of the lids, and
unit weights."""


@functools.cache
def load_weights() -> dict[str, np.ndarray]:
    """Read the maps, float32.

    Returns:
        `unit_map` `[F, 52]`, `unit_bias` `[52]`, `unit_known` bool `[52]`,
        `emotion_map` `[52, 8]`, `emotion_bias` `[8]`.
    """
    with np.load(networks.ASSETS / WEIGHTS_NAME, allow_pickle=False) as file:
        kept = {name: file[name] for name in file.files}
    known = kept.pop("unit_known")
    return {k: v.astype(np.float32) for k, v in kept.items()} | {"unit_known": known}


class LandmarkEstimator:
    """Estimate labels by landmarks; see `face_labels.LabelEstimator`."""

    def see(self, image: np.ndarray, found: landmarks.Landmarks) -> np.ndarray:
        """Find irises and lids, `[2, 21, 2]`."""
        return gaze.find_eyes(image, found)

    def measure(
        self, seen: np.ndarray, points: np.ndarray, fit: pose.HeadFit
    ) -> np.ndarray:
        """Return gaze, the head's turn, the lids' gap and unit weights, `[n, 57]`."""
        weights = load_weights()
        units = features(seen, points, fit) @ weights["unit_map"] + weights["unit_bias"]
        gap = gaze.eye_aperture(seen)[..., None]
        looking = gaze.gaze_between_lids(seen, fit)
        parts = [looking, fit.rotation[:, :2], gap, units]
        return np.concatenate(parts, axis=-1).astype(np.float32)

    def estimate(self, measured: np.ndarray) -> face_labels.FaceLabels:
        """Estimate labels of a clip; see `face_labels.LabelEstimator.estimate`."""
        return estimate(measured, load_weights())


def estimate(
    measured: np.ndarray, maps: Mapping[str, np.ndarray]
) -> face_labels.FaceLabels:
    """Estimate labels of a clip of what was measured in its frames.

    Args:
        measured: `[T, 57]`, as of `LandmarkEstimator.measure`.
        maps: `unit_known`, `emotion_map`, `emotion_bias`, as of `load_weights`.
    """
    raw = measured[:, _UNITS]
    scores = raw @ maps["emotion_map"] + maps["emotion_bias"]
    looking, blink = measured[:, _GAZE].copy(), shut_share(measured[:, _GAP])
    units = with_eyes(raw, blink, looking - measured[:, _HEAD])
    units[:, ~maps["unit_known"]] = np.nan
    looking[blink > GAZE_HIDDEN_BLINK] = np.nan
    return face_labels.FaceLabels(
        gaze=looking, blink=blink, units=units, emotion=softmax(scores)
    )


def with_eyes(
    units: np.ndarray, blink: np.ndarray, gaze_in_head: np.ndarray
) -> np.ndarray:
    """Complete unit weights by what lids and irises show better.

    Args:
        units: `[n, 52]` of the map.
        blink: `[n]`, see `shut_share`.
        gaze_in_head: `[n, 2]` yaw and pitch, radians.

    Returns:
        float32 `[n, 52]` in [0, 1].
    """
    units = arkit.with_gaze(units, gaze_in_head)
    units[:, list(arkit.BLINKS)] = blink[:, None]
    return np.clip(units, 0, 1)


def features(eyes: np.ndarray, points: np.ndarray, fit: pose.HeadFit) -> np.ndarray:
    """Return what the map to unit weights sees: the face in its head's frame.

    Args:
        eyes: `[n, 2, 21, 2]` as `gaze.find_eyes` returns them.
        points: `[n, 468, 3]` landmarks of the same images.
        fit: head fits of the same images.

    Returns:
        float32 `[n, 1468]` in head units: landmarks, turned back and moved to the
        head's centre, and the edges of the lids, from each eye's middle, levelled.
    """
    unit = fit.unit[:, None, None]
    placed = points.astype(np.float64)
    placed[..., :2] -= fit.centre[:, None]
    placed[..., 2] -= placed[..., 2].mean(axis=-1, keepdims=True)
    placed = (placed / unit) @ fit.matrix()
    lids = eyes[:, :, gaze.LID_POINTS].astype(np.float64)
    lids = (lids - lids.mean(axis=2, keepdims=True)) / unit[..., None]
    cos, sin = np.cos(fit.rotation[:, 2]), np.sin(fit.rotation[:, 2])
    roll = einops.rearrange(np.stack([cos, sin, -sin, cos]), "(i j) n -> n 1 i j", i=2)
    lids = lids @ roll
    flat = [
        einops.rearrange(placed, "n p c -> n (p c)"),
        einops.rearrange(lids, "n e p c -> n (e p c)"),
    ]
    return np.concatenate(flat, axis=-1).astype(np.float32)


def shut_share(gaps: np.ndarray) -> np.ndarray:
    """Return how far lids are shut in each frame of a clip.

    Args:
        gaps: `[T]` as of `gaze.eye_aperture`.

    Returns:
        float32 `[T]`, 0 open to 1 shut.
    """
    usual = max(float(np.percentile(gaps, OPEN_PERCENTILE)), 1e-6)
    share = (1 - gaps / usual) / (1 - SHUT_GAP)
    return np.clip(share, 0, 1).astype(np.float32)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Turn scores `[..., C]` into probabilities, float32."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)

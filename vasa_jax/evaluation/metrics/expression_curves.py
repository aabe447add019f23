"""What a face does in a clip, with the head's turn taken out, and how it moves.

Curves are in time; lengths are in units of the distance of the outer corners of the
eyes. Ours: lips move the landmark fit, too. In 4 s of rendered speech of one portrait
whose head was frozen, the angles seemed to change by 0.23 degrees a frame, with 0.62 of
their power above 2 Hz; with the lips frozen instead, by 0.05, with 0.03 above. Hence
reports show the poses asked for as well, and filmed people measured alike.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from vasa_jax import errors, types
from vasa_jax.evaluation.metrics import curves
from vasa_jax.portrait import gaze, landmarks, pose, track

OUTER_CORNERS = (33, 263)
"""Of the eyes. Follows: MediaPipe's topology of 468 landmarks, like all the indices."""

EYE_CORNERS = (33, 133, 362, 263)

BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
"""Upper edges; the brow on the image's left first."""

INNER_BROWS = (55, 107, 285, 336)

MOUTH_CORNERS = (61, 291)

INNER_LIPS = (13, 14)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExpressionCurves:
    """Curves of T frames; those without the face repeat the nearest one with it.

    Attributes:
        rotation: `[T, 3]` yaw, pitch, roll, radians.
        size: `[T]` pixels of 10 cm at the head.
        centre: `[T, 2]` of the head, pixels.
        unit: distance of the outer corners of the eyes, pixels, median in time.
        brows: `[T, 2]` mean height of each brow above the eyes' corners.
        inner_brows: `[T]` height of the brows' inner ends.
        mouth_aperture: `[T]`, as of `landmarks.mouth_aperture`.
        mouth_width: `[T]` distance of the corners of the mouth.
        corner_height: `[T]` of the mouth's corners, below the eyes' and so negative.
        corner_lift: `[T]` of the mouth's corners above the middle of its inner lips.
            Ours: how they move in speech, whatever the jaw does.
        eye_aperture: `[T]`, as of `gaze.eye_aperture`.
        irises: `[T]` from the middle of the eyes' corners to the image's right, over
            the width of an eye, mean of both eyes; where lids hide them, on the way
            between the frames before and after.
        present: bool `[T]`, whether the face was seen.
    """

    rotation: np.ndarray
    size: np.ndarray
    centre: np.ndarray
    unit: float
    brows: np.ndarray
    inner_brows: np.ndarray
    mouth_aperture: np.ndarray
    mouth_width: np.ndarray
    corner_height: np.ndarray
    corner_lift: np.ndarray
    eye_aperture: np.ndarray
    irises: np.ndarray
    present: np.ndarray


def follow(frames: Iterable[np.ndarray]) -> ExpressionCurves | None:
    """Follow the largest face of a clip.

    Args:
        frames: uint8 `[H, W, 3]` each, all of one size.

    Returns:
        Its curves; None where no frame shows a face.
    """
    try:
        return of_landmarks(track.track_landmarks(frames))
    except errors.UserError:
        return None


def of_landmarks(found: track.ClipLandmarks) -> ExpressionCurves:
    """Measure landmarks, turned back to face the viewer by their head fit.

    Ours: in three dimensions, so that a nod does not lower the corners of the mouth.

    Args:
        found: landmarks of T frames.
    """
    fit = pose.fit_head(found.points)
    points = np.asarray(found.points, np.float64)
    points = points - points.mean(axis=1, keepdims=True)
    # Rows times the matrix are columns times its inverse.
    facing = points @ fit.matrix()
    first, second = OUTER_CORNERS
    unit = float(
        np.median(np.linalg.norm(facing[:, second] - facing[:, first], axis=-1))
    )
    facing = facing / unit

    def height(indices, above=EYE_CORNERS):
        return facing[:, above, 1].mean(axis=-1) - facing[:, indices, 1].mean(axis=-1)

    left, right = (facing[:, index] for index in MOUTH_CORNERS)
    return ExpressionCurves(
        rotation=fit.rotation,
        size=fit.unit,
        centre=fit.centre,
        unit=unit,
        brows=np.stack([height(brow) for brow in BROWS], axis=-1),
        inner_brows=height(INNER_BROWS),
        mouth_aperture=landmarks.mouth_aperture(points),
        mouth_width=np.linalg.norm(right - left, axis=-1),
        corner_height=height(MOUTH_CORNERS),
        corner_lift=height(MOUTH_CORNERS, above=INNER_LIPS),
        eye_aperture=gaze.eye_aperture(found.eyes),
        irises=_iris_positions(found, fit),
        present=found.present,
    )


def _iris_positions(found: track.ClipLandmarks, fit: pose.HeadFit) -> np.ndarray:
    """Return the mean place of the irises between the eyes' corners, eye widths."""
    offsets = gaze.iris_offsets(found.eyes[:, :, 0], found.points, fit)
    corners = found.points[:, np.array(landmarks.EYE_CORNERS), :2].astype(np.float64)
    across = corners[..., 1, :] - corners[..., 0, :]
    width = np.linalg.norm(across, axis=-1)
    along = (offsets * across).sum(axis=-1) / width * fit.unit[:, None]
    positions = (along / width).mean(axis=-1)
    seen = np.flatnonzero(~curves.are_closed(gaze.eye_aperture(found.eyes)))
    return np.interp(np.arange(len(positions)), seen, positions[seen])


RANGE_SECONDS = 10.0
"""Within which the range of the head is taken. Ours: some phrases."""

BAND_EDGES_HZ = (0.5, 1.0, 2.0, 4.0)
"""Between the bands of the head's movement. Ours: posture, phrases, accents, and what
heads that speak hardly do."""

FAST_HZ = 2.0
"""Above it, movement of the head looks like jitter. Ours."""

PERCENTILES = (5, 95)
"""Between which the mouth aperture is measured. Ours: less noisy than its range."""


def statistics(face: ExpressionCurves) -> dict[str, float]:
    """Return the statistics of one clip by name.

    Args:
        face: its curves; frames without the face stand still in them.

    Returns:
        Standard deviations (`std_...`), ranges within 10 s or the whole clip if it is
        shorter (`range_...`), changes per frame, shares of power, blinks a minute.
        Angles in degrees, lengths in distances of the outer corners of the eyes.
    """
    degrees = np.degrees(np.unwrap(face.rotation, axis=0))
    shares = power_shares(degrees, BAND_EDGES_HZ)
    low, high = np.percentile(face.mouth_aperture, PERCENTILES)
    found = {}
    for name, angle in zip(("yaw", "pitch", "roll"), degrees.T, strict=True):
        found[f"std_{name}"] = angle.std()
        found[f"range_{name}"] = range_within(angle, RANGE_SECONDS)
    found |= {
        "change": change_per_frame(degrees),
        "turn": curves.delta_pose(face.rotation, face.present),
        "fast": power_shares(degrees, (FAST_HZ,))[-1],
        **{f"band_{number}": share for number, share in enumerate(shares)},
        "std_brows": face.brows.mean(axis=-1).std(),
        "std_brow_asymmetry": np.ptp(face.brows, axis=-1).std(),
        "std_inner_brows": face.inner_brows.std(),
        "std_opening": face.mouth_aperture.std(),
        "opening": high - low,
        "std_width": face.mouth_width.std(),
        "std_corners": face.corner_lift.std(),
        "std_irises": face.irises.std(),
        "std_size": (face.size / np.median(face.size)).std(),
        "std_centre": np.sqrt((face.centre / face.unit).var(axis=0).sum()),
        "blinks": curves.count_blinks(face.eye_aperture, face.present)
        / curves.minutes(face.present),
    }
    return {name: float(value) for name, value in found.items()}


def change_per_frame(degrees: np.ndarray) -> float:
    """Return the mean change of the three angles `[T, 3]` from frame to frame."""
    return float(np.abs(np.diff(degrees, axis=0)).mean())


def range_within(values: np.ndarray, seconds: float) -> float:
    """Return the mean range of a curve within windows of some seconds.

    Args:
        values: `[T]`, 25 a second.
        seconds: of a window; a shorter curve is one window.

    Returns:
        In the unit of the values.
    """
    num_frames = min(len(values), round(seconds * types.FRAME_RATE_HZ))
    windows = np.lib.stride_tricks.sliding_window_view(values, num_frames)
    return float(np.ptp(windows, axis=-1).mean())


def power_shares(values: np.ndarray, edges_hz: tuple[float, ...]) -> np.ndarray:
    """Return the shares of a movement's power in bands of frequency.

    Ours: Hann-weighted, as in `curves.fast_movement`; 0 everywhere if nothing moves.

    Args:
        values: `[T, C]`, 25 a second; channels are added up.
        edges_hz: rising, between the bands.

    Returns:
        float64 `[len(edges_hz) + 1]` of sum 1.
    """
    values = np.asarray(values, np.float64)
    weights = np.hanning(len(values) + 2)[1:-1]
    spectrum = np.fft.rfft((values - values.mean(axis=0)) * weights[:, None], axis=0)
    power = (np.abs(spectrum) ** 2).sum(axis=-1)
    frequency = np.fft.rfftfreq(len(values), 1 / types.FRAME_RATE_HZ)
    bands = np.digitize(frequency, edges_hz)
    sums = np.bincount(bands, weights=power, minlength=len(edges_hz) + 1)
    return sums / sums.sum() if sums.sum() > 1e-12 else np.zeros_like(sums)

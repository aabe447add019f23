"""Find the face to animate in a picture, with its landmarks, pose and crop."""

import dataclasses

import numpy as np

from vasa_jax import errors, types
from vasa_jax.portrait import crop, detection, landmarks, pose

CERTAINTY = 0.8
"""Least detection score and presence of a face that ends the search.

Ours: upright faces have 0.85 and more; a face upside down, found as if upright, has
0.75 at most, and half of what is no face at all is confirmed with 0.6.
"""

SMALL_CROP_PIXELS = 128
"""Crops below this look soft in a video of 256 pixels. Ours: half its size."""

LARGEST_TILT_DEGREES = 50.0
"""Ours: beyond what heads do on shoulders; such a picture lies on its side."""

LEAST_TILT_DEGREES = 10.0
"""Tilt from which a portrait's crop turns with the head. Ours: heads that move lean
less, and a crop that stays upright keeps the picture's pixels as they are."""

LEAST_WINDOW_PIXELS = 16
"""Ours: a face of fewer pixels has no features."""

MANY_STREAKS = 0.25
"""Share of the crop beyond the picture from which the user is told. Ours: above, hair
or chin is missing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocatedFace:
    """The face to animate.

    Attributes:
        box: its crop.
        landmarks: its landmarks, in image pixels.
        head_pose: float32 pose without leading axes, in the crop's image units:
            translation 0 and scale 1 by definition of the crop.
        warning: a sentence for the user, or None.
    """

    box: crop.CropBox
    landmarks: landmarks.Landmarks
    head_pose: types.HeadPose
    warning: str | None


def locate_face(image: np.ndarray, counts_small: bool = False) -> LocatedFace:
    """Find the largest face of a picture.

    Ours: the search ends where the landmark network confirms a sure detection, and
    otherwise goes on with smaller and with turned faces; then the surest one counts.

    Args:
        image: uint8 `[H, W, 3]`.
        counts_small: whether to look for further faces that are far smaller, too, to
            warn of them.

    Returns:
        The face; its `warning` tells of other faces, a small or a turned one, or one
        that the picture's border cuts off.

    Raises:
        UserError: no face was found.
    """
    height, width = image.shape[:2]
    found = _find(image, counts_small)
    if not found:
        raise errors.UserError(
            f"No face was found in the picture of {width} x {height} pixels; give one "
            "that shows one face from the front, upright, sharp, and at least a "
            "twentieth of the picture wide."
        )
    fits = [pose.fit_head(one.points) for one in found]
    largest = int(np.argmax([fit.unit for fit in fits]))
    box = pose.crop_of_fit(fits[largest])
    head_pose = pose.head_pose_in_crop(fits[largest], box)
    return LocatedFace(
        box=box,
        landmarks=found[largest],
        head_pose=head_pose,
        warning=_warning(len(found), box, fits[largest], height, width),
    )


def find_within(
    image: np.ndarray, window: tuple[float, float, float, float]
) -> landmarks.Landmarks | None:
    """Find the face whose middle lies in a window; of several the most central one.

    Ours: only the window and as much around it is searched, so that a face that is
    small in the picture is found, and others hardly disturb.

    Args:
        image: uint8 `[H, W, 3]`.
        window: (left, top, right, bottom) in pixels.

    Returns:
        Its landmarks, in the image's pixels, or None.
    """
    left, top, right, bottom = window
    around = max(right - left, bottom - top) / 2
    x, y = max(0, round(left - around)), max(0, round(top - around))
    part = image[y : round(bottom + around), x : round(right + around)]
    if min(part.shape[:2]) < LEAST_WINDOW_PIXELS:
        return None
    middle = np.array([left + right, top + bottom]) / 2
    nearest, least = None, np.inf
    for one in _find(part, counts_small=True):
        moved = dataclasses.replace(one, points=one.points + np.float32([x, y, 0]))
        apart = np.linalg.norm(moved.points[:, :2].mean(axis=0) - middle)
        if moved.is_within(window) and apart < least:
            nearest, least = moved, apart
    return nearest


def turn_crop(face: LocatedFace) -> LocatedFace:
    """Turn the crop of a tilted head with it, so that the head is upright in it.

    Ours: motion comes with an upright head; shown on a body that leans, it would tear
    at the collar.

    Args:
        face: as found.

    Returns:
        The same face, with its crop and the pose therein; a head that hardly leans as
        it was.

    Raises:
        UserError: it leans by more than `LARGEST_TILT_DEGREES`.
    """
    fit = pose.fit_head(face.landmarks.points)
    angle = float(pose.tilt(fit))
    degrees = abs(np.rad2deg(angle))
    if degrees > LARGEST_TILT_DEGREES:
        raise errors.UserError(
            f"The face is tilted by {degrees:.0f} degrees, and at most "
            f"{LARGEST_TILT_DEGREES:.0f} look right; turn the picture upright."
        )
    if degrees < LEAST_TILT_DEGREES:
        return face
    box = dataclasses.replace(face.box, angle=angle)
    return dataclasses.replace(
        face, box=box, head_pose=pose.head_pose_in_crop(fit, box)
    )


def _find(image, counts_small):
    """Return the landmarks of the sure faces, or of the surest one, or nothing."""
    certainty, surest, sure = 0.0, [], []
    for number, faces in enumerate(detection.search(image)):
        for face in faces:
            one = landmarks.find_landmarks(image, face)
            if one.presence < landmarks.PRESENCE_THRESHOLD:
                continue
            if min(face.score, one.presence) > certainty:
                certainty, surest = min(face.score, one.presence), [one]
            is_sure = min(face.score, one.presence) >= CERTAINTY
            if is_sure and not any(_are_same(one, other) for other in sure):
                sure.append(one)
        if sure and (not counts_small or number == len(detection.TILE_DIVISORS)):
            break
    return sure or surest


def _are_same(one, other):
    """Tell whether two sets of landmarks lie on one face."""
    span = np.ptp(other.points[:, :2], axis=0).max()
    apart = one.points[:, :2].mean(axis=0) - other.points[:, :2].mean(axis=0)
    return bool(np.linalg.norm(apart) < span / 2)


def _warning(num_faces, box, fit, height, width):
    sentences = []
    if num_faces > 1:
        sentences.append(
            f"{num_faces} faces were found and the largest is used; crop the picture "
            "to another one to use that."
        )
    side = round(2 * box.half_size)
    if side < SMALL_CROP_PIXELS:
        sentences.append(
            f"The head spans only {side} pixels, so the video will look soft; a larger "
            f"picture helps (at least {SMALL_CROP_PIXELS} pixels)."
        )
    outside = crop.share_outside(box, height, width)
    if outside >= MANY_STREAKS:
        sentences.append(
            f"{outside:.0%} of the video's frame lie beyond the picture and are made "
            "up; a picture with more room about the head helps."
        )
    tilt_degrees = abs(float(np.rad2deg(pose.tilt(fit))))
    if tilt_degrees > LARGEST_TILT_DEGREES:
        sentences.append(
            f"The face is tilted by {tilt_degrees:.0f} degrees; turn the picture "
            "upright."
        )
    return " ".join(sentences) or None

"""How sharp a moved portrait is, part by part, over the photograph at the same size."""

import dataclasses

import numpy as np
from scipy import ndimage

from vasa_jax import types
from vasa_jax.evaluation.metrics import expression_curves
from vasa_jax.portrait import crop, landmarks, person_mask, pose

REGIONS = ("eyes", "mouth", "face", "ring")

LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37),
    *(39, 40, 185),
)

EYE_HALF_WIDTH, EYE_HALF_HEIGHT = 0.75, 0.45
"""Of an eye's box, in distances of its corners. Ours: lids and lashes lie inside."""

LIP_MARGIN = 0.2
"""Around the lips, in widths of the mouth. Ours: holds their edge."""

HEAD_RADII = 0.95, 1.3
"""Half width and height of an upright ellipse that holds most heads with their hair,
head units (of 10 cm). Ours: by eye, on photographs."""

RING_WIDTH = 1.35
"""Where the ring around the head ends, in radii of the head's ellipse. Ours."""

NEAR_PERSON, FAINT_PERSON = 0.02, 0.04
"""How far from the person, share of the side, and below which share of it a pixel is
beside the person. Ours: edges of hair are blurred so far."""

SHOULDERS = 0.6
"""Below the head's centre, head units, from which shoulders may move. Ours."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FacePlacement:
    """A face in a square image.

    Attributes:
        points: `[468, 2]` landmarks, pixels.
        centre: `[2]` of the head, pixels.
        unit: pixels of 10 cm at the head.
    """

    points: np.ndarray
    centre: np.ndarray
    unit: float

    @classmethod
    def of(cls, found: landmarks.Landmarks) -> "FacePlacement":
        """Fit the head of landmarks."""
        fit = pose.fit_head(found.points)
        return cls(
            points=np.asarray(found.points[:, :2], np.float64),
            centre=np.asarray(fit.centre, np.float64),
            unit=float(fit.unit),
        )

    def within(self, box: crop.CropBox, size: int) -> "FacePlacement":
        """Return the place in a crop of this image, `size` pixels a side."""
        growth = size / (2 * box.half_size)
        corner = np.array([box.left, box.top])
        return FacePlacement(
            points=(self.points - corner) * growth,
            centre=(self.centre - corner) * growth,
            unit=self.unit * growth,
        )


def cut_alike(
    placement: FacePlacement, shown: FacePlacement, size: int
) -> crop.CropBox:
    """Return the crop of a picture in which its head lies as in a frame.

    Ours: so that the photograph is resampled once, and to the size the frame shows.

    Args:
        placement: of the head in the picture.
        shown: of the head in the frame.
        size: side of the frame, pixels.
    """
    pixel = placement.unit / shown.unit
    middle = placement.centre + (size / 2 - shown.centre) * pixel
    return crop.CropBox(
        center_x=float(middle[0]), center_y=float(middle[1]), half_size=size / 2 * pixel
    )


def over_portrait(
    picture: np.ndarray,
    placement: FacePlacement,
    frame: np.ndarray,
    shown: FacePlacement,
    size: int | None = None,
) -> dict[str, float]:
    """Return the sharpness of eyes, mouth and face over the photograph's.

    Args:
        picture: uint8 `[H, W, 3]`.
        placement: of its face.
        frame: uint8 `[S, S, 3]`, the portrait in motion.
        shown: of the face in it.
        size: to which the frame is enlarged first, and at which the photograph is
            taken; None takes the frame's.

    Returns:
        By region; 1 where both are as sharp.
    """
    if size is not None and size != len(frame):
        whole = crop.CropBox.of_whole(*frame.shape[:2])
        shown = shown.within(whole, size)
        frame = crop.extract(frame, whole, size)
    size = len(frame)
    box = cut_alike(placement, shown, size)
    energies = (
        laplacian_energy(frame),
        laplacian_energy(crop.extract(picture, box, size)),
    )
    masks = zip(
        face_masks(shown, size).items(),
        face_masks(placement.within(box, size), size).values(),
        strict=True,
    )
    return {
        name: _ratio(_mean(energies[0], here), _mean(energies[1], there))
        for (name, here), there in masks
    }


def beside_person(image: np.ndarray) -> np.ndarray:
    """Return where a picture shows no person, nor what is close to one.

    Ours: hats, hands and headphones reach far beyond a head's ellipse, and move with
    it. A pixel near the person may be its hair.

    Args:
        image: uint8 `[S, S, 3]`.

    Returns:
        bool `[S, S]`.
    """
    reach = 2 * round(NEAR_PERSON * len(image)) + 1
    person = person_mask.person_mask(image)
    return ndimage.grey_dilation(person, (reach, reach)) < FAINT_PERSON


def ring_over_portrait(
    portrait: np.ndarray,
    placement: FacePlacement,
    frame: np.ndarray,
    shown: FacePlacement,
    beside: np.ndarray,
) -> float:
    """Return the sharpness of what surrounds the head over the photograph's there.

    Args:
        portrait: uint8 `[S, S, 3]`, the photograph as the model was given it.
        placement: of its face.
        frame: uint8 `[S, S, 3]`.
        shown: of the face in it.
        beside: bool `[S, S]`, where neither shows the person.

    Returns:
        1 where both are as sharp; not a number where persons fill the surroundings.
    """
    size = len(frame)
    distances = [head_distance(one, size) for one in (placement, shown)]
    mask = (np.minimum(*distances) > 1) & (np.maximum(*distances) < RING_WIDTH)
    energies = [_mean(laplacian_energy(x), mask & beside) for x in (frame, portrait)]
    return _ratio(*energies)


def uncovered_over_ring(
    portrait: np.ndarray,
    placement: FacePlacement,
    frame: np.ndarray,
    shown: FacePlacement,
) -> float:
    """Return the sharpness where a head that went away lay, over that around it.

    Ours: a smear in the old head's place is softer than the background it should be.

    Args:
        portrait: uint8 `[S, S, 3]`, the photograph as the model was given it.
        placement: of its face.
        frame: uint8 `[S, S, 3]`, in which the head is smaller.
        shown: of the face in it.

    Returns:
        1 where both are as sharp; not a number where nothing was uncovered.
    """
    size = len(frame)
    before, after = (head_distance(one, size) for one in (placement, shown))
    above = above_shoulders(placement, size)
    uncovered = (before < 1) & (after > 1) & above
    around = (before > 1) & (before < RING_WIDTH) & above
    return _ratio(
        _mean(laplacian_energy(frame), uncovered),
        _mean(laplacian_energy(portrait), around),
    )


def still_difference(
    portrait: np.ndarray, frame: np.ndarray, beside: np.ndarray
) -> float:
    """Return the mean difference to the photograph where nothing should move.

    Ours: streaks, ghosts and smears show here, as does a tint.

    Args:
        portrait: uint8 `[S, S, 3]`, the photograph as the model was given it.
        frame: uint8 `[S, S, 3]`.
        beside: bool `[S, S]`, where neither shows the person.

    Returns:
        Of 255; not a number where persons fill the frame.
    """
    away = np.abs(frame.astype(np.float64) - portrait.astype(np.float64)).mean(axis=-1)
    return _mean(away, beside)


def laplacian_energy(image: np.ndarray) -> np.ndarray:
    """Return the squared Laplacian of luma, `[H, W]`, of uint8 `[H, W, 3]`.

    Follows: Pech-Pacheco et al. 2000 (its energy tells focus).
    """
    luma = np.pad(image @ types.LUMA, 1, mode="edge")
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return (around - 4 * luma[1:-1, 1:-1]) ** 2


def face_masks(placement: FacePlacement, size: int) -> dict[str, np.ndarray]:
    """Return where eyes, mouth and face are, bool `[size, size]` each."""
    eyes = np.zeros((size, size), bool)
    for corners in landmarks.EYE_CORNERS:
        first, second = placement.points[list(corners)]
        width = np.linalg.norm(second - first)
        half = width * np.array([EYE_HALF_WIDTH, EYE_HALF_HEIGHT])
        middle = (first + second) / 2
        eyes |= _box(middle - half, middle + half, size)
    lips = placement.points[list(LIPS)]
    left, right = placement.points[list(expression_curves.MOUTH_CORNERS)]
    margin = LIP_MARGIN * np.linalg.norm(right - left)
    mouth = _box(lips.min(axis=0) - margin, lips.max(axis=0) + margin, size)
    return {
        "eyes": eyes,
        "mouth": mouth,
        "face": _inside(placement.points[list(landmarks.OVAL)], size),
    }


def head_distance(placement: FacePlacement, size: int) -> np.ndarray:
    """Return how far pixels are from the head, 1 on its ellipse, `[size, size]`."""
    centres = np.arange(size) + 0.5
    x = (centres - placement.centre[0]) / (HEAD_RADII[0] * placement.unit)
    y = (centres - placement.centre[1]) / (HEAD_RADII[1] * placement.unit)
    return np.hypot(x[None], y[:, None])


def above_shoulders(placement: FacePlacement, size: int) -> np.ndarray:
    """Return which pixels lie above the shoulders, bool `[size, size]`."""
    rows = np.arange(size) + 0.5 < placement.centre[1] + SHOULDERS * placement.unit
    return np.broadcast_to(rows[:, None], (size, size))


def _box(low: np.ndarray, high: np.ndarray, size: int) -> np.ndarray:
    centres = np.arange(size) + 0.5
    x, y = ((centres > low[i]) & (centres < high[i]) for i in range(2))
    return y[:, None] & x[None]


def _inside(outline: np.ndarray, size: int) -> np.ndarray:
    """Return the pixels inside a closed line, by how often rows cross it."""
    centres = np.arange(size) + 0.5
    is_inside = np.zeros((size, size), bool)
    for (x, y), (x_end, y_end) in zip(
        outline, np.roll(outline, -1, axis=0), strict=True
    ):
        crosses = (y > centres) != (y_end > centres)
        share = (centres - y) / (y_end - y if y_end != y else 1.0)
        is_inside ^= crosses[:, None] & (
            centres[None] < (x + share * (x_end - x))[:, None]
        )
    return is_inside


def _mean(values: np.ndarray, mask: np.ndarray) -> float:
    return float(values[mask].mean()) if mask.any() else np.nan


def _ratio(value: float, over: float) -> float:
    return value / over if over > 0 else np.nan

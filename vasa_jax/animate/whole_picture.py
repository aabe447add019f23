"""The picture a portrait was cut from, with the talking face laid back into it."""

import dataclasses

import numpy as np

from vasa_jax.portrait import crop, resample

MAX_SIDE = 1920
"""Longer side of the video, pixels; larger pictures are shrunk. Ours: full HD, which
every player shows."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WholePicture:
    """A picture and where its face was cut out.

    Attributes:
        image: uint8 `[H, W, 3]`, as large as the video.
        box: the crop in it.
    """

    image: np.ndarray
    box: crop.CropBox

    def with_faces(self, frames: np.ndarray) -> np.ndarray:
        """Lay frames over the place they were cut from, without a seam.

        Args:
            frames: uint8 `[n, size, size, 3]`.

        Returns:
            uint8 `[n, H, W, 3]`.
        """
        return np.stack([crop.paste(self.image, self.box, face) for face in frames])


def fit(image: np.ndarray, box: crop.CropBox, max_side: int = MAX_SIDE) -> WholePicture:
    """Shrink a picture and its crop until a video can show it.

    Args:
        image: uint8 `[H, W, 3]`.
        box: the crop in it.
        max_side: of the result, pixels; smaller pictures stay as they are.

    Returns:
        The picture as large as the video will be.
    """
    height, width = image.shape[:2]
    ratio = max_side / max(height, width)
    if ratio >= 1.0:
        return WholePicture(image=image, box=box)
    rows, columns = (max(2, round(side * ratio)) for side in (height, width))
    small = resample.sample_window(image, 0, 0, width, height, rows, columns)
    # Sides are whole pixels, so the two ratios differ a little; a crop is square.
    return WholePicture(
        image=np.clip(np.rint(small), 0, 255).astype(np.uint8),
        box=dataclasses.replace(
            box,
            center_x=box.center_x * columns / width,
            center_y=box.center_y * rows / height,
            half_size=box.half_size * ratio,
        ),
    )

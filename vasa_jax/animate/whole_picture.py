"""The picture a portrait was cut from, with the talking face laid back into it."""

import dataclasses

import numpy as np

from vasa_jax.animate import backdrop
from vasa_jax.portrait import crop, person_mask, resample

MAX_SIDE = 1920
"""Longer side of the video, pixels; larger pictures are shrunk. Ours: full HD, which
every player shows."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WholePicture:
    """A picture and where its face was cut out.

    Attributes:
        image: uint8 `[H, W, 3]`, as large as the video; `[H, W, 4]` where what is not
            the person is transparent.
        box: the crop in it.
    """

    image: np.ndarray
    box: crop.CropBox

    def with_faces(self, frames: np.ndarray) -> np.ndarray:
        """Lay frames over the place they were cut from, without a seam.

        Args:
            frames: uint8 `[n, size, size, C]`, C as of the image.

        Returns:
            uint8 `[n, H, W, C]`.
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


def stand_before(
    whole: WholePicture, scene: backdrop.Scene, background: backdrop.Background
) -> tuple[WholePicture, backdrop.Scene]:
    """Put another background behind the person of a whole picture.

    Ours: in the crop the person is known as its frames know it, around it as the whole
    picture tells; the crop's backdrop is cut from the whole one.

    Args:
        whole: the picture.
        scene: of the crop.
        background: what is asked for.

    Returns:
        The picture before the background, and the crop's scene.
    """
    person = person_mask.person_mask(whole.image)
    layer = np.rint(255 * person).astype(np.uint8)[..., None]
    crop_layer = np.rint(255 * scene.person).astype(np.uint8)[..., None]
    layer = crop.paste(layer, whole.box, crop_layer)
    if background.is_transparent:
        image = np.concatenate([whole.image, layer], axis=-1)
        return dataclasses.replace(whole, image=image), scene
    share = layer / np.float32(255)
    behind = backdrop.behind(whole.image, share[..., 0], background)
    image = np.rint(behind + share * (whole.image.astype(np.float32) - behind))
    size = len(scene.person)
    scene = dataclasses.replace(scene, backdrop=crop.extract(behind, whole.box, size))
    return dataclasses.replace(whole, image=image.astype(np.uint8)), scene

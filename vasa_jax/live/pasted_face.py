"""A face whose frames are pasted back into the picture it was cut from, in time.

Ours: `portrait.crop.paste` works in float32 and weighs every pixel anew, which takes
29 ms of a core for a crop of 600 pixels, and 120 where it leans; by Pillow in whole
levels, with the seam drawn once, it takes 10 and 24.
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator

import numpy as np
import PIL.Image

from vasa_jax.animate import whole_picture
from vasa_jax.live import performance
from vasa_jax.portrait import crop

_BILINEAR = PIL.Image.Resampling.BILINEAR
_ALIASES_FROM = 1.5  # Pixels to one, from which sampling alone would alias.


def fit(
    image: np.ndarray, box: crop.CropBox, max_side: int
) -> whole_picture.WholePicture:
    """Shrink a picture and its crop until they can be sent.

    Args:
        image: uint8 `[H, W, 3]`.
        box: the crop in it.
        max_side: of the result, pixels.

    Returns:
        The picture, with even sides, as codecs want them: a last row or column goes.
    """
    whole = whole_picture.fit(image, box, max_side)
    height, width = whole.image.shape[:2]
    even = np.pad(whole.image, [(0, height == 1), (0, width == 1), (0, 0)], "edge")
    even = even[: max(2, height // 2 * 2), : max(2, width // 2 * 2)]
    return dataclasses.replace(whole, image=np.ascontiguousarray(even))


class PastedFace:
    """Lays what another face renders back; see `performance.Face`.

    Attributes:
        motion: the other's.
    """

    def __init__(self, face: performance.Face, whole: whole_picture.WholePicture):
        """Wrap a face at time 0.

        Args:
            face: that renders.
            whole: the picture, and where the face was cut from it.
        """
        self.motion = face.motion
        self._face, self._whole = face, whole

    def render(self, motion: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Render motion as frames uint8 `[n, H, W, C]`, as the picture is."""
        for frames in self._face.render(motion):
            shown = np.repeat(self._whole.image[None], len(frames), axis=0)
            for frame, out in zip(frames, shown, strict=True):
                self._lay_back(frame, out)
            yield shown

    def _lay_back(self, frame: np.ndarray, out: np.ndarray) -> None:
        """Lay a frame into the picture, in place."""
        rows, columns, mask, under = self._seam
        place = self._turned if self._whole.box.angle else self._upright
        over = place(PIL.Image.fromarray(frame), columns, rows)
        out[rows, columns] = PIL.Image.composite(over, under, mask)

    def _upright(
        self, face: PIL.Image.Image, columns: slice, rows: slice
    ) -> PIL.Image.Image:
        """Scale a frame to columns and rows of the picture, antialiased."""
        box = self._whole.box
        pixel = face.width / (2 * box.half_size)
        ends = np.array([columns.start, rows.start, columns.stop, rows.stop])
        window = (ends - [box.left, box.top] * 2) * pixel
        # The outermost pixels, which show nearly nothing, may reach beyond the frame.
        window = np.clip(window, 0, face.width)
        size = columns.stop - columns.start, rows.stop - rows.start
        return face.resize(size, _BILINEAR, box=tuple(window.tolist()))

    def _turned(
        self, face: PIL.Image.Image, columns: slice, rows: slice
    ) -> PIL.Image.Image:
        """Turn and scale a frame likewise; takes twice as long."""
        box, side = self._whole.box, face.width
        if side >= _ALIASES_FROM * 2 * box.half_size:
            side = max(1, round(2 * box.half_size))
            face = face.resize((side, side), _BILINEAR)
        forth = box.matrix(side)
        back = np.linalg.inv(forth[:, :2])
        shift = back @ (np.array([columns.start, rows.start]) - forth[:, 2])
        matrix = np.concatenate([back, shift[:, None]], axis=1).ravel()
        size = columns.stop - columns.start, rows.stop - rows.start
        return face.transform(
            size, PIL.Image.Transform.AFFINE, matrix.tolist(), _BILINEAR
        )

    @functools.cached_property
    def _seam(self) -> tuple[slice, slice, PIL.Image.Image, PIL.Image.Image]:
        """Where the face shows, how much of it, and what lies under it."""
        image = self._whole.image
        white = np.full((2, 2, image.shape[2]), 255, np.uint8)
        weight = crop.paste(np.zeros_like(image), self._whole.box, white)[..., 0]
        rows, columns = (
            _span(weight.any(axis=axis), size)
            for axis, size in ((1, image.shape[0]), (0, image.shape[1]))
        )
        return (
            rows,
            columns,
            PIL.Image.fromarray(weight[rows, columns]),
            PIL.Image.fromarray(image[rows, columns]),
        )


def _span(is_shown: np.ndarray, size: int) -> slice:
    """Return where the first and the last of `[n]` lie; one pixel where none do."""
    shown = np.flatnonzero(is_shown)
    if not len(shown):
        return slice(0, min(1, size))
    return slice(int(shown[0]), int(shown[-1]) + 1)

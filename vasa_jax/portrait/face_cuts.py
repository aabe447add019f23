"""A followed face and its lips, cut out of every frame as SyncNet sees them.

Follows: syncnet_python (`run_pipeline.crop_video`): a square that reaches from the top
of the face's box to 0.4 of the box below it, its size and place smoothed by a median
over 13 frames, grey beyond the picture, bilinear without antialiasing. Ours: rendered
and filmed heads go the same way, by their head pose alone: the truth for rendered ones,
a fit to landmarks for filmed ones.
"""

from collections.abc import Iterable

import einops
import numpy as np

from vasa_jax import types
from vasa_jax.portrait import crop

IMAGE_SIZE = 224
"""Follows: side of a frame, pixels."""

CROP_SCALE = 0.4
"""Follows: `crop_scale`; the crop is 1.4 boxes high and wide."""

SMOOTHED_FRAMES = 13
"""Follows: the median over detections."""

OUTSIDE = 110
"""Follows: the grey that stands beyond the picture."""

FACE_HALF_HEIGHT, FACE_DROP = 0.61, 0.1
"""Half a face's height and how far below the head's centre its middle lies, in units
of `crop.CropBox` at scale 1. Ours: in place of S3FD's boxes (its weights do not come
with the package), the mean of the landmarks' boxes on seven faces, spread 0.02 and
0.05; SyncNet's own training had boxes from another detector still."""

LIPS_TOP, LIPS_LEFT, LIPS_SIDE = 72, 56, 112
"""Of the mouth's square in a face of `cut_faces`, pixels. Ours: from the nose to below
an open chin, on heads that are turned by up to 20 degrees."""

LIPS_SIZE = 56
"""Side of what is kept, pixels: means of 2 x 2. Ours: a mouth is 20 pixels wide."""

_WHOLE = range(IMAGE_SIZE)

_GREY = np.float32(types.LUMA)


def face_boxes(head_pose: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the boxes of a followed face.

    Args:
        head_pose: `[T, 6]` vectors of `types.HeadPose`, in units of the whole picture.
        height, width: of the picture, pixels.

    Returns:
        `[T, 3]`: x and y of the middle and half the side, pixels.
    """
    whole = crop.CropBox.of_whole(height, width)
    x, y, scale = np.asarray(head_pose, np.float64)[:, 3:].T * whole.half_size
    middle_y = whole.center_y + y + FACE_DROP * scale
    return np.stack([whole.center_x + x, middle_y, FACE_HALF_HEIGHT * scale], axis=1)


def cut_faces(frames: Iterable[np.ndarray], boxes: np.ndarray) -> np.ndarray:
    """Cut a followed face out of every frame.

    Args:
        frames: uint8 `[H, W, 3]` each; as many as there are boxes are read.
        boxes: `[T, 3]`, as from `face_boxes` or a detector.

    Returns:
        uint8 `[T, 224, 224, 3]`.
    """
    return _cut_parts(frames, boxes, _WHOLE, _WHOLE)


def cut_lips(frames: Iterable[np.ndarray], head_pose: np.ndarray) -> np.ndarray:
    """Cut the mouth out of every frame.

    Ours: grey, because lights and skins of rendered heads have all colours.

    Args:
        frames: uint8 `[H, W, 3]` each; as many as there are poses are read.
        head_pose: `[T, 6]` vectors of `types.HeadPose`, in units of the whole frame.

    Returns:
        uint8 `[T, 56, 56]`.
    """
    iterator = iter(frames)
    first = next(iterator)
    boxes = face_boxes(head_pose, *first.shape[:2])

    def all_frames():
        yield first
        yield from iterator

    rows = range(LIPS_TOP, LIPS_TOP + LIPS_SIDE)
    columns = range(LIPS_LEFT, LIPS_LEFT + LIPS_SIDE)
    mouths = _cut_parts(all_frames(), boxes, rows, columns).astype(np.float32)
    grey = np.einsum("thwc,c->thw", mouths, _GREY)
    step = LIPS_SIDE // LIPS_SIZE
    small = einops.reduce(grey, "t (h i) (w j) -> t h w", "mean", i=step, j=step)
    return np.rint(small).astype(np.uint8)


def _median(values: np.ndarray) -> np.ndarray:
    """Return the running median; beyond the ends stand zeros, as in scipy's."""
    half = SMOOTHED_FRAMES // 2
    padded = np.pad(values, (half, half))
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHED_FRAMES)
    return np.median(windows, axis=1)


def _cut_parts(frames, boxes, rows: range, columns: range) -> np.ndarray:
    """Cut some rows and columns of what `cut_faces` returns."""
    smooth = np.stack([_median(column) for column in np.asarray(boxes).T], axis=1)
    cut = [
        _resize(_cut(frame, *box), rows, columns)
        for frame, box in zip(frames, smooth, strict=False)
    ]
    return np.stack(cut)


def _cut(image: np.ndarray, x: float, y: float, half: float) -> np.ndarray:
    margin = int(half * (1 + 2 * CROP_SCALE))
    top, bottom = _span(y + margin, half, half * (1 + 2 * CROP_SCALE), margin)
    wide = half * (1 + CROP_SCALE)
    left, right = _span(x + margin, wide, wide, margin)
    canvas = np.full((bottom - top, right - left, 3), OUTSIDE, np.uint8)
    seen = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    row, column = min(max(0, -top), len(canvas)), min(max(0, -left), canvas.shape[1])
    part = canvas[row : row + seen.shape[0], column : column + seen.shape[1]]
    part[...] = seen
    return canvas


def _span(middle: float, before: float, after: float, margin: int) -> tuple[int, int]:
    """Return whole pixels, rounded as in a picture that has a margin."""
    first = int(middle - before) - margin
    return first, max(first + 1, int(middle + after) - margin)


def _resize(image: np.ndarray, rows: range, columns: range) -> np.ndarray:
    """Resize bilinearly about pixel centres, and return a part; the edge goes on."""
    values = image
    for axis, places in enumerate((rows, columns)):
        length = image.shape[axis]
        position = (np.array(places) + 0.5) * length / IMAGE_SIZE - 0.5
        position = np.clip(position, 0, length - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, length - 1)
        share = (position - low).astype(np.float32)
        share = share.reshape(-1, *[1] * (2 - axis))
        below = np.take(values, low, axis).astype(np.float32, copy=False)
        above = np.take(values, high, axis).astype(np.float32, copy=False)
        values = below + (above - below) * share
    return np.rint(values).astype(np.uint8)

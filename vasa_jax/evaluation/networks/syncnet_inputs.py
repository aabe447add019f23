"""What SyncNet sees and hears: faces of 224 px, lips in them, and cepstra of speech.

Follows: syncnet_python (`run_pipeline.crop_video`): a square that reaches from the top
of the face's box to 0.4 of the box below it, its size and place smoothed by a median
over 13 frames, grey beyond the picture, bilinear without antialiasing. Ours: rendered
and filmed heads go the same way, by their head pose alone: the truth for rendered ones,
a fit to landmarks for filmed ones.

Cepstra follow the defaults of the package python_speech_features, which syncnet_python
calls: 16 kHz, pre-emphasis 0.97, frames of 25 ms every 10 ms without a taper, 512
points, 26 triangles from 0 to 8 kHz, 13 coefficients lifted by 22, the first one
replaced by the logarithm of the frame's energy.
"""

import functools
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

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""Follows: ITU-R BT.601."""

NUM_COEFFICIENTS = 13

STEP_SAMPLES = 160
"""Follows: a step of 10 ms."""

_FRAME_SAMPLES = 400

_FFT_SIZE = 512

_NUM_FILTERS = 26

_PREEMPHASIS = 0.97

_LIFTER = 22

_LEAST = np.finfo(np.float64).eps


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
    smooth = np.stack([_median(column) for column in np.asarray(boxes).T], axis=1)
    cut = [_cut(frame, *box) for frame, box in zip(frames, smooth, strict=False)]
    return np.stack(cut)


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

    faces = cut_faces(all_frames(), boxes)
    rows = slice(LIPS_TOP, LIPS_TOP + LIPS_SIDE)
    columns = slice(LIPS_LEFT, LIPS_LEFT + LIPS_SIDE)
    mouths = faces[:, rows, columns].astype(np.float32)
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
    return _resize(canvas)


def _span(middle: float, before: float, after: float, margin: int) -> tuple[int, int]:
    """Return whole pixels, rounded as in a picture that has a margin."""
    first = int(middle - before) - margin
    return first, max(first + 1, int(middle + after) - margin)


def _resize(image: np.ndarray) -> np.ndarray:
    """Resize bilinearly about pixel centres; the edge goes on."""
    size = IMAGE_SIZE
    values = image.astype(np.float32)
    for axis in (0, 1):
        length = image.shape[axis]
        position = (np.arange(size) + 0.5) * length / size - 0.5
        position = np.clip(position, 0, length - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, length - 1)
        share = (position - low).astype(np.float32)
        share = share.reshape(-1, *[1] * (2 - axis))
        below, above = np.take(values, low, axis), np.take(values, high, axis)
        values = below + (above - below) * share
    return np.rint(values).astype(np.uint8)


@functools.cache
def mel_filters() -> np.ndarray:
    """Return the triangles that sum power spectra into mel bands.

    Follows: python_speech_features: edges even on the scale 2595 log10(1 + f / 700),
    rounded down to bins of the spectrum; unit height.

    Returns:
        float64 `[257, 26]`.
    """
    top = 2595 * np.log10(1 + types.SAMPLE_RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top, _NUM_FILTERS + 2) / 2595) - 1)
    edges = np.floor((_FFT_SIZE + 1) * edges_hz / types.SAMPLE_RATE_HZ)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.arange(_FFT_SIZE // 2 + 1)[:, None]
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    return np.maximum(0, np.where(bins < middle, rising, falling))


@functools.cache
def _cosines() -> np.ndarray:
    """Return the orthonormal cosines and the lifter, float64 `[26, 13]`."""
    order = np.arange(NUM_COEFFICIENTS)
    centres = np.arange(_NUM_FILTERS)[:, None] + 0.5
    cosines = np.cos(np.pi * centres * order / _NUM_FILTERS)
    scale = np.sqrt(np.where(order == 0, 1, 2) / _NUM_FILTERS)
    lifter = 1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    return cosines * scale * lifter


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Return cepstra, a hundred a second.

    Ours: in float64 on the host; a minute of speech takes some hundredths of a second.

    Args:
        samples: `[S]`, 16 kHz, in units of 16-bit samples (full scale at 32768).

    Returns:
        float64 `[L, 13]`, L = 1 + ceil((S - 400) / 160), at least 1; the last frame is
        filled with zeros.
    """
    samples = np.asarray(samples, np.float64)
    num_frames = 1 + max(0, -(-(len(samples) - _FRAME_SAMPLES) // STEP_SAMPLES))
    emphasised = samples.copy()
    emphasised[1:] -= _PREEMPHASIS * samples[:-1]
    length = (num_frames - 1) * STEP_SAMPLES + _FRAME_SAMPLES
    padded = np.pad(emphasised, (0, length - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME_SAMPLES)
    spectrum = np.fft.rfft(frames[::STEP_SAMPLES], _FFT_SIZE)
    power = (spectrum.real**2 + spectrum.imag**2) / _FFT_SIZE
    bands = np.log(_above_zero(power @ mel_filters()))
    cepstra = bands @ _cosines()
    cepstra[:, 0] = np.log(_above_zero(power.sum(axis=1)))
    return cepstra


def _above_zero(values: np.ndarray) -> np.ndarray:
    return np.where(values == 0, _LEAST, values)

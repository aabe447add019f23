"""How far generated videos are from real ones as a set: FVD25, or by other features.

Paper: VASA-1 section 4.1, FVD25: 25 consecutive frames at 224 pixels, 2000 real clips
and 2000 generated ones.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from typing import Protocol

import einops
import jax
import numpy as np

from vasa_jax import errors
from vasa_jax.animate import rendering
from vasa_jax.evaluation.networks import i3d, lpips
from vasa_jax.face.losses import perceptual

NUM_FRAMES = 25
"""Of a clip. Paper: VASA-1 section 4.1."""

VGG16_SIZE = 48
"""Pixels a side of what VGG16 sees. Ours: by it real clips of 288 pixels are told from
blurred, held and exchanged ones, and cost grows by its square."""


VGG16_EVERY = 3
"""One frame in so many that VGG16 sees. Ours: a third of the time, and real clips are
still told from held ones, whose frames do not change at any rate."""


class FeatureNetwork(Protocol):
    """Turns clips into features.

    Attributes:
        title: of the distance that its features give.
        preprocessing: of frames, in words.
        num_channels: of the features.
    """

    title: str
    preprocessing: str
    num_channels: int

    def __call__(self, clip: np.ndarray) -> np.ndarray:
        """Map a clip uint8 `[25, H, W, 3]` to features `[num_channels]`."""
        ...


class I3DFeatures:
    """The logits of I3D, whose Frechet distance is FVD25.

    Follows: Unterthiner et al. 2018 and their code: frames resized to 224 pixels and
    scaled to [-1, 1]; 400 logits, averaged over time.

    Args:
        path: of the weights, as of `i3d.load`.

    Raises:
        UserError: no weights; the sentence names the file to get.
    """

    title = "FVD25"
    preprocessing = (
        f"whole square frames are resized to {i3d.IMAGE_SIZE} pixels, bilinear without "
        "a low-pass filter: neither squeezed nor cropped"
    )
    num_channels = i3d.NUM_CLASSES

    def __init__(self, path: str | os.PathLike[str] | None):
        self._params = jax.device_put(i3d.load(path))
        self._compiled = jax.jit(_logits)

    def __call__(self, clip: np.ndarray) -> np.ndarray:
        """Map a clip uint8 `[25, H, W, 3]` to `[400]`."""
        return np.asarray(self._compiled(self._params, clip))


def _logits(params, clip):
    video = fit(rendering.to_model_range(clip), i3d.IMAGE_SIZE)
    return i3d.I3D().apply({"params": params}, video[None])[0]


class VGG16Features:
    """Features of VGG16 over time; their Frechet distance is not FVD.

    Ours: for those who lack I3D's weights. The last map of VGG16, averaged over places,
    gives each frame 512 numbers; a clip has their mean over time, and the mean size of
    their change from frame to frame, which sees movement.

    Args:
        path: weights as of `lpips.load`.
        image_size: to which frames are resized.

    Raises:
        UserError: as `lpips.load`.
    """

    title = "Frechet distance of VGG16 features over 25 frames (not FVD)"
    preprocessing = (
        f"one frame in {VGG16_EVERY}, whole and square, is resized to {VGG16_SIZE} "
        "pixels, bilinear without a low-pass filter: neither squeezed nor cropped"
    )
    num_channels = 2 * perceptual.VGG16_BLOCKS[-1][0]

    def __init__(self, path: str | os.PathLike[str], image_size: int = VGG16_SIZE):
        self._weights = jax.device_put(lpips.load(path))
        self._size = image_size
        self._compiled = jax.jit(self._frame_features)

    def __call__(self, clip: np.ndarray) -> np.ndarray:
        """Map a clip uint8 `[25, H, W, 3]` to `[1024]`."""
        # A frame that is held has one set of features.
        seen = clip[:1] if (clip == clip[:1]).all() else clip[::VGG16_EVERY]
        frames = np.asarray(self._compiled(self._weights, seen))
        pairs = np.diff(frames, axis=0) if len(frames) > 1 else np.zeros_like(frames)
        return np.concatenate([frames.mean(axis=0), np.abs(pairs).mean(axis=0)])

    def _frame_features(self, weights, clip):
        images = fit(rendering.to_model_range(clip), self._size)
        last = perceptual.vgg16_features(weights, images)[-1]
        return einops.reduce(last, "t h w c -> t c", "mean")


def fit(images: jax.Array, size: int) -> jax.Array:
    """Resize `[N, H, W, C]` to `[N, size, size, C]`.

    Follows: the published FVD code: bilinear, without a low-pass filter. Ours: places
    of pixels by their centres, where that code's first version takes their corners.
    """
    shape = (images.shape[0], size, size, images.shape[3])
    return jax.image.resize(images, shape, "bilinear", antialias=False)


def clips_of(
    frames: Iterable[np.ndarray], most: int | None = None, name: str = "A video"
) -> Iterator[np.ndarray]:
    """Cut a video into clips of 25 consecutive frames, one after the other.

    Ours: without overlap, from the first frame on; what is left at the end is dropped.

    Args:
        frames: uint8 `[H, W, 3]`, as from `media.iterate_video`.
        most: clips, at least 1; None takes all.
        name: of the video, for the sentence.

    Yields:
        uint8 `[25, H, W, 3]`.

    Raises:
        UserError: fewer than 25 frames, or frames that are not square.
    """
    frames = iter(frames)
    count = 0
    while most is None or count < most:
        clip = list(itertools.islice(frames, NUM_FRAMES))
        if len(clip) < NUM_FRAMES:
            break
        height, width = clip[0].shape[:2]
        if height != width:
            raise errors.UserError(
                f"{name} has frames of {width} by {height} pixels; crop it to a square "
                "round the face, since resizing would squeeze it."
            )
        count += 1
        yield np.stack(clip)
    if not count:
        raise errors.UserError(
            f"{name} has {len(clip)} frames; a clip needs {NUM_FRAMES}: leave it out."
        )

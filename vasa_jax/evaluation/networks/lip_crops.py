"""The mouth and what moves around it, cut out of faces that are cut as for SyncNet.

Ours: rendered and filmed heads go the same way, by their head pose alone: the truth
for rendered ones, a fit to landmarks for filmed ones.
"""

from collections.abc import Iterable

import einops
import numpy as np

from vasa_jax.evaluation.networks import face_crops

TOP, LEFT, SIDE = 72, 56, 112
"""Of the mouth's square in a face of `sync_crops`, pixels. Ours: from the nose to below
an open chin, on heads that are turned by up to 20 degrees."""

SIZE = 56
"""Side of what is kept, pixels: means of 2 x 2. Ours: a mouth is 20 pixels wide."""

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""Follows: ITU-R BT.601."""


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
    boxes = face_crops.face_boxes(head_pose, *first.shape[:2])

    def all_frames():
        yield first
        yield from iterator

    faces = face_crops.cut_faces(all_frames(), boxes)
    mouths = faces[:, TOP : TOP + SIDE, LEFT : LEFT + SIDE].astype(np.float32)
    grey = np.einsum("thwc,c->thw", mouths, _GREY)
    step = SIDE // SIZE
    small = einops.reduce(grey, "t (h i) (w j) -> t h w", "mean", i=step, j=step)
    return np.rint(small).astype(np.uint8)

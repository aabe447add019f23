"""Choose the segments of a track that make clips: present, steady, large, in frame."""

import collections
import dataclasses

import numpy as np

from datasets.video_clips import settings as settings_lib
from datasets.video_clips import tracking
from vasa_jax import types
from vasa_jax.portrait import crop, pose, track

LARGEST_SHIFT = 0.5
"""How far, in half crops, the head centre may be from the crop's. Ours: at 0.5 the face
is whole, beyond it an ear leaves the crop."""

LARGEST_ZOOM = 1.5
"""Factor between a frame's head and the median one. Ours: as of the synthetic heads."""

RETRY_FRAMES = 12
"""Frames from a segment that was refused to the next try. Ours: half a second."""

MISSING_SOUND_SECONDS = 0.2
"""Sound that may be missing at a clip's end and becomes silence. Ours: tracks of sound
and picture seldom end together."""

ABSENT, JUMP, SMALL = "shows no face", "jumps or is cut", "is too small"
OUTSIDE, WANDERS, SILENT = "is cut off", "leaves the crop", "has no sound"
STILL = "is a still picture"
"""Why frames are passed over."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """A segment that makes a clip.

    Attributes:
        start: its first frame.
        box: its crop, video pixels.
        head_pose: float32 `[T, 6]` vectors, image units of the crop.
    """

    start: int
    box: crop.CropBox
    head_pose: np.ndarray

    @property
    def num_frames(self) -> int:
        """Return its length T."""
        return len(self.head_pose)


def choose(
    found: tracking.Track, settings: settings_lib.Settings, num_samples: int
) -> tuple[list[Segment], dict[str, int]]:
    """Choose segments one after another; none shares a frame with another.

    Ours: one crop for a segment, the one crop definition at the median head, so that
    place and size of the head stay in its pose. Where the face is there for less than
    a whole segment, or stays in its crop for less, a shorter one is taken.

    Args:
        found: the track.
        settings: of the set.
        num_samples: length of the video's sound, 16 kHz.

    Returns:
        The segments, and how many frames were passed over for which reason.
    """
    slack = round(MISSING_SOUND_SECONDS * types.SAMPLE_RATE_HZ)
    num_heard = (num_samples + slack) // types.SAMPLES_PER_FRAME
    num_frames = len(found.present)
    begins = np.flatnonzero(~found.present | ~found.is_joined)
    segments, passed = [], collections.Counter()
    for start, end in zip(begins, [*begins[1:], num_frames], strict=True):
        if not found.present[start]:
            passed[ABSENT] += 1
            continue
        reason = None
        if end > num_heard:
            reason = SILENT
        elif end < num_frames:
            reason = JUMP if found.present[end] else ABSENT
        while min(end, num_heard) - start >= settings.least_frames:
            made = _longest(found, start, min(end, num_heard), settings)
            if isinstance(made, str):
                passed[made] += RETRY_FRAMES
                start += RETRY_FRAMES
            else:
                segments.append(made)
                start += made.num_frames
        if reason is not None and start < end:
            passed[reason] += int(end - start)
    return segments, dict(passed)


def _longest(found, start, end, settings):
    """Return the longest segment from a frame on, or why there is none."""
    count = min(end - start, settings.num_frames)
    made = _stretch(found, start, count, settings)
    while made == WANDERS and count // 2 >= settings.least_frames:
        count //= 2
        made = _stretch(found, start, count, settings)
    return made


def _stretch(found, start, count, settings):
    """Return a segment without breaks, or why it makes no clip."""
    frames = slice(start, start + count)
    if found.is_still[frames][1:].all():
        return STILL
    fit = pose.HeadFit(
        rotation=found.fit.rotation[frames],
        centre=found.fit.centre[frames],
        unit=found.fit.unit[frames],
    )
    box = track.crop_of_clip(fit)
    if 2 * box.half_size < settings.min_pixels:
        return SMALL
    if crop.share_outside(box, found.height, found.width) > settings.max_outside:
        return OUTSIDE
    head_pose = pose.head_pose_in_crop(fit, box)
    shift = np.abs(head_pose.translation).max()
    zoom = np.abs(np.log(head_pose.scale)).max()
    if shift > LARGEST_SHIFT or zoom > np.log(LARGEST_ZOOM):
        return WANDERS
    parts = [head_pose.rotation, head_pose.translation, head_pose.scale]
    return Segment(int(start), box, np.concatenate(parts, axis=-1))

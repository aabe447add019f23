"""What a reader of a published set gives: clips to cut, and what it left out, and why.

A reader knows the set's own files and their traps; it opens no video. Boxes stay in the
unit that the set counts them in, with the size of the frame that they count, and become
pixels of the file at hand when that is opened.
"""

import collections
import dataclasses
import pathlib
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from datasets.building import shard_files
from datasets.published_sets import video_files

HELD_OUT = ("validation", "test")
"""Parts that a set itself keeps from training."""

LEAST_SHARE_INSIDE = 0.5
"""Share of a box that must lie in the picture. Ours: a tight box may leave it by a bit;
one that lies outside by more counts the pixels of another size."""

LARGEST_STRETCH = 1.05
"""Factor between the shapes of a frame as stated and as it is. Ours: sides are rounded,
but a picture of another shape shows other things in the box's place."""

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Box:
    """Where a clip's face is, in the unit of the set.

    Attributes:
        left, top, right, bottom: its sides.
        of_width, of_height: size in that unit of the frame that they count: 1 and 1
            where they are shares. Without a width the height alone tells the scale,
            and without both the unit is a pixel of the file at hand.
    """

    left: float
    top: float
    right: float
    bottom: float
    of_width: float | None = None
    of_height: float | None = None

    def in_pixels(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in pixels of a file, within its picture.

        Args:
            height, width: of the file's frames.

        Raises:
            shard_files.UnfitError: the box is no box, or not of this file.
        """
        down = 1.0 if self.of_height is None else height / self.of_height
        across = down if self.of_width is None else width / self.of_width
        counts_pixels = self.of_width not in (None, 1)
        stretch = max(across, down) / min(across, down)
        if counts_pixels and stretch > LARGEST_STRETCH:
            raise shard_files.UnfitError(
                "of another shape than the set says",
                f"the file has {width} x {height} pixels, and its box counts those of "
                f"{self.of_width:g} x {self.of_height:g}",
            )
        sides = self.left * across, self.top * down
        ends = self.right * across, self.bottom * down
        inside = [
            (max(0.0, side), min(float(limit), end))
            for side, end, limit in zip(sides, ends, (width, height), strict=True)
        ]
        whole = (ends[0] - sides[0]) * (ends[1] - sides[1])
        (left, right), (top, bottom) = inside
        part = max(0.0, right - left) * max(0.0, bottom - top)
        if part <= 0 or part < LEAST_SHARE_INSIDE * whole:
            raise shard_files.UnfitError(
                "with a box beyond the picture",
                f"the box from ({sides[0]:.0f}, {sides[1]:.0f}) to ({ends[0]:.0f}, "
                f"{ends[1]:.0f}) lies beyond the {width} x {height} pixels of the file",
            )
        return left, top, right, bottom


MIDDLE_OF_CLIP = Box(left=0.2, top=0.2, right=0.8, bottom=0.8, of_width=1, of_height=1)
"""Where the face of a clip is that its set has cropped about it. Ours: a second face,
if there is one, is at the edge."""


@dataclasses.dataclass(frozen=True)
class Emotion:
    """An emotion that a set says a clip shows.

    Attributes:
        name: of `types.EMOTIONS`.
        strength: 0 to 1.
        start_seconds, end_seconds: when, from the clip's start; without an end to the
            clip's.
    """

    name: str
    strength: float = 1.0
    start_seconds: float = 0.0
    end_seconds: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clip:
    """A stretch of a video that shows one person.

    Attributes:
        name: the clip's own in its set.
        video: its file below the folder of videos, with `/`.
        source_video: the video that it was cut from, in whatever file: where persons
            are not known, clips of one video lie in one split.
        start_seconds, end_seconds: of the stretch in the file; without an end to its.
        stored_frames: the stretch's first and last frame in place of its times, where
            a set counts frames and only the file tells how many a second it has.
        box: where to look for the face; None is everywhere.
        person: who is in it, or None.
        split: of `HELD_OUT` where the set keeps it from training, or None.
        emotions: what it shows at which times. Times and clips without one are not
            labelled; None is a set that says nothing of emotions.
        sound: the file of its sound, if not the video.
        sound_shift_seconds: by which the sound must come later to fit the picture.
    """

    name: str
    video: str
    source_video: str
    start_seconds: float = 0.0
    end_seconds: float | None = None
    stored_frames: tuple[int, int] | None = None
    box: Box | None = None
    person: str | None = None
    split: str | None = None
    emotions: tuple[Emotion, ...] | None = None
    sound: str | None = None
    sound_shift_seconds: float = 0.0

    @property
    def identity(self) -> str:
        """Return what lies in one split only: the person, or else the source video."""
        return self.source_video if self.person is None else self.person


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a reader gives; each row is either a clip or left out.

    Attributes:
        clips: in order of their videos, times and names.
        left_out: name of a row, kind of the reason, and the reason.
    """

    clips: tuple[Clip, ...]
    left_out: tuple[tuple[str, str, str], ...] = ()

    @property
    def num_rows(self) -> int:
        """Return how many rows were read."""
        return len(self.clips) + len(self.left_out)


class Reader(Protocol):
    """Reads one published set."""

    def __call__(
        self, annotations: pathlib.Path | None, videos: video_files.VideoFiles
    ) -> Reading:
        """Read what the set says of the videos at hand.

        Args:
            annotations: folder of the set's own lists; None where the user gave none.
            videos: the files at hand.

        Raises:
            UserError: a list is missing or of another form.
        """
        ...


def read(rows: Iterable[tuple[str, Row]], make: Callable[[str, Row], Clip]) -> Reading:
    """Make clips of rows; what every set must keep to is kept here.

    Ours: a row that is given twice counts once; a name that two rows have counts for
    the first; and who lies in a part that is kept from training is not trained on.

    Args:
        rows: names with what the set says.
        make: of a name and a row; raises `shard_files.UnfitError` to leave it out.

    Returns:
        Clips and rows left out, together as many as there are rows.
    """
    found: list[Clip] = []
    left_out: list[tuple[str, str, str]] = []
    names, cuts = set(), set()
    for name, row in rows:
        try:
            clip = make(name, row)
            _check(clip)
            span = clip.start_seconds, clip.end_seconds, clip.stored_frames
            # One video may be at hand under two names.
            is_timed = clip.end_seconds is not None
            where = clip.source_video if is_timed else clip.video
            cut = where, span, clip.box
            if cut in cuts or clip.name in names:
                raise shard_files.UnfitError(
                    "given twice", "a row before it has the same place or name"
                )
        except shard_files.UnfitError as error:
            left_out.append((name, error.kind, str(error)))
            continue
        names.add(clip.name)
        cuts.add(cut)
        found.append(clip)
    parts = collections.defaultdict(set)
    for clip in found:
        parts[clip.identity].add(clip.split)
    clips = []
    for clip in found:
        # The set's last part counts, since others measure on it.
        owner = max(parts[clip.identity], key=[None, *HELD_OUT].index)
        if clip.split == owner:
            clips.append(clip)
            continue
        reason = f"{clip.identity} is also in the set's {owner} part"
        left_out.append((clip.name, "of someone in two parts of the set", reason))
    clips.sort(key=lambda clip: (clip.video, clip.start_seconds, clip.name))
    return Reading(tuple(clips), tuple(left_out))


def _check(clip: Clip) -> None:
    """Refuse times and frames that are none."""
    end = clip.end_seconds
    first, last = clip.stored_frames or (0, 0)
    if not 0 <= first <= last:
        raise shard_files.UnfitError(
            "with impossible times", f"it would last from frame {first} to {last}"
        )
    if clip.start_seconds < 0 or (end is not None and end <= clip.start_seconds):
        raise shard_files.UnfitError(
            "with impossible times",
            f"it would last from {clip.start_seconds:g} s to {end:g} s"
            if end is not None
            else f"it would begin at {clip.start_seconds:g} s",
        )

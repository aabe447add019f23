"""The TFDS data set `video_clips`: shards made in processes and then put together."""

import collections
import dataclasses
import functools
import pathlib

from datasets import shard_files, shard_folder
from datasets.synthetic_heads import processes
from datasets.video_clips import record, shards, sources
from datasets.video_clips import settings as settings_lib
from vasa_jax import errors

NAME = "video_clips"
VERSION = "1.0.0"

DESCRIPTION = """Clips of talking heads cut out of videos: one face, one crop, sound,
and head pose, mouth and keypoints as landmarks tell them."""

SKIPPED_FILE = "skipped.txt"
"""File in the set's folder that names each video without clips, and why. Ours."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a build has made.

    Attributes:
        num_clips, num_identities: per split.
        num_skipped: videos without clips, per kind of reason.
    """

    num_clips: dict[str, int]
    num_identities: dict[str, int]
    num_skipped: dict[str, int]


def build(
    input_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: settings_lib.Settings,
    num_workers: int,
) -> Outcome:
    """Build or complete a set.

    Args:
        input_folder: searched for videos.
        folder: where the set lies or will lie.
        settings: of its records.
        num_workers: processes.

    Returns:
        The outcome.

    Raises:
        UserError: there are no videos, none of them makes a clip, or the folder holds
            a set of other settings or cannot be written.
    """
    wanted = sources.divide(sources.find(input_folder, settings.identities))
    shard_folder.check_settings(folder, settings)
    missing = [s for s in wanted if shard_files.read_report(folder, s.name) is None]
    processes.call_each(
        functools.partial(shards.make, input_folder, folder, settings),
        missing,
        num_workers,
        sum(len(shard.videos) for shard in missing),
        "video",
    )
    reports = [shard_files.read_report(folder, shard.name) for shard in wanted]
    skipped = [row for report in reports for row in report.skipped]
    lines = [f"{path}: {kind}: {reason}\n" for path, kind, reason in skipped]
    shard_folder.write_beside(folder / SKIPPED_FILE, "".join(lines))
    num_clips = assemble(folder, list(zip(wanted, reports, strict=True)))
    identities = {
        split: {name for r in reports for name in r.identities.get(split, ())}
        for split in num_clips
    }
    return Outcome(
        num_clips=num_clips,
        num_identities={split: len(names) for split, names in identities.items()},
        num_skipped=dict(collections.Counter(kind for _, kind, _ in skipped)),
    )


def assemble(
    folder: pathlib.Path, finished: list[tuple[sources.Shard, shard_files.Report]]
) -> dict[str, int]:
    """Make a TFDS folder of finished shards.

    Ours: hard links, as for the synthetic heads, so that nothing is copied.

    Args:
        folder: of the set; holds `shard_folder.FOLDER`.
        finished: shards in order, with their reports.

    Returns:
        Number of clips of each split.

    Raises:
        UserError: if there is no clip at all.
    """
    counts = shard_folder.assemble(
        folder,
        shard_folder.SetInfo(
            name=NAME,
            version=VERSION,
            description=DESCRIPTION,
            splits=settings_lib.SPLITS,
        ),
        record.features(),
        [(shard.name, report) for shard, report in finished],
    )
    if not counts:
        raise errors.UserError(
            f"None of the videos makes a clip; {folder / SKIPPED_FILE} says why of "
            "each."
        )
    return counts

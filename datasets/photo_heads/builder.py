"""The TFDS data set `photo_heads`: shards made in processes and then put together."""

import collections
import dataclasses
import functools
import pathlib

from datasets import shard_files, shard_folder
from datasets.photo_heads import plan, portraits, record, shards
from datasets.synthetic_heads import processes
from vasa_jax import errors

NAME = "photo_heads"
VERSION = "1.0.0"

DESCRIPTION = """Portraits that are moved: one picture a person, fitted by a mesh, who
performs with a synthesised voice, with the truth of pose, gaze, expression and geometry
in every frame; the first take of each shows the untouched picture."""

SKIPPED_FILE = "skipped.txt"
"""File in the set's folder that names each picture without clips, and why. Ours."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a build has made.

    Attributes:
        num_clips, num_identities: per split.
        num_skipped: pictures without clips, per kind of reason.
    """

    num_clips: dict[str, int]
    num_identities: dict[str, int]
    num_skipped: dict[str, int]


def build(
    portraits_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: plan.Settings,
    num_workers: int,
    most: int | None = None,
) -> Outcome:
    """Build, complete or enlarge a set.

    Args:
        portraits_folder: searched for pictures.
        folder: where the set lies or will lie.
        settings: of its records.
        num_workers: processes.
        most: how many pictures to take; None takes all.

    Returns:
        The outcome.

    Raises:
        UserError: there are no pictures, none of them makes a clip, or the folder holds
            a set of other settings or cannot be written.
    """
    wanted = portraits.divide(portraits.find(portraits_folder, most))
    shard_folder.check_settings(folder, settings)
    missing = [s for s in wanted if shard_files.read_report(folder, s.name) is None]
    processes.call_each(
        functools.partial(shards.make, portraits_folder, folder, settings),
        missing,
        num_workers,
        sum(len(shard.portraits) for shard in missing),
        "portrait",
    )
    finished = [(s.name, shard_files.read_report(folder, s.name)) for s in wanted]
    skipped = [row for _, report in finished for row in report.skipped]
    lines = [f"{path}: {kind}: {reason}\n" for path, kind, reason in skipped]
    shard_folder.write_beside(folder / SKIPPED_FILE, "".join(lines))
    info = shard_folder.SetInfo(
        name=NAME, version=VERSION, description=DESCRIPTION, splits=plan.SPLITS
    )
    num_clips = shard_folder.assemble(folder, info, record.features(), finished)
    if not num_clips:
        raise errors.UserError(
            f"None of the pictures makes a clip; {folder / SKIPPED_FILE} says why of "
            "each."
        )
    return Outcome(
        num_clips=num_clips,
        num_identities={
            split: sum(len(r.identities.get(split, ())) for _, r in finished)
            for split in num_clips
        },
        num_skipped=dict(collections.Counter(kind for _, kind, _ in skipped)),
    )

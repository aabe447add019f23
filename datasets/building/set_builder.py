"""Builds a TFDS set of shards: made in processes, kept when killed, put together."""

import collections
import dataclasses
import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from datasets.building import engines, shard_files, shard_folder
from vasa_jax import errors

SKIPPED_FILE = "skipped.txt"
"""File in the set's folder that names each source without clips, and why, and each of
which a part is lost. Ours."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a build has made.

    Attributes:
        num_clips, num_identities: per split.
        num_skipped: sources without clips, per kind of reason.
        num_damaged: sources of which a part is lost.
    """

    num_clips: dict[str, int]
    num_identities: dict[str, int]
    num_skipped: dict[str, int]
    num_damaged: int = 0


def build(
    folder: pathlib.Path,
    settings: Any,
    info: shard_folder.SetInfo,
    features: Any,
    shards: Sequence[engines.Shard],
    make: Callable[[engines.Shard], Any],
    engine: engines.Engine,
    source: str,
    left_out: Sequence[tuple[str, str, str]] = (),
) -> Outcome:
    """Build, complete or enlarge a set.

    Args:
        folder: where the set lies or will lie.
        settings: of its records, a dataclass that JSON can hold.
        info: of the set.
        features: of its records, as TFDS has them.
        shards: of all that the set shall hold.
        make: makes a shard's files and report.
        engine: where shards are made.
        source: what clips are made of, in the singular.
        left_out: name, kind of the reason and reason of sources that were passed over
            before, which are named beside those that make no clip.

    Returns:
        The outcome.

    Raises:
        UserError: no source makes a clip, or the folder holds a set of other settings
            or cannot be written.
    """
    shard_folder.check_settings(folder, settings)
    shard_folder.sweep(folder)
    job = engines.Job(make, functools.partial(shard_files.is_finished, folder))
    engine.make_all(job, job.missing(shards), source)
    finished = [(s.name, shard_files.read_report(folder, s.name)) for s in shards]
    skipped = [*left_out, *(row for _, report in finished for row in report.skipped)]
    lines = [f"{path}: {kind}: {reason}\n" for path, kind, reason in skipped]
    damaged = [row for _, report in finished for row in report.damaged]
    lines += [f"{path}: damaged: {sentence}\n" for path, sentence in damaged]
    shard_folder.write_beside(folder / SKIPPED_FILE, "".join(lines))
    # Hard links, as for the synthetic heads, so that nothing is copied.
    num_clips = shard_folder.assemble(folder, info, features, finished)
    if not num_clips:
        raise errors.UserError(
            f"None of the {source}s makes a clip; {folder / SKIPPED_FILE} says why of "
            "each."
        )
    identities = {
        split: {name for _, r in finished for name in r.identities.get(split, ())}
        for split in num_clips
    }
    return Outcome(
        num_clips=num_clips,
        num_identities={split: len(names) for split, names in identities.items()},
        num_skipped=dict(collections.Counter(kind for _, kind, _ in skipped)),
        num_damaged=len({path for path, _ in damaged}),
    )

"""Shards: files of whole identities, made one by one, kept when a build is killed.

Ours: a shard is written beside and renamed, its report last; what has a report is
finished, whatever happened to the rest. Which clips lie in a shard depends only on the
shard's number, so that a set may grow.
"""

import collections
import dataclasses
import json
import os
import pathlib
from collections.abc import Callable

from array_record.python import array_record_module
from tensorflow_datasets.core import example_serializer

from datasets.building import shard_folder
from datasets.synthetic_heads.records import plan, record
from datasets.synthetic_heads.rendering import renderer

IDENTITIES_PER_SHARD = 8
"""Ours: four pairs, 32 clips; about a minute of one core at 128 pixels."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """A range of identities of the set.

    Attributes:
        number: of the shard, from 0.
        first_clip, end_clip: range of clip numbers; the i-th identity of the set has
            the clips from i times `num_takes` on.
    """

    number: int
    first_clip: int
    end_clip: int

    @property
    def name(self) -> str:
        """Return the stem of its files; a shard cut short has another name."""
        return f"{self.number:05d}_{self.first_clip:07d}_{self.end_clip:07d}"


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of a shard.

    Attributes:
        num_examples, num_bytes: per split.
        failures: sentence per clip that could not be made.
    """

    num_examples: dict[str, int]
    num_bytes: dict[str, int]
    failures: list[str]


def divide(settings: plan.Settings, num_clips: int) -> list[Shard]:
    """Divide a set into shards."""
    step = IDENTITIES_PER_SHARD * settings.num_takes
    return [
        Shard(number, start, min(start + step, num_clips))
        for number, start in enumerate(range(0, num_clips, step))
    ]


def record_path(folder: pathlib.Path, shard: Shard, split: str) -> pathlib.Path:
    """Return the file of a shard's clips of one split."""
    return shard_folder.record_path(folder, shard.name, split)


def read_report(folder: pathlib.Path, shard: Shard) -> Report | None:
    """Return the report of a finished shard, None if it is not finished."""
    path = folder / shard_folder.FOLDER / f"{shard.name}.json"
    if not path.exists():
        return None
    report = Report(**json.loads(path.read_text()))
    paths = [record_path(folder, shard, split) for split in report.num_examples]
    return report if all(path.exists() for path in paths) else None


def make(
    folder: pathlib.Path,
    shard: Shard,
    settings: plan.Settings,
    tell: Callable[[bool], None],
) -> Report:
    """Make the records of a shard.

    Ours: a clip that fails is passed over and reported, because one odd face must not
    cost a night's work.

    Args:
        folder: of the set.
        shard: which clips.
        settings: of the set.
        tell: called after each clip with whether it was made.

    Returns:
        The report, which lies on disk too.
    """
    serializer = example_serializer.ExampleSerializer(
        record.features().get_serialized_info()
    )
    view = renderer.Renderer(settings.size)
    examples: dict[str, list[bytes]] = collections.defaultdict(list)
    failures = []
    for clip, person in clips(shard, settings):
        try:
            made = record.make(clip, settings, person(), view)
            encoded = record.features().encode_example(made)
            examples[clip.split].append(serializer.serialize_example(encoded))
        except Exception as error:  # noqa: BLE001 (one clip must not end the build)
            failures.append(f"{clip.clip_id}: {shard_folder.tell_error(error)}")
            tell(False)
        else:
            tell(True)
    for split, serialized in examples.items():
        _write_records(record_path(folder, shard, split), serialized)
    report = Report(
        num_examples={split: len(rows) for split, rows in examples.items()},
        num_bytes={split: sum(map(len, rows)) for split, rows in examples.items()},
        failures=failures,
    )
    path = folder / shard_folder.FOLDER / f"{shard.name}.json"
    shard_folder.write_beside(path, json.dumps(dataclasses.asdict(report), indent=2))
    return report


def clips(shard: Shard, settings: plan.Settings):
    """Yield each clip with a function that gives its avatar, built once."""
    for place in range(
        shard.first_clip // settings.num_takes,
        -(-shard.end_clip // settings.num_takes),
    ):
        built = []
        for clip in plan.clips_of(settings, plan.identity_at(settings, place)):
            if place * settings.num_takes + clip.take >= shard.end_clip:
                return

            def person(clip=clip, built=built):
                if not built:
                    built.append(record.build_person(clip, settings))
                return built[0]

            yield clip, person


def _write_records(path: pathlib.Path, serialized: list[bytes]) -> None:
    beside = path.with_suffix(f".beside{os.getpid()}")
    writer = array_record_module.ArrayRecordWriter(str(beside), "group_size:1")
    for row in serialized:
        writer.write(row)
    writer.close()
    os.replace(beside, path)

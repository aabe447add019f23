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
import traceback
from collections.abc import Callable

from array_record.python import array_record_module
from tensorflow_datasets.core import example_serializer

from datasets.synthetic_heads import plan, record, renderer
from vasa_jax import errors

IDENTITIES_PER_SHARD = 8
"""Ours: four pairs, 32 clips; about a minute of one core at 128 pixels."""

FOLDER = "shards"
"""Name of the folder of finished shards inside the set's."""

_SETTINGS_FILE = "settings.json"


@dataclasses.dataclass(frozen=True)
class Shard:
    """A range of identities of the set.

    Attributes:
        number: of the shard, from 0.
        first_clip, end_clip: range of clip numbers; identity i has the clips from
            i times `num_takes` on.
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
    return folder / FOLDER / f"{shard.name}_{split}.array_record"


def read_report(folder: pathlib.Path, shard: Shard) -> Report | None:
    """Return the report of a finished shard, None if it is not finished."""
    path = folder / FOLDER / f"{shard.name}.json"
    if not path.exists():
        return None
    report = Report(**json.loads(path.read_text()))
    paths = [record_path(folder, shard, split) for split in report.num_examples]
    return report if all(path.exists() for path in paths) else None


def check_settings(folder: pathlib.Path, settings: plan.Settings) -> None:
    """Refuse to mix clips of other settings into a folder.

    Raises:
        UserError: if the folder was begun with other settings, or cannot be written.
    """
    path = folder / FOLDER / _SETTINGS_FILE
    wanted = json.dumps(dataclasses.asdict(settings), indent=2)
    try:
        if path.exists():
            if json.loads(path.read_text()) != json.loads(wanted):
                raise errors.UserError(
                    f"{folder} was begun with other settings ({path.name} there tells "
                    "them); use the same ones or another --output_dir."
                )
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(path, wanted)
    except OSError as error:
        raise errors.UserError(
            f"{folder} cannot be written ({error.strerror}); choose another "
            "--output_dir."
        ) from error


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
        except Exception as error:
            failures.append(f"{clip.clip_id}: {_reason(error)}")
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
    path = folder / FOLDER / f"{shard.name}.json"
    _write_beside(path, json.dumps(dataclasses.asdict(report), indent=2))
    return report


def clips(shard: Shard, settings: plan.Settings):
    """Yield each clip with a function that gives its avatar, built once."""
    for identity in range(
        shard.first_clip // settings.num_takes,
        -(-shard.end_clip // settings.num_takes),
    ):
        built = []
        for clip in plan.clips_of(settings, identity):
            if identity * settings.num_takes + clip.take >= shard.end_clip:
                return

            def person(clip=clip, built=built):
                if not built:
                    built.append(record.build_person(clip, settings))
                return built[0]

            yield clip, person


def _reason(error: Exception) -> str:
    """Return an error in one line, with the place where it arose."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = pathlib.Path(place.filename).name
    return f"{type(error).__name__} {error} ({file}:{place.lineno})"


def _write_records(path: pathlib.Path, serialized: list[bytes]) -> None:
    beside = path.with_suffix(f".beside{os.getpid()}")
    writer = array_record_module.ArrayRecordWriter(str(beside), "group_size:1")
    for row in serialized:
        writer.write(row)
    writer.close()
    os.replace(beside, path)


def _write_beside(path: pathlib.Path, text: str) -> None:
    beside = path.with_suffix(f".beside{os.getpid()}")
    beside.write_text(text)
    os.replace(beside, path)

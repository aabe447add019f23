"""Shards: files of whole videos, made one by one, kept when a build is killed.

Ours: a shard is written beside and renamed, its report last; what has a report is
finished, whatever happened to the rest.
"""

import dataclasses
import json
import os
import pathlib

from datasets import shard_folder
from datasets.video_clips import record, sources
from datasets.video_clips import settings as settings_lib
from vasa_jax import errors


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of a shard.

    Attributes:
        num_examples, num_bytes: clips, and their bytes, per split.
        identities: names per split.
        skipped: for each video that made no clip its path, the kind of the reason and
            the reason.
    """

    num_examples: dict[str, int]
    num_bytes: dict[str, int]
    identities: dict[str, list[str]]
    skipped: list[tuple[str, str, str]]


def record_path(folder: pathlib.Path, shard: sources.Shard, split: str) -> pathlib.Path:
    """Return the file of a shard's clips of one split."""
    return shard_folder.record_path(folder, shard.name, split)


def read_report(folder: pathlib.Path, shard: sources.Shard) -> Report | None:
    """Return the report of a finished shard, None if it is not finished."""
    path = _report_path(folder, shard)
    if not path.exists():
        return None
    report = Report(**json.loads(path.read_text(encoding="utf-8")))
    paths = [record_path(folder, shard, split) for split in report.num_examples]
    return report if all(path.exists() for path in paths) else None


def make(
    input_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: settings_lib.Settings,
    shard: sources.Shard,
) -> int:
    """Make the clips of a shard's videos.

    Ours: a video that fails is passed over and reported, because one broken file must
    not cost a night's work.

    Args:
        input_folder: of the videos.
        folder: of the set.
        settings: of the set.
        shard: which videos.

    Returns:
        How many videos it has; the report lies on disk.
    """
    files = _SplitFiles(folder, shard)
    skipped = []
    with files:
        for video in shard.videos:
            split = sources.split_of(video, settings)
            try:
                for made in record.make(input_folder, video, settings):
                    files.write(split, made)
            except record.UnfitError as error:
                skipped.append((video.path, error.kind, str(error)))
            except errors.UserError as error:
                skipped.append((video.path, "unreadable", str(error)))
            except Exception as error:
                skipped.append((video.path, "failed", shard_folder.tell_error(error)))
    report = Report(files.num_examples, files.num_bytes, files.identities, skipped)
    text = json.dumps(dataclasses.asdict(report), indent=2)
    shard_folder.write_beside(_report_path(folder, shard), text)
    return len(shard.videos)


class _SplitFiles:
    """The record files of a shard: one a split, begun when its first clip comes."""

    def __init__(self, folder: pathlib.Path, shard: sources.Shard):
        # Imported late: TFDS takes a second, which listing files can do without.
        from tensorflow_datasets.core import example_serializer

        self.num_examples: dict[str, int] = {}
        self.num_bytes: dict[str, int] = {}
        self.identities: dict[str, list[str]] = {}
        self._folder, self._shard = folder, shard
        self._features = record.features()
        self._serializer = example_serializer.ExampleSerializer(
            self._features.get_serialized_info()
        )
        self._writers = {}

    def write(self, split: str, made: dict) -> None:
        """Append a clip."""
        from array_record.python import array_record_module

        row = self._serializer.serialize_example(self._features.encode_example(made))
        if split not in self._writers:
            self._writers[split] = array_record_module.ArrayRecordWriter(
                str(self._beside(split)), "group_size:1"
            )
            self.num_examples[split] = self.num_bytes[split] = 0
            self.identities[split] = []
        self._writers[split].write(row)
        self.num_examples[split] += 1
        self.num_bytes[split] += len(row)
        if made["identity"] not in self.identities[split]:
            self.identities[split].append(made["identity"])

    def __enter__(self) -> "_SplitFiles":
        return self

    def __exit__(self, kind, *_) -> None:
        for split, writer in self._writers.items():
            writer.close()
            if kind is None:
                path = record_path(self._folder, self._shard, split)
                os.replace(self._beside(split), path)
            else:
                self._beside(split).unlink()

    def _beside(self, split):
        path = record_path(self._folder, self._shard, split)
        return path.with_suffix(f".beside{os.getpid()}")


def _report_path(folder, shard):
    return folder / shard_folder.FOLDER / f"{shard.name}.json"

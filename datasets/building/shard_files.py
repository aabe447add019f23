"""A shard's files: records of each split, written beside and renamed, and its report.

Ours: the report is written last; what has a report is finished, whatever happened to
the rest of a build that was killed.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from datasets.building import shard_folder
from vasa_jax import errors


class UnfitError(ValueError):
    """A source is sound but makes no clip; its text says why.

    Args:
        kind: of the reason, for counts.
        reason: in words.
    """

    def __init__(self, kind: str, reason: str):
        super().__init__(reason)
        self.kind = kind


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of a shard.

    Attributes:
        num_examples, num_bytes: clips, and their bytes, per split.
        identities: names per split.
        skipped: for each source that made no clip its name, the kind of the reason and
            the reason.
        damaged: for each source of which a part is lost its name and what is.
    """

    num_examples: dict[str, int]
    num_bytes: dict[str, int]
    identities: dict[str, list[str]]
    skipped: list[tuple[str, str, str]]
    damaged: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def read_report(folder: pathlib.Path, name: str) -> Report | None:
    """Return the report of a finished shard, None if it is not finished.

    Ours: rendered heads had other reports in 0.1, whose shards count as not finished.
    """
    path = _report_path(folder, name)
    if not path.exists():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    if not set(fields) <= {field.name for field in dataclasses.fields(Report)}:
        return None
    report = Report(**fields)
    files = [shard_folder.record_path(folder, name, s) for s in report.num_examples]
    return report if all(file.exists() for file in files) else None


def is_finished(folder: pathlib.Path, shard: Any) -> bool:
    """Tell whether a shard, by its name, has its report and its files."""
    return read_report(folder, shard.name) is not None


class ShardWriter:
    """Writes the record files of a shard: one a split, begun when its first clip comes.

    Args:
        folder: of the set.
        name: of the shard.
        features: of the records, as TFDS has them.
    """

    def __init__(self, folder: pathlib.Path, name: str, features: Any):
        # Imported late: TFDS takes a second, which listing files can do without.
        from tensorflow_datasets.core import example_serializer

        self._folder, self._name, self._features = folder, name, features
        self._serializer = example_serializer.ExampleSerializer(
            features.get_serialized_info()
        )
        self._writers: dict[str, Any] = {}
        self._written: dict[str, pathlib.Path] = {}
        self._report = Report({}, {}, {}, [])

    def add(self, source: str, split: str, make: Callable[[], Iterable[dict]]) -> None:
        """Append the clips of a source, or note why it made none.

        Ours: a source that fails is passed over and reported, because one broken file
        must not cost a night's work.

        Args:
            source: its name.
            split: of all its clips.
            make: makes the clips, whose `identity` is noted.
        """
        try:
            for made in make():
                self._write(split, made)
        except UnfitError as error:
            self._skip(source, error.kind, str(error))
        except errors.UserError as error:
            self._skip(source, "unreadable", str(error))
        except Exception as error:  # noqa: BLE001 (one source must not end the build)
            self._skip(source, "failed", shard_folder.error_line(error))

    def note_damage(self, source: str, sentence: str) -> None:
        """Note that a part of a source is lost, whose rest is used.

        Args:
            source: its name.
            sentence: what is lost.
        """
        self._report.damaged.append((source, sentence))

    def _write(self, split: str, made: dict) -> None:
        from array_record.python import array_record_module

        example = self._serializer.get_tf_example(self._features.encode_example(made))
        # Else the order of fields, and so the bytes, differ from process to process.
        row = example.SerializeToString(deterministic=True)
        report = self._report
        if split not in self._writers:
            path = shard_folder.record_path(self._folder, self._name, split)
            self._written[split] = shard_folder.beside(path)
            self._writers[split] = array_record_module.ArrayRecordWriter(
                str(self._written[split]), "group_size:1"
            )
            report.num_examples[split] = report.num_bytes[split] = 0
            report.identities[split] = []
        self._writers[split].write(row)
        report.num_examples[split] += 1
        report.num_bytes[split] += len(row)
        if made["identity"] not in report.identities[split]:
            report.identities[split].append(made["identity"])

    def _skip(self, source: str, kind: str, reason: str) -> None:
        self._report.skipped.append((source, kind, reason))

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, kind, *_) -> None:
        """Give the files their names and write the report; on an error, neither."""
        for split, writer in self._writers.items():
            writer.close()
            if kind is None:
                path = shard_folder.record_path(self._folder, self._name, split)
                os.replace(self._written[split], path)
            else:
                self._written[split].unlink(missing_ok=True)
        if kind is None:
            text = json.dumps(dataclasses.asdict(self._report), indent=2)
            shard_folder.write_beside(_report_path(self._folder, self._name), text)


def _report_path(folder, name):
    return folder / shard_folder.FOLDER / f"{name}.json"

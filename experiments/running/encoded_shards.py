"""Encodes clips of data sets in shards, which an engine of `datasets.building` makes.

Ours: an encoded clip is a file of its own, which is kept when its shard is killed; a
shard's report, written last, tells what became of its clips, and only reports are
counted.
"""

import collections
import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import pathlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from datasets.building import engines, shard_folder
from vasa_jax import compilation_cache, export
from vasa_jax.audio import encoders
from vasa_jax.data import mixed_sets, records
from vasa_jax.encode import encoding

CLIPS_PER_SHARD = 64
"""Ours: about a minute of one core, for three seconds at 256 pixels."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is encoded by what; workers get it pickled, so that places are absolute.

    Attributes:
        checkpoint: export of stage one.
        data_dir: folders of clips, with commas between them.
        output: folder to fill.
        audio_encoder, audio_weights: see `encoders.make`.
        batch_size: frames encoded at once.
    """

    checkpoint: str
    data_dir: str
    output: str
    audio_encoder: str
    audio_weights: str | None
    batch_size: int


@dataclasses.dataclass(frozen=True)
class Shard:
    """A range of the clips of a split.

    Attributes:
        split: its name.
        start, end: range of places in the set.
        set_hash: tells the set from what it was or will be.
    """

    split: str
    start: int
    end: int
    set_hash: str

    @property
    def name(self) -> str:
        """Return the stem of its report."""
        return f"{self.split}_{self.start:08d}_{self.end:08d}_{self.set_hash}"

    @property
    def num_sources(self) -> int:
        """Return how many clips they are."""
        return self.end - self.start


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of clips.

    Attributes:
        files: names of the encoded ones.
        corrupt: sentence for each that cannot be read.
    """

    files: list[str]
    corrupt: list[str]


def build(
    settings: Settings,
    splits: Sequence[str],
    max_clips: int | None,
    engine: engines.Engine,
) -> Report:
    """Encode what is missing.

    Args:
        settings: what by what.
        splits: which.
        max_clips: how many of the first of each split to take; None takes all.
        engine: where shards are made.

    Returns:
        What became of all clips, those of former runs too.

    Raises:
        UserError: a set or a split is not there, or the engine cannot make shards.
    """
    output = pathlib.Path(settings.output)
    shards = divide(settings.data_dir, splits, max_clips)
    for subfolder in (shard_folder.FOLDER, *splits):
        (output / subfolder).mkdir(parents=True, exist_ok=True)
    _sweep(output, splits)
    make = functools.partial(make_shard, settings)
    job = engines.Job(make, functools.partial(is_finished, output))
    engine.make_all(job, job.missing(shards), "clip")
    _sweep(output, splits)
    reports = [read_report(output, shard) for shard in shards]
    return Report(
        files=[
            f"{shard.split}/{file}"
            for shard, report in zip(shards, reports, strict=True)
            for file in report.files
        ],
        corrupt=[sentence for report in reports for sentence in report.corrupt],
    )


def divide(data_dir: str, splits: Sequence[str], max_clips: int | None) -> list[Shard]:
    """Divide the clips of splits into shards.

    Args:
        data_dir: as of `Settings`.
        splits, max_clips: as of `build`.
    """
    listing = []
    for folder in map(pathlib.Path, mixed_sets.split_folders(data_dir)):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            listing.append(f"{path.relative_to(folder)}\0{path.stat().st_size}\n")
    set_hash = hashlib.sha256("".join(listing).encode("utf-8", "surrogateescape"))
    found = []
    for split in splits:
        count = len(mixed_sets.open_folders(data_dir, split))
        count = min(count, max_clips or count)
        for start in range(0, count, CLIPS_PER_SHARD):
            end = min(start + CLIPS_PER_SHARD, count)
            found.append(Shard(split, start, end, set_hash.hexdigest()[:12]))
    return found


def read_report(output: pathlib.Path, shard: Shard) -> Report | None:
    """Return the report of a finished shard, None if it is not finished."""
    path = output / shard_folder.FOLDER / f"{shard.name}.json"
    if not path.exists():
        return None
    report = Report(**json.loads(path.read_text(encoding="utf-8")))
    is_there = all((output / shard.split / file).exists() for file in report.files)
    return report if is_there else None


def is_finished(output: pathlib.Path, shard: Shard) -> bool:
    """Tell whether a shard has its report and its files."""
    return read_report(output, shard) is not None


def make_shard(settings: Settings, shard: Shard) -> None:
    """Encode the clips of a shard that are missing, and write its report.

    Args:
        settings: what by what.
        shard: which clips.
    """
    output = pathlib.Path(settings.output)
    report = Report([], [])
    for path, outcome in encode_clips(
        _clip_encoder(settings),
        _open(settings.data_dir, shard.split),
        shard.split,
        output,
        range(shard.start, shard.end),
    ):
        if outcome.startswith("corrupt"):
            report.corrupt.append(outcome)
        else:
            report.files.append(path.name)
    text = json.dumps(dataclasses.asdict(report), indent=0)
    path = output / shard_folder.FOLDER / f"{shard.name}.json"
    shard_folder.write_beside(path, text)


def encode_clips(
    clips: encoding.ClipEncoder,
    opened: records.Records,
    split: str,
    output: pathlib.Path,
    indices: Iterable[int],
) -> Iterator[tuple[pathlib.Path, str]]:
    """Encode what is missing of some clips.

    Args:
        clips: the encoder.
        opened: the clips.
        split: name of the split and of its folder in `output`.
        output: folder of the encoded set.
        indices: which clips.

    Yields:
        For each clip its file, and "encoded", "kept", or "corrupt: " with what is
        wrong.
    """
    folder = output / split
    folder.mkdir(parents=True, exist_ok=True)

    def read(index: int):
        """Return a clip's file, and record and frames if it is not there yet."""
        path = folder / opened.place(index)
        try:
            name = records.record_name(opened, index, _name_of(opened, index))
            path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.npz"
            if path.exists():
                return path, None
            record = opened.read(index)
            return path, (record, encoding.decode_clip(record))
        except (records.CorruptRecordError, KeyError) as error:
            return path, error

    for path, found in _read_ahead(read, indices):
        if found is None:
            yield path, "kept"
            continue
        try:
            if isinstance(found, Exception):
                raise found
            records.write_npz_record(path, clips.encode(*found, split))
        except (records.CorruptRecordError, KeyError) as error:
            yield path, f"corrupt: {split}/{path.name}: {error}"
            continue
        yield path, "encoded"


def _read_ahead(read, indices: Iterable[int]) -> Iterator[Any]:
    """Call `read` in one thread, a clip ahead. Ours: decoding leaves Python."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = collections.deque()
        for index in indices:
            waiting.append(pool.submit(read, index))
            if len(waiting) > 2:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _name_of(opened: records.Records, index: int) -> records.Record:
    return opened.read(index, [records.NAME_FIELD])


@functools.lru_cache(1)
def _clip_encoder(settings: Settings) -> encoding.ClipEncoder:
    """Load the encoder once for all shards of a process."""
    compilation_cache.enable()
    params, configs, _ = export.load_export(settings.checkpoint)
    sizes, face_params = encoding.take_face(params, configs, settings.checkpoint)
    encoder = encoders.make(settings.audio_encoder, settings.audio_weights)
    return encoding.ClipEncoder(sizes, face_params, encoder, settings.batch_size)


_open = functools.lru_cache(mixed_sets.open_folders)


def _sweep(output: pathlib.Path, splits: Sequence[str]) -> None:
    """Remove what killed attempts have left beside the files of an encoded set."""
    shard_folder.sweep(output)
    for split in splits:
        for torn in (output / split).glob(f"*{records.PARTIAL_SUFFIX}"):
            torn.unlink(missing_ok=True)

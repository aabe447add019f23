"""Sets of records, read at random: TFDS array_record folders, npz folders, lists."""

import dataclasses
import functools
import os
import pathlib
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from vasa_jax.errors import UserError

Record = dict[str, Any]

MAPPED_BYTES = 2**20
"""Size from which an array in an npz file is mapped rather than read. Ours: a training
example wants one frame of a clip's many."""

KEPT_RECORDS = 1024
"""Opened npz files whose small values stay in memory, in each process. Ours: parsing
thirty headers takes longer than making an example; the values of a clip of three
seconds are half a megabyte."""

PARTIAL_SUFFIX = ".writing"
"""Of npz files that are not whole yet. Ours."""

NAME_FIELD = "clip_id"
"""Field that names a record, where there is one. Ours."""


class CorruptRecordError(ValueError):
    """A record cannot be read; it is skipped, counted and named, and training goes on.

    Ours: in large sets some records are always damaged.
    """


class Records(Protocol):
    """What a set of records can do."""

    def __len__(self) -> int:
        """Return the number of records."""
        ...

    def read(self, index: int, fields: Sequence[str] | None = None) -> Record:
        """Read a record, or only some of its fields.

        Args:
            index: from 0.
            fields: names; None reads all.

        Returns:
            Values by name; texts are `str`.

        Raises:
            CorruptRecordError: it cannot be read.
        """
        ...

    def place(self, index: int) -> str:
        """Say where a record lies, for records that cannot be read."""
        ...


def record_name(records: Records, index: int, record: Mapping[str, Any]) -> str:
    """Return a record's own name, or its place where it has none."""
    return str(record.get(NAME_FIELD) or records.place(index))


class MissingSplitError(UserError):
    """A data set is there, and the split that was asked for is not."""


def _missing(folder, split: str, has: Sequence[str]) -> MissingSplitError:
    return MissingSplitError(
        f"The data set {folder} has no split {split!r}; it has "
        f"{', '.join(has) or 'none'}. Ask for one that it has, or build more clips, as "
        "a small set holds nobody out."
    )


class TfdsRecords:
    """A split of a TFDS data set in array_record files, read without TensorFlow.

    Args:
        folder: the version's folder, or one above it that holds only one version.
        split: such as `train`.

    Raises:
        UserError: no data set there, or several.
        MissingSplitError: no such split.
    """

    def __init__(self, folder: str | os.PathLike, split: str):
        # Imported late: it takes a second, and npz files are read without it.
        import tensorflow_datasets as tfds

        self._folder = _version_folder(pathlib.Path(folder))
        self._split = split
        builder = tfds.builder_from_directory(self._folder)
        if split not in builder.info.splits:
            raise _missing(self._folder, split, sorted(builder.info.splits))
        self._features = builder.info.features
        self._texts = {
            name
            for name, feature in self._features.items()
            if isinstance(feature, tfds.features.Text)
        }
        self._spec_of_part = tfds.features.FeaturesDict
        self._source = builder.as_data_source(split).data_source

    def __len__(self) -> int:
        return len(self._source)

    def read(self, index: int, fields: Sequence[str] | None = None) -> Record:
        """Read a record; see `Records.read`."""
        spec = self._features
        if fields is not None:
            spec = self._spec_of_part({name: spec[name] for name in fields})
        try:
            record = spec.deserialize_example_np(self._source[int(index)])
        # What a damaged file raises depends on the byte that is damaged.
        except Exception as error:
            raise CorruptRecordError(f"{self.place(index)}: {error}") from error
        return {
            name: value.decode() if name in self._texts else value
            for name, value in record.items()
        }

    def place(self, index: int) -> str:
        """Say where a record lies."""
        return f"{self._folder.name}/{self._split}[{index}]"


def _version_folder(folder: pathlib.Path) -> pathlib.Path:
    """Find the one folder with `features.json`, at or below the given one."""
    found = sorted(folder.rglob("features.json")) if folder.is_dir() else []
    if (folder / "features.json") in found:
        return folder
    if len(found) == 1:
        return found[0].parent
    if not found:
        raise UserError(
            f"There is no data set at {os.fspath(folder)!r}; give the folder that "
            "holds features.json."
        )
    raise UserError(
        f"{os.fspath(folder)!r} holds several data sets; give one of "
        f"{', '.join(str(path.parent) for path in found[:5])}."
    )


class NpzRecords:
    """A folder of npz files, a record each, in the order of their names.

    Ours: for sets that another program than a builder writes, such as encoded clips;
    `write_npz_record` makes them.

    Args:
        folder: searched for `*.npz`.

    Raises:
        UserError: there are none.
    """

    def __init__(self, folder: str | os.PathLike):
        self._paths = sorted(pathlib.Path(folder).glob("*.npz"))
        if not self._paths:
            raise UserError(f"There are no npz files in {os.fspath(folder)!r}.")

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, index: int, fields: Sequence[str] | None = None) -> Record:
        """Read a record; see `Records.read`."""
        try:
            path = self._paths[index]
            status = path.stat()
            held = _open_npz(path, status.st_mtime_ns, status.st_size)
            names = held if fields is None else fields
            values = {name: held[name] for name in names}
            return {
                name: value.open(path) if isinstance(value, _Mapped) else value
                for name, value in values.items()
            }
        # A damaged zip raises many things.
        except Exception as error:
            raise CorruptRecordError(f"{self.place(index)}: {error}") from error

    def place(self, index: int) -> str:
        """Say where a record lies."""
        return self._paths[index].name


def write_npz_record(path: str | os.PathLike, record: Mapping[str, Any]) -> None:
    """Write a record as `NpzRecords` reads it: beside, then renamed.

    Args:
        path: ends in `.npz`.
        record: arrays, numbers, texts and bytes by name.
    """
    path = pathlib.Path(path)
    # numpy cuts trailing zeros off bytes, but not off void.
    values = {k: np.void(v) if isinstance(v, bytes) else v for k, v in record.items()}
    # A name that no other attempt has: clusters repeat work, even at once.
    beside = path.with_name(uuid.uuid4().hex + PARTIAL_SUFFIX)
    with beside.open("wb") as file:
        np.savez(file, **values)
    beside.rename(path)


@dataclasses.dataclass(frozen=True)
class _Mapped:
    """Where a large array lies in a file, to be mapped when it is wanted."""

    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    is_fortran: bool

    def open(self, path: pathlib.Path) -> np.memmap:
        order = "F" if self.is_fortran else "C"
        return np.memmap(path, self.dtype, "r", self.offset, self.shape, order)


@functools.lru_cache(maxsize=KEPT_RECORDS)
def _open_npz(path: pathlib.Path, modified: int, size: int) -> Record:
    """Read the small values of a file and find the large ones; once for each file.

    Args:
        path: of the file.
        modified, size: of the file, so that another one at its place is read anew.

    Returns:
        Values by name, arrays read-only; `_Mapped` for the large ones.
    """
    del modified, size
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        return {name: _read_member(path, file, name) for name in file.files}


def _read_member(path: pathlib.Path, file: np.lib.npyio.NpzFile, name: str) -> Any:
    """Read a small value; find a large array."""
    info = file.zip.getinfo(f"{name}.npy")
    is_stored = info.compress_type == zipfile.ZIP_STORED
    if not is_stored or info.file_size < MAPPED_BYTES:
        return _plain_value(file[name])
    with path.open("rb") as raw:
        # Follows: ZIP, local file header: two lengths, then name and extra field.
        raw.seek(info.header_offset + 26)
        lengths = np.frombuffer(raw.read(4), "<u2")
        raw.seek(int(lengths.sum()), 1)
        np.lib.format.read_magic(raw)
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(raw)
        return _Mapped(dtype, raw.tell(), shape, is_fortran)


def _plain_value(value: np.ndarray) -> Any:
    if value.dtype.kind == "V" and value.ndim == 0:
        return value.tobytes()
    if value.dtype.kind in "UOS" and value.ndim == 0:
        return value.item()
    value.setflags(write=False)
    return value


class ListRecords:
    """Records that lie in memory.

    Args:
        records: dicts.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]]):
        self._records = [dict(record) for record in records]

    def __len__(self) -> int:
        return len(self._records)

    def read(self, index: int, fields: Sequence[str] | None = None) -> Record:
        """Read a record; see `Records.read`."""
        record = self._records[index]
        return dict(record) if fields is None else {k: record[k] for k in fields}

    def place(self, index: int) -> str:
        """Say where a record lies."""
        return f"record {index}"


def open_folder(folder: str | os.PathLike, split: str = "train") -> Records:
    """Open a folder of records of either kind.

    Args:
        folder: of a TFDS data set, or of npz files with a subfolder per split.
        split: such as `train`.

    Returns:
        The records.

    Raises:
        UserError: neither is there.
        MissingSplitError: the split is not.
    """
    folder = pathlib.Path(folder)
    splits = sorted({path.parent.name for path in folder.glob("*/*.npz")})
    if split in splits:
        return NpzRecords(folder / split)
    if splits:
        raise _missing(folder, split, splits)
    return TfdsRecords(folder, split)

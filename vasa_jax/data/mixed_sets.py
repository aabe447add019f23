"""Several sets of records read as one, each with its own people.

Ours: real and rendered clips, or sets made at different times, train one model without
being copied together.
"""

import pathlib
from collections.abc import Sequence

import numpy as np

from vasa_jax.data import records
from vasa_jax.errors import UserError

SEPARATOR = ","
"""Between the folders of a setting. Ours."""

OWN_NAMES = ("clip_id", "identity", "performance")
"""Fields that name something of one set alone: another set's may be called the same."""


class MixedRecords:
    """The records of several sets, one set after the other.

    Args:
        parts: the sets; texts in `OWN_NAMES` begin with the number of their set.
    """

    def __init__(self, parts: Sequence[records.Records]):
        self.parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in self.parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, index: int, fields: Sequence[str] | None = None) -> records.Record:
        """Read a record; see `records.Records.read`."""
        number, inside = self._find(index)
        record = self.parts[number].read(inside, fields)
        own = {name: f"{number}_{record[name]}" for name in OWN_NAMES if name in record}
        return record | own

    def place(self, index: int) -> str:
        """Say where a record lies."""
        number, inside = self._find(index)
        return self.parts[number].place(inside)

    def _find(self, index: int) -> tuple[int, int]:
        """Return the set's number and the index in it."""
        number = int(np.searchsorted(self._ends, index, side="right"))
        return number, int(index) - int(self._ends[number]) + len(self.parts[number])


def split_folders(text: str) -> list[str]:
    """Take the folders of a setting apart.

    Ours: a folder that exists is itself, whatever commas its name holds.

    Args:
        text: folders, with commas between them.

    Returns:
        At least one.

    Raises:
        UserError: a folder is missing or given twice.
    """
    pieces, folders = text.split(SEPARATOR), []
    while pieces:
        joined = (SEPARATOR.join(pieces[:count]) for count in range(1, len(pieces) + 1))
        existing = [name for name in joined if pathlib.Path(name.strip()).is_dir()]
        folder = existing[-1] if existing else pieces[0]
        folders.append(folder.strip())
        del pieces[: folder.count(SEPARATOR) + 1]
    if not all(folders) or len(set(folders)) < len(folders):
        raise UserError(
            f"The data sets are {text!r}; give folders, each once, with commas between "
            "them."
        )
    return folders


def open_folders(text: str, split: str = "train") -> records.Records:
    """Open one set, or several as one.

    Args:
        text: folders, with commas between them; see `records.open_folder`.
        split: such as `train`, which each set must have. Ours: of the others, which
            measure, one will do, so that a set of training people alone can join.

    Returns:
        The records.

    Raises:
        UserError: a set is not there.
        records.MissingSplitError: the split is not.
    """
    opened, missing = [], []
    for folder in split_folders(text):
        try:
            opened.append(records.open_folder(folder, split))
        except records.MissingSplitError as error:
            missing.append(error)
    if missing and (split == "train" or not opened):
        raise missing[0]
    return opened[0] if len(opened) == 1 else MixedRecords(opened)


def parts_of(opened: records.Records) -> tuple[records.Records, ...]:
    """Return the sets that are read as one, or the one there is."""
    return opened.parts if isinstance(opened, MixedRecords) else (opened,)

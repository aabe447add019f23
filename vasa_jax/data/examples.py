"""Examples drawn from records: one record each, or a pair of one identity.

An example is a function of (generator, index) alone, so that it can be made again, in
any process. A corrupt record is replaced by one drawn from the same generator, and
named in the example.
"""

import collections
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from vasa_jax import data
from vasa_jax.data import records as records_lib
from vasa_jax.errors import UserError

Example = dict[str, Any]

MAX_CORRUPT = 8
"""Corrupt records in a row after which training stops.

Ours: single damaged records are normal, eight at once are a damaged set or a mistake.
"""


class Examples(Protocol):
    """What can be drawn."""

    def __len__(self) -> int:
        """Return how many examples an epoch has."""
        ...

    def draw(self, rng: np.random.Generator, index: int) -> Example:
        """Return a dict of numpy arrays of fixed shapes, with the record's name."""
        ...


class RecordExamples:
    """One example per record.

    Args:
        records: where to read.
        make_example: takes (generator, record), returns arrays; raises `UserError` or
            `CorruptRecordError` where the record's content is broken.
    """

    def __init__(
        self,
        records: records_lib.Records,
        make_example: Callable[[np.random.Generator, records_lib.Record], Example],
    ):
        self._records = records
        self._make_example = make_example

    def __len__(self) -> int:
        return len(self._records)

    def draw(self, rng: np.random.Generator, index: int) -> Example:
        """Return the example of a record, or of another where it is corrupt."""

        def make(index: int) -> Example:
            record = self._records.read(index)
            name = records_lib.record_name(self._records, index, record)
            return {**self._make_example(rng, record), data.RECORD_FIELD: name}

        return _skip_corrupt(self._records, make, rng, index)


class PairExamples:
    """Examples from several records of one identity and one of another.

    Args:
        records: where to read; each has the field `identity`.
        make_example: takes (generator, records of one identity, a record of another),
            returns arrays; raises as in `RecordExamples`.
        num_same: records of the identity, the first of which the epoch goes through;
            an identity with fewer repeats them.
        match_field: choose the other record among those that agree with the first in
            this field, such as `performance`, where there are any.

    Raises:
        UserError: there are fewer than two identities.
    """

    def __init__(
        self,
        records: records_lib.Records,
        make_example: Callable[
            [np.random.Generator, list[records_lib.Record], records_lib.Record], Example
        ],
        num_same: int = 2,
        match_field: str | None = None,
    ):
        self._records = records
        self._make_example = make_example
        self._num_same = num_same
        self._identities = read_field(records, "identity")
        self._groups = group(self._identities)
        if len(self._groups) < 2:
            raise UserError(
                f"The records show {len(self._groups)} identities; pairs need at least "
                "2. Make a larger set."
            )
        self._names = sorted(self._groups)
        self._matches = read_field(records, match_field) if match_field else None
        self._alike = group(self._matches) if self._matches else {}

    def __len__(self) -> int:
        return len(self._records)

    def draw(self, rng: np.random.Generator, index: int) -> Example:
        """Return the pair that starts with a record."""

        def make(index: int) -> Example:
            chosen = self._choose_same(rng, index)
            same = [self._records.read(i) for i in chosen]
            other = self._records.read(self._choose_other(rng, index))
            name = records_lib.record_name(self._records, index, same[0])
            return {**self._make_example(rng, same, other), data.RECORD_FIELD: name}

        return _skip_corrupt(self._records, make, rng, index)

    def _choose_same(self, rng: np.random.Generator, index: int) -> list[int]:
        mates = [i for i in self._groups[self._identities[index]] if i != index]
        wanted = self._num_same - 1
        if len(mates) >= wanted:
            return [index, *rng.choice(mates, wanted, replace=False).tolist()]
        return [index, *rng.choice([*mates, index], wanted).tolist()]

    def _choose_other(self, rng: np.random.Generator, index: int) -> int:
        own = self._identities[index]
        if self._matches is not None:
            alike = [
                i
                for i in self._alike.get(self._matches[index], [])
                if self._identities[i] != own
            ]
            if alike:
                return int(rng.choice(alike))
        place = int(rng.integers(len(self._names) - 1))
        # The own identity gives its place to the last.
        name = self._names[place] if self._names[place] != own else self._names[-1]
        return int(rng.choice(self._groups[name]))


def read_field(records: records_lib.Records, field: str) -> list[Any]:
    """Read one small field of every record.

    Args:
        records: where to read.
        field: its name.

    Returns:
        The values in order; None where a record is corrupt.
    """
    values = []
    for index in range(len(records)):
        try:
            values.append(records.read(index, [field])[field])
        except records_lib.CorruptRecordError:
            values.append(None)
    return values


def group(values: list[Any]) -> dict[Any, list[int]]:
    """Return the indices at which each value stands; None stands for nothing."""
    groups = collections.defaultdict(list)
    for index, value in enumerate(values):
        if value is not None:
            groups[value].append(index)
    return dict(groups)


def _skip_corrupt(
    records: records_lib.Records,
    make: Callable[[int], Example],
    rng: np.random.Generator,
    index: int,
) -> Example:
    skipped: list[str] = []
    reasons: list[str] = []
    while True:
        try:
            example = make(index)
            return {**example, data.SKIPPED_FIELD: "\n".join(skipped)}
        except (records_lib.CorruptRecordError, UserError) as error:
            skipped.append(records.place(index))
            reasons.append(str(error))
        if len(skipped) == MAX_CORRUPT:
            raise UserError(
                f"{MAX_CORRUPT} records in a row cannot be read ({skipped[0]}: "
                f"{reasons[0][:300]}); check the data set."
            )
        index = int(rng.integers(len(records)))

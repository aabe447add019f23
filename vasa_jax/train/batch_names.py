"""Names that come with a batch, and stay on the host."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from vasa_jax import data
from vasa_jax.train.task import Batch


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchNames:
    """Names that came with a batch.

    Attributes:
        records: of each row; empty when the data has no names.
        skipped: corrupt records that were replaced.
    """

    records: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def split_names(batch: Mapping[str, Any]) -> tuple[Batch, BatchNames]:
    """Take the names out of a batch; the rest can go to the devices.

    Args:
        batch: from the data iterator.

    Returns:
        The arrays, and the names.
    """
    arrays = dict(batch)
    records = np.ravel(arrays.pop(data.RECORD_FIELD, []))
    skipped = np.ravel(arrays.pop(data.SKIPPED_FIELD, []))
    return arrays, BatchNames(
        records=tuple(str(name) for name in records),
        skipped=tuple(name for text in skipped for name in str(text).splitlines()),
    )

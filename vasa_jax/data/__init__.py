"""From records to batches: `records`, `examples`, then `pipeline` or `stepwise`.

A set of records is read at random (`records`); an example is drawn from one record or
from several of one identity (`examples`); batches come through Grain (`pipeline`) or,
for plain arrays where Grain is not installed, without it (`stepwise`).
"""

RECORD_FIELD = "record"
"""Batch field with the name of each row's record; it stays on the host."""

SKIPPED_FIELD = "skipped_records"
"""Batch field with the names of the corrupt records in whose place a row stands."""

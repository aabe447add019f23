"""From records to batches: `records`, `examples`, then `pipeline`.

A set of records is read at random (`records`), or several sets as one (`mixed_sets`);
an example is drawn from one record or from several of one identity (`examples`);
batches come through Grain (`pipeline`), from worker processes where a run has them
(`worker_processes`).
"""

RECORD_FIELD = "record"
"""Batch field with the name of each row's record; it stays on the host."""

SKIPPED_FIELD = "skipped_records"
"""Batch field with the names of the corrupt records in whose place a row stands."""

"""Batches through Grain: shuffled, seeded, and resumed at the exact position.

Ours: each process takes every n-th batch of one global order, so that the rows of a
step do not depend on the number of processes.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import jax
import numpy as np
from absl import flags

from vasa_jax import config
from vasa_jax.data import examples as examples_lib
from vasa_jax.data import worker_processes
from vasa_jax.errors import UserError

PREFETCH_BATCHES = 2
"""Made ahead in each process that has threads. Ours: one being taken, one being made;
more fill memory and hide no longer wait."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """How batches are made, which does not change what they hold.

    Attributes:
        num_workers: processes that decode; 0 decodes in this process. Part of the saved
            position: a run resumes with as many.
        num_threads: threads of each process; 0 decodes when a batch is asked for.
        on_worker_death: when a worker process dies, `stop` ends the run with a
            sentence, `restart` says so and goes on with new workers, batch for batch.
    """

    # Ours: decoding leaves Python for FFmpeg, so that threads serve few cores.
    num_workers: int = 0
    num_threads: int = 1
    on_worker_death: Literal["stop", "restart"] = "stop"

    def __post_init__(self) -> None:
        for name in ("num_workers", "num_threads"):
            value = getattr(self, name)
            config.require(
                value >= 0,
                f"PipelineConfig.{name} is {value}; give 0 or more.",
            )


class GrainBatches:
    """A Grain iterator with a position that names what it depends on.

    Args:
        dataset: a `grain.IterDataset` of this process's batches.
        layout: what the position depends on, such as the number of workers.
    """

    def __init__(self, dataset: Any, layout: dict[str, int]):
        self._iterator = iter(dataset)
        self._layout = layout

    def __iter__(self) -> "GrainBatches":
        return self

    def __next__(self) -> dict[str, Any]:
        return next(self._iterator)

    def get_state(self) -> dict[str, Any]:
        """Return the position, which JSON can hold."""
        return {"layout": self._layout, "grain": self._iterator.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to a position that `get_state` returned.

        Raises:
            UserError: the position was saved with other numbers.
        """
        if state["layout"] != self._layout:
            raise UserError(
                f"The data position was saved with {state['layout']} and this run has "
                f"{self._layout}; resume with the same numbers."
            )
        self._iterator.set_state(state["grain"])

    def close(self) -> None:
        """End the threads and processes."""
        self._iterator.close()


def _draw(examples: examples_lib.Examples) -> Any:
    def draw(index: int, rng: np.random.Generator) -> examples_lib.Example:
        return examples.draw(rng, int(index))

    return draw


def training_batches(
    examples: examples_lib.Examples,
    *,
    batch_size: int,
    seed: int,
    settings: PipelineConfig,
) -> GrainBatches | worker_processes.WorkerBatches:
    """Shuffle without end; each row's randomness comes from the seed and its place.

    Args:
        examples: what to draw from.
        batch_size: rows over all processes.
        seed: of order and randomness.
        settings: workers and threads.

    Returns:
        An iterator of this process's batches.

    Raises:
        UserError: no examples, or the rows do not divide by the processes.
    """
    check(examples, batch_size, jax.process_count())
    make = functools.partial(_grain_batches, examples, batch_size, seed, settings)
    if settings.num_workers:
        return worker_processes.WorkerBatches(make, settings.on_worker_death)
    return make()


def _grain_batches(
    examples: examples_lib.Examples,
    batch_size: int,
    seed: int,
    settings: PipelineConfig,
) -> GrainBatches:
    # Imported late: it takes a second, and evaluation needs none of it.
    import grain

    _let_grain_read_its_flags()
    processes = jax.process_count()
    dataset = (
        grain.MapDataset.range(len(examples))
        .seed(seed)
        .shuffle()
        .repeat()
        .random_map(_draw(examples))
        # Batched here, or the batches would depend on the number of workers.
        .batch(batch_size // processes, drop_remainder=True)
        .slice(slice(jax.process_index(), None, processes))
        .to_iter_dataset(
            grain.ReadOptions(
                num_threads=settings.num_threads,
                prefetch_buffer_size=PREFETCH_BATCHES if settings.num_threads else 0,
            )
        )
    )
    if settings.num_workers:
        dataset = dataset.mp_prefetch(
            grain.MultiprocessingOptions(
                num_workers=settings.num_workers, per_worker_buffer_size=1
            ),
            worker_init_fn=_start_worker,
        )
    layout = {
        "num_workers": settings.num_workers,
        "processes": processes,
        "batch_size": batch_size,
        "examples": len(examples),
        "seed": seed,
    }
    return GrainBatches(dataset, layout)


def _let_grain_read_its_flags() -> None:
    """Let Grain's own absl flags be read in a program that parses no flags.

    Ours: Grain 0.2.17 and newer reads one when workers start, which absl refuses before
    parsing. Marked as present, they hold their defaults, and what a program that parses
    later is told; the program's own flags stay as they are.
    """
    for module, found in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith("grain."):
            for flag in found:
                flag.present = max(flag.present, 1)


def _start_worker(index: int, count: int) -> None:
    del index, count
    worker_processes.follow_parent()


def evaluation_batches(
    examples: examples_lib.Examples, *, batch_size: int, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Go once through the examples in a fixed order, always the same.

    Ours: shuffled once, so that the first batches already show many identities.

    Args:
        examples: what to draw from.
        batch_size: rows over all processes; what is left over is dropped.
        seed: of order and randomness.

    Returns:
        An iterator of this process's batches.

    Raises:
        UserError: fewer examples than a batch, or the rows do not divide by the
            processes.
    """
    processes = jax.process_count()
    check(examples, batch_size, processes)
    if len(examples) < batch_size:
        raise UserError(
            f"The evaluation data has {len(examples)} examples, fewer than the batch "
            f"size {batch_size}; give a smaller batch or more data."
        )
    share = batch_size // processes
    make_part = batch_maker(examples, batch_size=share, seed=seed)
    whole = len(examples) // batch_size * processes
    return (make_part(part) for part in range(jax.process_index(), whole, processes))


def batch_maker(
    examples: examples_lib.Examples, *, batch_size: int, seed: int
) -> Callable[[int], dict[str, Any]]:
    """Return the function from a batch's number to the batch, shuffled by epoch.

    Ours: as a pure function, any process makes any batch.

    Args:
        examples: what to draw from.
        batch_size: rows.
        seed: of order and randomness.

    Returns:
        From a number, 0 or more, to a dict of numpy arrays.
    """
    size = len(examples)

    @functools.lru_cache(maxsize=4)
    def order(epoch: int) -> np.ndarray:
        return np.random.default_rng((seed, 0, epoch)).permutation(size)

    def make_batch(number: int) -> dict[str, Any]:
        rows = []
        for place in range(number * batch_size, (number + 1) * batch_size):
            rng = np.random.default_rng((seed, 1, place))
            index = int(order(place // size)[place % size])
            rows.append(examples.draw(rng, index))
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    return make_batch


def check(examples: examples_lib.Examples, batch_size: int, processes: int) -> None:
    """Refuse an empty set, and a batch that the processes cannot share.

    Args:
        examples: what to draw from.
        batch_size: rows over all processes.
        processes: of the run.

    Raises:
        UserError: one of the two.
    """
    if len(examples) == 0:
        raise UserError("The data set is empty; make it first.")
    if batch_size % processes:
        raise UserError(
            f"The batch size {batch_size} is not a multiple of {processes} processes; "
            "give a multiple."
        )

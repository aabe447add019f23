"""Batches of examples that are cut from encoded clips."""

from collections.abc import Callable, Iterator

import numpy as np

from vasa_jax.data import examples, pipeline, records
from vasa_jax.train import experiment
from vasa_jax.train import task as task_lib

MakeBatches = Callable[[], Iterator[task_lib.Batch]]


def of_clips(
    clips: records.Records,
    open_held_out: Callable[[], records.Records],
    make_example: Callable[[np.random.Generator, records.Record], examples.Example],
    train: experiment.TrainConfig,
    data: pipeline.PipelineConfig,
) -> tuple[MakeBatches, MakeBatches]:
    """Return what makes batches to train on and to evaluate by.

    Args:
        clips: to train on.
        open_held_out: opens those to evaluate by, when they are first asked for.
        make_example: cuts an example from a clip.
        train: the run: its seed and batch size.
        data: workers and threads.
    """

    def train_data() -> Iterator[task_lib.Batch]:
        return pipeline.training_batches(
            examples.RecordExamples(clips, make_example),
            batch_size=train.batch_size,
            seed=train.seed,
            settings=data,
        )

    def evaluation_data() -> Iterator[task_lib.Batch]:
        return pipeline.evaluation_batches(
            examples.RecordExamples(open_held_out(), make_example),
            batch_size=train.batch_size,
        )

    return train_data, evaluation_data

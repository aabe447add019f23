"""All that a run needs: what is trained, on what, for how long, and what it leaves."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import optax

from vasa_jax import config
from vasa_jax.train import optimizer
from vasa_jax.train.task import Batch, Params, Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The run around the model.

    Attributes:
        seed: of parameters, steps and data.
        batch_size: rows a step, over all processes and accumulation steps.
        num_steps: length of the run, and of the learning rate's schedule.
        accumulation_steps: parts of the batch that are computed one after another.
        log_every_steps: steps a metric line stands for.
        evaluate_every_steps: None evaluates only at the end.
        evaluate_batches: batches an evaluation reads at most; None reads all.
        save_every_steps: steps that a kill may cost at most.
        peak_teraflops: of one device, 1e12 operations a second, for the share of peak;
            None takes the data sheet's, where the device is known.
    """

    # Ours: the paper gives neither seeds nor intervals.
    seed: int = 0
    batch_size: int = 16
    num_steps: int = 1000
    accumulation_steps: int = 1
    log_every_steps: int = 10
    evaluate_every_steps: int | None = 500
    evaluate_batches: int | None = 8
    save_every_steps: int = 250
    peak_teraflops: float | None = None

    def __post_init__(self) -> None:
        config.require_positive(
            self,
            "batch_size",
            "num_steps",
            "accumulation_steps",
            "log_every_steps",
            "evaluate_every_steps",
            "evaluate_batches",
            "save_every_steps",
            "peak_teraflops",
        )
        config.require(
            self.batch_size % self.accumulation_steps == 0,
            f"TrainConfig.batch_size {self.batch_size} is not a multiple of "
            f"accumulation_steps {self.accumulation_steps}; give one that is.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
    """All that `loop.run` needs, as `build(config)` of an experiment file gives it.

    Attributes:
        name: such as `face`; first part of metric names.
        task: what is trained.
        settings: the run around it.
        optimizers: settings for each group that has a loss.
        train_data: makes an endless iterator of batches: dicts of numpy arrays
            `[B / processes, ...]`, with the names of the records under `record`; it has
            `get_state` and `set_state` (JSON-able), and maybe `close`.
        evaluation_data: makes an iterable of batches, the same each time; None is off.
        evaluate: pure function of (params, batch, key) that returns metric states
            (`vasa_jax.train.metric_states`) by name.
        report: called after each evaluation, in process 0, with (params, step, folder)
            to write pictures there; may return more metrics.
        model_configs: configurations that an export holds, by name.
        export_groups: groups that an export holds.
        frames_per_example: video frames that a row stands for, for the frame rate.
        card: Markdown about data and use, for the model card of an export.
    """

    name: str
    task: Task
    settings: TrainConfig
    optimizers: Mapping[str, optimizer.OptimizerConfig]
    train_data: Callable[[], Iterator[Batch]]
    evaluation_data: Callable[[], Iterable[Batch]] | None = None
    evaluate: Callable[[Params, Batch, Any], dict[str, Any]] | None = None
    report: Callable[[Params, int, pathlib.Path], Mapping[str, float] | None] | None = (
        None
    )
    model_configs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    export_groups: tuple[str, ...] = ()
    frames_per_example: int = 1
    card: str = ""

    def __post_init__(self) -> None:
        for group in self.task.losses:
            if group not in self.optimizers:
                raise config.unknown_name(group, self.optimizers, "optimizer group")
            warmup_steps = self.optimizers[group].warmup_steps
            config.require(
                warmup_steps < self.settings.num_steps,
                f"The optimizer of {group!r} has {warmup_steps} warmup_steps; give "
                f"less than train.num_steps, which is {self.settings.num_steps}.",
            )

    def optimizer_of(self, group: str, params: Any) -> optax.GradientTransformation:
        """Return the optimizer of a group for the length of this run."""
        return optimizer.make(self.optimizers[group], self.settings.num_steps, params)

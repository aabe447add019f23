"""Generate a benchmark under some settings, and score what was made.

Paper: VASA-1 section 4.1: three samples of each voice, whose scores are averaged.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from vasa_jax import errors
from vasa_jax.evaluation.benchmark import scoring, video_generator
from vasa_jax.evaluation.metrics.definition import Metric
from vasa_jax.evaluation.report import score_report

Progress = Callable[[str, Sequence, Iterator], Iterator]
"""Wraps an iterator with a bar: its name, the items, the iterator."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """What was generated and found.

    Attributes:
        pairs: the videos with their references.
        report: of them.
        left_out: why items could not be generated, by name.
    """

    pairs: tuple[scoring.Pair, ...]
    report: score_report.Report
    left_out: Mapping[str, str]


def run(
    generator: video_generator.Generator,
    items: Sequence[video_generator.Item],
    metrics: Sequence[Metric],
    *,
    cache_dir: pathlib.Path,
    num_samples: int = video_generator.NUM_SAMPLES,
    num_workers: int = 1,
    progress: Progress = lambda label, items, iterator: iterator,
) -> Made:
    """Generate all items and score them by all metrics whose needs are met.

    Ours: an item whose portrait shows no face is left out by name, as is a frame that
    shows none, because a long run should not end at one of them.

    Args:
        generator: with the settings.
        items: of the benchmark.
        metrics: in the order of the report; those that cannot be measured say why.
        cache_dir: existing folder for what was found.
        num_samples: of each item.
        num_workers: processes that measure.
        progress: shows how far it is.

    Raises:
        UserError: no item could be generated, or a file cannot be read.
    """
    pairs, left_out = [], {}
    for item in progress("generate", items, iter(items)):
        try:
            pairs += generator.make(item, num_samples)
        except errors.UserError as error:
            left_out[item.name] = str(error)
    if not pairs:
        name, reason = next(iter(left_out.items()))
        raise errors.UserError(
            f"None of the {len(items)} lines of the benchmark could be generated; the "
            f"first, {name}: {reason}"
        )
    unmet = find_unmet(metrics, any(pair.reference for pair in pairs))
    rules = scoring.Rules(
        metrics=tuple(metric for metric in metrics if metric.name not in unmet),
        cache_dir=cache_dir,
        max_missing=1.0,
    )
    found = scoring.score_all(pairs, rules, num_workers, progress)
    report = score_report.summarise(
        metrics, unmet, scoring.average_samples(pairs, found), {}
    )
    return Made(pairs=tuple(pairs), report=report, left_out=left_out)


def find_unmet(metrics: Sequence[Metric], has_references: bool) -> dict[str, str]:
    """Say what metrics need that was not given, by name."""
    unmet = {}
    for metric in metrics:
        reason = metric.needs.unmet()
        if reason is None and metric.needs.reference and not has_references:
            reason = "needs references"
        if reason is not None:
            unmet[metric.name] = reason
    return unmet

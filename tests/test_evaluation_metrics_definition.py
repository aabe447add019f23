"""States merge, clips are summed up, and reports say what was found."""

import dataclasses
import json

import numpy as np
import pytest

from vasa_jax.evaluation.benchmark.scoring import ClipResult
from vasa_jax.evaluation.metrics import (
    definition,
)
from vasa_jax.evaluation.metrics.definition import Measured, Row, Score
from vasa_jax.evaluation.report import score_report


def test_the_interval_holds_the_mean_and_is_a_point_for_equal_clips():
    values = np.random.default_rng(2).normal(5, 1, 30)
    low, high = definition.interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 30**0.5, rel=0.2)
    assert definition.interval(np.full(4, 3.0)) == (3.0, 3.0)


@dataclasses.dataclass(frozen=True)
class Known(definition.PerClip):
    """A metric whose rows are given."""

    rows: dict[str, Row]
    name: str = "known"


def report_of(rows, clips):
    results = {
        f"{number:04d}": ClipResult(measured={"known": Measured(scores=scores)})
        for number, scores in enumerate(clips)
    }
    return score_report.summarise([Known(rows)], results, {"split": "test"})


def test_a_ratio_is_of_means_and_does_not_favour_truths_that_hardly_move():
    generator = np.random.default_rng(5)
    model, truth = generator.uniform(0.2, 4, (2, 400))
    row = Row(group="One", title="Deviation", aim="", is_ratio=True)
    clips = [{"a": Score(m, 0.0, t)} for m, t in zip(model, truth, strict=True)]
    found = report_of({"a": row}, [*clips, {"a": Score(9.0, 0.0)}, {}])
    ratio = found.lines["a"].summary
    assert (model / truth).mean() > 1.4
    assert ratio.mean == pytest.approx(model.mean() / truth.mean())
    assert ratio.low < ratio.mean < ratio.high
    assert ratio.high - ratio.low < 0.3
    assert (ratio.floor, ratio.ceiling, ratio.num_clips) == (0, 1, 400)
    nothing = report_of({"a": row}, [{"a": Score(1.0, 0.0, 0.0)}])
    assert nothing.lines["a"].summary.mean is None
    assert "| Deviation | not measured" in score_report.to_markdown(nothing)


def test_a_sentence_names_some_clips_and_counts_the_others():
    rows = {"a": Row(group="One", title="Turn"), "b": Row(group="One", title="Face")}
    clips = [{"b": Score(1.0)}] * 12 + [{"a": Score(1.0), "b": Score(1.0)}]
    report = report_of(rows, clips)
    assert len(report.lines["a"].left_out) == 12
    (sentence,) = score_report.left_out(report)
    assert sentence.startswith("One: Turn: 0000, 0001, ")
    assert sentence.endswith("0007 and 4 more: it does not apply")


def test_takes_of_a_clip_are_averaged_where_they_are_known():
    takes = [
        {"a": Score(1.0, np.nan, 3.0), "b": Score(np.nan)},
        {"a": Score(2.0, 0.0, 5.0), "b": Score(np.nan)},
    ]
    found = definition.average([Measured(scores=take) for take in takes]).scores
    assert found["a"] == Score(1.5, 0.0, 4.0)
    assert np.isnan(found["b"]).all()


def test_a_table_says_what_was_not_measured_and_json_holds_infinity(tmp_path):
    def row(group, title, unit="", aim=""):
        return Row(group=group, title=title, unit=unit, aim=aim, floor="a copy")

    rows = {"a": row("One", "PSNR", "dB", "above 24"), "b": row("Two", "Features")}
    clips = [
        {"a": Score(20.0, np.inf)},
        {"a": Score(22.0, np.inf)},
        {"a": Score(np.nan)},
    ]
    text = score_report.write_report(tmp_path / "m.json", report_of(rows, clips))
    assert text == (tmp_path / "m.md").read_text()
    head = "### One\n\n| | score (95 %) | the reference | a copy | aim | clips |"
    assert text.startswith(head)
    assert "| PSNR, dB | 21.00 (20.00 to 22.00) | - | inf | above 24 | 2 |" in text
    assert "| Features | not measured: no clip could be | - | - |  | 0 |" in text
    assert "- One: PSNR: 0002: too few of its frames can be measured" in text
    assert "Features: 0" not in text
    stored = json.loads((tmp_path / "m.json").read_text())
    assert stored["rows"]["a"]["floor"] == "inf"
    assert stored["rows"]["a"]["num_clips"] == 2
    assert stored["about"] == {"split": "test"}


def measured(values):
    score = definition.Score(*map(float, values))
    return definition.Measured(scores={"m": score})


def states(count):
    values = np.random.default_rng(5).normal(3.0, 1.0, (count, 3))
    return {f"clip{i:02d}": measured(values[i]) for i in range(count)}


def test_shards_in_any_order_give_bit_for_bit_what_one_process_gives():
    clips = states(11)
    whole = definition.summarise(definition.State(clips).scores("m"))
    merged = definition.State()
    for shard in (slice(2, None, 3), slice(0, None, 3), slice(1, None, 3)):
        part = definition.State(dict(list(clips.items())[shard]))
        merged = part.merge(merged)
    assert definition.summarise(merged.scores("m")) == whole
    assert whole.low < whole.mean < whole.high
    assert whole.num_clips == 11
    with pytest.raises(ValueError, match="in both parts"):
        merged.merge(merged)


def test_clips_that_were_left_out_are_not_known_and_have_no_scores():
    out = definition.Measured(left_out="it has no sound")
    state = definition.State({"b": measured([1, 2, 3]), "a": out})
    assert state.known() == [state.clips["b"]]
    assert list(state.scores("m")) == ["b"]


def test_floor_and_ceiling_are_of_the_clips_that_the_mean_is_of():
    scores = {
        "a": definition.Score(1.0, 0.0, 5.0),
        "b": definition.Score(np.nan, 100.0, 100.0),
        "c": definition.Score(3.0, 0.2),
    }
    found = definition.summarise(scores)
    assert (found.mean, found.floor, found.ceiling) == (2.0, 0.1, 5.0)
    assert (found.num_clips, found.num_floors, found.num_ceilings) == (2, 2, 1)
    assert list(found.values) == ["a", "c"]


def test_one_clip_has_no_interval_and_none_no_mean():
    one = definition.summarise({"a": definition.Score(2.0)})
    assert (one.mean, one.low, one.num_clips) == (2.0, None, 1)
    assert definition.summarise({}) == definition.Summary()

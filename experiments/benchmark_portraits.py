"""Measure on photographs what a checkpoint makes of them, kind by kind of portrait.

    python -m experiments.benchmark_portraits --portraits_dir=FOLDER --voices=SPEECH \
        --list=experiments/portraits_of_nobody.tsv --output=report/

A list names validation portraits and their kinds; without one every picture of the
folder is measured. Writes `report.json`, `report.md`, `report.html` with short clips
and `sheets/`; every row stands beside copying the source. A stopped run goes on, and
pictures that cannot be used are named and left out. With --exactly_moved the motion
moves the photograph itself, by a mesh, which no renderer can be asked to surpass.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Collection
from typing import Any

import tqdm
from absl import flags, logging

from experiments.running import folders, program
from experiments.running.exactly_moved import ExactPerformer
from vasa_jax import compilation_cache, config, errors
from vasa_jax.evaluation.benchmark import (
    portrait_list,
    portrait_runner,
    scoring,
    video_clip,
)
from vasa_jax.evaluation.benchmark.driven_videos import Performer
from vasa_jax.evaluation.metrics.definition import State
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.evaluation.report import portrait_report, score_report

PORTRAITS_DIR = flags.DEFINE_string(
    "portraits_dir", None, "Folder of pictures.", required=True
)
VOICES = flags.DEFINE_string(
    "voices", None, "Folder, glob, or one sound file.", required=True
)
OUTPUT = flags.DEFINE_string("output", None, "Folder of the report.", required=True)
CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Folder of both models; the shipped one if left."
)
LIST = flags.DEFINE_string(
    "list", None, "Tab-separated names and kinds; all pictures if left."
)
NUM_PORTRAITS = flags.DEFINE_integer(
    "num_portraits", None, "Spread over kinds; all if left.", lower_bound=1
)
NUM_CONTROLS = flags.DEFINE_integer(
    "num_controls", None, "Of them with controls; all if left.", lower_bound=0
)
NUM_DERIVED = flags.DEFINE_integer(
    "num_derived",
    portrait_report.FEW,
    "Made greyscale, dark and small, each out of so many portraits.",
    lower_bound=0,
)
NUM_VOICES = flags.DEFINE_integer("num_voices", 2, "Of a portrait.", lower_bound=1)
SECONDS = flags.DEFINE_float("seconds", 10.0, "Of a voice, at most.", lower_bound=1.0)
CONTROL_SECONDS = flags.DEFINE_float(
    "control_seconds", 2.0, "Of a voice, for each control.", lower_bound=0.4
)
SEED = flags.DEFINE_integer("seed", 0, "Of the first performance.", lower_bound=0)
IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", None, "Side of the frames, pixels; the checkpoint's if left."
)
IDENTITY_WEIGHTS = flags.DEFINE_string(
    "identity_weights", None, "MobileFaceNet as ONNX; a row less if left."
)
EXPRESSION_WEIGHTS = flags.DEFINE_string(
    "expression_weights", None, "model_optimized.tflite of facex; rows less if left."
)
FILMED = flags.DEFINE_string(
    "filmed", None, "Videos of people who speak, whose movement stands beside."
)

EXACTLY_MOVED = flags.DEFINE_bool(
    "exactly_moved", False, "Move photographs by their mesh, not by the renderer."
)

SOUND_SUFFIXES = (".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a", ".aac")
"""Of the files in a folder that are taken for voices."""


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    logging.set_verbosity(logging.ERROR)
    listed = None if LIST.value is None else portrait_list.read(LIST.value)
    items = portrait_list.find(
        pathlib.Path(PORTRAITS_DIR.value),
        listed,
        NUM_PORTRAITS.value,
        NUM_CONTROLS.value,
        NUM_DERIVED.value,
    )
    settings = portrait_runner.Settings(
        voices=tuple(find_voices(VOICES.value)),
        num_voices=NUM_VOICES.value,
        num_seconds=SECONDS.value,
        control_seconds=min(CONTROL_SECONDS.value, SECONDS.value),
        seed=SEED.value,
        image_size=IMAGE_SIZE.value,
    )
    filmed_paths = [] if FILMED.value is None else video_clip.find_videos(FILMED.value)
    networks, expression = read_networks()
    files = [one.value for one in (IDENTITY_WEIGHTS, EXPRESSION_WEIGHTS) if one.value]
    compilation_cache.enable()
    output = folders.make(pathlib.Path(OUTPUT.value))
    runner = portrait_runner.Runner(
        CHECKPOINT.value,
        output,
        settings,
        networks,
        files,
        expression,
        ExactPerformer if EXACTLY_MOVED.value else Performer,
    )
    results, left_out = measure_all(runner, items)
    filmed = mean_filmed(filmed_paths, output / "found")
    originals = {item.name for item in items if item.derived is None}
    about = {
        "portraits": len(originals & set(results)),
        "derived": len(set(results) - originals),
        "left_out": left_out,
        "voices": len(settings.voices),
        **{
            flag.name: pathlib.Path(flag.value).name
            for flag in (CHECKPOINT, LIST, FILMED)
            if flag.value is not None
        },
        **{
            flag.name: flag.value
            for flag in (NUM_VOICES, SECONDS, CONTROL_SECONDS, SEED, EXACTLY_MOVED)
        },
        "num_filmed": len(filmed_paths),
    }
    report, kinds = summarise(results, originals, filmed, about)
    print(write(output, report, kinds, results))
    return 0


def read_networks() -> tuple[dict[str, Any], face_recognition.ExpressionNetwork | None]:
    """Return the networks that know persons, by name, and the one of expressions.

    Raises:
        UserError: a file of weights cannot be used.
    """
    networks: dict[str, Any] = {"dlib": face_recognition.IdentityNetwork()}
    if IDENTITY_WEIGHTS.value is not None:
        networks["mobile"] = face_recognition.MobileIdentity(IDENTITY_WEIGHTS.value)
    if EXPRESSION_WEIGHTS.value is None:
        return networks, None
    return networks, face_recognition.ExpressionNetwork(EXPRESSION_WEIGHTS.value)


def measure_all(
    runner: portrait_runner.Runner, items: list[portrait_list.Portrait]
) -> tuple[dict[str, portrait_runner.Result], dict[str, str]]:
    """Measure portraits one after another.

    Returns:
        Results by name, and why others were left out.

    Raises:
        UserError: none could be measured.
    """
    results, left_out = {}, {}
    for index, item in enumerate(tqdm.tqdm(items, desc="measure", unit="portrait")):
        try:
            results[item.name] = runner.measure(item, index)
        except errors.UserError as error:
            left_out[item.name] = str(error)
            tqdm.tqdm.write(f"warning: {item.name} is left out: {error}", sys.stderr)
    if not results:
        name, reason = next(iter(left_out.items()))
        raise errors.UserError(
            f"None of {len(items)} portraits could be measured; the first, {name}: "
            f"{reason}"
        )
    return results, left_out


def summarise(
    results: dict[str, portrait_runner.Result],
    originals: Collection[str],
    filmed: dict[str, float],
    about: dict[str, Any],
) -> tuple[score_report.Report, dict[str, portrait_report.KindSummary]]:
    """Summarise what was measured, over the originals and kind by kind.

    Args:
        results: by name.
        originals: names of the portraits that were not made out of others.
        filmed: as of `mean_filmed`.
        about: what the report says of itself.
    """
    metric = portrait_report.Photographs(num_seconds=SECONDS.value)
    measured = {
        name: portrait_report.beside_filmed(result.measured, filmed)
        for name, result in results.items()
    }
    report = score_report.summarise(
        [metric],
        {
            name: scoring.ClipResult(measured={metric.name: one})
            for name, one in measured.items()
            if name in originals
        },
        about,
    )
    kinds = portrait_report.summarise_kinds(
        metric,
        State(measured),
        {
            kind: [name for name, one in results.items() if kind in one.kinds]
            for kind in (*portrait_list.KINDS, *portrait_list.DERIVED_KINDS)
        },
    )
    return report, kinds


def mean_filmed(paths: list[pathlib.Path], folder: pathlib.Path) -> dict[str, float]:
    """Return the mean movement of filmed people, by row; empty without any."""
    shown = tqdm.tqdm(paths, desc="filmed", unit="video", disable=not paths)
    found = list(portrait_runner.measure_filmed(shown, SECONDS.value, folder))
    if not found:
        return {}
    return {key: sum(one[key] for one in found) / len(found) for key in found[0]}


def find_voices(pattern: str) -> list[pathlib.Path]:
    """Return the sound files of a folder, a glob, or a file name, in order.

    Raises:
        UserError: there are none.
    """
    given = pathlib.Path(pattern)
    if given.is_dir():
        found = [p for p in given.iterdir() if p.suffix.lower() in SOUND_SUFFIXES]
    elif any(sign in given.name for sign in "*?[") and not given.exists():
        found = list(given.parent.glob(given.name))
    else:
        found = [given]
    found = sorted(path for path in found if path.is_file())
    config.require(
        bool(found),
        f"There are no voices in {pattern!r}; name a folder, a glob or one file "
        f"({', '.join(SOUND_SUFFIXES)}).",
    )
    return found


def write(
    output: pathlib.Path,
    report: score_report.Report,
    kinds: dict[str, portrait_report.KindSummary],
    results: dict[str, portrait_runner.Result],
) -> str:
    """Write the report's files, each whole; return the tables."""
    about = report.about
    rows = {key: line.row for key, line in report.lines.items()}
    summaries = {key: line.summary for key, line in report.lines.items()}
    text = "\n".join(
        [
            f"{about['portraits']} portraits, {about['voices']} voices, "
            f"{about['num_voices']} a portrait of {about['seconds']:g} s at most.\n",
            score_report.to_markdown(report),
            portrait_report.kinds_to_markdown(rows, summaries, kinds),
            *(
                f"- {name} is left out: {why}"
                for name, why in about["left_out"].items()
            ),
        ]
    )
    portrait_report.write_sheets(output, list(results))
    title = f"What a checkpoint makes of {about['portraits']} photographs"
    plain = {kind: dataclasses.asdict(one) for kind, one in kinds.items()}
    score_report.write(
        {
            output / "report.json": score_report.to_json(report, kinds=plain),
            output / "report.md": text + "\n",
            output / "report.html": portrait_report.to_html(
                title, text, results, about["left_out"]
            ),
        }
    )
    return text


if __name__ == "__main__":
    program.run(main)

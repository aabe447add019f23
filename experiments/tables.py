"""Fill the paper's five tables, and its successor's, for a checkpoint on a benchmark.

    python -m experiments.tables --benchmark=vox2_test/mp4 --output=tables/
    python -m experiments.tables --data_dir=HEADS --num_clips=12 --output=tables/

A benchmark is a list as `experiments.evaluate` takes it, or a folder of real videos
(VoxCeleb2's test split, clips of a minute, one's own). Table 1 is VoxCeleb2's, 2 that
of OneMin-32; 3 and 4 ask how CAPP answers to real video whose movement is shifted or
scaled; 5 is about guidance and steps, and generates for each of its seven settings:
`--num_ablation_clips` has it take fewer clips; 6 has the row of the paper's successor
on HDTF. The originals are scored in every table; what is not there is named in place of
a number. Writes `tables.json`, `tables.md` and, of the videos behind tables 1, 2 and
6, `report.html`; a stopped run goes on.
"""

import os
import pathlib
from collections.abc import Iterator, Sequence

import tqdm
from absl import flags

from experiments.running import folders, program
from vasa_jax import compilation_cache, config
from vasa_jax.animate import controls
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import paper_benchmark, video_generator
from vasa_jax.evaluation.metrics import registry
from vasa_jax.evaluation.report import (
    paper_comparison,
    paper_figures,
    report_page,
    score_report,
)

BENCHMARK = flags.DEFINE_string(
    "benchmark", None, "JSON lines, a folder of real videos, a glob, or a .txt."
)
DATA_DIR = flags.DEFINE_string("data_dir", None, "In place of it: records with sound.")
SPLIT = flags.DEFINE_string("split", "test", "Of the records.")
CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Folder of both models; the shipped one if left."
)
OUTPUT = flags.DEFINE_string("output", None, "Folder to write.", required=True)
TABLES = flags.DEFINE_list("tables", list("123456"), "Which, with commas between.")
NUM_CLIPS = flags.DEFINE_integer(
    "num_clips", None, "Evenly spread; all if left.", lower_bound=1
)
NUM_ABLATION_CLIPS = flags.DEFINE_integer(
    "num_ablation_clips", None, "Of them, for table 5; all if left.", lower_bound=1
)
NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", video_generator.NUM_SAMPLES, "Of each voice.", lower_bound=1
)
SEED = flags.DEFINE_integer("seed", 0, "Of the first sample.", lower_bound=0)
NUM_WORKERS = flags.DEFINE_integer(
    "num_workers", os.cpu_count() or 1, "Processes.", lower_bound=1
)
SYNCNET_WEIGHTS = flags.DEFINE_string(
    "syncnet_weights", None, "syncnet_v2.model; no S_C and S_D if left."
)
I3D_WEIGHTS = flags.DEFINE_string(
    "i3d_weights", None, "rgb_imagenet.pt of pytorch-i3d; no FVD25 if left."
)
LPIPS_WEIGHTS = flags.DEFINE_string(
    "lpips_weights",
    None,
    "npz of experiments.tools.pack_lpips, for a distance by VGG16.",
)

CAPP_WEIGHTS = flags.DEFINE_string(
    "capp_weights", None, "Export of experiments/configs/capp.py; the shipped if left."
)
SYNC_WEIGHTS = flags.DEFINE_string(
    "sync_weights", None, "Export of experiments/configs/sync.py; the shipped if left."
)

CACHE, VIDEOS, SOURCES = "clips", "videos", "sources"
"""Folders within the output: what is kept, what is generated, records as videos."""


def main(_) -> int:
    """Fill the tables that the flags ask for; return the exit code."""
    config.require(
        (BENCHMARK.value is None) != (DATA_DIR.value is None),
        "Give either --benchmark, a list or a folder, or --data_dir, records.",
    )
    report_page.require_matplotlib()
    asked = ask(TABLES.value)
    compilation_cache.enable()
    output = pathlib.Path(OUTPUT.value)
    cache_dir = folders.make(output / CACHE)
    items = find_items(output)
    generator = video_generator.Generator(
        CHECKPOINT.value, folders.make(output / VIDEOS), controls.Controls()
    )
    known = registry.make(
        registry.Settings(
            gaze_degrees=controls.Controls.gaze,
            head_distance=controls.Controls.head_distance,
            syncnet_weights=SYNCNET_WEIGHTS.value,
            i3d_weights=I3D_WEIGHTS.value,
            lpips_weights=LPIPS_WEIGHTS.value,
            capp_weights=CAPP_WEIGHTS.value,
            sync_weights=SYNC_WEIGHTS.value,
        )
    )
    options = paper_benchmark.Options(
        cache_dir=cache_dir,
        num_samples=NUM_SAMPLES.value,
        num_ablation_clips=NUM_ABLATION_CLIPS.value,
        num_workers=NUM_WORKERS.value,
        seed=SEED.value,
        capp_weights=CAPP_WEIGHTS.value,
        progress=bar,
    )
    found = paper_benchmark.fill(asked, items, generator, known, options)
    here = benchmark_name()
    about = {"benchmark": here, "num_samples": NUM_SAMPLES.value, "seed": SEED.value}
    text = paper_comparison.to_markdown(found.tables, found.notes, here)
    texts = {
        output / "tables.json": paper_comparison.to_json(
            found.tables, found.notes, about
        ),
        output / "tables.md": text,
    }
    if found.default is not None:
        texts[output / "report.html"] = page(found.default, cache_dir)
    score_report.write(texts)
    print(text)
    return 0


def ask(names: Sequence[str]) -> dict[int, paper_figures.Table]:
    """Return tables by number, in order.

    Raises:
        UserError: there is no such table.
    """
    known = {str(number): number for number in paper_figures.TABLES}
    for name in names:
        if name not in known:
            raise config.unknown_name(name, known, "table")
    numbers = sorted({known[name] for name in names})
    config.require(bool(numbers), "--tables is empty; give numbers from 1 to 6.")
    return {number: paper_figures.TABLES[number] for number in numbers}


def find_items(output: pathlib.Path) -> list[video_generator.Item]:
    """Return the items of the benchmark, records written as videos first."""
    if DATA_DIR.value is None:
        found = video_generator.find_items(BENCHMARK.value)
        return video_generator.spread_items(found, NUM_CLIPS.value)
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    folder = folders.make(output / SOURCES)
    return video_generator.items_of_records(opened, folder, NUM_CLIPS.value)


def benchmark_name() -> str:
    """Say what was measured on, without the folders above it."""
    if DATA_DIR.value is None:
        return pathlib.Path(BENCHMARK.value).name
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    people = "rendered people" if "geometry" in opened.read(0) else "people"
    name = pathlib.Path(DATA_DIR.value).name
    return f"{people} of the {SPLIT.value} split of {name}"


def page(made, cache_dir: pathlib.Path) -> str:
    """Return the page of what was generated by default settings."""
    shown = report_page.show_some(made.pairs, cache_dir, has_face=True)
    title = f"{benchmark_name()}: {len(made.report.clips)} clips"
    return report_page.to_html(made.report, shown, title)


def bar(label: str, items: Sequence, iterator: Iterator) -> Iterator:
    """Wrap an iterator with a progress bar."""
    return tqdm.tqdm(iterator, desc=label, total=len(items), unit="clip", delay=0.5)


if __name__ == "__main__":
    program.run(main)

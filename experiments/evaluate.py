"""Score finished videos of any talking-face system, and write a report.

    python -m experiments.evaluate --videos=made/ --reference=real/ --output=report/

    python -m experiments.evaluate --benchmark=list.jsonl --checkpoint=DIR

The second line generates first: three samples of each line of the list, averaged.
Videos are a folder, a glob, a .txt with a path a line, or one file; references are
matched by file name. The report is `report.json`, `report.md` and `report.html`; what
is known of each clip is kept in `report/clips`, so that a stopped run goes on.
"""

import os
import pathlib
from collections.abc import Iterator, Sequence

import tqdm
from absl import flags

from experiments.running import folders, program
from vasa_jax import compilation_cache, config
from vasa_jax.animate import controls
from vasa_jax.evaluation.benchmark import scoring, video_clip, video_generator
from vasa_jax.evaluation.metrics import curves, definition, frame_similarity, registry
from vasa_jax.evaluation.metrics.definition import VideoMetric
from vasa_jax.evaluation.report import report_page, score_report

VIDEOS = flags.DEFINE_string(
    "videos", None, "Folder, glob, .txt with a path a line, or one video."
)
REFERENCE = flags.DEFINE_string(
    "reference", None, "Real videos of the same names, given likewise."
)
OUTPUT = flags.DEFINE_string("output", "report", "Folder of the report.")
METRICS = flags.DEFINE_list("metrics", [], "Names, with commas between; all if left.")
NUM_WORKERS = flags.DEFINE_integer(
    "num_workers", os.cpu_count() or 1, "Processes.", lower_bound=1
)
SAMPLE_EVERY = flags.DEFINE_integer(
    "sample_every",
    frame_similarity.EVERY,
    "PSNR, SSIM, LPIPS and CSIM take one frame in so many.",
    lower_bound=1,
)
SEAM_FRAMES = flags.DEFINE_integer(
    "seam_frames", 0, "Frames of the generator's window.", lower_bound=0
)
GAZE = flags.DEFINE_string(
    "gaze", None, "Yaw,pitch asked for, degrees; the reference's if left."
)
DISTANCE = flags.DEFINE_float(
    "distance", None, "Head distance asked for; the reference's if left."
)
JITTER_HZ = flags.DEFINE_float(
    "jitter_hz", curves.JITTER_HZ, "Movement above it is jitter.", 0.0, 12.0
)
MAX_MISSING_FACES = flags.DEFINE_float(
    "max_missing_faces", scoring.MAX_MISSING, "Share of a clip's frames.", 0.0, 1.0
)
LENGTH_TOLERANCE = flags.DEFINE_integer(
    "length_tolerance",
    scoring.LENGTH_TOLERANCE,
    "Frames by which a reference may be longer or shorter.",
    lower_bound=0,
)
SYNCNET_WEIGHTS = flags.DEFINE_string(
    "syncnet_weights", None, "syncnet_v2.model; no S_C and S_D if left."
)
I3D_WEIGHTS = flags.DEFINE_string(
    "i3d_weights", None, "rgb_imagenet.pt of pytorch-i3d; no FVD25 if left."
)
LPIPS_WEIGHTS = flags.DEFINE_string(
    "lpips_weights", None, "npz of experiments.tools.pack_lpips; no LPIPS if left."
)
CAPP_WEIGHTS = flags.DEFINE_string(
    "capp_weights", None, "Export of experiments/configs/capp.py; the shipped if left."
)
SYNC_WEIGHTS = flags.DEFINE_string(
    "sync_weights", None, "Export of experiments/configs/sync.py; the shipped if left."
)

BENCHMARK = flags.DEFINE_string(
    "benchmark", None, "JSON lines of image and audio, or reference: generate first."
)
CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "With --benchmark: folder of both models; the shipped if left."
)
NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", video_generator.NUM_SAMPLES, "Of each line of it.", lower_bound=1
)
SEED = flags.DEFINE_integer("seed", 0, "Of the first sample.", lower_bound=0)
NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Of the sampler; the checkpoint's own if left.", lower_bound=1
)

CACHE, VIDEO_FOLDER = "clips", "videos"
"""Folders within the report of what is kept, and of generated videos."""


def main(_) -> int:
    """Score as the flags say; return the exit code."""
    compilation_cache.enable()
    config.require(
        (VIDEOS.value is None) != (BENCHMARK.value is None),
        "Give either --videos, finished ones, or --benchmark, what to generate.",
    )
    config.require(
        BENCHMARK.value is not None or CHECKPOINT.value is None,
        "--checkpoint has nothing to generate; give --benchmark too.",
    )
    config.require(
        BENCHMARK.value is None or REFERENCE.value is None,
        "--reference goes with --videos; a benchmark names its own references.",
    )
    report_page.require_matplotlib()
    asked = registry.select(registry.make(settings()), METRICS.value)
    folder = pathlib.Path(OUTPUT.value)
    if BENCHMARK.value is None:
        pairs = find_pairs()
        unmet = find_unmet(asked, REFERENCE.value is not None)
    else:
        items = video_generator.read_items(BENCHMARK.value)
        unmet = find_unmet(asked, any(item.reference for item in items))
        pairs = generate(items, folders.make(folder / VIDEO_FOLDER))
    chosen = tuple(metric for metric in asked if metric.name not in unmet)
    rules = scoring.Rules(
        metrics=chosen,
        cache_dir=folders.make(folder / CACHE),
        max_missing=MAX_MISSING_FACES.value,
        length_tolerance=LENGTH_TOLERANCE.value,
    )
    found = scoring.score_all(pairs, rules, NUM_WORKERS.value, bar)
    report = score_report.summarise(
        asked, scoring.average_samples(pairs, found), about(asked), unmet
    )
    has_face = any(metric.needs.face for metric in chosen)
    shown = report_page.show_some(pairs, rules.cache_dir, has_face)
    text = score_report.to_markdown(report)
    title = f"Talking faces: {len(report.clips)} clips"
    score_report.write(
        {
            folder / "report.json": score_report.to_json(report),
            folder / "report.md": text,
            folder / "report.html": report_page.to_html(report, shown, title),
        }
    )
    print(text)
    return 0


def settings() -> registry.Settings:
    """Return what the flags tell metrics; what is generated is asked to be neutral."""
    gaze = None if GAZE.value is None else controls.parse_gaze(GAZE.value)
    distance = DISTANCE.value
    if BENCHMARK.value is not None:
        gaze = controls.Controls.gaze if gaze is None else gaze
        distance = controls.Controls.head_distance if distance is None else distance
    return registry.Settings(
        sample_every=SAMPLE_EVERY.value,
        seam_frames=SEAM_FRAMES.value,
        gaze_degrees=gaze,
        head_distance=distance,
        jitter_hz=JITTER_HZ.value,
        syncnet_weights=SYNCNET_WEIGHTS.value,
        i3d_weights=I3D_WEIGHTS.value,
        lpips_weights=LPIPS_WEIGHTS.value,
        capp_weights=CAPP_WEIGHTS.value,
        sync_weights=SYNC_WEIGHTS.value,
    )


def find_pairs() -> list[scoring.Pair]:
    """Return the videos with their references.

    Raises:
        UserError: there are none, or one has no reference.
    """
    videos = video_clip.find_videos(VIDEOS.value)
    if REFERENCE.value is None:
        return [scoring.Pair(video=video) for video in videos]
    references = video_clip.find_videos(REFERENCE.value)
    matched = video_clip.match_references(videos, references)
    return [scoring.Pair(video=v, reference=r) for v, r in matched.items()]


def generate(
    items: Sequence[video_generator.Item], folder: pathlib.Path
) -> list[scoring.Pair]:
    """Make the videos of a benchmark, or find those that were made."""
    made = video_generator.Generator(
        CHECKPOINT.value,
        folder,
        controls.Controls(
            seed=SEED.value,
            num_steps=NUM_STEPS.value,
            gaze=settings().gaze_degrees,
            head_distance=settings().head_distance,
        ),
    )
    pairs = []
    with tqdm.tqdm(desc="generate", unit="frame", delay=0.5) as shown:
        for item in items:
            pairs += made.make(item, NUM_SAMPLES.value, shown.update)
    return pairs


def find_unmet(asked: Sequence[VideoMetric], has_references: bool) -> dict[str, str]:
    """Say what metrics need that was not given, by name.

    Raises:
        UserError: one of them was asked for by name.
    """
    unmet = scoring.find_unmet(asked, has_references, " (--reference)")
    for name, reason in unmet.items():
        config.require(
            name not in METRICS.value,
            f"The metric {name} {reason}; give it, or leave the metric out.",
        )
    return unmet


def about(asked: Sequence[VideoMetric]) -> dict[str, object]:
    """Return what the report says of how it was made."""
    return {
        **{
            flag.name: pathlib.Path(flag.value).name
            for flag in (VIDEOS, REFERENCE, BENCHMARK, CHECKPOINT)
            if flag.value is not None
        },
        **({"num_samples": NUM_SAMPLES.value} if BENCHMARK.value else {}),
        "metrics": {metric.name: metric.settings() for metric in asked},
        "interval": f"95 % bootstrap over clips, {definition.NUM_RESAMPLES} resamples",
        "max_missing_faces": MAX_MISSING_FACES.value,
        "length_tolerance": LENGTH_TOLERANCE.value,
    }


def bar(label: str, items: Sequence, iterator: Iterator) -> Iterator:
    """Wrap an iterator with a progress bar."""
    return tqdm.tqdm(iterator, desc=label, total=len(items), unit="clip", delay=0.5)


if __name__ == "__main__":
    program.run(main)

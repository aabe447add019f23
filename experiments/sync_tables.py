"""Print how surely the lip-sync network tells sound in time from sound that is not.

    python -m experiments.sync_tables --data_dir=data/lips,data/photo_lips \
        --videos=talking_heads/ --output=tables/

Lips of `--data_dir` are held-out clips of `experiments.tools.encode_lips`, a column a
folder; those of `--videos` are cut out of the videos here; `--sync` names another
network than the one that ships. Below stands the curve over shifts: how far lips are
from sound that is so many frames later. Writes `sync_tables.json` and
`sync_tables.md`.
"""

import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tqdm
from absl import flags

from experiments.running import program
from vasa_jax import compilation_cache, config
from vasa_jax.data import mixed_sets, records
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import lip_synchrony
from vasa_jax.evaluation.networks import contrastive, lip_sync
from vasa_jax.evaluation.report import score_report
from vasa_jax.portrait import face_cuts

SYNC = flags.DEFINE_string("sync", None, "Export of the network; the shipped if left.")
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of encoded lips, or several: a,b."
)
SPLIT = flags.DEFINE_string("split", "validation", "Of them.")
VIDEOS = flags.DEFINE_string("videos", None, "Folder, glob, .txt, or one video.")
MAX_CLIPS = flags.DEFINE_integer("max_clips", None, "All if left.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output", ".", "Folder of the two files.")

STRETCHES = (1, 12, 25)
"""Windows in a row that distances are averaged over. Ours: from 0.2 s to about 1 s."""

AWAY_FRAMES = 8
"""Of sound that is surely wrong. Ours: 0.3 s, longer than most sounds of speech."""

SHIFTS = (-15, -10, -7, -5, -3, -2, -1, 0, 1, 2, 3, 5, 7, 10, 15)
"""Of the curve, those that the table shows; the JSON has all. Ours."""

FIELDS = ("lips", "audio_features")
"""What is read of a record."""


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    compilation_cache.enable()
    config.require(
        DATA_DIR.value is not None or VIDEOS.value is not None,
        "There is nothing to measure; give --data_dir, --videos, or both.",
    )
    scorer = contrastive.read(lip_sync.KIND, SYNC.value)
    sets = {}
    if DATA_DIR.value is not None:
        for folder in mixed_sets.split_folders(DATA_DIR.value):
            opened = records.open_folder(folder, SPLIT.value)
            count = min(len(opened), MAX_CLIPS.value or len(opened))
            sets[f"lips of {folder}"] = measure(scorer, of_records(opened, count))
    if VIDEOS.value is not None:
        paths = video_clip.find_videos(VIDEOS.value)[: MAX_CLIPS.value]
        sets["videos"] = measure(scorer, of_videos(scorer, paths))
    text = to_markdown(sets, SYNC.value)
    folder = pathlib.Path(OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    score_report.write(
        {
            folder / "sync_tables.json": json.dumps(sets, indent=1) + "\n",
            folder / "sync_tables.md": text,
        }
    )
    print(text)
    return 0


def of_records(opened: records.Records, count: int) -> Iterator:
    """Yield lips and features of the first records, whose faces are always seen."""
    for index in tqdm.tqdm(range(count), unit="clip", delay=0.5):
        record = opened.read(index, list(FIELDS))
        yield record["lips"], record["audio_features"], None


def of_videos(scorer: contrastive.Scorer, paths: Sequence[pathlib.Path]) -> Iterator:
    """Yield lips and features of videos, and which frames show the face."""
    for path in tqdm.tqdm(paths, unit="video", delay=0.5):
        clip = video_clip.Clip(path)
        lips = face_cuts.cut_lips(clip.frames(), clip.face.head_pose)
        yield lips, scorer.hear(clip.waveform), clip.face


def measure(scorer: contrastive.Scorer, found: Iterator) -> dict[str, Any]:
    """Average over clips what the network makes of each.

    Args:
        scorer: the network.
        found: yields lips `[T, 56, 56]`, features `[T, A]` and the face of these
            frames; None if they all show it.

    Returns:
        Plain numbers by name, and the `curve`: mean distances at sound from
        `MAX_OFFSET_FRAMES` earlier to as many later.

    Raises:
        UserError: no clip can be measured.
    """
    middle = lip_synchrony.MAX_OFFSET_FRAMES
    away = [middle - AWAY_FRAMES, middle + AWAY_FRAMES]
    rows, curves, num_left_out = [], [], 0
    heard_before = np.empty((0, scorer.sizes.width))
    for lips, features, face in found:
        seen, heard = scorer.embed_all(lips, features)
        is_seen = np.ones(len(seen), bool)
        if face is not None:
            is_seen = face.seen_windows(scorer.sizes.window_frames)[: len(seen)]
        table = lip_synchrony.offset_distances(seen, heard, is_seen=is_seen)
        if not lip_synchrony.can_score(table):
            num_left_out += 1
            continue
        own = lip_synchrony.score_offsets(table)
        curves.append(own.distances)
        half = np.roll(heard, len(heard) // 2, axis=0)
        shifted = lip_synchrony.score_offsets(
            lip_synchrony.offset_distances(seen, half, is_seen=is_seen)
        )
        count = min(len(seen), len(heard_before))
        other = np.linalg.norm(seen[:count] - heard_before[:count], axis=1)
        right_offset = abs(own.offset_frames) < lip_sync.APART_FRAMES
        rows.append(
            {
                "confidence": own.confidence,
                "confidence_shifted": shifted.confidence,
                "distance": own.distance,
                "distance_shifted": shifted.distance,
                "right_offset": float(right_offset),
                "nearer_than_away": share_nearer(
                    table[:, 2 * [middle]], table[:, away]
                ),
                "nearer_than_other": share_nearer(table[: len(other), middle], other),
                **{
                    f"share_found_{n}": lip_synchrony.share_found(table, n)
                    for n in STRETCHES
                },
            }
        )
        heard_before = heard
    config.require(
        len(rows) > 0,
        f"None of the {num_left_out} clips can be measured; give clips of at least "
        f"{lip_synchrony.OwnSyncScore.num_frames} frames that show a face.",
    )
    means = {}
    for name in rows[0]:
        # A clip without that many windows in a row has no number.
        known = [row[name] for row in rows if np.isfinite(row[name])]
        means[name] = float(np.mean(known)) if known else None
    counts = {"num_clips": len(rows), "num_left_out": num_left_out}
    return {**counts, **means, "curve": np.mean(curves, axis=0).tolist()}


def share_nearer(own: np.ndarray, far: np.ndarray) -> float:
    """Return in which share of pairs the first distance is less; NaN without pairs."""
    known = np.isfinite(own) & np.isfinite(far)
    return float(np.mean(own[known] < far[known])) if known.any() else float("nan")


def to_markdown(sets: Mapping[str, Mapping[str, Any]], weights: str | None) -> str:
    """Write the table, one column a set, the curves, and whom the network favours."""
    apart = lip_sync.APART_FRAMES
    num_wrong = 2 * (lip_synchrony.MAX_OFFSET_FRAMES - apart + 1)
    titles = {
        "num_clips": "clips",
        "num_left_out": "clips left out, too short or without a face",
        "confidence": "S_C (own)",
        "confidence_shifted": "S_C (own), sound shifted by half",
        "distance": "S_D (own)",
        "distance_shifted": "S_D (own), sound shifted by half",
        "right_offset": f"clips whose offset is found, less than {apart} frames off",
        "nearer_than_away": f"pairs, 0 nearer than {AWAY_FRAMES} frames either way",
        "nearer_than_other": "pairs, 0 nearer than the voice of the clip before",
        **{
            f"share_found_{n}": f"0 nearer than all offsets of {apart} to "
            f"{lip_synchrony.MAX_OFFSET_FRAMES} frames, "
            + ("one window" if n == 1 else f"{n} windows in a row")
            for n in STRETCHES
        },
    }
    lines = ["| | " + " | ".join(sets) + " |", "|---|" + "---|" * len(sets)]
    for key, title in titles.items():
        cells = (
            f"{one[key]:.0f}" if key.startswith("num_") else _text(one[key])
            for one in sets.values()
        )
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    chance = (
        f"Chance tells 0 from all {num_wrong} others in 1 of {num_wrong + 1}, and in "
        "half of the pairs."
    )
    lines += ["", chance, "", "| distance at sound later by, frames | "]
    lines[-1] += " | ".join(f"{shift}" for shift in SHIFTS) + " |"
    lines.append("|---" * (len(SHIFTS) + 1) + "|")
    for name, one in sets.items():
        values = [
            one["curve"][lip_synchrony.MAX_OFFSET_FRAMES + shift] for shift in SHIFTS
        ]
        lines.append(f"| {name} | {' | '.join(f'{v:.3f}' for v in values)} |")
    return "\n".join([*lines, "", contrastive.favour(weights)]) + "\n"


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    program.run(main)

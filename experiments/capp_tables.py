"""Print the two sanity tables of CAPP on held-out clips, beside the paper's numbers.

    python -m experiments.capp_tables --data_dir=data/poses --output=tables/

`--capp` names another network than the one that ships. Clips are encoded ones
(`experiments.encode_performances`, `experiments.encode`); a shift needs clips longer
than the window by as much. Writes `capp_tables.json` and `capp_tables.md`.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping

import numpy as np
import tqdm
from absl import flags

from experiments.running import program
from vasa_jax import compilation_cache, config
from vasa_jax.data import records
from vasa_jax.evaluation.networks import capp, contrastive
from vasa_jax.evaluation.report import paper_figures, score_report

CAPP = flags.DEFINE_string("capp", None, "Export of the network; the shipped if left.")
DATA_DIR = flags.DEFINE_string("data_dir", None, "Encoded clips.", required=True)
SPLIT = flags.DEFINE_string("split", "validation", "Of them.")
MAX_CLIPS = flags.DEFINE_integer("max_clips", None, "All if left.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output", ".", "Folder of the two files.")


def main(_) -> int:
    """Measure as the flags say; return the exit code."""
    compilation_cache.enable()
    scorer = contrastive.read(capp.KIND, CAPP.value)
    opened = records.open_folder(DATA_DIR.value, SPLIT.value)
    count = min(len(opened), MAX_CLIPS.value or len(opened))
    clips = []
    for index in tqdm.tqdm(range(count), unit="clip", delay=0.5):
        record = opened.read(index, ["motion", "audio_features"])
        features = np.asarray(record["audio_features"], np.float32)
        config.require(
            features.shape[-1] == scorer.sizes.num_audio_channels,
            f"The clips have {features.shape[-1]} channels of audio_features and the "
            f"network takes {scorer.sizes.num_audio_channels}; encode them with "
            f"--audio_encoder={scorer.sizes.audio_encoder}.",
        )
        clips.append((features, record["motion"][:, : capp.ROTATION_CHANNELS]))
    tables = capp.sanity_tables(scorer, clips)
    text = to_markdown(tables, contrastive.favour(CAPP.value))
    folder = pathlib.Path(OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    plain = dataclasses.asdict(tables)
    score_report.write(
        {
            folder / "capp_tables.json": json.dumps(plain, indent=1) + "\n",
            folder / "capp_tables.md": text,
        }
    )
    print(text)
    return 0


def to_markdown(tables: capp.SanityTables, favour: str) -> str:
    """Write both tables, ours above the paper's, and whom the network favours."""
    shifts = {f"±{k}" if k else "0": v for k, v in tables.shifts.items()}
    counts = sorted(set(tables.num_clips_of_shift.values()))
    about = (
        f"{tables.num_clips} held-out clips. CAPP (own) and the paper's CAPP are "
        "scores of different networks on different clips: compare shapes, not values."
    )
    if len(counts) > 1:
        about += " Clips too short for a shift are left out of its column."
    parts = [
        "#### Movement shifted against the voice, frames",
        _table(
            shifts,
            {
                f"±{k}" if k else "0": v
                for k, v in paper_figures.TABLES[3].paper_values.items()
            },
        ),
        "#### Movement scaled",
        _table(
            {f"{k:g}": v for k, v in tables.scales.items()},
            {f"{k:g}": v for k, v in paper_figures.TABLES[4].paper_values.items()},
        ),
        about,
        favour,
    ]
    return "\n\n".join(parts) + "\n"


def _table(own: Mapping[str, float], paper: Mapping[str, float]) -> str:
    head = "| | " + " | ".join(own) + " |"
    rule = "|---|" + "---|" * len(own)
    first = "| CAPP (own) | " + " | ".join(f"{v:.3f}" for v in own.values()) + " |"
    cells = (f"{paper[k]:.3f}" if k in paper else "-" for k in own)
    second = "| paper, real video | " + " | ".join(cells) + " |"
    return "\n".join([head, rule, first, second])


if __name__ == "__main__":
    program.run(main)

"""Compare the lips that denoisers ask for with those of people who really spoke.

    python -m experiments.compare_lips --checkpoints=BEFORE,AFTER \
        --speech_dir=RECORDINGS --videos_dir=TALKING_HEADS

Nothing is rendered: a denoiser's motion is read out as mouth aperture, and correlated
with what the speakers' mouths did: in recordings by the phones that PocketSphinx hears
(extra `data`), in videos by the landmarks of the face. Two figures of one voice are
paired, so the difference to the first checkpoint is what tells.
"""

import json
import pathlib

from absl import flags

from experiments.running import program
from experiments.tools import spoken_lips
from vasa_jax import compilation_cache, config
from vasa_jax.animate import trained
from vasa_jax.evaluation.benchmark import driven_videos

CHECKPOINTS = flags.DEFINE_list(
    "checkpoints", None, "Folders of both models, of one face model.", required=True
)
SPEECH_DIR = flags.DEFINE_string("speech_dir", None, "Recordings, flac or wav.")
VIDEOS_DIR = flags.DEFINE_string("videos_dir", None, "Videos of people who speak.")
NUM_SEEDS = flags.DEFINE_integer("num_seeds", 4, "Of each voice.", lower_bound=1)
SECONDS = flags.DEFINE_float("seconds", 12.0, "Of a voice at most.", lower_bound=1.0)
OUTPUT = flags.DEFINE_string("output", None, "JSON file to write as well.")


def main(_) -> int:
    """Compare as the flags say; return the exit code."""
    config.require(
        SPEECH_DIR.value is not None or VIDEOS_DIR.value is not None,
        "There are no voices; give --speech_dir, --videos_dir or both.",
    )
    compilation_cache.enable()
    spoken = []
    if SPEECH_DIR.value is not None:
        spoken += spoken_lips.read_recordings(SPEECH_DIR.value, SECONDS.value)
    if VIDEOS_DIR.value is not None:
        spoken += spoken_lips.read_videos(VIDEOS_DIR.value, SECONDS.value)
    results = {}
    for folder in CHECKPOINTS.value:
        performer = driven_videos.Performer(trained.load(folder))
        results[folder] = {
            kind: {
                one.name: spoken_lips.follow(performer, one, NUM_SEEDS.value)
                for one in spoken
                if one.kind == kind
            }
            for kind in dict.fromkeys(one.kind for one in spoken)
        }
    first = results[CHECKPOINTS.value[0]]
    for folder, kinds in results.items():
        for kind, voices in kinds.items():
            line = spoken_lips.compare(
                list(voices.values()), list(first[kind].values())
            )
            print(f"{folder}, {len(voices)} {kind}: {line}")
    if OUTPUT.value is not None:
        pathlib.Path(OUTPUT.value).write_text(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    program.run(main)

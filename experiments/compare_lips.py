"""Compare the lips that denoisers ask for with those of people who really spoke.

    python -m experiments.compare_lips --checkpoints=BEFORE,AFTER \
        --speech_dir=RECORDINGS --videos_dir=TALKING_HEADS

Nothing is rendered: a denoiser's motion is read out as mouth aperture, and correlated
with what the speakers' mouths did: in recordings by the phones that PocketSphinx hears
(extra `data`), in videos by the landmarks of the face. Two figures of one voice are
paired, so the difference to the first checkpoint is what tells.
"""

import dataclasses
import itertools
import json
import pathlib
from collections.abc import Iterator

import numpy as np
from absl import flags

from datasets.synthetic_heads.performance import (
    expressions,
    performance,
    recordings,
    visemes,
)
from experiments.running import program
from vasa_jax import arkit, audio, compilation_cache, config, media, types
from vasa_jax.animate import trained
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.metrics import signals
from vasa_jax.portrait import track
from vasa_jax.speech import speech

CHECKPOINTS = flags.DEFINE_list(
    "checkpoints", None, "Folders of both models, of one face model.", required=True
)
SPEECH_DIR = flags.DEFINE_string("speech_dir", None, "Recordings, flac or wav.")
VIDEOS_DIR = flags.DEFINE_string("videos_dir", None, "Videos of people who speak.")
NUM_SEEDS = flags.DEFINE_integer("num_seeds", 4, "Of each voice.", lower_bound=1)
SECONDS = flags.DEFINE_float("seconds", 12.0, "Of a voice at most.", lower_bound=1.0)
OUTPUT = flags.DEFINE_string("output", None, "JSON file to write as well.")

JAW_OPEN, MOUTH_CLOSE = arkit.indices(("jawOpen", "mouthClose"))


@dataclasses.dataclass(frozen=True)
class Spoken:
    """A voice and the mouth of whoever spoke.

    Attributes:
        kind: "recordings" or "videos".
        name: of the file.
        waveform: float32 `[640 T]`.
        aperture: `[T]`, in any unit.
    """

    kind: str
    name: str
    waveform: np.ndarray
    aperture: np.ndarray


def read_recordings(folder: str, seconds: float) -> Iterator[Spoken]:
    """Read the beginnings of recordings, with mouths by the phones heard in them."""
    for recording in recordings.find(folder):
        waveform = audio.load_waveform(recording.path)
        num_frames = _num_frames(waveform, seconds)
        waveform = waveform[: num_frames * types.SAMPLES_PER_FRAME]
        aperture = said_aperture(recordings.recognize(waveform), num_frames)
        yield Spoken("recordings", recording.speaker, waveform, aperture)


def said_aperture(phonemes: tuple[speech.Phoneme, ...], num_frames: int) -> np.ndarray:
    """Return the mouth aperture `[T]` of phonemes, as synthetic heads say them."""
    nothing = np.zeros((num_frames, arkit.NUM_UNITS), np.float32)
    weights = expressions.combine(
        visemes.articulate(phonemes, num_frames, np.ones(num_frames)),
        nothing,
        visemes.closures(phonemes, num_frames, visemes.CLOSED_LIPS),
        visemes.closures(phonemes, num_frames, visemes.LIP_TEETH),
        visemes.rest(phonemes, num_frames, performance.REST_AFTER_SECONDS),
        nothing[:, 0],
    )
    return weights[:, JAW_OPEN] - weights[:, MOUTH_CLOSE]


def read_videos(folder: str, seconds: float) -> Iterator[Spoken]:
    """Read the beginnings of videos, with mouths by the landmarks of their faces."""
    for path in sorted(pathlib.Path(folder).iterdir()):
        waveform = audio.load_waveform(path)
        num_frames = _num_frames(waveform, seconds)
        frames = itertools.islice(media.iterate_video(path), num_frames)
        aperture = track.track_face(frames).mouth_opening
        waveform = waveform[: len(aperture) * types.SAMPLES_PER_FRAME]
        yield Spoken("videos", path.stem, waveform, aperture)


def _num_frames(waveform: np.ndarray, seconds: float) -> int:
    whole = len(waveform) // types.SAMPLES_PER_FRAME
    return min(whole, round(seconds * types.FRAME_RATE_HZ))


def follow(
    performer: driven_videos.Performer, spoken: Spoken, num_seeds: int
) -> dict[str, float]:
    """Return how well the lips asked for follow those of the speaker.

    Args:
        performer: of a checkpoint.
        spoken: the voice.
        num_seeds: performances to average.

    Returns:
        `correlation` of the apertures, and `lag` of the best one, frames.
    """
    asked = [
        performer.requested_aperture(
            performer.speak(spoken.waveform, Controls(seed=seed))
        )
        for seed in range(num_seeds)
    ]
    found = [signals.correlation(one, spoken.aperture) for one in asked]
    lag = signals.best_lag(np.mean(asked, axis=0), spoken.aperture)
    return {"correlation": float(np.mean(found)), "lag": float(lag)}


def compare(rows: list[dict[str, float]], first: list[dict[str, float]]) -> str:
    """Say in one line how a checkpoint follows the voices of one kind.

    Args:
        rows: of `follow`, one for each voice.
        first: of the first checkpoint, for the same voices.

    Returns:
        Mean correlation, its difference to the first's with a 95 % interval, lags.
    """
    own = np.array([row["correlation"] for row in rows])
    gain = own - [row["correlation"] for row in first]
    low, high = signals.interval(gain)
    lags = sorted(int(row["lag"]) for row in rows)
    return (
        f"{own.mean():.3f}, {gain.mean():+.3f} [{low:+.3f} to {high:+.3f}], "
        f"lags {', '.join(map(str, lags))}"
    )


def main(_) -> int:
    """Compare as the flags say; return the exit code."""
    config.require(
        SPEECH_DIR.value is not None or VIDEOS_DIR.value is not None,
        "There are no voices; give --speech_dir, --videos_dir or both.",
    )
    compilation_cache.enable()
    spoken = []
    if SPEECH_DIR.value is not None:
        spoken += read_recordings(SPEECH_DIR.value, SECONDS.value)
    if VIDEOS_DIR.value is not None:
        spoken += read_videos(VIDEOS_DIR.value, SECONDS.value)
    results = {}
    for folder in CHECKPOINTS.value:
        performer = driven_videos.Performer(trained.load(folder))
        results[folder] = {
            kind: {
                one.name: follow(performer, one, NUM_SEEDS.value)
                for one in spoken
                if one.kind == kind
            }
            for kind in dict.fromkeys(one.kind for one in spoken)
        }
    first = results[CHECKPOINTS.value[0]]
    for folder, kinds in results.items():
        for kind, voices in kinds.items():
            line = compare(list(voices.values()), list(first[kind].values()))
            print(f"{folder}, {len(voices)} {kind}: {line}")
    if OUTPUT.value is not None:
        pathlib.Path(OUTPUT.value).write_text(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    program.run(main)

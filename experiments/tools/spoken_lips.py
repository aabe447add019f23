"""Lips that denoisers ask for, beside those of people who really spoke."""

import dataclasses
import itertools
import pathlib
from collections.abc import Iterator

import numpy as np

from datasets.synthetic_heads.performance import (
    expressions,
    performance,
    recordings,
    visemes,
)
from vasa_jax import arkit, audio, media, types
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.metrics import curves, definition
from vasa_jax.portrait import track
from vasa_jax.speech import speech

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
        aperture = track.track_face(frames).mouth_aperture
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
    found = [curves.correlation(one, spoken.aperture) for one in asked]
    lag = curves.best_lag(np.mean(asked, axis=0), spoken.aperture)
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
    low, high = definition.interval(gain)
    lags = sorted(int(row["lag"]) for row in rows)
    return (
        f"{own.mean():.3f}, {gain.mean():+.3f} [{low:+.3f} to {high:+.3f}], "
        f"lags {', '.join(map(str, lags))}"
    )

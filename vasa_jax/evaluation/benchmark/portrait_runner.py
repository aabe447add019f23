"""Run a checkpoint over portraits and voices, each once, keeping what was found."""

import dataclasses
import functools
import itertools
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vasa_jax import audio, media, types
from vasa_jax.animate import controls, trained
from vasa_jax.evaluation.benchmark import portrait_list, video_clip
from vasa_jax.evaluation.benchmark.driven_videos import Performer
from vasa_jax.evaluation.metrics import expression_curves, photograph_measures
from vasa_jax.evaluation.metrics.definition import Measured, average
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.portrait import crop, locate

VERSION = "3"
"""Raised when what is measured changes."""

STRIP_SIZE = 160
"""Side of a frame on contact sheets, pixels. Ours: faces are still judged."""

STRIP_SECONDS = tuple(0.5 * number for number in range(1, 12))
"""Times at which speech is shown. Ours: with the photograph as many as controls."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is done with every portrait.

    Attributes:
        voices: sound files; portrait i takes the i-th and those that follow.
        num_voices: of them for a portrait.
        num_seconds: of a voice, at most.
        control_seconds: of the first voice, for each control.
        seed: of the first performance; place i and take j add i + j. Ours: faces of one
            seed blink at the same times, whatever they say, so that eight portraits
            would show the blinks of one.
        image_size: side of the frames, pixels; None is the checkpoint's.
    """

    voices: tuple[pathlib.Path, ...]
    num_voices: int
    num_seconds: float
    control_seconds: float
    seed: int
    image_size: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What was found of a portrait.

    Attributes:
        kinds: of it.
        measured: mean over its voices.
        warning: a sentence about the picture, or None.
    """

    kinds: tuple[str, ...]
    measured: Measured
    warning: str | None


class Runner:
    """Measures portraits with one checkpoint.

    Ours: what is found lies under a name that tells what it was found from, so that a
    stopped run goes on and another checkpoint starts over.

    Args:
        checkpoint: folder of both models; None is the one of the package.
        folder: existing; gets `found`, `clips` and `strips`.
        settings: see `Settings`.
        networks: of identity, with `embed_all`, by the key of their row.
        network_files: of the weights of all networks that were given.
        expression: as of `photograph_measures.measure_controls`.
        performer_type: what moves portraits.

    Raises:
        UserError: as `trained.load`, or a voice cannot be read.
    """

    def __init__(
        self,
        checkpoint: str | None,
        folder: pathlib.Path,
        settings: Settings,
        networks: Mapping[str, Any],
        network_files: Sequence[str] = (),
        expression: face_recognition.ExpressionNetwork | None = None,
        performer_type: type[Performer] = Performer,
    ):
        self._settings = settings
        self._networks = networks
        self._expression = expression
        self._waveforms = [
            _first_seconds(audio.load_waveform(voice), settings.num_seconds)
            for voice in settings.voices
        ]
        models = trained.load(checkpoint, image_size=settings.image_size)
        self._performer = performer_type(models)
        self._found, self._clips, self._strips = (
            folder / name for name in ("found", "clips", "strips")
        )
        for subfolder in (self._found, self._clips, self._strips):
            subfolder.mkdir(parents=True, exist_ok=True)
        export_folder = pathlib.Path(checkpoint or trained.SHIPPED_FOLDER)
        files = sorted(p for p in export_folder.rglob("*") if p.is_file())
        given = [*files, *settings.voices, *network_files]
        self._digests = [VERSION, performer_type.__name__]
        self._digests += [video_clip.digest_of(path) for path in given]
        plain = dataclasses.asdict(settings) | {"voices": len(settings.voices)}
        self._digests += [json.dumps(plain, sort_keys=True), *sorted(networks)]

    def measure(self, item: portrait_list.Portrait, index: int) -> Result:
        """Measure one portrait, or find what was kept of it.

        Args:
            item: the portrait.
            index: of it among all; tells its voices and seeds.

        Raises:
            UserError: the picture cannot be read, or shows no face.
        """
        key = video_clip.cache_key(
            "portrait",
            *(
                video_clip.digest_of(item.path),
                str(item.derived),
                str(item.has_controls),
            ),
            *(item.name, str(index), *self._digests),
        )
        kept = video_clip.cached(
            self._found / f"{key}.json", lambda: self._find(item, index)
        )
        kinds = kept["kinds"] if item.kinds is None else item.kinds
        return Result(
            kinds=tuple(kinds),
            measured=Measured.from_plain(kept["measured"]),
            warning=kept["warning"],
        )

    def _find(self, item: portrait_list.Portrait, index: int) -> dict[str, Any]:
        picture = media.read_image(item.path)
        found = locate.locate_face(picture)
        kinds = portrait_list.measure_kinds(picture, found)
        if item.derived is not None:
            picture = portrait_list.derive(picture, item.derived, found.box)
        subject = photograph_measures.Subject.of(picture, self._performer)
        seed = self._settings.seed + index
        takes, rows = [], []
        for take in range(self._settings.num_voices):
            waveform = self._waveforms[(index + take) % len(self._waveforms)]
            asked = controls.Controls(seed=seed + take)
            scores, frames = photograph_measures.measure_speech(
                subject, self._performer, waveform, asked, self._networks
            )
            takes.append(Measured(scores=scores))
            if take == 0:
                self._show(item, frames, waveform)
                times = np.array(STRIP_SECONDS) * types.FRAME_RATE_HZ
                shown = frames[np.minimum(times.astype(int), len(frames) - 1)]
                rows.append([subject.portrait.image, *shown])
        scores = dict(average(takes).scores)
        if item.has_controls:
            short = _first_seconds(
                self._waveforms[index % len(self._waveforms)],
                self._settings.control_seconds,
            )
            moved, last = photograph_measures.measure_controls(
                subject,
                self._performer,
                short,
                seed,
                self._networks,
                self._expression,
            )
            scores |= moved
            rows.append(list(last.values()))
        media.write_image(self._strips / f"{item.name}.png", _lay_out(rows))
        return {
            "kinds": list(kinds),
            "measured": Measured(scores=scores).to_plain(),
            "warning": found.warning,
        }

    def _show(
        self, item: portrait_list.Portrait, frames: np.ndarray, waveform: np.ndarray
    ) -> None:
        size = self._performer.image_size
        path = self._clips / f"{item.name}.mp4"
        with media.VideoWriter(path, size, size, waveform=waveform) as out:
            out.write(frames)


def measure_filmed(
    paths: Sequence[pathlib.Path], num_seconds: float, folder: pathlib.Path
) -> Iterator[dict[str, float]]:
    """Yield the movement of filmed people, measured as that of portraits is.

    Args:
        paths: of videos.
        num_seconds: of each, at most.
        folder: existing, for what is found.

    Yields:
        Statistics as of `expression_curves.statistics`; nothing for videos
        without a face.

    Raises:
        UserError: a video cannot be read.
    """

    most = round(num_seconds * types.FRAME_RATE_HZ)

    def find(path):
        frames = itertools.islice(media.iterate_video(path), most)
        face = expression_curves.follow(frames)
        return {} if face is None else expression_curves.statistics(face)

    for path in paths:
        key = video_clip.cache_key(
            "filmed", VERSION, video_clip.digest_of(path), str(num_seconds)
        )
        if found := video_clip.cached(
            folder / f"{key}.json", functools.partial(find, path)
        ):
            yield found


def _first_seconds(waveform: np.ndarray, seconds: float) -> np.ndarray:
    return waveform[: round(seconds * types.SAMPLE_RATE_HZ)]


def _lay_out(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Lay rows of as many square images each below one another, uint8."""

    def small(image):
        box = crop.CropBox.of_whole(*image.shape[:2])
        return crop.extract(image, box, STRIP_SIZE)

    return np.concatenate(
        [np.concatenate([small(image) for image in row], axis=1) for row in rows]
    )

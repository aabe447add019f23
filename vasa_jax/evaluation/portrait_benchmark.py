"""Run a checkpoint over portraits and voices, each once, keeping what was found."""

import dataclasses
import functools
import itertools
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vasa_jax import audio, errors, media, types
from vasa_jax.evaluation import (
    cache,
    expressions,
    face_curves,
    face_motion,
    portrait_list,
    portrait_measures,
    portrait_tags,
    report,
)
from vasa_jax.evaluation.performer import Performer
from vasa_jax.pipeline import controls, trained
from vasa_jax.portrait import crop, locate

VERSION = "1"
"""Raised when what is measured changes."""

STRIP_SIZE = 160
"""Side of a frame on contact sheets, pixels. Ours: faces are still judged."""

STRIP_SECONDS = tuple(0.5 * number for number in range(1, 12))
"""Times at which speech is shown. Ours: with the photograph as many as controls."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """A portrait to measure.

    Attributes:
        path: of the picture.
        kinds: of it; None takes what `portrait_tags.measure` finds.
        derived: one of `portrait_tags.DERIVED_KINDS`, or None for the picture itself.
        has_controls: whether the controls are tried.
    """

    path: pathlib.Path
    kinds: tuple[str, ...] | None = None
    derived: str | None = None
    has_controls: bool = True

    @property
    def name(self) -> str:
        """Of the files that show it."""
        made = "" if self.derived is None else f"-{self.derived.replace(' ', '-')}"
        return self.path.stem + made


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is done with every portrait.

    Attributes:
        voices: sound files; portrait i takes the i-th and those that follow.
        num_voices: of them for a portrait.
        num_seconds: of a voice, at most.
        control_seconds: of the first voice, for each control.
        seed: of the first performance.
    """

    voices: tuple[pathlib.Path, ...]
    num_voices: int
    num_seconds: float
    control_seconds: float
    seed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What was found of a portrait.

    Attributes:
        kinds: of it.
        values: mean over its voices.
        warning: a sentence about the picture, or None.
    """

    kinds: tuple[str, ...]
    values: report.Measured
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
        expression: as of `portrait_measures.measure_controls`.

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
        expression: expressions.ExpressionNetwork | None = None,
    ):
        self._settings = settings
        self._networks = networks
        self._expression = expression
        self._waveforms = [
            _first_seconds(audio.load_waveform(voice), settings.num_seconds)
            for voice in settings.voices
        ]
        self._performer = Performer(trained.load(checkpoint))
        self._found, self._clips, self._strips = (
            folder / name for name in ("found", "clips", "strips")
        )
        for place in (self._found, self._clips, self._strips):
            place.mkdir(parents=True, exist_ok=True)
        place = pathlib.Path(checkpoint or trained.SHIPPED_FOLDER)
        files = sorted(p for p in place.rglob("*") if p.is_file())
        given = [*files, *settings.voices, *network_files]
        self._digests = [VERSION, *(cache.digest_of(path) for path in given)]
        plain = dataclasses.asdict(settings) | {"voices": len(settings.voices)}
        self._digests += [json.dumps(plain, sort_keys=True), *sorted(networks)]

    def measure(self, item: Item, place: int) -> Result:
        """Measure one portrait, or find what was kept of it.

        Args:
            item: the portrait.
            place: of it among all; tells its voices.

        Raises:
            UserError: the picture cannot be read, or shows no face.
        """
        key = cache.key(
            "portrait",
            *(cache.digest_of(item.path), str(item.derived), str(item.has_controls)),
            *(item.name, str(place % len(self._waveforms)), *self._digests),
        )
        kept = cache.kept(self._found / f"{key}.json", lambda: self._find(item, place))
        values = {name: report.Value(*value) for name, value in kept["values"].items()}
        kinds = kept["kinds"] if item.kinds is None else item.kinds
        return Result(kinds=tuple(kinds), values=values, warning=kept["warning"])

    def _find(self, item: Item, place: int) -> dict[str, Any]:
        picture = media.read_image(item.path)
        found = locate.locate_face(picture)
        kinds = portrait_tags.measure(picture, found)
        if item.derived is not None:
            picture = portrait_tags.derive(picture, item.derived, found.box)
        subject = portrait_measures.Subject.of(picture, self._performer)
        takes, rows = [], []
        for take in range(self._settings.num_voices):
            waveform = self._waveforms[(place + take) % len(self._waveforms)]
            asked = controls.Controls(seed=self._settings.seed + take)
            values, frames = portrait_measures.measure_speech(
                subject, self._performer, waveform, asked, self._networks
            )
            takes.append(values)
            if take == 0:
                self._show(item, frames, waveform)
                times = np.array(STRIP_SECONDS) * types.FRAME_RATE_HZ
                shown = frames[np.minimum(times.astype(int), len(frames) - 1)]
                rows.append([subject.portrait.image, *shown])
        values = _average(takes)
        if item.has_controls:
            short = _first_seconds(
                self._waveforms[place % len(self._waveforms)],
                self._settings.control_seconds,
            )
            moved, last = portrait_measures.measure_controls(
                subject,
                self._performer,
                short,
                self._settings.seed,
                self._networks,
                self._expression,
            )
            values |= moved
            rows.append(list(last.values()))
        media.write_png(self._strips / f"{item.name}.png", _lay_out(rows))
        return {
            "kinds": list(kinds),
            "values": {key: list(value) for key, value in values.items()},
            "warning": found.warning,
        }

    def _show(self, item: Item, frames: np.ndarray, waveform: np.ndarray) -> None:
        size = self._performer.image_size
        place = self._clips / f"{item.name}.mp4"
        with media.VideoWriter(place, size, size, waveform=waveform) as out:
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
        Statistics as of `face_motion.statistics`; nothing for videos without a face.

    Raises:
        UserError: a video cannot be read.
    """

    most = round(num_seconds * types.FRAME_RATE_HZ)

    def find(path):
        frames = itertools.islice(media.iterate_video(path), most)
        face = face_curves.follow(frames)
        return {} if face is None else face_motion.statistics(face)

    for path in paths:
        key = cache.key("filmed", VERSION, cache.digest_of(path), str(num_seconds))
        if found := cache.kept(folder / f"{key}.json", functools.partial(find, path)):
            yield found


def find_items(
    folder: pathlib.Path,
    listed: Sequence[portrait_list.Listed] | None,
    num_portraits: int | None,
    num_controls: int | None,
    num_derived: int,
) -> list[Item]:
    """Return what is to be measured.

    Args:
        folder: of pictures.
        listed: which of them; None takes all files, whose kinds are measured.
        num_portraits: at most, spread over kinds.
        num_controls: of them whose controls are tried, at most; None takes all.
        num_derived: of each of `portrait_tags.DERIVED_KINDS`, out of other portraits.

    Raises:
        UserError: the folder is missing or holds no file.
    """
    if not folder.is_dir():
        raise errors.UserError(
            f"There is no folder {str(folder)!r}; name one of pictures by "
            "--portraits_dir."
        )
    if listed is None:
        files = sorted(p for p in folder.iterdir() if p.is_file())
        listed = [portrait_list.Listed(name=path.name) for path in files]
        is_known = False
    else:
        is_known = True
    chosen = portrait_list.choose(listed, num_portraits)
    with_controls = {one.name for one in portrait_list.choose(chosen, num_controls)}
    items = [
        Item(
            path=folder / one.name,
            kinds=one.kinds if is_known else None,
            has_controls=one.name in with_controls,
        )
        for one in chosen
    ]
    if not items:
        raise errors.UserError(
            f"The folder {str(folder)!r} holds no files; put pictures into it."
        )
    spread = np.linspace(0, len(items) - 1, min(num_derived, len(items)))
    derived = [
        Item(path=items[place].path, kinds=(kind,), derived=kind, has_controls=False)
        for kind in portrait_tags.DERIVED_KINDS
        for place in np.unique(spread.astype(int))
    ]
    return items + derived


def _first_seconds(waveform: np.ndarray, seconds: float) -> np.ndarray:
    return waveform[: round(seconds * types.SAMPLE_RATE_HZ)]


def _average(takes: Sequence[report.Measured]) -> report.Measured:
    """Average takes, of which one may lack what another has."""
    keys = dict.fromkeys(key for take in takes for key in take)
    unknown = report.Value(np.nan)
    return report.average([{k: take.get(k, unknown) for k in keys} for take in takes])


def _lay_out(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Lay rows of as many square images each below one another, uint8."""

    def small(image):
        box = crop.CropBox.of_whole(*image.shape[:2])
        return crop.extract(image, box, STRIP_SIZE)

    return np.concatenate(
        [np.concatenate([small(image) for image in row], axis=1) for row in rows]
    )

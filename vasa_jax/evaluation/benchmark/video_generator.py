"""The items of a benchmark, their videos in some samples each, and how these score.

Paper: VASA-1 section 4.1: three samples of each voice, whose scores are averaged.
"""

import copy
import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from vasa_jax import audio, errors, media, types
from vasa_jax.animate import talking_face, trained
from vasa_jax.animate.controls import Controls
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.evaluation.benchmark import held_out_clips, scoring, video_clip
from vasa_jax.evaluation.benchmark.scoring import Pair
from vasa_jax.evaluation.metrics.definition import VideoMetric
from vasa_jax.evaluation.report import score_report
from vasa_jax.portrait import crop

NUM_SAMPLES = 3
"""Paper: VASA-1 section 4.1."""

BATCH_FRAMES = 25
"""Frames of a reference that are cut at once. Ours: bounds memory."""

Progress = Callable[[str, Sequence, Iterator], Iterator]
"""Wraps an iterator with a bar: its name, the items, the iterator."""

FIELDS = ("image", "audio", "reference")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """A portrait and a voice.

    Attributes:
        name: of the clip in the report.
        image: picture; None takes the first frame of the reference.
        audio: voice; None takes the sound of the reference.
        reference: video of the person who says it, or None.
    """

    name: str
    image: pathlib.Path | None = None
    audio: pathlib.Path | None = None
    reference: pathlib.Path | None = None


def read_items(path: str | os.PathLike[str]) -> list[Item]:
    """Read a benchmark: a JSON object a line.

    Args:
        path: lines of `{"image": ..., "audio": ..., "reference": ...}`, paths relative
            to the file; `reference` may be left out, or else the two others. `name`
            names a line; it is its number if left.

    Returns:
        The items, in order.

    Raises:
        UserError: the file is missing, or a line is wrong.
    """
    path = pathlib.Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise errors.UserError(
            f"The benchmark {path} cannot be read ({error.strerror}); check the path."
        ) from error
    numbered = [(i, text) for i, text in enumerate(lines, 1) if text.strip()]
    items = [_read_item(path, number, text) for number, text in numbered]
    if len({item.name for item in items}) < len(items) or not items:
        raise errors.UserError(
            f"The benchmark {path} holds {len(items)} lines, of which no two may have "
            "one name; give lines of their own names, at least one."
        )
    return items


def _read_item(path: pathlib.Path, number: int, text: str) -> Item:
    where = f"Line {number} of {path}"
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.UserError(f"{where} is no JSON ({error}); mend it.") from error
    is_known = isinstance(given, dict) and set(given) <= {"name", *FIELDS}
    has_enough = is_known and ("reference" in given or {"image", "audio"} <= set(given))
    if not has_enough or not all(isinstance(v, str) and v for v in given.values()):
        raise errors.UserError(
            f"{where} must be an object of texts: image and audio, or reference, or "
            "all three, and a name if wanted."
        )
    paths = {key: path.parent / given[key] for key in FIELDS if key in given}
    for key, file in paths.items():
        if not file.is_file():
            raise errors.UserError(f"{where}: the {key} {file} does not exist.")
    return Item(name=given.get("name", f"{number:04d}"), **paths)


def find_items(pattern: str) -> list[Item]:
    """Return the items that a file or folder gives, in order of their names.

    Args:
        pattern: a `.jsonl`, see `read_items`; or a folder of real
            videos, with folders in it (VoxCeleb2's `test/mp4` lies so), or whatever
            `video_clip.find_videos` takes. A video is portrait (its first frame),
            voice and reference.

    Raises:
        UserError: there is nothing, or a line is wrong.
    """
    given = pathlib.Path(pattern)
    if given.suffix == ".jsonl":
        return read_items(given)
    if not given.is_dir():
        videos = {path.stem: path for path in video_clip.find_videos(pattern)}
    else:
        found = [p for p in given.rglob("*") if p.suffix.lower() in video_clip.SUFFIXES]
        relative = (path.relative_to(given).with_suffix("") for path in found)
        names = ("-".join(path.parts) for path in relative)
        videos = dict(zip(names, found, strict=True))
        if len(videos) < len(found) or not videos:
            raise errors.UserError(
                f"The folder {given} holds {len(found)} videos "
                f"({', '.join(video_clip.SUFFIXES)}), of which no two may have one "
                "name; give one or more."
            )
    return [Item(name=n, reference=videos[n]) for n in sorted(videos)]


def spread_items(items: list[Item], wanted: int | None) -> list[Item]:
    """Return at most as many items as wanted, evenly spread; None takes all."""
    if wanted is None:
        return list(items)
    return [items[index] for index in held_out_clips.spread_over(len(items), wanted)]


def items_of_records(
    opened: records.Records, folder: pathlib.Path, wanted: int | None
) -> list[Item]:
    """Write records as videos with sound, and return them as items.

    Ours: a file's name tells what it was written from, so that it is written once.

    Args:
        opened: records with `video` and `audio`.
        folder: existing, for the videos.
        wanted: evenly spread over the records, so that all identities have a share;
            None takes all.
    """
    count = len(opened)
    items = []
    for index in held_out_clips.spread_over(count, count if wanted is None else wanted):
        record = opened.read(index, ["clip_id", "video", "audio"])
        sound = np.asarray(record["audio"])
        digest = hashlib.sha256(record["video"] + sound.tobytes()).hexdigest()[:16]
        name = records.record_name(opened, index, record)
        path = folder / f"{name}.{digest}.mp4"
        if not path.exists():
            frames = encoding.decode_clip(record)
            waveform = encoding.to_waveform(sound, len(frames))
            size = frames.shape[1:3]
            with media.VideoWriter(path, *size, waveform=waveform) as out:
                out.write(frames)
        items.append(Item(name=name, reference=path))
    return items


class Generator:
    """Makes the videos of items with one checkpoint, each once.

    Ours: a video's name tells what it was made from, so that a stopped run goes on and
    a changed checkpoint starts over.

    Args:
        checkpoint: folder of both models; None is the one of the package.
        folder: existing, for the videos.
        controls: of all samples; the seed is that of the first, the next ones follow.

    Attributes:
        default_steps: of the sampler, unless controls ask for another number.

    Raises:
        UserError: as `trained.load`.
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | None,
        folder: pathlib.Path,
        controls: Controls,
    ):
        models = trained.load(checkpoint)
        self._face = talking_face.TalkingFace(models)
        self.default_steps = models.animation.sampling.num_steps
        self._folder = folder
        self._controls = controls
        export_folder = pathlib.Path(checkpoint or trained.SHIPPED_FOLDER)
        files = sorted(p for p in export_folder.rglob("*") if p.is_file())
        self._digest = video_clip.cache_key(
            "checkpoint", *(video_clip.digest_of(p) for p in files)
        )

    def with_controls(self, controls: Controls) -> "Generator":
        """Return the same for other controls; nothing is loaded again."""
        other = copy.copy(self)
        other._controls = controls
        return other

    @property
    def image_size(self) -> int:
        """Side of the frames, pixels."""
        return self._face.image_size

    def make(
        self,
        item: Item,
        num_samples: int = NUM_SAMPLES,
        progress: Callable[[int], None] = lambda num_frames: None,
    ) -> list[Pair]:
        """Make the samples of an item, and its reference in their framing.

        Ours: the reference is cut by the crop of its own first frame, whose portrait
        then has the same place; sound and reference are cut to the shorter one.

        Args:
            item: portrait and voice.
            num_samples: of it.
            progress: called with the number of frames just made.

        Returns:
            A pair for each sample.

        Raises:
            UserError: no face, no sound, or a file that cannot be read.
        """
        digests = [
            "" if path is None else video_clip.digest_of(path)
            for path in (item.image, item.audio, item.reference)
        ]
        waveform = audio.load_waveform(item.audio or item.reference)
        num_frames = len(waveform) // types.SAMPLES_PER_FRAME
        reference = None
        if item.reference is not None:
            num_frames = min(num_frames, media.count_frames(item.reference))
            key = video_clip.cache_key(
                "reference", str(self._face.image_size), *digests
            )
            reference = self._folder / f"{item.name}.{key}.mp4"
        waveform = waveform[: num_frames * types.SAMPLES_PER_FRAME]
        if reference is not None and not reference.exists():
            self._cut(item.reference, reference, waveform)
        pairs = []
        for sample in range(num_samples):
            controls = dataclasses.replace(
                self._controls, seed=self._controls.seed + sample
            )
            asked = json.dumps(dataclasses.asdict(controls), sort_keys=True)
            key = video_clip.cache_key(f"sample{sample}", self._digest, asked, *digests)
            video = self._folder / f"{item.name}.{key}.mp4"
            if not video.exists():
                self._animate(item, waveform, controls, video, progress)
            pairs.append(Pair(video=video, reference=reference, sample_of=item.name))
        return pairs

    def _animate(self, item, waveform, controls, video, progress) -> None:
        image = (
            _first_frame(item.reference)
            if item.image is None
            else media.read_image(item.image)
        )
        size = self._face.image_size
        with media.VideoWriter(video, size, size, waveform=waveform) as out:
            for frames in self._face.animate(image, waveform, controls):
                out.write(frames)
                progress(len(frames))

    def _cut(self, source: pathlib.Path, target: pathlib.Path, waveform) -> None:
        size = self._face.image_size
        box = self._face.locate(_first_frame(source)).box
        num_frames = len(waveform) // types.SAMPLES_PER_FRAME
        frames = itertools.islice(media.iterate_video(source), num_frames)
        with media.VideoWriter(target, size, size, waveform=waveform) as out:
            while batch := list(itertools.islice(frames, BATCH_FRAMES)):
                out.write(np.stack([crop.extract(f, box, size) for f in batch]))


def _first_frame(path: pathlib.Path) -> np.ndarray:
    return next(media.iterate_video(path))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """What was generated and found.

    Attributes:
        pairs: the videos with their references.
        report: of them.
        left_out: why items could not be generated, by name.
    """

    pairs: tuple[scoring.Pair, ...]
    report: score_report.Report
    left_out: Mapping[str, str]


def generate_and_score(
    generator: Generator,
    items: Sequence[Item],
    metrics: Sequence[VideoMetric],
    *,
    cache_dir: pathlib.Path,
    num_samples: int = NUM_SAMPLES,
    num_workers: int = 1,
    progress: Progress = lambda label, items, iterator: iterator,
) -> Made:
    """Generate all items and score them by all metrics whose needs are met.

    Ours: an item whose portrait shows no face is left out by name, as is a frame that
    shows none, because a long run should not end at one of them.

    Args:
        generator: with the settings.
        items: of the benchmark.
        metrics: in the order of the report; those that cannot be measured say why.
        cache_dir: existing folder for what was found.
        num_samples: of each item.
        num_workers: processes that measure.
        progress: shows how far it is.

    Raises:
        UserError: no item could be generated, or a file cannot be read.
    """
    pairs, left_out = [], {}
    for item in progress("generate", items, iter(items)):
        try:
            pairs += generator.make(item, num_samples)
        except errors.UserError as error:
            left_out[item.name] = str(error)
    if not pairs:
        name, reason = next(iter(left_out.items()))
        raise errors.UserError(
            f"None of the {len(items)} lines of the benchmark could be generated; the "
            f"first, {name}: {reason}"
        )
    unmet = scoring.find_unmet(metrics, any(pair.reference for pair in pairs))
    rules = scoring.Rules(
        metrics=tuple(metric for metric in metrics if metric.name not in unmet),
        cache_dir=cache_dir,
        max_missing=1.0,
    )
    found = scoring.score_all(pairs, rules, num_workers, progress)
    results = scoring.average_samples(pairs, found)
    report = score_report.summarise(metrics, results, {}, unmet)
    return Made(pairs=tuple(pairs), report=report, left_out=left_out)

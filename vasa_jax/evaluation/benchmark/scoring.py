"""Score clips by metrics, in processes, keeping each result as soon as it is known."""

import concurrent.futures
import contextlib
import dataclasses
import json
import multiprocessing
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from vasa_jax import errors, types
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition
from vasa_jax.evaluation.metrics.definition import Measured, VideoMetric

LENGTH_TOLERANCE = 2
"""Frames by which a video and its reference may differ; the shared ones are compared.

Ours: rounding of times and sound costs a frame or two, a wrong file costs more.
"""

MAX_MISSING = 0.1
"""Share of frames without a face up to which a clip is scored. Ours."""

TOO_FEW_FRAMES = "too few of its frames can be measured"
"""Why a clip has no number where nothing is missing for all clips alike."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """A video to score.

    Attributes:
        video: file.
        reference: its real video, or None.
        sample_of: name of the clip that it is one sample of; None: of itself.
    """

    video: pathlib.Path
    reference: pathlib.Path | None = None
    sample_of: str | None = None

    @property
    def name(self) -> str:
        """Name of the clip in the report."""
        return self.sample_of or self.video.stem


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """How clips are scored.

    Attributes:
        metrics: by which; their needs for every clip alike are met.
        cache_dir: existing folder in which results are kept.
        max_missing: share of frames without a face up to which a clip is scored.
        length_tolerance: frames by which a reference may be longer or shorter.
    """

    metrics: tuple[VideoMetric, ...]
    cache_dir: pathlib.Path
    max_missing: float = MAX_MISSING
    length_tolerance: int = LENGTH_TOLERANCE


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipResult:
    """What was found in a clip.

    Attributes:
        measured: by metric.
        num_frames: of the video; 0 if they were not counted.
        num_missing: of them without a face; None if no face was looked for.
        notes: sentences worth reading.
    """

    measured: Mapping[str, Measured]
    num_frames: int = 0
    num_missing: int | None = None
    notes: tuple[str, ...] = ()


def find_unmet(
    metrics: Sequence[VideoMetric], has_references: bool, flag: str = ""
) -> dict[str, str]:
    """Say what metrics need that was not given, by name.

    Args:
        metrics: of them.
        has_references: whether any video has one.
        flag: by which references are given, for the sentence.
    """
    unmet = {}
    for metric in metrics:
        reason = metric.needs.unmet()
        if reason is None and metric.needs.reference and not has_references:
            reason = f"needs references{flag}"
        if reason is not None:
            unmet[metric.name] = reason
    return unmet


def check(pair: Pair, rules: Rules) -> tuple[str, ...]:
    """Read a pair to its end, before anything is measured.

    Args:
        pair: the files.
        rules: which metrics.

    Returns:
        Notes on the pair.

    Raises:
        UserError: a file is no video, or the two do not fit one another.
    """
    clip, reference = _open(pair, rules)
    notes = [n for one in (clip, reference) if one for n in _notes(one)]
    if reference is None:
        return tuple(notes)
    lengths = clip.facts.num_frames, reference.facts.num_frames
    if abs(lengths[0] - lengths[1]) > rules.length_tolerance:
        raise errors.UserError(
            f"The video {clip.path} has {lengths[0]} frames and its reference "
            f"{reference.path} has {lengths[1]} (at 25 a second); cut them to one "
            f"length, or allow more than {rules.length_tolerance} by "
            "--length_tolerance."
        )
    if lengths[0] != lengths[1]:
        notes.append(
            f"{clip.path.name} has {lengths[0]} frames and its reference {lengths[1]}; "
            f"what compares both uses the first {min(lengths)}"
        )
    sizes = [(one.facts.width, one.facts.height) for one in (clip, reference)]
    named = [m.name for m in rules.metrics if m.needs.same_size]
    if sizes[0] != sizes[1] and named:
        raise errors.UserError(
            f"The video {clip.path} is of {sizes[0][0]} x {sizes[0][1]} pixels and its "
            f"reference {reference.path} of {sizes[1][0]} x {sizes[1][1]}; scale one "
            f"of them, or leave out {', '.join(named)} by --metrics."
        )
    return tuple(notes)


def score(pair: Pair, rules: Rules) -> ClipResult:
    """Score one video by all metrics, or read what was kept of it.

    Args:
        pair: checked by `check`.
        rules: as there.

    Raises:
        UserError: too many frames show no face.
    """
    clip, reference = _open(pair, rules)
    num_missing, notes = None, ()
    if any(metric.needs.face for metric in rules.metrics):
        for one in (clip, reference):
            if one is not None:
                _check_faces(one, rules.max_missing)
        num_missing = int((~clip.face.present).sum())
        if reference is not None and (count := int((~reference.face.present).sum())):
            total = len(reference.face.present)
            notes = (
                f"reference {reference.path.name}: no face in {count} of {total} "
                "frames, left out",
            )
    measured = {}
    for metric in rules.metrics:
        reason = _lacks(metric, clip, reference)
        if reason is not None:
            measured[metric.name] = Measured(left_out=reason)
            continue
        key = video_clip.cache_key(
            metric.name,
            clip.digest,
            reference.digest if reference else "",
            json.dumps(metric.settings(), sort_keys=True),
        )
        found = video_clip.cached(
            rules.cache_dir / f"{key}.json",
            lambda metric=metric: metric.measure(clip, reference).to_plain(),
        )
        measured[metric.name] = Measured.from_plain(found)
    return ClipResult(
        measured=measured,
        num_frames=clip.facts.num_frames,
        num_missing=num_missing,
        notes=notes,
    )


def score_all(
    pairs: Sequence[Pair],
    rules: Rules,
    num_workers: int = 1,
    progress: Callable[[str, Sequence, Iterator], Iterator] = lambda _, __, i: i,
) -> list[ClipResult]:
    """Check and then score all videos.

    Ours: what uses the accelerator is measured in this process, the rest in workers
    that run ahead of it; the results do not depend on how many there are.

    Args:
        pairs: the files.
        rules: how.
        num_workers: processes; 1 uses this one.
        progress: wraps an iterator with a bar: its name, the items, the iterator.

    Returns:
        Results in the order of the pairs.

    Raises:
        UserError: as `check` and `score`, or weights cannot be read.
    """
    in_main = tuple(m for m in rules.metrics if m.needs.is_in_main)
    in_workers = tuple(m for m in rules.metrics if not m.needs.is_in_main)
    for metric in in_main:
        metric.prepare()
    notes = list(progress("read", pairs, _each(check, pairs, rules, num_workers)))
    nothing = ClipResult(measured={})
    found = (nothing for _ in pairs)
    if in_workers:
        own = dataclasses.replace(rules, metrics=in_workers)
        found = _each(score, pairs, own, num_workers)
    networks = dataclasses.replace(rules, metrics=in_main)
    results = []
    with contextlib.closing(found):
        for result in progress("measure", pairs, found):
            if in_main:
                pair = pairs[len(results)]
                result = _with_both(result, score(pair, networks))
            results.append(result)
    return [
        dataclasses.replace(result, notes=(*sentences, *result.notes))
        for result, sentences in zip(results, notes, strict=True)
    ]


def average_samples(
    pairs: Sequence[Pair], results: Sequence[ClipResult]
) -> dict[str, ClipResult]:
    """Average the samples of each clip, as the paper does with three of each voice.

    Args:
        pairs: the videos.
        results: of them.

    Returns:
        Results by the names of clips, in order of names.
    """
    groups: dict[str, list[ClipResult]] = {}
    for pair, result in zip(pairs, results, strict=True):
        groups.setdefault(pair.name, []).append(result)
    return {name: _mean_of(name, groups[name]) for name in sorted(groups)}


def _mean_of(clip: str, samples: list[ClipResult]) -> ClipResult:
    if len(samples) == 1:
        return samples[0]
    measured, notes = {}, []
    for name in samples[0].measured:
        found = [one.measured[name] for one in samples]
        kept = [one for one in found if one.left_out is None]
        if not kept:
            measured[name] = found[0]
            continue
        if len(kept) < len(found):
            reason = next(one.left_out for one in found if one.left_out is not None)
            notes.append(
                f"{clip}: {name} is of {len(kept)} of {len(found)} samples: {reason}"
            )
        measured[name] = definition.average(kept)
        for key, score in measured[name].scores.items():
            given = [one.scores[key].value for one in kept if key in one.scores]
            num_known = len(given) - int(np.isnan(given).sum())
            if not np.isnan(score.value) and num_known < len(kept):
                notes.append(
                    f"{clip}: {key} is of {num_known} of {len(found)} samples: "
                    f"{TOO_FEW_FRAMES}"
                )
    missing = [one.num_missing for one in samples if one.num_missing is not None]
    return ClipResult(
        measured=measured,
        num_frames=sum(one.num_frames for one in samples),
        num_missing=sum(missing) if missing else None,
        notes=(*(note for one in samples for note in one.notes), *notes),
    )


def _each(
    function: Callable[[Any, Rules], Result],
    items: Sequence[Any],
    rules: Rules,
    num_workers: int,
) -> Iterator[Result]:
    """Yield results in order; a mistake in one stops the others."""
    if num_workers == 1 or len(items) == 1:
        for item in items:
            yield function(item, rules)
        return
    # Forked copies of threads that a network has started would hang.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(
        min(num_workers, len(items)), mp_context=context
    )
    with pool:
        futures = [pool.submit(function, item, rules) for item in items]
        try:
            for future in futures:
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _with_both(a: ClipResult, b: ClipResult) -> ClipResult:
    return ClipResult(
        measured={**a.measured, **b.measured},
        num_frames=b.num_frames,
        num_missing=a.num_missing if b.num_missing is None else b.num_missing,
        notes=tuple(dict.fromkeys((*a.notes, *b.notes))),
    )


def _open(pair: Pair, rules: Rules) -> tuple[video_clip.Clip, video_clip.Clip | None]:
    clip = video_clip.Clip(pair.video, rules.cache_dir)
    if pair.reference is None:
        return clip, None
    return clip, video_clip.Clip(pair.reference, rules.cache_dir)


def _notes(clip: video_clip.Clip) -> list[str]:
    name, facts = clip.path.name, clip.facts
    notes = []
    rate = facts.frame_rate_hz
    if rate and abs(rate - types.FRAME_RATE_HZ) > 0.01:
        notes.append(f"{name} has {rate:.4g} frames a second; it is read at 25")
    sound = facts.num_sound_frames
    if sound and abs(sound - facts.num_frames) > video_clip.SOUND_TOLERANCE:
        notes.append(
            f"the sound of {name} lasts {sound} frames and its picture "
            f"{facts.num_frames}; what needs both uses the first "
            f"{min(sound, facts.num_frames)}"
        )
    return notes


def _check_faces(clip: video_clip.Clip, max_missing: float) -> None:
    present = clip.face.present
    if 1 - present.mean() > max_missing:
        raise errors.UserError(
            f"No face is seen in {(~present).sum()} of the {len(present)} frames of "
            f"{clip.path}, and at most a share of {max_missing:g} may lack one; leave "
            "the video out, or allow more by --max_missing_faces."
        )


def _lacks(
    metric: VideoMetric, clip: video_clip.Clip, reference: video_clip.Clip | None
) -> str | None:
    """Say what a clip lacks for a metric, or None."""
    needs, facts = metric.needs, clip.facts
    if needs.reference and reference is None:
        return "it has no reference"
    if needs.sound and not facts.num_sound_frames:
        return "it has no sound"
    both = [clip, reference] if needs.reference and reference else [clip]
    shortest = min(one.facts.num_frames for one in both)
    if shortest < needs.num_frames:
        return f"it has {shortest} frames, and {needs.num_frames} are needed"
    if needs.face and not all(one.face.present.any() for one in both):
        return "no frame shows a face"
    return None

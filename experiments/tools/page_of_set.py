"""Writes the page that shows what a set of clips holds; see `experiments.set_page`."""

import collections
import html
import pathlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tqdm

from datasets.building import set_builder
from experiments.tools import histograms
from vasa_jax import types
from vasa_jax.data import clips, records
from vasa_jax.encode import clip_conditions
from vasa_jax.evaluation.report import report_page

NUM_SHOWN, SHOWN_PIXELS = 24, 128
"""Clips whose middle frame is shown, and its side. Ours: keeps the page below a
megabyte."""

OF_FRAMES = {
    "yaw of the head, degrees": ("head_pose", 0, np.rad2deg),
    "pitch of the head, degrees": ("head_pose", 1, np.rad2deg),
    "roll of the head, degrees": ("head_pose", 2, np.rad2deg),
    "place of the head, x": ("head_pose", 3, None),
    "place of the head, y": ("head_pose", 4, None),
    "distance of the head": ("head_distance", 0, None),
    "yaw of the gaze, degrees": ("gaze", 0, np.rad2deg),
    "pitch of the gaze, degrees": ("gaze", 1, np.rad2deg),
    "opening of the mouth": ("mouth_opening", None, None),
    "closing of the lids": ("blink", None, None),
}
"""Field of a record, its channel and unit, of what every frame tells."""

OF_CLIPS = {
    "quality: sharpness": ("sharpness", None, None),
    "quality: side of the crop in the video, pixels": ("crop_box", 2, np.float32(2)),
    "quality: covered share, at most of all parts": ("covered", "max", None),
    "quality: share that is voiced": ("voiced_share", None, None),
    "quality: lips and voice belong together": ("lip_match", None, None),
}
"""The same of what a clip tells. Ours: sets that do not know them do not show them."""


def page(
    folder: pathlib.Path, found: Mapping[str, records.Records], max_clips: int
) -> str:
    """Write the page of a set.

    Args:
        folder: of the set.
        found: its splits.
        max_clips: how many clips to read.

    Returns:
        HTML with drawings and pictures inside.
    """
    total = sum(map(len, found.values()))
    step = max(1, -(-total // max_clips))
    read, people, shown = [], collections.defaultdict(collections.Counter), []
    listed = [
        (s, i) for s, opened in found.items() for i in range(0, len(opened), step)
    ]
    pictured = set(np.linspace(0, len(listed) - 1, NUM_SHOWN).astype(int))
    for number, (split, index) in enumerate(tqdm.tqdm(listed, unit="clip", delay=0.5)):
        record = found[split].read(index)
        people[split][record["identity"]] += 1
        if number in pictured:
            middle = int(record["num_frames"]) // 2
            caption = f"{split}: {record['identity']}"
            shown.append((caption, clips.read_frames(record, [middle])[0]))
        read.append({k: record[k] for k in _fields() if k in record})
    body = [
        f"<p>{total:,} clips; {len(read):,} were read for what follows.</p>",
        _splits_table(found, people, read),
        "<h2>Frames</h2>",
        _pictures(shown),
        "<h2>People</h2>",
        _drawn(
            {f"clips of a person, {s}": list(p.values()) for s, p in people.items()}
        ),
        "<h2>Frames' values</h2>",
        _drawn(_values(read, OF_FRAMES)),
        "<h2>Clips' values</h2>",
        _drawn(_values(read, OF_CLIPS)),
        histograms.bars("mean emotion of clips", *_emotions(read)),
        "<h2>Left out</h2>",
        _skipped(folder / set_builder.SKIPPED_FILE),
    ]
    return report_page.frame(folder.absolute().name, body)


def _fields() -> set[str]:
    named = {field for field, _, _ in [*OF_FRAMES.values(), *OF_CLIPS.values()]}
    return named | {"num_frames", "emotion", "emotion_strength"}


def _splits_table(found, people, read) -> str:
    frames = sum(int(record["num_frames"]) for record in read)
    seconds = frames / types.FRAME_RATE_HZ / max(1, len(read))
    rows = [
        f"<tr><td>{split}</td><td>{len(opened):,}</td><td>{len(people[split]):,}</td>"
        f"<td>{len(opened) * seconds / 3600:.3g}</td></tr>"
        for split, opened in found.items()
    ]
    heads = "<tr><th>split</th><th>clips</th><th>people</th><th>hours</th></tr>"
    return f"<table>{heads}{''.join(rows)}</table>"


def _pictures(shown: Sequence[tuple[str, np.ndarray]]) -> str:
    figures = []
    for caption, frame in shown:
        step = max(1, frame.shape[0] // SHOWN_PIXELS)
        picture = report_page.jpeg(frame[::step, ::step])
        figures.append(
            f'<figure><img width="{SHOWN_PIXELS}" alt="" '
            f'src="data:image/jpeg;base64,{picture}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )
    return f'<div class="curves">{"".join(figures)}</div>'


def _values(read: Sequence[Mapping], wanted: Mapping) -> dict[str, np.ndarray]:
    """Take the values of some fields out of records, by their titles."""
    taken = {}
    for title, (field, channel, unit) in wanted.items():
        held = [_channel(record[field], channel) for record in read if field in record]
        if held:
            values = np.concatenate(held)
            taken[title] = values if unit is None else _in_unit(values, unit)
    return taken


def _channel(value, channel) -> np.ndarray:
    array = np.asarray(value, np.float32)
    if channel == "max":
        return array.max(axis=-1, keepdims=True)
    return np.atleast_1d(array if channel is None else array[..., channel])


def _in_unit(values, unit) -> np.ndarray:
    return unit(values) if callable(unit) else unit * values


def _drawn(values: Mapping[str, Iterable[float]]) -> str:
    drawn = [histograms.histogram(title, held) for title, held in values.items()]
    return f'<div class="curves">{"".join(drawn)}</div>'


def _emotions(read: Sequence[Mapping]) -> tuple[Sequence[str], np.ndarray]:
    """Return the classes and the mean strength of each, over clips that tell it."""
    emotions = np.stack([clip_conditions.emotion(record) for record in read])
    emotions = emotions[np.isfinite(emotions).all(axis=1)]
    mean = emotions.mean(axis=0) if len(emotions) else np.zeros(len(types.EMOTIONS))
    return types.EMOTIONS[1:], mean[1:]


def _skipped(path: pathlib.Path) -> str:
    """Count the reasons of sources that made no clip, each with its first."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    parts = [line.split(": ", 2) for line in lines]
    kinds = collections.Counter(part[1] for part in parts if len(part) == 3)
    first = {part[1]: part for part in reversed(parts) if len(part) == 3}
    rows = [
        f"<tr><td>{html.escape(kind)}</td><td>{count:,}</td>"
        f"<td>{html.escape(first[kind][0])}: {html.escape(first[kind][2])}</td></tr>"
        for kind, count in kinds.most_common()
    ]
    if not rows:
        return "<p>Nothing.</p>"
    heads = "<tr><th>reason</th><th>sources</th><th>such as</th></tr>"
    return f"<table>{heads}{''.join(rows)}</table>"

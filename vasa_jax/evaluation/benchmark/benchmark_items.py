"""What a benchmark holds: a list, a folder of real videos, or a split of records."""

import hashlib
import pathlib

import numpy as np

from vasa_jax import errors, media
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.evaluation.benchmark import video_files, video_generator
from vasa_jax.evaluation.benchmark.held_out_clips import spread_over


def find(pattern: str) -> list[video_generator.Item]:
    """Return the items that a file or folder gives, in order of their names.

    Args:
        pattern: a `.jsonl`, see `video_generator.read_items`; or a folder of real
            videos, with folders in it (VoxCeleb2's `test/mp4` lies so), or whatever
            `video_files.find_videos` takes. A video is portrait (its first frame),
            voice and reference.

    Raises:
        UserError: there is nothing, or a line is wrong.
    """
    place = pathlib.Path(pattern)
    if place.suffix == ".jsonl":
        return video_generator.read_items(place)
    if not place.is_dir():
        videos = {path.stem: path for path in video_files.find_videos(pattern)}
    else:
        found = [
            p for p in place.rglob("*") if p.suffix.lower() in video_files.SUFFIXES
        ]
        relative = (path.relative_to(place).with_suffix("") for path in found)
        names = ("-".join(path.parts) for path in relative)
        videos = dict(zip(names, found, strict=True))
        if len(videos) < len(found) or not videos:
            raise errors.UserError(
                f"The folder {place} holds {len(found)} videos "
                f"({', '.join(video_files.SUFFIXES)}), of which no two may have one "
                "name; give one or more."
            )
    return [video_generator.Item(name=n, reference=videos[n]) for n in sorted(videos)]


def spread(
    items: list[video_generator.Item], wanted: int | None
) -> list[video_generator.Item]:
    """Return at most as many items as wanted, evenly spread; None takes all."""
    if wanted is None:
        return list(items)
    return [items[place] for place in spread_over(len(items), wanted)]


def from_records(
    opened: records.Records, folder: pathlib.Path, wanted: int | None
) -> list[video_generator.Item]:
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
    for index in spread_over(count, count if wanted is None else wanted):
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
        items.append(video_generator.Item(name=name, reference=path))
    return items

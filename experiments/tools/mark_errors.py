"""Measure how often the watermark is found, and how often where there is none.

    python -m experiments.tools.mark_errors --portraits_dir=PORTRAITS \
        --voice=examples/voice.wav --data_dir=PHOTOS --videos='CLIPS/*.mpg' \
        --output=mark_errors.md

Clips are renders of portraits by the shipped checkpoint, clips of a data set and
videos, all at 512 pixels. Each is tried with and without the mark, as it is, and after
what happens to videos. Changes of one clip are not independent: each has a row of its
own, whose interval counts clips.
"""

import glob
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import tqdm
from absl import flags

from experiments.running import program
from experiments.tools import video_changes
from vasa_jax import audio, compilation_cache, media, types
from vasa_jax.animate import controls, talking_face
from vasa_jax.data import clips, records
from vasa_jax.errors import UserError
from vasa_jax.provenance import mark_pattern, mark_reader, watermark

PORTRAITS_DIR = flags.DEFINE_string("portraits_dir", None, "Portraits to render.")
VOICE = flags.DEFINE_string("voice", "examples/voice.wav", "That they say.")
DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder of clips of a set.")
SPLIT = flags.DEFINE_string("split", "validation", "Whose clips.")
VIDEOS = flags.DEFINE_string("videos", None, "Pattern of videos.")
NUM_RENDERS = flags.DEFINE_integer("num_renders", 100, "Portraits.", lower_bound=0)
NUM_CLIPS = flags.DEFINE_integer("num_clips", 95, "Of the set.", lower_bound=0)
NUM_FRAMES = flags.DEFINE_integer("num_frames", 30, "Of a clip.", lower_bound=2)
OUTPUT = flags.DEFINE_string("output", None, "Markdown to write.", required=True)

SIZE = 512
"""Side of the frames that are marked, pixels."""


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "H.264, crf 18, as it is written": lambda frames: video_changes.encoded(
        frames, crf=18
    ),
    "H.264, crf 23": lambda frames: video_changes.encoded(frames, crf=23),
    "H.264, crf 28": lambda frames: video_changes.encoded(frames, crf=28),
    "half size, H.264, crf 23": lambda frames: video_changes.encoded(
        video_changes.scaled(frames, 0.5), crf=23
    ),
    "80 % of each side, H.264, crf 23": lambda frames: video_changes.encoded(
        video_changes.cropped(frames), crf=23
    ),
    "VP8, 500 kbit/s": lambda frames: video_changes.encoded(
        frames, "libvpx", bit_rate=500_000, deadline="realtime"
    ),
}


def gather() -> Iterator[np.ndarray]:
    """Yield the clips, uint8 `[T, SIZE, SIZE, 3]`."""
    count = NUM_FRAMES.value
    if PORTRAITS_DIR.value:
        yield from _renders(count)
    if DATA_DIR.value:
        opened = records.open_folder(DATA_DIR.value, SPLIT.value)
        chosen = np.linspace(0, len(opened) - 1, NUM_CLIPS.value).round().astype(int)
        for index in chosen:
            frames = clips.read_frames(opened.read(int(index)))[:count]
            yield video_changes.scaled(frames, SIZE / frames.shape[1])
    for path in sorted(glob.glob(VIDEOS.value or "")):
        frames = np.stack(list(media.iterate_video(path))[:count])
        side = min(frames.shape[1:3])
        yield video_changes.scaled(frames[:, :side, :side], SIZE / side)


def _renders(count):
    face = talking_face.TalkingFace.from_checkpoint(image_size=SIZE)
    voice = audio.load_waveform(VOICE.value)[: (count + 1) * types.SAMPLES_PER_FRAME]
    paths = sorted(pathlib.Path(PORTRAITS_DIR.value).rglob("*.*"))
    done = 0
    for seed, path in enumerate(paths):
        if done == NUM_RENDERS.value:
            return
        try:
            portrait = face.locate(media.read_image(path))
        except UserError:
            continue
        asked = controls.Controls(seed=seed)
        frames = np.concatenate(list(face.animate(portrait, voice, asked)))
        done += 1
        yield frames[:count]


def interval(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 % of a share."""
    z = 1.96
    share, spread = hits / count, z * z / count
    middle = share + spread / 2
    half = z * np.sqrt(share * (1 - share) / count + spread / (4 * count))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def table(found: dict[str, list[tuple[float, bool]]]) -> str:
    """Write the rows.

    Args:
        found: scores, and whether the right number was read, by the row's name.
    """
    lines = [
        "| | clips | found | number read | lowest, median, highest score |",
        "|---|---|---|---|---|",
    ]
    for name, row in found.items():
        scores, is_right = (np.array(column) for column in zip(*row, strict=True))
        hits = int((scores >= mark_reader.THRESHOLD).sum())
        low, high = (100 * end for end in interval(hits, len(row)))
        spread = ", ".join(f"{x:.1f}" for x in np.quantile(scores, (0, 0.5, 1)))
        lines.append(
            f"| {name} | {len(row)} | {100 * hits / len(row):.1f} % "
            f"[{max(low, 0):.1f} {min(high, 100):.1f}] | "
            f"{100 * is_right.mean():.1f} % | {spread} |"
        )
    return "\n".join(lines) + "\n"


def main(_) -> int:
    """Write what the flags ask for; return the exit code."""
    compilation_cache.enable()
    rng = np.random.default_rng(0)
    found = {}
    for frames in tqdm.tqdm(gather(), unit="clip"):
        number = int(rng.integers(mark_pattern.NUMBERS))
        marked = watermark.Marker(number)(frames)
        for kind, shown in (("marked", marked), ("unmarked", frames)):
            for name, change in CHANGES.items():
                mark = mark_reader.read(change(shown))
                row = found.setdefault(f"{kind}: {name}", [])
                row.append((mark.score, mark.number == number))
        with media.written_beside(OUTPUT.value) as path:
            path.write_text(table(dict(sorted(found.items()))))
    print(f"{OUTPUT.value}: {len(row)} clips")
    return 0


if __name__ == "__main__":
    program.run(main)

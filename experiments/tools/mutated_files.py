"""Reads thousands of damaged files of each kind, and counts what comes of them.

    python -m experiments.tools.mutated_files --count=2000

Ours: files are made, damaged by a fresh seed, read in a process of its own, and thrown
away; a file that breaks outside software is nobody's to keep.
"""

import collections
import io
import itertools
import multiprocessing
import pathlib
import resource
import secrets
import shutil
import tempfile

import av
import numpy as np
import PIL.Image
import safetensors.numpy
from absl import app, flags

from datasets.building import shard_files, shard_folder
from vasa_jax import audio, errors, media
from vasa_jax.audio import whisper_weights
from vasa_jax.data import records

_COUNT = flags.DEFINE_integer("count", 2000, "Files of each kind.", lower_bound=1)
_KINDS = flags.DEFINE_list("kinds", None, "Such as mp4,jpg; all by default.")

LONGEST_SECONDS = 20.0
"""For one file. Ours: then it counts as a hang."""

MOST_BYTES = 2 * 2**30
"""Of memory, at the peak. Ours: what a small server has."""

_MOST_FRAMES = 5_000
_SECONDS = 1.0
_SOUNDS = {"mp3": "libmp3lame", "wav": "pcm_s16le", "m4a": "aac", "ogg": "libopus"}
_VIDEOS = {"mp4": "aac", "mkv": "libopus"}
_PICTURES = ("jpg", "png", "webp", "avif")
KINDS = (*_VIDEOS, *_SOUNDS, *_PICTURES, "safetensors", "array_record")

_SET = shard_folder.SetInfo(
    name="mutated", version="1.0.0", description="To damage.", splits=("train",)
)
_NUM_RECORDS = 6


def main(_) -> None:
    """Damage and read files of the kinds that the flags name; print the counts."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in _KINDS.value or KINDS:
            counts = try_kind(pathlib.Path(folder), kind, _COUNT.value)
            summary = ", ".join(f"{n} {what}" for what, n in counts.most_common())
            print(f"{kind}: {summary}", flush=True)


def try_kind(folder: pathlib.Path, kind: str, count: int) -> collections.Counter:
    """Count what comes of damaged files of a kind.

    Args:
        folder: for the files.
        kind: of `KINDS`.
        count: how many.

    Returns:
        How often which outcome came.
    """
    path = folder / f"whole.{kind}"
    make(path, kind)
    whole = path.read_bytes()
    generator = np.random.default_rng(secrets.randbits(64))
    path = folder / f"damaged.{kind}"
    counts, reader = collections.Counter(), None
    for _ in range(count):
        path.write_bytes(damage(whole, generator))
        reader = reader or _Reader()
        outcome, is_usable = reader.read(path, kind)
        counts[outcome] += 1
        if not is_usable:
            reader = reader.stop()
    if reader is not None:
        reader.stop()
    return counts


def damage(whole: bytes, generator: np.random.Generator) -> bytes:
    """Return a file with some bytes changed, zeroed, doubled, or its end cut off."""
    data = bytearray(whole)
    for _ in range(generator.integers(1, 4)):
        start = int(generator.integers(len(data)))
        length = int(min(len(data) - start, 2 ** generator.integers(0, 10)))
        match int(generator.integers(5)):
            case 0:
                data[start : start + length] = generator.bytes(length)
            case 1:
                data[start : start + length] = bytes(length)
            case 2:
                data[start:start] = data[start : start + length]
            case 3:
                data[start] ^= 1 << int(generator.integers(8))
            case _:
                del data[max(1, start) :]
    return bytes(data)


class _Reader:
    """A process that reads one file after another."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()

    def read(self, path: pathlib.Path, kind: str) -> tuple[str, bool]:
        """Return what came of a file, and whether the process can go on."""
        self._pipe.send((str(path), kind))
        if not self._pipe.poll(LONGEST_SECONDS):
            return "hang", False
        try:
            outcome, peak_bytes = self._pipe.recv()
        except EOFError:
            self._process.join()
            return f"crash ({self._process.exitcode})", False
        if peak_bytes > MOST_BYTES:
            return "too much memory", False
        return outcome, True

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _serve(pipe) -> None:
    pipe.send("ready")
    while True:
        path, kind = pipe.recv()
        try:
            read(pathlib.Path(path), kind)
            outcome = "read"
        except (errors.UserError, records.CorruptRecordError):
            outcome = "refused by a sentence"
        except Exception as error:  # noqa: BLE001 (it is what is looked for)
            outcome = f"{type(error).__name__}: {str(error)[:60]}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        pipe.send((outcome, peak))


def read(path: pathlib.Path, kind: str) -> None:
    """Read a file as the product does.

    Args:
        path: of it.
        kind: of `KINDS`.
    """
    if kind in _VIDEOS:
        frames = media.iterate_video(path, warn=_hear)
        for _ in itertools.islice(frames, _MOST_FRAMES):
            pass
        audio.count_samples(path, _hear)
    elif kind in _SOUNDS:
        audio.load_waveform(path, _hear)
    elif kind in _PICTURES:
        media.read_image(path)
    elif kind == "array_record":
        _read_records(path)
    else:
        whisper_weights.read_packed(path)


def _read_records(path: pathlib.Path) -> None:
    """Read the set that `make` has put beside, with this file for its own."""
    (own,) = (path.parent / _SET.name).glob("*.array_record-*")
    shutil.copyfile(path, own)
    opened = records.open_folder(own.parent)
    for index in range(len(opened)):
        opened.read(index)


def _hear(sentence: str) -> None:
    """Take a warning, which a damaged file is due."""


def make(path: pathlib.Path, kind: str) -> None:
    """Make a whole file of a kind."""
    generator = np.random.default_rng(0)
    if kind in _VIDEOS or kind in _SOUNDS:
        codec = (_VIDEOS | _SOUNDS)[kind]
        time_ = np.arange(round(48_000 * _SECONDS)) / 48_000
        tone = (0.5 * np.sin(2 * np.pi * 300 * time_)).astype(np.float32)
        with av.open(str(path), "w") as container:
            if kind in _VIDEOS:
                video = container.add_stream("libx264", rate=25)
                video.width = video.height = 64
            sound = container.add_stream(codec, rate=48_000, layout="mono")
            for start in range(0, len(tone), 4_800):
                block = tone[None, start : start + 4_800]
                frame = av.AudioFrame.from_ndarray(block, "fltp", "mono")
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
            if kind in _VIDEOS:
                for pixels in generator.integers(0, 255, (25, 64, 64, 3), np.uint8):
                    container.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
                container.mux(video.encode(None))
    elif kind in _PICTURES:
        pixels = generator.integers(0, 255, (12, 16, 4), np.uint8)
        picture = PIL.Image.fromarray(pixels).resize((160, 120))
        buffer = io.BytesIO()
        mode = "RGB" if kind == "jpg" else "RGBA"
        name = {"jpg": "jpeg"}.get(kind, kind)
        picture.convert(mode).save(buffer, name)
        path.write_bytes(buffer.getvalue())
    elif kind == "array_record":
        _make_set(path, generator)
    else:
        arrays = {f"{i}": generator.normal(size=(8, 8)) for i in range(6)}
        safetensors.numpy.save_file(arrays, path)


def _make_set(path: pathlib.Path, generator: np.random.Generator) -> None:
    """Write a set of one file of records, and the same file at `path`."""
    # Imported late: TFDS takes a second, and no other kind needs it.
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "identity": tfds.features.Text(),
            "video": tfds.features.Scalar(np.object_),
            "head_pose": tfds.features.Tensor(shape=(None, 6), dtype=np.float32),
        }
    )
    folder = path.parent / _SET.name
    (folder / shard_folder.FOLDER).mkdir(parents=True)
    with shard_files.ShardWriter(folder, "all", features) as writer:
        for number in range(_NUM_RECORDS):
            made = {
                "identity": f"{number}",
                "video": generator.bytes(2000),
                "head_pose": generator.normal(size=(25, 6)).astype(np.float32),
            }
            writer.add(f"{number}", "train", lambda made=made: [made])
    report = shard_files.read_report(folder, "all")
    shard_folder.assemble(folder, _SET, features, [("all", report)])
    (own,) = folder.glob("*.array_record-*")
    shutil.copyfile(own, path)


if __name__ == "__main__":
    app.run(main)

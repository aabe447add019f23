"""Many portraits and voices in one process, each pair to a video of its own."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Sequence

from vasa_jax.animate import files, model_files, video_files
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError

Path = str | os.PathLike[str]

LONGEST_STEM = 60
"""Letters of a file's name in its video's. Ours: a name has 255 bytes at most, and a
letter up to four."""


def split_names(text: str) -> list[str]:
    """Split names with commas between them; a file whose own name has one is one.

    Args:
        text: such as `a.png,b.png`.

    Returns:
        The names, without blanks around them.
    """
    if os.path.exists(text):
        return [text]
    return [name for name in map(str.strip, text.split(",")) if name]


def pair(
    images: Sequence[Path], audio_files: Sequence[Path]
) -> list[tuple[Path, Path]]:
    """Pair one portrait with all voices, one voice with all portraits, or in order.

    Ours: several of both are paired in order, never each with each, which would make
    more videos than anybody named files.

    Args:
        images: pictures.
        audio_files: voices.

    Returns:
        Pairs of a picture and a voice.

    Raises:
        UserError: several of both, but not equally many.
    """
    if 1 not in (len(images), len(audio_files)) and len(images) != len(audio_files):
        raise UserError(
            f"There are {len(images)} images and {len(audio_files)} voices; give one "
            "image for all voices, one voice for all images, or equally many, which "
            "are paired in order."
        )
    count = max(len(images), len(audio_files))
    images, audio_files = (
        list(some) * count if len(some) == 1 else some for some in (images, audio_files)
    )
    return list(zip(images, audio_files, strict=True))


def name_outputs(
    pairs: Sequence[tuple[Path, Path]], folder: Path
) -> list[pathlib.Path]:
    """Name the video of each pair `IMAGE-VOICE.mp4`, after both files.

    Ours: of long names the first `LONGEST_STEM` letters.

    Raises:
        UserError: two videos would have the same name.
    """
    stems = [[pathlib.Path(p).stem[:LONGEST_STEM] for p in pair] for pair in pairs]
    names = [f"{'-'.join(pair)}.mp4" for pair in stems]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(
            f"Two of the videos would be called {twice[0]}; name files whose names "
            "differ, or run them one after another."
        )
    return [pathlib.Path(folder) / name for name in names]


def animate_many(
    images: Sequence[Path],
    audio_files: Sequence[Path],
    folder: Path,
    *,
    controls: Controls | None = None,
    models: model_files.ModelFiles | None = None,
    settings: video_files.VideoSettings | None = None,
    listener: video_files.Listener | None = None,
    finished: Callable[[pathlib.Path, int], None] = lambda output, num_frames: None,
    failed: Callable[[pathlib.Path, UserError], None] = lambda output, error: None,
) -> int:
    """Animate pairs of `pair` one after another; one that fails stops no other.

    Args:
        images: pictures.
        audio_files: voices.
        folder: of the videos, which `name_outputs` names; made if it is missing.
        controls, models, settings, listener: as of `files.animate_files`, for all.
        finished: called with each video and its frames.
        failed: called with each video that could not be made, and why.

    Returns:
        How many failed.

    Raises:
        UserError: the files cannot be paired or named, or what counts for all of them
            (controls, models, folder) cannot be used.
    """
    models = models or model_files.ModelFiles()
    pairs = pair(images, audio_files)
    outputs = name_outputs(pairs, folder)
    models.check(controls or Controls())
    models.load()
    num_failed = 0
    with _folder(pathlib.Path(folder)):
        for (image, audio_file), output in zip(pairs, outputs, strict=True):
            try:
                num_frames = files.animate_files(
                    image,
                    audio_file,
                    output,
                    controls=controls,
                    models=models,
                    settings=settings,
                    listener=listener,
                )
            except UserError as error:
                num_failed += 1
                failed(output, error)
            else:
                finished(output, num_frames)
    return num_failed


@contextlib.contextmanager
def _folder(path: pathlib.Path):
    """Make a folder if it is missing, and take it away again if it stays empty."""
    is_new = not path.exists()
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {os.fspath(path)!r} for the videos cannot be made "
            f"({error.strerror}); name another --output."
        ) from error
    try:
        yield
    finally:
        if is_new and not any(path.iterdir()):
            path.rmdir()

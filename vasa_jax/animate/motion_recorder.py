"""Keep the motion that passes by, and write it when it is whole."""

import contextlib
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

from vasa_jax import media
from vasa_jax.animate import arkit_csv, motion_edits, motion_files

Path = str | os.PathLike[str]


def check_path(path: Path) -> None:
    """Refuse, before any work, a place that `recorded` could not write.

    Raises:
        UserError: neither .npz, .json nor .csv, or it cannot be written there.
    """
    if _is_csv(path):
        media.check_place(path)
    else:
        motion_files.check_path(path)


@contextlib.contextmanager
def recorded(
    motion: Iterable[np.ndarray],
    path: Path | None,
    face: motion_edits.FaceEditor,
    turns_about: str,
) -> Iterator[Iterable[np.ndarray]]:
    """Hand motion on, and write what was read of it at a clean exit.

    Args:
        motion: pieces float32 `[n, M]`, 25 frames a second.
        path: a file of `motion_files`, or a CSV of ARKit's weights; None writes none.
        face: of the model whose motion it is.
        turns_about: as of `motion_files.RecordedMotion`.

    Yields:
        The pieces.

    Raises:
        UserError: as of `check_path`.
    """
    if path is None:
        yield motion
        return
    kept: list[np.ndarray] = []

    def pieces():
        for piece in motion:
            kept.append(piece)
            yield piece

    yield pieces()
    whole = motion_files.RecordedMotion.of_motion(
        np.concatenate(kept), face.code, turns_about
    )
    if _is_csv(path):
        arkit_csv.write(path, face.read(whole.facial_dynamics))
    else:
        motion_files.save(path, whole)


def _is_csv(path: Path) -> bool:
    return pathlib.Path(path).suffix.lower() == ".csv"

"""Weights that do not come with the package: what a checkpoint says of their file.

Ours: a motion model trained on an encoder's features means nothing with other weights
of that encoder, so a checkpoint holds the file's name and hash.
"""

import dataclasses
import hashlib
import os
import pathlib

from vasa_jax import errors

_SHOWN_DIGITS = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """Which file of weights an encoder was used with.

    Attributes:
        name: its name, without folders.
        sha256: over its content, hexadecimal.
    """

    name: str
    sha256: str


def describe(path: str | os.PathLike[str]) -> WeightsFile:
    """Describe a file by name and hash.

    Args:
        path: of the weights.

    Returns:
        Its description.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise errors.UserError(
            f"The audio weights {os.fspath(path)!r} cannot be read "
            f"({error.strerror}); check the path."
        ) from error
    return WeightsFile(name=pathlib.Path(path).name, sha256=digest)


def check(
    path: str | os.PathLike[str] | None,
    needed: WeightsFile | None,
    encoder: str,
    source: str,
) -> None:
    """Refuse a file of weights that is missing or is not the one that is needed.

    Args:
        path: the file that was given, or None.
        needed: what a checkpoint was trained with, or None where nothing was yet.
        encoder: name of the encoder, for the sentence.
        source: where its weights are published, for the sentence.

    Raises:
        UserError: no file, an unreadable one, or another than `needed`.
    """
    if path is None and needed is None:
        raise errors.UserError(
            f"The audio encoder {encoder!r} needs a file of weights that does not come "
            f"with the package; get {source} and name it by --audio_weights."
        )
    if path is None:
        raise errors.UserError(
            f"The checkpoint was trained with the audio weights {needed.name!r} "
            f"(sha256 {_short(needed)}) of {source}, which do not come with it; get "
            "that file and name it by --audio_weights, or put it into the checkpoint's "
            "folder."
        )
    found = describe(path)
    if needed is not None and found.sha256 != needed.sha256:
        raise errors.UserError(
            f"The audio weights {os.fspath(path)!r} (sha256 {_short(found)}) are not "
            f"those that the checkpoint was trained with, {needed.name!r} (sha256 "
            f"{_short(needed)}) of {source}; give that file."
        )


def _short(file: WeightsFile) -> str:
    return f"{file.sha256[:_SHOWN_DIGITS]}..."

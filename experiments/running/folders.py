"""Folders that programs fill: made where they are missing, never filled two ways."""

import json
import pathlib
from typing import Any

from vasa_jax import config, errors, media
from vasa_jax.encode import encoding


def make(folder: pathlib.Path) -> pathlib.Path:
    """Create a folder where there is none, and return it.

    Raises:
        UserError: it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.UserError(
            f"The folder {folder} cannot be made ({error.strerror}); name another "
            "--output."
        ) from error
    return folder


def keep_settings(output: pathlib.Path, settings: dict[str, Any]) -> None:
    """Write how the clips of a folder are encoded; refuse one that was begun otherwise.

    Args:
        output: the folder, made if need be.
        settings: what JSON can hold.

    Raises:
        UserError: the folder holds other settings.
    """
    file = output / encoding.SETTINGS_NAME
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        config.require(
            before == settings,
            f"The clips in {str(output)!r} were begun with {before}, not {settings}; "
            "give the same flags or a new --output_dir.",
        )
        return
    output.mkdir(parents=True, exist_ok=True)
    with media.written_beside(file) as beside:
        beside.write_text(json.dumps(settings, indent=2), encoding="utf-8")

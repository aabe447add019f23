"""Read the lists that come with sets: text with or without a byte-order mark."""

import csv
import pathlib
from collections.abc import Mapping

from vasa_jax import errors


def require(annotations: pathlib.Path | None, what: str) -> pathlib.Path:
    """Return the folder of a set's lists.

    Args:
        annotations: as the user gave it, or None.
        what: the files that it must hold, for the error.

    Raises:
        UserError: it is not given, or no such folder.
    """
    if annotations is None:
        raise errors.UserError(
            f"--annotations_dir is missing; name the folder that holds {what}."
        )
    if not annotations.is_dir():
        raise errors.UserError(
            f"There is no folder {str(annotations)!r}; give the one that holds {what} "
            "as --annotations_dir."
        )
    return annotations


def refuse(annotations: pathlib.Path | None) -> None:
    """Refuse a folder of lists for a set that has none.

    Args:
        annotations: as the user gave it, or None.

    Raises:
        UserError: it is given.
    """
    if annotations is not None:
        raise errors.UserError(
            "This set has no lists, its paths tell all; leave --annotations_dir out."
        )


def text(path: pathlib.Path) -> str:
    """Return the text of a file, without a byte-order mark.

    Raises:
        UserError: it is missing, empty or no text.
    """
    try:
        read = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise errors.UserError(
            f"There is no file {str(path)!r}; --annotations_dir must name the folder "
            "that holds it."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UserError(
            f"The file {str(path)!r} cannot be read as text; download it again."
        ) from error
    if not read.strip():
        raise errors.UserError(f"The file {str(path)!r} is empty; download it again.")
    return read


def table(path: pathlib.Path, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """Read a table with a header, whatever white space is around names and values.

    Args:
        path: commas or tabs between values.
        columns: by our name the column's in the file, in lower case.

    Returns:
        A row each, by our names.

    Raises:
        UserError: as of `text`, or a column is missing.
    """
    lines = text(path).splitlines()
    rows = csv.reader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    header = [cell.strip().lower() for cell in next(rows)]
    if missing := [name for name in columns.values() if name not in header]:
        raise errors.UserError(
            f"The table {str(path)!r} has no column {missing[0]!r}; its header reads "
            f"{', '.join(header)}, so give the file as the set has it."
        )
    indices = {ours: header.index(name) for ours, name in columns.items()}
    read = []
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        cells = [cell.strip() for cell in cells] + [""] * len(header)
        read.append({ours: cells[index] for ours, index in indices.items()})
    return read

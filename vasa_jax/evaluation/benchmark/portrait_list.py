"""Which portraits are measured: of a folder or a list, and ones made out of them."""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from vasa_jax import config, errors, media
from vasa_jax.evaluation.benchmark import portrait_kinds

HEADER = ("name", "looked at", "measured")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listed:
    """A line of a list.

    Attributes:
        name: of the picture's file.
        looked_at: kinds that a person saw.
        measured: kinds that `portrait_kinds.measure` found.
    """

    name: str
    looked_at: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Both, in the order of `portrait_kinds.KINDS`."""
        return tuple(
            kind
            for kind in portrait_kinds.KINDS
            if kind in self.looked_at or kind in self.measured
        )


def read(path: str | os.PathLike[str]) -> list[Listed]:
    """Read a list: tab-separated, kinds with commas between.

    Args:
        path: of the file.

    Returns:
        Its lines in order.

    Raises:
        UserError: the file is missing, or a line is wrong.
    """
    path = pathlib.Path(path)
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    except (OSError, UnicodeDecodeError) as error:
        raise errors.UserError(
            f"The list {path} cannot be read as text; check the path."
        ) from error
    if tuple(header.split("\t")) != HEADER or not lines:
        raise errors.UserError(
            f"The list {path} must begin with a line of {', '.join(HEADER)}, with tabs "
            "between, and name a picture on each line below."
        )
    found = [_read_line(path, n, line) for n, line in enumerate(lines, 2) if line]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise errors.UserError(f"The list {path} names {twice} twice; name it once.")
    return found


def _read_line(path: pathlib.Path, number: int, line: str) -> Listed:
    cells = line.split("\t")
    if len(cells) != len(HEADER):
        raise errors.UserError(
            f"Line {number} of {path} has {len(cells)} cells; give {len(HEADER)}: "
            f"{', '.join(HEADER)}, with tabs between."
        )
    name, *kinds = cells
    parts = [tuple(filter(None, cell.split(","))) for cell in kinds]
    for kind in (*parts[0], *parts[1]):
        if kind not in portrait_kinds.KINDS:
            raise config.unknown_name(kind, portrait_kinds.KINDS, "kind of portrait")
    return Listed(name=name, looked_at=parts[0], measured=parts[1])


def write(path: str | os.PathLike[str], listed: Sequence[Listed]) -> None:
    """Write a list as `read` reads it.

    Args:
        path: of the file; an older one is replaced.
        listed: its lines.

    Raises:
        UserError: the place cannot be written.
    """
    lines = ["\t".join(HEADER)]
    lines += [
        "\t".join([one.name, ",".join(one.looked_at), ",".join(one.measured)])
        for one in listed
    ]
    with media.written_beside(path) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def choose(listed: Sequence[Listed], count: int | None) -> list[Listed]:
    """Choose portraits so that every kind has as many as it can.

    Ours: one by one, the portrait that adds most to the kinds that have fewest; ties
    go to the order of the list.

    Args:
        listed: to choose among.
        count: how many; None takes all.

    Returns:
        The chosen, in the order of the list.
    """
    if count is None or count >= len(listed):
        return list(listed)
    held = dict.fromkeys(portrait_kinds.KINDS, 0)
    left, chosen = list(range(len(listed))), []
    for _ in range(count):
        best = max(left, key=lambda i: sum(2.0 ** -held[k] for k in listed[i].kinds))
        left.remove(best)
        chosen.append(best)
        for kind in listed[best].kinds:
            held[kind] += 1
    return [listed[place] for place in sorted(chosen)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Portrait:
    """A portrait to measure.

    Attributes:
        path: of the picture.
        kinds: of it; None takes what `portrait_kinds.measure` finds.
        derived: one of `portrait_kinds.DERIVED_KINDS`, or None for the picture itself.
        has_controls: whether the controls are tried.
    """

    path: pathlib.Path
    kinds: tuple[str, ...] | None = None
    derived: str | None = None
    has_controls: bool = True

    @property
    def name(self) -> str:
        """Of the files that show it."""
        made = "" if self.derived is None else f"-{self.derived.replace(' ', '-')}"
        return self.path.stem + made


def find(
    folder: pathlib.Path,
    listed: Sequence[Listed] | None,
    num_portraits: int | None,
    num_controls: int | None,
    num_derived: int,
) -> list[Portrait]:
    """Return what is to be measured.

    Args:
        folder: of pictures.
        listed: which of them; None takes all files, whose kinds are measured.
        num_portraits: at most, spread over kinds.
        num_controls: of them whose controls are tried, at most; None takes all.
        num_derived: of each of `portrait_kinds.DERIVED_KINDS`, out of other portraits.

    Raises:
        UserError: the folder is missing or holds no file, or two of one name.
    """
    if not folder.is_dir():
        raise errors.UserError(
            f"There is no folder {str(folder)!r}; name one of pictures by "
            "--portraits_dir."
        )
    is_known = listed is not None
    if listed is None:
        files = sorted(p for p in folder.iterdir() if p.is_file())
        listed = [Listed(name=path.name) for path in files]
    chosen = choose(listed, num_portraits)
    with_controls = {one.name for one in choose(chosen, num_controls)}
    items = [
        Portrait(
            path=folder / one.name,
            kinds=one.kinds if is_known else None,
            has_controls=one.name in with_controls,
        )
        for one in chosen
    ]
    if not items:
        raise errors.UserError(
            f"The folder {str(folder)!r} holds no files; put pictures into it."
        )
    names = [item.name for item in items]
    if alike := {item.name for item in items if names.count(item.name) > 1}:
        raise errors.UserError(
            f"Two pictures in {str(folder)!r} are called {min(alike)!r}; rename one."
        )
    spread = np.linspace(0, len(items) - 1, min(num_derived, len(items)))
    derived = [
        Portrait(
            path=items[place].path, kinds=(kind,), derived=kind, has_controls=False
        )
        for kind in portrait_kinds.DERIVED_KINDS
        for place in np.unique(spread.astype(int))
    ]
    return items + derived

"""Which portraits are measured: of a folder or a list, and ones made out of them."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from vasa_jax import errors
from vasa_jax.evaluation.benchmark import portrait_kinds, portrait_list


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
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
    listed: Sequence[portrait_list.Listed] | None,
    num_portraits: int | None,
    num_controls: int | None,
    num_derived: int,
) -> list[Item]:
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
        listed = [portrait_list.Listed(name=path.name) for path in files]
    chosen = portrait_list.choose(listed, num_portraits)
    with_controls = {one.name for one in portrait_list.choose(chosen, num_controls)}
    items = [
        Item(
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
        Item(path=items[place].path, kinds=(kind,), derived=kind, has_controls=False)
        for kind in portrait_kinds.DERIVED_KINDS
        for place in np.unique(spread.astype(int))
    ]
    return items + derived

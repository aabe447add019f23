"""Which portraits are measured, of a folder or a list, and of which kinds they are."""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from vasa_jax import config, errors, media, types
from vasa_jax.portrait import crop, landmarks, locate, resample

KINDS = (
    "child",
    "adult",
    "old",
    "light skin",
    "medium skin",
    "dark skin",
    "beard",
    "glasses",
    "hat",
    "open mouth or smile",
    "closed eyes",
    "greyscale or painted",
    "dark picture",
    "turned head",
    "small face",
)
"""In the order of reports; a portrait may be of several. Ours."""

DERIVED_KINDS = ("made greyscale", "made dark", "made small")
"""Of portraits that were made out of others; see `derive`."""

OPEN_MOUTH = 0.06
"""Gap of the lips, in eye distances, from which teeth or tongue may show. Ours."""

GREYSCALE_SPREAD = 6.0
"""Mean distance of a pixel's largest and least channel, of 255, below which a picture
has no colours. Ours: JPEG leaves about 5."""

DARK_LUMA = 70.0
"""Mean luma of the face's crop, of 255, below which a picture is dark. Ours: a tenth
to a fifth of photographs."""

TURNED_DEGREES = 12.0
"""Yaw from which a head is turned. Ours: one cheek is visibly narrower."""

SMALL_PIXELS = 200.0
"""Side of the face's crop below which a face is small. Ours: under half of 512 px."""

DARKENED = 0.35
"""Of the light that a picture made dark keeps. Ours: faces are still recognised."""

SHRUNK_PIXELS = 120
"""Crop side of a picture made small. Ours: below what `locate` calls soft."""


def measure_kinds(image: np.ndarray, found: locate.LocatedFace) -> tuple[str, ...]:
    """Return the kinds that can be measured.

    Ours: age, beard and the like must be looked at, and so must the tone of skin: by
    the cheeks' colour, light decides more than skin does.

    Args:
        image: uint8 `[H, W, 3]`.
        found: its face.

    Returns:
        Names of `KINDS`.
    """
    height, width = image.shape[:2]
    side = 2 * found.box.half_size
    left, top = (max(0, int(v)) for v in (found.box.left, found.box.top))
    right, bottom = found.box.left + side, found.box.top + side
    face = image[top : min(height, int(bottom)), left : min(width, int(right))]
    spread = np.ptp(image.astype(np.int16), axis=-1).mean()
    yaw_degrees = np.degrees(found.head_pose.rotation[0])
    is_kind = {
        "open mouth or smile": landmarks.mouth_aperture(found.landmarks.points)
        > OPEN_MOUTH,
        "greyscale or painted": spread < GREYSCALE_SPREAD,
        "dark picture": (face @ types.LUMA).mean() < DARK_LUMA,
        "turned head": abs(yaw_degrees) > TURNED_DEGREES,
        "small face": side < SMALL_PIXELS,
    }
    return tuple(kind for kind in KINDS if is_kind.get(kind, False))


def derive(image: np.ndarray, kind: str, box: crop.CropBox) -> np.ndarray:
    """Make a portrait of another kind out of one.

    Ours: the same faces in two kinds tell the kind's effect apart from the faces'.

    Args:
        image: uint8 `[H, W, 3]`.
        kind: one of `DERIVED_KINDS`.
        box: of its face.

    Returns:
        uint8 `[H', W', 3]`.
    """
    if kind == "made greyscale":
        made = np.repeat(image @ types.LUMA[:, None], 3, axis=-1)
    elif kind == "made dark":
        made = DARKENED * image
    else:
        height, width = image.shape[:2]
        ratio = min(1.0, SHRUNK_PIXELS / (2 * box.half_size))
        rows, columns = (max(1, round(ratio * side)) for side in (height, width))
        made = resample.sample_window(image, 0, 0, width, height, rows, columns)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


HEADER = ("name", "looked at", "measured")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listed:
    """A line of a list.

    Attributes:
        name: of the picture's file.
        looked_at: kinds that a person saw.
        measured: kinds that `measure_kinds` found.
    """

    name: str
    looked_at: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Both, in the order of `KINDS`."""
        return tuple(
            kind for kind in KINDS if kind in self.looked_at or kind in self.measured
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
        if kind not in KINDS:
            raise config.unknown_name(kind, KINDS, "kind of portrait")
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
    held = dict.fromkeys(KINDS, 0)
    left, chosen = list(range(len(listed))), []
    for _ in range(count):
        best = max(left, key=lambda i: sum(2.0 ** -held[k] for k in listed[i].kinds))
        left.remove(best)
        chosen.append(best)
        for kind in listed[best].kinds:
            held[kind] += 1
    return [listed[index] for index in sorted(chosen)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Portrait:
    """A portrait to measure.

    Attributes:
        path: of the picture.
        kinds: of it; None takes what `measure_kinds` finds.
        derived: one of `DERIVED_KINDS`, or None for the picture itself.
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
        num_derived: of each of `DERIVED_KINDS`, out of other portraits.

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
            path=items[index].path, kinds=(kind,), derived=kind, has_controls=False
        )
        for kind in DERIVED_KINDS
        for index in np.unique(spread.astype(int))
    ]
    return items + derived

"""Where teeth and tongue stand behind the lips of a photograph.

Places are to the right of, below and behind the middle of a lip's inner edge, in the
head frame and in head units (10 cm). `mouth_paint` paints what they show.
"""

import dataclasses

import einops
import numpy as np


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of teeth: those of one side, from the middle on, head units.

    Attributes:
        widths: as seen from the front. Follows: mean crowns of adults; ours: those
            further back are turned away.
        heights: of the crowns. Follows: mean crowns of adults.
    """

    widths: tuple[float, ...]
    heights: tuple[float, ...]


UPPER = Row(
    widths=(0.086, 0.066, 0.072, 0.056, 0.046, 0.040),
    heights=(0.104, 0.090, 0.100, 0.085, 0.075, 0.070),
)
LOWER = Row(
    widths=(0.053, 0.058, 0.064, 0.055, 0.046, 0.040),
    heights=(0.088, 0.090, 0.105, 0.085, 0.075, 0.070),
)

UPPER_SHOWN, LOWER_SHOWN = (0.026, 0.046), (0.004, 0.022)
"""How far front teeth reach past the edge of their lip at rest. Ours: people show 2 to
4 mm of the upper ones, and the lower lip's edge covers most of the lower ones."""

LARGEST_SHOWN = 0.125
"""Ours: beyond a picture shows lower teeth, too, or gums."""

GUM = 0.06
"""Height of the gums beyond the crowns."""

EDGE = 0.01
"""Room in a tile past the edges of the teeth."""

SET_BACK, CURVE = 0.09, 2.2
"""How far behind the lips the front teeth stand, and how their row curves back. Ours:
lips are a centimetre thick; by eye when heads turn."""

BITE = 0.02
"""How far the lower teeth stand behind the upper ones."""

TONGUE_HALF_WIDTH, TONGUE_SPAN, TONGUE_BACK = 0.21, (-0.10, 0.10), 0.26
"""Half width of the tongue, from its top to its bottom below the lower lip's edge, and
how far behind that."""

COLUMNS, _ROWS = 17, 5
"""Points of a sheet along each of its rows, and rows."""


@dataclasses.dataclass(frozen=True)
class MouthShape:
    """One person's mouth.

    Attributes:
        size: 1 for an average adult's.
        upper_shown, lower_shown: how far front teeth reach past the edge of their lip
            in the photograph, in units of `size` head units.
    """

    size: float
    upper_shown: float
    lower_shown: float


def random_shape(
    size: float, teeth_end: float | None, generator: np.random.Generator
) -> MouthShape:
    """Draw a mouth.

    Args:
        size: of the mouth, 1 for an average adult's.
        teeth_end: where the photographed upper teeth end, `mouth_light.MouthLight`.
        generator: source of chance.
    """
    upper, lower = (generator.uniform(*span) for span in (UPPER_SHOWN, LOWER_SHOWN))
    if teeth_end is not None:
        upper = float(np.clip(teeth_end / size, upper, LARGEST_SHOWN))
    return MouthShape(size, upper, lower)


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A curved piece of the mouth's inside.

    Attributes:
        points: float64 `[P, 3]`, see the module.
        places: float64 `[P, 2]` in its tile, 0 to 1.
        triangles: int32 `[T, 3]`, wound like x, y.
    """

    points: np.ndarray
    places: np.ndarray
    triangles: np.ndarray


def sheets(shape: MouthShape) -> tuple[Sheet, Sheet, Sheet]:
    """Build upper teeth, lower teeth and tongue.

    Upper teeth are fixed to the head and start from the upper lip's edge; the others
    follow the jaw and start from the lower lip's edge. Ours: all curve back alike.
    """
    end, start = shape.upper_shown + EDGE, -shape.lower_shown - EDGE
    upper = (shape.upper_shown - max(UPPER.heights) - GUM, end)
    lower = (start, max(LOWER.heights) + GUM - shape.lower_shown)
    return (
        _sheet(shape.size, sum(UPPER.widths), upper, SET_BACK),
        _sheet(shape.size, sum(LOWER.widths), lower, SET_BACK + BITE),
        _sheet(shape.size, TONGUE_HALF_WIDTH, TONGUE_SPAN, TONGUE_BACK),
    )


def _sheet(size, half, span, back):
    across, down = np.meshgrid(np.linspace(-1, 1, COLUMNS), np.linspace(0, 1, _ROWS))
    x, y = half * across, span[0] + (span[1] - span[0]) * down
    local = np.stack([x, y, back + CURVE * x**2], axis=-1)
    places = np.stack([(across + 1) / 2, down], axis=-1)
    corner = np.arange(_ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)
    corner = corner.ravel()
    upper = np.stack([corner, corner + 1, corner + COLUMNS], axis=1)
    lower = np.stack([corner + 1, corner + COLUMNS + 1, corner + COLUMNS], axis=1)
    return Sheet(
        points=size * einops.rearrange(local, "r c k -> (r c) k"),
        places=einops.rearrange(places, "r c k -> (r c) k"),
        triangles=np.concatenate([upper, lower]).astype(np.int32),
    )

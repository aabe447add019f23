"""Where teeth and tongue stand behind the lips of a photograph.

Positions are to the right of, below and behind the middle of a lip's inner edge, in the
head frame and in head units (10 cm). `mouth_paint` paints what they show.
"""

import dataclasses


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

GUM = 0.06
"""Height of the gums beyond the crowns."""

EDGE = 0.01
"""Room in a tile past the edges of the teeth."""

TONGUE_HALF_WIDTH, TONGUE_SPAN = 0.21, (-0.18, 0.10)
"""Half width of the tongue, and how far from its top to its bottom below the lower
lip's edge. Ours: as high as it is seen in photographs; see `mouth_paint.BACK`."""


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

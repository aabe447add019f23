"""A person's mouth as curved sheets that are posed: teeth, tongue, and how they stand.

Positions are as in `portrait.mouth_interior`.
"""

import dataclasses

import einops
import numpy as np

from vasa_jax.portrait import mouth_interior

LARGEST_SHOWN = 0.125
"""Ours: beyond a picture shows lower teeth, too, or gums."""

SET_BACK, CURVE = 0.09, 2.2
"""How far behind the lips the front teeth stand, and how their row curves back. Ours:
lips are a centimetre thick; by eye when heads turn."""

BITE = 0.02
"""How far the lower teeth stand behind the upper ones."""

TONGUE_BACK = 0.26
"""How far behind the lower lip's edge the tongue lies."""

COLUMNS, _ROWS = 17, 5
"""Points of a sheet along each of its rows, and rows."""


def random_shape(
    size: float, teeth_end: float | None, generator: np.random.Generator
) -> mouth_interior.MouthShape:
    """Draw a mouth.

    Args:
        size: of the mouth, 1 for an average adult's.
        teeth_end: where the photographed upper teeth end, `mouth_light.MouthLight`.
        generator: source of chance.
    """
    upper, lower = (
        generator.uniform(*span)
        for span in (mouth_interior.UPPER_SHOWN, mouth_interior.LOWER_SHOWN)
    )
    if teeth_end is not None:
        upper = float(np.clip(teeth_end / size, upper, LARGEST_SHOWN))
    return mouth_interior.MouthShape(size, upper, lower)


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A curved piece of the mouth's inside.

    Attributes:
        points: float64 `[P, 3]`, see the module.
        uv: float64 `[P, 2]` in its tile, 0 to 1.
        triangles: int32 `[T, 3]`, wound like x, y.
    """

    points: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray


def sheets(shape: mouth_interior.MouthShape) -> tuple[Sheet, Sheet, Sheet]:
    """Build upper teeth, lower teeth and tongue.

    Upper teeth are fixed to the head and start from the upper lip's edge; the others
    follow the jaw and start from the lower lip's edge. Ours: all curve back alike.
    """
    end, start = (
        shape.upper_shown + mouth_interior.EDGE,
        -shape.lower_shown - mouth_interior.EDGE,
    )
    upper = (
        shape.upper_shown - max(mouth_interior.UPPER.heights) - mouth_interior.GUM,
        end,
    )
    lower = (
        start,
        max(mouth_interior.LOWER.heights) + mouth_interior.GUM - shape.lower_shown,
    )
    return (
        _sheet(shape.size, sum(mouth_interior.UPPER.widths), upper, SET_BACK),
        _sheet(shape.size, sum(mouth_interior.LOWER.widths), lower, SET_BACK + BITE),
        _sheet(
            shape.size,
            mouth_interior.TONGUE_HALF_WIDTH,
            mouth_interior.TONGUE_SPAN,
            TONGUE_BACK,
        ),
    )


def _sheet(size, half, span, back):
    across, down = np.meshgrid(np.linspace(-1, 1, COLUMNS), np.linspace(0, 1, _ROWS))
    x, y = half * across, span[0] + (span[1] - span[0]) * down
    local = np.stack([x, y, back + CURVE * x**2], axis=-1)
    uv = np.stack([(across + 1) / 2, down], axis=-1)
    corner = np.arange(_ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)
    corner = corner.ravel()
    upper = np.stack([corner, corner + 1, corner + COLUMNS], axis=1)
    lower = np.stack([corner + 1, corner + COLUMNS + 1, corner + COLUMNS], axis=1)
    return Sheet(
        points=size * einops.rearrange(local, "r c k -> (r c) k"),
        uv=einops.rearrange(uv, "r c k -> (r c) k"),
        triangles=np.concatenate([upper, lower]).astype(np.int32),
    )

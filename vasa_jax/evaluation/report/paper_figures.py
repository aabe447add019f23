"""The paper's five tables, and one of its successor: columns, settings and numbers.

Paper: VASA-1 sections 4.1 to 4.3. Ours: their order here, the sixth, and columns of our
own beside those whose network the paper does not publish or this package may not ship;
own columns are scores of other networks and stand empty in the paper's rows.
"""

import dataclasses
from collections.abc import Mapping

from vasa_jax.evaluation.metrics.definition import AS_REAL, HIGHER, LOWER

PAPER = "paper"
"""Who printed what is not ours, in all tables but one."""

DEFAULT_STEPS = 50
"""Paper: VASA-1 section 4, sampling steps of all tables but where others are named."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        symbol: its head.
        row: key or title of the line of `score_report.Report` that holds it; None
            where only the paper has a number.
        better: `HIGHER`, `LOWER` or `AS_REAL`.
        digits: after the point.
        is_extra: left out where it cannot be measured.
        absent: why nobody but the paper can fill it, where `row` is None.
    """

    symbol: str
    row: str | None
    better: str
    digits: int = 3
    is_extra: bool = False
    absent: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """How the motion is sampled.

    Attributes:
        title: as in the table.
        audio_guidance, gaze_guidance: strengths of guidance.
        num_steps: of the sampler; None takes the checkpoint's own.
    """

    title: str
    audio_guidance: float = 0.5
    gaze_guidance: float = 1.0
    num_steps: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """One table that is filled by generating and scoring.

    Attributes:
        title: what it shows.
        protocol: on what its source measured it.
        columns: of it.
        paper_values: the rows of its source, values by symbol.
        settings: rows of ours, with the paper's row for the same setting where it has
            one, values by symbol.
        source: who printed the rows that are not ours.
    """

    title: str
    protocol: str
    columns: tuple[Column, ...]
    paper_values: tuple[tuple[str, Mapping[str, float]], ...]
    settings: tuple[tuple[Setting, Mapping[str, float]], ...]
    source: str = PAPER


@dataclasses.dataclass(frozen=True, kw_only=True)
class SanityTable:
    """One of the two tables on CAPP itself, measured on real video.

    Attributes:
        title: what it shows.
        protocol: on what the paper measured it.
        paper_values: the paper's scores by shift in frames, or by factor.
        is_shift: which of both.
    """

    title: str
    protocol: str
    paper_values: Mapping[float, float]
    is_shift: bool


CONFIDENCE = Column(symbol="S_C", row="sync/confidence", better=HIGHER)
OWN_CONFIDENCE = Column(symbol="S_C (own)", row="S_C (own)", better=HIGHER)
INNER_CONFIDENCE = Column(
    symbol="S_C without zeros",
    row="sync/confidence_inside",
    better=HIGHER,
    is_extra=True,
)
DISTANCE = Column(symbol="S_D", row="sync/distance", better=LOWER)
INNER_DISTANCE = Column(
    symbol="S_D without zeros",
    row="sync/distance_inside",
    better=LOWER,
    is_extra=True,
)
OWN_DISTANCE = Column(symbol="S_D (own)", row="S_D (own)", better=LOWER)
CAPP = Column(
    symbol="CAPP",
    row=None,
    better=HIGHER,
    absent="needs the paper's network, which is not published",
)
OWN_CAPP = Column(symbol="CAPP (own)", row="CAPP (own)", better=HIGHER)
DELTA_POSE = Column(symbol="ΔP", row="delta_pose", better=AS_REAL)
FVD = Column(symbol="FVD25", row="fvd", better=LOWER)
HALF_FVD = Column(
    symbol="FVD25, as many as real against real",
    row="fvd/as_many",
    better=LOWER,
    is_extra=True,
)
VGG_DISTANCE = Column(
    symbol="VGG16 distance (not FVD)",
    row="vgg_distance",
    better=LOWER,
    digits=1,
    is_extra=True,
)
GAZE_ERROR = Column(symbol="E_g", row="gaze", better=LOWER)
DISTANCE_ERROR = Column(symbol="E_d", row="distance", better=LOWER)

_MOTION = (
    *(CONFIDENCE, INNER_CONFIDENCE, OWN_CONFIDENCE),
    *(DISTANCE, INNER_DISTANCE, OWN_DISTANCE),
    *(CAPP, OWN_CAPP, DELTA_POSE),
)
_VIDEO = (*_MOTION, FVD, HALF_FVD, VGG_DISTANCE)

DEFAULT = Setting(title="this checkpoint, default settings")
"""Paper: VASA-1 section 4: guidance 0.5 by voice, 1 by gaze. Ours: the checkpoint's own
number of steps, as a user gets it."""


def _values(columns: str, *rows: tuple[str, str]) -> tuple:
    """Read rows of numbers under the symbols of columns."""
    names = columns.split()
    return tuple(
        (name, dict(zip(names, map(float, numbers.split()), strict=True)))
        for name, numbers in rows
    )


def _ablation(lines: Mapping[tuple[float, float, int], str]) -> tuple:
    """Read the rows of the table on guidance and steps."""
    names = "S_C S_D CAPP ΔP FVD25 E_g E_d".split()
    return tuple(
        (
            Setting(
                title=f"λ_A {audio:g}, λ_g {gaze:g}, {steps} steps",
                audio_guidance=audio,
                gaze_guidance=gaze,
                num_steps=steps,
            ),
            dict(zip(names, map(float, numbers.split()), strict=True)),
        )
        for (audio, gaze, steps), numbers in lines.items()
    )


TABLES: Mapping[int, Table | SanityTable] = {
    1: Table(
        title="VoxCeleb2",
        protocol="a subset of VoxCeleb2's test split, 46 subjects with 10 clips each",
        columns=_MOTION,
        paper_values=_values(
            "S_C S_D CAPP ΔP",
            ("MakeItTalk", "4.176 15.513 -0.051 0.210"),
            ("Audio2Head", "6.172 8.470 0.246 0.260"),
            ("SadTalker", "5.843 8.813 0.441 0.275"),
            ("VASA-1", "8.841 6.312 0.468 0.304"),
            ("real video", "7.640 7.189 0.588 0.505"),
        ),
        settings=((DEFAULT, {}),),
    ),
    2: Table(
        title="OneMin-32",
        protocol="32 clips of a minute, of 17 people; FVD25 on 2000 real and 2000 "
        "generated clips",
        columns=_VIDEO,
        paper_values=_values(
            "S_C S_D CAPP ΔP FVD25",
            ("MakeItTalk", "-0.123 14.340 0.002 0.190 304.833"),
            ("Audio2Head", "5.992 8.211 0.205 0.239 209.772"),
            ("SadTalker", "5.501 8.850 0.383 0.252 214.507"),
            ("VASA-1", "7.957 6.635 0.465 0.316 105.884"),
            ("real video", "7.192 7.254 0.559 0.405 29.244"),
        ),
        settings=((DEFAULT, {}),),
    ),
    3: SanityTable(
        title="CAPP of real video, movement shifted against the voice, frames",
        protocol="real video",
        paper_values={0: 0.608, 1: 0.462, 2: 0.206, 3: 0.069, 4: 0.082},
        is_shift=True,
    ),
    4: SanityTable(
        title="CAPP of real video, movement scaled",
        protocol="real video",
        paper_values={0.2: 0.368, 0.5: 0.584, 1.0: 0.608, 1.5: 0.587, 3.0: 0.505},
        is_shift=False,
    ),
    5: Table(
        title="guidance and sampling steps",
        protocol="OneMin-32; rows that name no steps took 50",
        columns=(*_VIDEO, GAZE_ERROR, DISTANCE_ERROR),
        paper_values=(),
        settings=_ablation(
            {
                (0.0, 0.0, DEFAULT_STEPS): "7.087 7.391 .414 .291 117.425 5.730 .004",
                (0.0, 1.0, DEFAULT_STEPS): "7.134 7.345 .421 .290 116.547 5.329 .004",
                (0.0, 2.0, DEFAULT_STEPS): "7.108 7.386 .414 .298 117.784 5.064 .005",
                (0.5, 1.0, DEFAULT_STEPS): "7.957 6.635 .465 .316 105.884 5.253 .005",
                (1.0, 1.0, DEFAULT_STEPS): "8.218 6.437 .474 .342 104.886 5.333 .005",
                (2.0, 1.0, DEFAULT_STEPS): "8.295 6.397 .455 .395 104.293 5.531 .005",
                (0.5, 1.0, 10): "8.293 6.363 .523 .243 117.060 5.469 .006",
            }
        ),
    ),
    6: Table(
        title="HDTF",
        protocol="HDTF, one portrait a clip, at 42.3 frames a second on an H100",
        columns=_VIDEO,
        paper_values=_values(
            "S_C S_D CAPP FVD25",
            ("VASA-1's successor", "8.943 6.286 .699 62.3"),
        ),
        settings=((DEFAULT, {}),),
        source="arXiv 2606.01620",
    ),
}
"""Paper: VASA-1, but for the sixth. Ours: the order; numbers as printed."""

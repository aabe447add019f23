"""Measured portraits: their rows, kinds beside one another, contact sheets, a page."""

import dataclasses
import html
import pathlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from vasa_jax import media
from vasa_jax.evaluation.benchmark import portrait_runner
from vasa_jax.evaluation.metrics import expression_curves, photograph_measures
from vasa_jax.evaluation.metrics.definition import (
    Measured,
    Metric,
    PerClip,
    Row,
    State,
    Summary,
)
from vasa_jax.evaluation.report import report_page, score_report

FEW = 12
"""Portraits of a kind below which its row is marked. Ours."""

LEAST_OF_MEAN = 0.85
"""Share of the mean of all portraits below which a kind is marked. Ours."""

SHOWN = {
    "face": "face found",
    "dlib": "dlib",
    "mobile": "MobileFaceNet",
    "eyes_large": "sharp eyes",
    "mouth_large": "sharp mouth",
    "ring": "sharp ring",
    "still": "ghosts",
    "lips": "lips",
    "std_width": "mouth width",
    "std_yaw": "yaw",
    "change": "change",
    "fast": "above 2 Hz",
    "happiness_corners": "happiness",
    "surprise_brows": "surprise",
    "emotions_rise": "emotions",
    "gaze_irises": "gaze",
}
"""Rows that the table shows, with their headings. Ours: one of each that may fail."""

NOT_HIGHER = frozenset({"still", "change", "fast"})
"""Of these, those of which more is not better."""

SHEET_PORTRAITS = 5
"""Of a sheet. Ours: fits a screen."""

STYLE = """
div.strip { overflow-x: auto; } div.strip img { max-width: none; width: 1152px; }
section { display: flex; gap: 1rem; align-items: start; margin: .6rem 0; }
video { width: 224px; } pre { overflow-x: auto; font-size: 12px; }
"""

EYES = "eye distances"
"""Unit of lengths: between the outer corners of the eyes."""

FILMED_STD_DEGREES = {"yaw": 4.6, "pitch": 4.0, "roll": 3.5}
"""Of people filmed in conversation, medians of 13 clips."""

BANDS = ("below 0.5", "0.5 to 1", "1 to 2", "2 to 4", "above 4")
"""Of `expression_curves.BAND_EDGES_HZ`, in words."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Photographs(PerClip):
    """What a checkpoint makes of photographs; see `photograph_measures`.

    Attributes:
        num_seconds: of a clip.
    """

    num_seconds: float
    name: ClassVar[str] = "photographs"

    @property
    def rows(self) -> dict[str, Row]:
        """Return the rows by key, in order."""
        return {
            **_rows("Likeness to the photograph", LIKENESS),
            **_rows("Lips", LIPS),
            **_rows("Movement", movement(self.num_seconds)),
            **_rows("Controls", CONTROLS),
        }


def beside_filmed(measured: Measured, filmed: Mapping[str, float]) -> Measured:
    """Set scores beside the means of filmed people, measured alike, as ceilings."""
    scores = {
        key: score._replace(ceiling=filmed.get(key, np.nan))
        for key, score in measured.scores.items()
    }
    return dataclasses.replace(measured, scores=scores)


Cells = tuple[str, str, str, int]
"""Title, unit, aim, digits."""


def _rows(group: str, cells: Mapping[str, Cells]) -> dict[str, Row]:
    return {
        key: Row(
            group=group,
            title=title,
            unit=unit,
            aim=aim,
            floor="copying the source",
            ceiling="filmed people, measured alike",
            digits=digits,
        )
        for key, (title, unit, aim, digits) in cells.items()
    }


def _sharp(part: str, size: str) -> str:
    return f"Sharpness of {part} over the photograph's, both at {size}"


_LARGE = f"{photograph_measures.COMPARED_SIZE} px"

LIKENESS: Mapping[str, Cells] = {
    "face": ("Frames with a face", "", "1", 3),
    "dlib": ("Identity cosine (dlib)", "", "", 3),
    "mobile": ("Identity cosine (MobileFaceNet)", "", "", 3),
    "eyes_large": (_sharp("eyes", _LARGE), "", "0.85", 2),
    "mouth_large": (_sharp("mouth", _LARGE), "", "0.65 to 0.85", 2),
    "face_large": (_sharp("face", _LARGE), "", "", 2),
    "eyes_own": (_sharp("eyes", "the frames' size"), "", "", 2),
    "mouth_own": (_sharp("mouth", "the frames' size"), "", "", 2),
    "face_own": (_sharp("face", "the frames' size"), "", "", 2),
    "ring": ("Sharpness around the head over the photograph's", "", "0.95", 2),
    "still": ("Difference where nothing should move", "of 255", "0", 2),
    "outside": ("Share of the crop outside of the picture", "", "", 2),
}

LIPS: Mapping[str, Cells] = {
    "lips": ("Mouth opening seen against the one asked for", "", "", 2),
    "lag": ("Lag of the best correlation", "frames", "0", 1),
    "shut": ("Opening where least is asked for", EYES, "near 0", 3),
    "std_opening": ("Std of mouth opening", EYES, "", 3),
    "opening": ("Mouth opening, 5th to 95th percentile", EYES, "", 3),
    "std_width": ("Std of mouth width", EYES, "above 0.045", 3),
    "std_corners": ("Std of the corners' height above the lips' middle", EYES, "", 3),
}


def movement(num_seconds: float) -> dict[str, Cells]:
    """Return the rows of movement in clips of so many seconds."""
    window = min(num_seconds, expression_curves.RANGE_SECONDS)
    standard_deviations = {
        f"std_{angle}": (f"Std of {angle}", "degrees", f"0.7 of {filmed}", 2)
        for angle, filmed in FILMED_STD_DEGREES.items()
    }
    ranges = {
        f"range_{angle}": (f"Range of {angle} within {window:g} s", "degrees", "", 1)
        for angle in FILMED_STD_DEGREES
    }
    ranges["range_yaw"] = (*ranges["range_yaw"][:2], "above 15 in 10 s", 1)
    bands = {
        f"band_{number}": (f"Share of power {band} Hz", "", "", 3)
        for number, band in enumerate(BANDS)
    }
    change = "Change per frame, mean of the three angles"
    return {
        **standard_deviations,
        **ranges,
        "change": (change, "degrees", "0.40 to 0.65", 2),
        "asked_change": ("The same in the poses asked for", "degrees", "", 2),
        "turn": ("Turn per frame (ΔP)", "degrees", "", 2),
        "fast": ("Share of power above 2 Hz", "", "below 0.04", 3),
        "asked_fast": ("The same in the poses asked for", "", "", 3),
        **bands,
        "std_brows": ("Std of brows", EYES, "", 3),
        "std_brow_asymmetry": ("Std of brows' asymmetry", EYES, "", 3),
        "std_inner_brows": ("Std of inner brows", EYES, "", 3),
        "std_irises": ("Std of irises' place", "eye widths", "", 3),
        "std_size": ("Std of apparent size over its median", "", "", 3),
        "std_centre": ("Std of the head's place", EYES, "", 3),
        "blinks": ("Blinks", "a minute", "25 to 38", 1),
    }


CONTROLS: Mapping[str, Cells] = {
    "control_face": ("Frames with a face", "", "1", 3),
    "control_dlib": ("Identity cosine (dlib)", "", "", 3),
    "control_mobile": ("Identity cosine (MobileFaceNet)", "", "", 3),
    "happiness_corners": ("Happiness: corners rise", EYES, "above 0.10", 3),
    "happiness_width": ("Happiness: mouth widens", EYES, "", 3),
    "sadness_corners": ("Sadness: corners fall", EYES, "", 3),
    "surprise_brows": ("Surprise: brows rise", EYES, "above 0.06", 3),
    "surprise_eyes": ("Surprise: eyes open, gap over width", "", "", 3),
    "anger_brows": ("Anger: inner brows fall", EYES, "above 0.03", 3),
    "emotions_named": ("Emotions that a network names, of 6", "", "1", 2),
    "emotions_rise": (
        "Emotions whose own score rises most, of 6 (by chance 0.17)",
        "",
        "1",
        2,
    ),
    "gaze_irises": (
        f"Gaze from -{photograph_measures.GAZE_DEGREES:g} to "
        f"{photograph_measures.GAZE_DEGREES:g} degrees: irises move",
        "eye widths",
        "0.16",
        2,
    ),
    "sizes": (
        f"Size at {photograph_measures.NEAR:g} over that at "
        f"{photograph_measures.FAR:g}, "
        "seen over asked",
        "",
        "1",
        2,
    ),
    "control_still": (
        "Difference where nothing should move, near and far",
        "of 255",
        "0",
        2,
    ),
    "uncovered": (
        "Sharpness where the far head was, over what is around it",
        "",
        "1",
        2,
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class KindSummary:
    """The portraits of one kind.

    Attributes:
        num_portraits: of it.
        few: whether they are.
        rows: summaries by key.
    """

    num_portraits: int
    few: bool
    rows: Mapping[str, Summary]


def summarise_kinds(
    metric: Metric, state: State, kinds: Mapping[str, Sequence[str]]
) -> dict[str, KindSummary]:
    """Summarise the portraits of each kind.

    Args:
        metric: of photographs.
        state: of all portraits.
        kinds: names of the portraits of each; kinds without any are left out.
    """
    return {
        kind: KindSummary(
            num_portraits=len(names),
            few=len(names) < FEW,
            rows=metric.finish(State({name: state.clips[name] for name in names})),
        )
        for kind, names in kinds.items()
        if names
    }


def kinds_to_markdown(
    rows: Mapping[str, Row],
    summaries: Mapping[str, Summary],
    kinds: Mapping[str, KindSummary],
) -> str:
    """Write the table: a row for each kind, and below it that of copying the source.

    Args:
        rows: by key.
        summaries: of all portraits.
        kinds: as of `summarise_kinds`.
    """
    shown = [key for key in SHOWN if summaries[key].mean is not None]
    lines = [
        "### By kind of portrait",
        "",
        f"With 95 % intervals; * fewer than {FEW} portraits; ▼ below {LEAST_OF_MEAN} "
        "of the mean of all portraits. Headings stand for rows above.",
        "",
        "| | " + " | ".join(["portraits", *(SHOWN[key] for key in shown)]) + " |",
        "|---" * (len(shown) + 2) + "|",
    ]
    for kind, found in kinds.items():
        own, copies = [], []
        for key in shown:
            digits, one = rows[key].digits, found.rows[key]
            is_less = (
                key not in NOT_HIGHER
                and one.mean is not None
                and one.mean < LEAST_OF_MEAN * summaries[key].mean
            )
            own.append(score_report.interval(one, digits) + (" ▼" if is_less else ""))
            copies.append(score_report.number(one.floor, digits))
        count = f"{found.num_portraits}{' *' if found.few else ''}"
        lines.append("| " + " | ".join([kind, count, *own]) + " |")
        lines.append("| " + " | ".join(["copying the source", "", *copies]) + " |")
    return "\n".join(lines) + "\n"


def write_sheets(folder: pathlib.Path, names: Sequence[str]) -> list[pathlib.Path]:
    """Write sheets of the strips of portraits, some to a sheet.

    Args:
        folder: of the report, with `strips`.
        names: of portraits, in order.

    Returns:
        The sheets, PNG.
    """
    sheets = []
    sheet_folder = folder / "sheets"
    sheet_folder.mkdir(exist_ok=True)
    for old in sheet_folder.glob("sheet_*.png"):
        old.unlink()
    for start in range(0, len(names), SHEET_PORTRAITS):
        strips = [
            media.read_image(folder / "strips" / f"{name}.png")
            for name in names[start : start + SHEET_PORTRAITS]
        ]
        width = max(strip.shape[1] for strip in strips)
        filled = [
            np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0)), constant_values=255)
            for s in strips
        ]
        sheets.append(sheet_folder / f"sheet_{start // SHEET_PORTRAITS + 1:02d}.png")
        media.write_image(sheets[-1], np.concatenate(filled))
    return sheets


def to_html(
    title: str,
    tables: str,
    results: Mapping[str, portrait_runner.Result],
    left_out: Mapping[str, str],
) -> str:
    """Write the page; clips and strips lie beside it.

    Args:
        title: of the page.
        tables: the report as Markdown.
        results: of portraits, by name.
        left_out: why others were not measured, by name.

    Returns:
        HTML.
    """
    escape = html.escape
    first, *_, last = portrait_runner.STRIP_SECONDS
    asked = ", ".join(photograph_measures.ASKED)
    body = [
        "<p>From left to right: the photograph as the model is given it and speech "
        f"from {first:g} to {last:g} s; below, the last frames of {asked}.</p>",
    ]
    for name, result in results.items():
        caption = ": ".join([name, ", ".join(result.kinds)])
        quoted = escape(f"{name}", quote=True)
        body.append(
            f"<h3>{escape(caption)}</h3><section>"
            f'<video controls preload="none" src="clips/{quoted}.mp4"></video>'
            f'<div class="strip"><img loading="lazy" alt="{escape(caption)}" '
            f'src="strips/{quoted}.png"></div></section>'
        )
    if left_out:
        lines = [f"<li>{escape(n)}: {escape(why)}</li>" for n, why in left_out.items()]
        body.append(f"<h2>Left out</h2><ul>{''.join(lines)}</ul>")
    body.append(f"<h2>Measured</h2><pre>{escape(tables)}</pre>")
    return report_page.frame(title, body, STYLE)

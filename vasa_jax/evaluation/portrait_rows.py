"""The rows that photographs are measured by, and the table of kinds of portraits.

Aims are those of filmed conversation and of what viewers take for a photograph.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vasa_jax.evaluation import face_motion, portrait_measures, report
from vasa_jax.evaluation.report import Measured, Row, Value

LIKENESS = "Likeness to the photograph"
LIPS = "Lips"
MOVEMENT = "Movement"
CONTROLS = "Controls"

FEW = 12
"""Portraits of a kind below which its row is marked. Ours."""

LEAST_OF_MEAN = 0.85
"""Share of the mean of all portraits below which a kind is marked. Ours."""

EYES = "eye distances"

BY_KIND = (
    *("face", "dlib", "mobile", "eyes_large", "mouth_large", "ring", "lips"),
    *("std_width", "std_yaw", "change", "fast", "happiness_corners"),
    *("surprise_brows", "gaze_irises"),
)
"""Rows that the table of kinds shows. Ours: one of each thing that may fail."""

HIGHER_IS_BETTER = frozenset(BY_KIND) - {"change", "fast"}
"""Of these, those that are marked where a kind falls short."""


def rows(num_seconds: float) -> dict[str, Row]:
    """Return the rows in order.

    Args:
        num_seconds: of a clip.
    """

    def row(group, title, unit="", aim="", digits=2):
        return Row(group=group, title=title, unit=unit, aim=aim, digits=digits)

    size = portrait_measures.COMPARED_SIZE
    window = min(num_seconds, face_motion.RANGE_SECONDS)
    table = {
        "face": row(LIKENESS, "Frames with a face", aim="1", digits=3),
        "dlib": row(LIKENESS, "Identity cosine (dlib)", digits=3),
        "mobile": row(LIKENESS, "Identity cosine (MobileFaceNet)", digits=3),
    }
    for key, name, aim in (
        ("eyes", "eyes", "0.85"),
        ("mouth", "mouth", "0.65 to 0.85"),
        ("face", "face", ""),
    ):
        title = f"Sharpness of {name} over the photograph's"
        table[f"{key}_large"] = row(LIKENESS, f"{title}, both at {size} px", aim=aim)
    for name in ("eyes", "mouth"):
        title = f"Sharpness of {name} over the photograph's"
        table[f"{name}_own"] = row(LIKENESS, f"{title}, both at the frames' size")
    angles = ("yaw", "pitch", "roll")
    filmed = dict(zip(angles, ("4.6", "4.0", "3.5"), strict=True))
    ranges = dict(zip(angles, ("above 15", "", ""), strict=True))
    bands = ("below 0.5", "0.5 to 1", "1 to 2", "2 to 4", "above 4")
    return table | {
        "ring": row(
            LIKENESS, "Sharpness around the head over the photograph's", aim="0.95"
        ),
        "still": row(LIKENESS, "Difference where nothing should move", "of 255", "0"),
        "outside": row(LIKENESS, "Share of the crop outside of the picture"),
        "lips": row(LIPS, "Mouth opening seen against the one asked for"),
        "lag": row(LIPS, "Lag of the best correlation", "frames", "0", 1),
        "shut": row(LIPS, "Opening where least is asked for", EYES, "near 0", 3),
        "std_opening": row(LIPS, "Std of mouth opening", EYES, digits=3),
        "opening": row(LIPS, "Mouth opening, 5th to 95th percentile", EYES, digits=3),
        "std_width": row(LIPS, "Std of mouth width", EYES, "above 0.045", 3),
        "std_corners": row(
            LIPS, "Std of the corners' height above the lips' middle", EYES, digits=3
        ),
        **{
            f"std_{a}": row(MOVEMENT, f"Std of {a}", "degrees", f"0.7 of {filmed[a]}")
            for a in angles
        },
        **{
            f"range_{a}": row(
                MOVEMENT, f"Range of {a} within {window:g} s", "degrees", ranges[a], 1
            )
            for a in angles
        },
        "change": row(
            MOVEMENT,
            "Change per frame, mean of the angles",
            "degrees",
            "0.40 to 0.65",
        ),
        "asked_change": row(MOVEMENT, "The same in the poses asked for", "degrees"),
        "turn": row(MOVEMENT, "Turn per frame (ΔP)", "degrees"),
        "fast": row(MOVEMENT, "Share of power above 2 Hz", aim="below 0.04", digits=3),
        "asked_fast": row(
            MOVEMENT, "Share above 2 Hz in the poses asked for", digits=3
        ),
        **{
            f"band_{number}": row(MOVEMENT, f"Share of power {band} Hz", digits=3)
            for number, band in enumerate(bands)
        },
        "std_brows": row(MOVEMENT, "Std of brows", EYES, digits=3),
        "std_brow_asymmetry": row(MOVEMENT, "Std of brows' asymmetry", EYES, digits=3),
        "std_inner_brows": row(MOVEMENT, "Std of inner brows", EYES, digits=3),
        "std_irises": row(MOVEMENT, "Std of irises' place", "eye widths", digits=3),
        "std_size": row(MOVEMENT, "Std of apparent size over its median", digits=3),
        "std_centre": row(MOVEMENT, "Std of the head's place", EYES, digits=3),
        "blinks": row(MOVEMENT, "Blinks", "a minute", "25 to 38", 1),
        "control_face": row(CONTROLS, "Frames with a face", aim="1", digits=3),
        "control_dlib": row(CONTROLS, "Identity cosine (dlib)", digits=3),
        "control_mobile": row(CONTROLS, "Identity cosine (MobileFaceNet)", digits=3),
        "happiness_corners": row(
            CONTROLS, "Happiness: corners of the mouth rise", EYES, "above 0.10", 3
        ),
        "happiness_width": row(CONTROLS, "Happiness: mouth widens", EYES, digits=3),
        "sadness_corners": row(CONTROLS, "Sadness: corners fall", EYES, digits=3),
        "surprise_brows": row(CONTROLS, "Surprise: brows rise", EYES, "above 0.06", 3),
        "surprise_eyes": row(CONTROLS, "Surprise: eyes open, gap over width", digits=3),
        "anger_brows": row(CONTROLS, "Anger: inner brows fall", EYES, "above 0.03", 3),
        "gaze_irises": row(
            CONTROLS, "Gaze from -20 to 20 degrees: irises move", "eye widths", "0.25"
        ),
        "sizes": row(
            CONTROLS, "Size at 0.9 over that at 1.2, seen over asked", aim="1"
        ),
        "control_still": row(
            CONTROLS, "Difference where nothing should move, near and far", "of 255"
        ),
        "uncovered": row(
            CONTROLS, "Sharpness where the far head was, over what is around it"
        ),
    }


def complete(table: Mapping[str, Row], values: Mapping[str, Value]) -> Measured:
    """Return values of all rows; not a number where there is none."""
    return {key: values.get(key, Value(np.nan)) for key in table}


def beside_filmed(values: Measured, filmed: Mapping[str, float]) -> Measured:
    """Set values beside the means of filmed people, measured alike."""
    return {
        key: value._replace(truth=filmed.get(key, np.nan))
        for key, value in values.items()
    }


def by_kind(
    table: Mapping[str, Row], clips: Mapping[str, Sequence[Measured]]
) -> dict[str, dict[str, Any]]:
    """Summarise portraits of each kind.

    Args:
        table: rows by key.
        clips: values of the portraits of each kind.

    Returns:
        By kind: `num_portraits`, whether they are `few`, and `rows`.
    """
    return {
        kind: {
            "num_portraits": len(found),
            "few": len(found) < FEW,
            "rows": report.summarise(table, found),
        }
        for kind, found in clips.items()
        if found
    }


def kinds_to_markdown(
    table: Mapping[str, Row],
    summary: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, Mapping[str, Any]],
) -> str:
    """Write the table of kinds: a row, and below it the one of copying the source.

    Args:
        table: rows by key.
        summary: of all portraits, as of `report.summarise`.
        kinds: as of `by_kind`.
    """
    shown = [key for key in BY_KIND if summary[key]["model"] is not None]
    titles = [table[key].title for key in shown]
    lines = [
        "### By kind of portrait",
        "",
        f"Marked: * fewer than {FEW} portraits; ▼ below {LEAST_OF_MEAN} of the mean of "
        "all portraits.",
        "",
        "| | " + " | ".join(["portraits", *titles]) + " |",
        "|---" * (len(shown) + 2) + "|",
    ]
    for kind, found in kinds.items():
        own = [
            _cell(table[key], key, found["rows"][key], summary[key]) for key in shown
        ]
        copies = [
            _number(found["rows"][key]["copy"], table[key].digits) for key in shown
        ]
        count = f"{found['num_portraits']}{' *' if found['few'] else ''}"
        lines.append("| " + " | ".join([kind, count, *own]) + " |")
        lines.append("| " + " | ".join(["copying the source", "", *copies]) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: Row, key: str, found: Mapping, of_all: Mapping) -> str:
    text = _number(found["model"], row.digits)
    if found["low"] is not None:
        low, high = (_number(found[end], row.digits) for end in ("low", "high"))
        text += f" ({low} to {high})"
    is_marked = key in HIGHER_IS_BETTER and found["model"] is not None
    if is_marked and found["model"] < LEAST_OF_MEAN * of_all["model"]:
        text += " ▼"
    return text


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"

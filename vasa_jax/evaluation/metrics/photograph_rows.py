"""The rows that photographs are measured by, with aims of filmed conversation."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from vasa_jax.evaluation.metrics import expression_curves, photograph_measures
from vasa_jax.evaluation.metrics.definition import Measured, PerClip, Row

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
    deviations = {
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
        **deviations,
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

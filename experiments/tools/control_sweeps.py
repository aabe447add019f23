"""The sweep of controls: what each is asked, what shows it, and the table and plot."""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vasa_jax import config, media
from vasa_jax.animate import control_files, talking_face
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import driven_videos
from vasa_jax.evaluation.metrics import curves, expression_curves
from vasa_jax.evaluation.metrics.expression_curves import ExpressionCurves

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclasses.dataclass(frozen=True)
class Sweep:
    """One control: what is asked, and what is seen of it.

    Attributes:
        name: of the control, as files of controls call it.
        asked: its values.
        seen: what shows it, in words.
        measure: that of a clip's curves, given the mouth opening that motion asks for.
        is_movement: whether every frame must be rendered.
    """

    name: str
    asked: Sequence[float]
    seen: str
    measure: Callable[[ExpressionCurves, np.ndarray], float]
    is_movement: bool = False


def _degrees(axis: int) -> Callable[[ExpressionCurves, np.ndarray], float]:
    return lambda face, aperture: float(np.degrees(face.rotation[:, axis].mean()))


def _mean(name: str) -> Callable[[ExpressionCurves, np.ndarray], float]:
    return lambda face, aperture: float(getattr(face, name).mean())


def _turning(face: ExpressionCurves, aperture: np.ndarray) -> float:
    return float(np.degrees(np.sqrt(face.rotation.var(axis=0).mean())))


def _blinks(face: ExpressionCurves, aperture: np.ndarray) -> float:
    count = curves.count_blinks(face.eye_aperture, face.present)
    return float(count / curves.minutes(face.present))


def _lips(face: ExpressionCurves, aperture: np.ndarray) -> float:
    return float(curves.correlation(face.mouth_aperture, aperture))


SWEEPS = (
    Sweep("gaze_yaw", (-25, -12, 0, 12, 25), "irises to the right", _mean("irises")),
    Sweep("head_distance", (0.85, 0.95, 1, 1.15, 1.3), "size, pixels", _mean("size")),
    Sweep("pose_offset_yaw", (-20, -10, 0, 10, 20), "yaw, degrees", _degrees(0)),
    Sweep("pose_offset_pitch", (-15, -7, 0, 7, 15), "pitch, degrees", _degrees(1)),
    Sweep("pose_offset_roll", (-15, -7, 0, 7, 15), "roll, degrees", _degrees(2)),
    Sweep("pose_scale", (0, 0.5, 1, 1.5, 2), "turning, degrees", _turning),
    Sweep("liveliness", (0.3, 0.6, 1, 2, 3), "turning, degrees", _turning),
    Sweep(
        "mouth_scale",
        (0, 0.5, 1, 1.5, 2),
        "deviation of opening",
        lambda face, aperture: float(face.mouth_aperture.std()),
    ),
    Sweep(
        "brow_offset",
        (-1, -0.5, 0, 0.5, 1),
        "height of brows",
        lambda face, aperture: float(face.brows.mean()),
    ),
    Sweep(
        "smile_offset", (-1, -0.5, 0, 0.5, 1), "mouth's corners", _mean("corner_height")
    ),
    Sweep("blink_rate", (0, 15, 30, 60), "blinks a minute", _blinks, True),
    Sweep("happiness", (0, 0.5, 1), "mouth's corners", _mean("corner_height")),
    Sweep("sadness", (0, 0.5, 1), "mouth's corners", _mean("corner_height")),
    Sweep("surprise", (0, 0.5, 1), "height of brows", lambda f, o: f.brows.mean()),
    Sweep("anger", (0, 0.5, 1), "inner brows", _mean("inner_brows")),
    Sweep("audio_guidance", (0, 0.5, 1, 2, 4), "lips follow motion", _lips),
    Sweep("gaze_guidance", (0, 1, 2, 4), "irises, gaze 20 right", _mean("irises")),
)
"""Every control over its range; emotions by what each is known by."""

BESIDE = {"gaze_guidance": {"gaze_yaw": 20.0}}
"""What is asked along with a control, without which it shows nothing."""


def measure(
    performer: driven_videos.Performer,
    portrait: talking_face.Portrait,
    motions: Mapping[tuple[str, float], np.ndarray],
) -> dict[tuple[str, float], float]:
    """Return what is seen of each control and value on one portrait.

    Args:
        performer: the checkpoint.
        portrait: of whom.
        motions: `[n, M]` by control and value.
    """
    frames = performer.drive(portrait, np.concatenate(list(motions.values())))
    ends = np.cumsum([len(motion) for motion in motions.values()])[:-1]
    by_name = {sweep.name: sweep for sweep in SWEEPS}
    seen = {}
    for key, clip in zip(motions, np.split(frames, ends), strict=True):
        face = expression_curves.follow(clip)
        aperture = performer.requested_aperture(motions[key])
        is_seen = face is not None
        seen[key] = (
            float(by_name[key[0]].measure(face, aperture)) if is_seen else np.nan
        )
    return seen


def write(output: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what is seen as JSON, as a table and as a plot."""
    with media.written_beside(output) as beside:
        beside.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    with media.written_beside(output.with_suffix(".md")) as beside:
        beside.write_text(to_table(rows) + "\n", encoding="utf-8")
    draw(rows, output.with_suffix(".png"))


def controls_of(sweep: Sweep, value: float, seed: int) -> Controls:
    """Return the controls that ask for one value of one control."""
    named = {**BESIDE.get(sweep.name, {}), sweep.name: float(value)}
    return Controls(seed=seed, **control_files.to_fields(named))


def choose(names: Sequence[str] | None) -> list[Sweep]:
    """Return the sweeps of some controls, or all.

    Raises:
        UserError: a control has none.
    """
    known = {sweep.name: sweep for sweep in SWEEPS}
    for name in names or ():
        if name not in known:
            raise config.unknown_name(name, known, "control")
    return [known[name] for name in names or known]


def find_pictures(names: Sequence[str]) -> list[pathlib.Path]:
    """Return the pictures of a folder, or those that are named.

    Raises:
        UserError: there is none.
    """
    first = pathlib.Path(names[0])
    found = [pathlib.Path(name) for name in names]
    if len(names) == 1 and first.is_dir():
        found = sorted(p for p in first.iterdir() if p.suffix.lower() in PICTURES)
    config.require(bool(found), f"The folder {first} has no picture; name another.")
    return found


def by_control(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Lay what is seen out as `[values, portraits]`, by control."""
    portraits = sorted({row["portrait"] for row in rows})
    seen = {
        (row["control"], row["asked"], row["portrait"]): row["seen"] for row in rows
    }
    there = {row["control"] for row in rows}
    return {
        sweep.name: np.array(
            [
                [seen[sweep.name, float(value), one] for one in portraits]
                for value in sweep.asked
            ]
        )
        for sweep in SWEEPS
        if sweep.name in there
    }


def to_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay asked and seen, mean over portraits, out as Markdown.

    The last column is the share of portraits in which what is seen goes one way all
    through the range.
    """
    lines = [
        "| control | asked | seen | mean over portraits | one way in |",
        "|---|---|---|---|---|",
    ]
    known = {sweep.name: sweep for sweep in SWEEPS}
    for name, seen in by_control(rows).items():
        sweep = known[name]
        steps = np.diff(seen, axis=0)
        one_way = (steps > 0).all(axis=0) | (steps < 0).all(axis=0)
        lines.append(
            f"| {sweep.name} | {', '.join(f'{value:g}' for value in sweep.asked)} "
            f"| {sweep.seen} "
            f"| {', '.join(f'{mean:.3g}' for mean in seen.mean(axis=1))} "
            f"| {one_way.sum()} of {len(one_way)} |"
        )
    return "\n".join(lines)


def draw(rows: Sequence[Mapping[str, Any]], path: pathlib.Path) -> None:
    """Draw a panel for each control, with a line for each portrait."""
    # Imported late: of an extra that a table does without.
    from matplotlib import figure

    columns = 5
    known = {sweep.name: sweep for sweep in SWEEPS}
    found = by_control(rows)
    num_rows = -(-len(found) // columns)
    sheet = figure.Figure((2.6 * columns, 2.1 * num_rows), layout="constrained")
    axes = sheet.subplots(num_rows, columns, squeeze=False).ravel()
    for panel in axes[len(found) :]:
        panel.set_axis_off()
    for panel, (name, seen) in zip(axes, found.items(), strict=False):
        sweep = known[name]
        panel.plot(sweep.asked, seen, color="0.7", linewidth=0.8)
        panel.plot(sweep.asked, seen.mean(axis=1), color="C0", marker=".")
        panel.set_title(sweep.name, fontsize=8)
        panel.set_ylabel(sweep.seen, fontsize=6)
        panel.tick_params(labelsize=6)
    with media.written_beside(path) as beside:
        sheet.savefig(beside, dpi=110)

"""Fit the maps of `vasa_jax.portrait.landmark_labels` to sets with exact truth.

    python -m experiments.tools.fit_face_labels --data_dir=data/heads,data/photos \
        --measured_dir=measured --output=vasa_jax/portrait/assets/face_labels.npz

Measures some frames of every clip (about 30 ms each on one core) and keeps them in
MEASURED, fits on the people of `train`, prints `gaze.YAW_BY` and `PITCH_BY`, and how
far all is from the truth on the people of `validation` and `test`. The kind of a set is
the name of its folder.
"""

import os
import pathlib

import numpy as np
from absl import flags

from experiments.running import program
from experiments.tools import face_label_fit as fitting
from vasa_jax import arkit, types
from vasa_jax.data import mixed_sets, records
from vasa_jax.portrait import gaze, landmark_labels

DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Sets of exact truth: a,b.", required=True
)
MEASURED_DIR = flags.DEFINE_string(
    "measured_dir", None, "Folder for what is measured.", required=True
)
OUTPUT = flags.DEFINE_string("output", None, "File of the maps; only told if left.")
STEP = flags.DEFINE_integer("step", 10, "Frames from one to the next.", lower_bound=1)


def main(_) -> None:
    """Measure, fit, tell, write."""
    taught, unseen = _measured()
    folds = fitting.folds_of(taught)
    fitter = fitting.UnitFitter(taught, folds)
    yaw_by, pitch_by = fitting.fit_gaze(taught)
    print(f"YAW_BY = {yaw_by.round(3)}\nPITCH_BY = {pitch_by.round(3)}")
    shut = taught.blink > 0.95
    print(f"SHUT_GAP = {np.median(taught.relative_gap[shut]):.3f}")
    solution = fitter.solve()
    kinds = np.unique(unseen.set_name)
    parts = {kind: fitting.chosen(unseen, unseen.set_name == kind) for kind in kinds}
    _tell_gaze(taught, parts, (yaw_by, pitch_by))
    known = _tell_units(parts, solution, (yaw_by, pitch_by))
    units, first = fitting.clip_means(taught, _units_left_out(fitter, taught, folds))
    emotion = fitting.fit_emotion(units, taught.emotion[first])
    _tell_emotion(fitter, taught, folds)
    for kind, part in parts.items():
        units = fitting.estimate_units(part, solution)
        _tell_accuracy(f"{kind}, held out", part, units @ emotion[0] + emotion[1])
    if OUTPUT.value:
        np.savez_compressed(
            OUTPUT.value,
            unit_map=solution[0].astype(np.float16),
            unit_bias=solution[1].astype(np.float32),
            unit_known=known,
            emotion_map=emotion[0].astype(np.float16),
            emotion_bias=emotion[1].astype(np.float32),
        )


def _measured():
    """Return the frames of people to be taught by, and of those held out."""
    folder = pathlib.Path(MEASURED_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {split: [] for split in ("train", "validation", "test")}
    for data_dir in mixed_sets.split_folders(DATA_DIR.value):
        name = pathlib.Path(data_dir).name
        for split, held in parts.items():
            path = folder / f"{name}_{split}.npz"
            if not path.exists():
                try:
                    opened = records.open_folder(data_dir, split)
                except records.MissingSplitError:
                    continue
                made = fitting.measure(name, opened, STEP.value)
                beside = path.with_suffix(".writing.npz")
                np.savez(beside, **{k: getattr(made, k) for k in _FIELDS})
                os.replace(beside, path)
            with np.load(path, allow_pickle=False) as file:
                held.append(fitting.Frames(**{k: file[k] for k in _FIELDS}))
    unseen = parts["validation"] + parts["test"]
    return fitting.joined(parts["train"]), fitting.joined(unseen)


_FIELDS = tuple(fitting.Frames.__dataclass_fields__)


def _tell_gaze(taught, parts, by):
    """Print a table of angles between gaze and truth, over open eyes."""
    always = taught.gaze[taught.is_open].mean(axis=0)
    columns = "set", "people, frames", "told", "`estimate_gaze`", "straight ahead"
    columns += "the mean", "yaw", "pitch"
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for kind, part in parts.items():
        part = fitting.chosen(part, part.is_open)
        predicted = fitting.tell_gaze(part, *by)
        old = gaze.estimate_gaze(part.eyes[:, :, 0], part.points, part.fit)
        rows = [
            predicted,
            old,
            np.zeros_like(predicted),
            np.zeros_like(predicted) + always,
        ]
        angles = [fitting.angles(row, part.gaze).mean() for row in rows]
        apart = np.rad2deg(np.abs(predicted - part.gaze)).mean(axis=0)
        print(
            f"| {kind} | {len(np.unique(part.identity))}, {len(predicted)} | "
            + " | ".join(f"{value:.1f}" for value in (*angles, *apart))
            + " |"
        )


def _tell_units(parts, solution, by):
    """Print each unit's correlation, and return which units are known."""
    found = []
    for part in parts.values():
        in_head = fitting.tell_gaze(part, *by) - part.fit.rotation[:, :2]
        predicted = landmark_labels.with_eyes(
            fitting.estimate_units(part, solution), fitting.tell_blink(part), in_head
        )
        found.append(fitting.correlations(predicted, part.arkit))
    known = fitting.known_units(found)
    print(f"\n| unit | {' | '.join(parts)} | known |\n|---|{'---|' * len(parts)}---|")
    for index, name in enumerate(arkit.NAMES):
        values = (f"{row[index]:.2f}" for row in found)
        print(f"| {name} | {' | '.join(values)} | {'yes' if known[index] else ''} |")
    print(f"known: {known.sum()} of {len(known)}")
    return known


def _units_left_out(fitter, taught, folds, without=()):
    """Return units of frames `[N, 52]` by maps that did not see their people."""
    units = np.zeros((len(folds), arkit.NUM_UNITS))
    for fold in np.unique(folds):
        rows = folds == fold
        solution = fitter.solve((fold, *without))
        units[rows] = fitting.estimate_units(fitting.chosen(taught, rows), solution)
    return units


def _tell_emotion(fitter, taught, folds):
    """Print the accuracy on people who are left out of all maps, one fold each time."""
    scores = np.zeros((len(folds), len(types.EMOTIONS)))
    for fold in np.unique(folds):
        units = _units_left_out(fitter, taught, folds, without=(fold,))
        mine = folds == fold
        rest = fitting.chosen(taught, ~mine)
        means, first = fitting.clip_means(rest, units[~mine])
        weights, bias = fitting.fit_emotion(means, rest.emotion[first])
        scores[mine] = units[mine] @ weights + bias
    for kind in np.unique(taught.set_name):
        rows = taught.set_name == kind
        part = fitting.chosen(taught, rows)
        _tell_accuracy(f"{kind}, left out", part, scores[rows])


def _tell_accuracy(name, part, scores):
    """Print how many clips' emotions are told."""
    predicted, first = fitting.clip_means(part, landmark_labels.softmax(scores))
    fitting.tell_accuracy(name, predicted, part.emotion[first], part.strength[first])


if __name__ == "__main__":
    program.run(main)

"""Fit what follows the encoder that tells labels, and say how well all does.

    python -m experiments.tools.fit_encoder_labels --data_dir=data/photos,data/heads \
        --measured_dir=measured --output=vasa_jax/weights/demo_labels.npz

looks at some frames of every clip by landmarks and by the encoder that ships (about 60
ms each on one core), keeps what they tell in MEASURED, and prints how far both are from
the truth on the people of `validation` and `test`, set by set. Which units are known,
and the map from units to emotions, which is fitted on the people of `train`, are
written.
"""

import dataclasses
import os
import pathlib

import numpy as np
import tqdm
from absl import flags

from experiments.running import folders, program
from experiments.tools import face_label_fit as fitting
from vasa_jax import arkit, compilation_cache
from vasa_jax.data import clips, mixed_sets, records
from vasa_jax.encode import encoder_labels
from vasa_jax.portrait import face_labels, landmark_labels, landmarks, pose, track

DATA_DIR = flags.DEFINE_string("data_dir", None, "Sets: a,b.", required=True)
MEASURED_DIR = flags.DEFINE_string("measured_dir", None, "Folder.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "File of the maps; only told if left.")
NUM_FRAMES = flags.DEFINE_integer("num_frames", 4, "Of a clip.", lower_bound=1)

LANDMARKS, ENCODER = "landmarks", "encoder"


@dataclasses.dataclass(frozen=True)
class Frames:
    """Truth of N frames, and what two estimators measured in them.

    Attributes:
        identity, clip: text `[N]`.
        emotion: int `[N]` of `types.EMOTIONS`.
        strength: `[N]` of the emotion.
        gaze: `[N, 2]` truth, camera frame, radians.
        arkit: `[N, 52]` truth.
        landmarks, encoder: `[N, 57]`, of the estimators' `measure`.
    """

    identity: np.ndarray
    clip: np.ndarray
    emotion: np.ndarray
    strength: np.ndarray
    gaze: np.ndarray
    arkit: np.ndarray
    landmarks: np.ndarray
    encoder: np.ndarray

    @property
    def is_open(self) -> np.ndarray:
        """Tell where the eyes show where they look, bool `[N]`."""
        return self.arkit[:, list(arkit.BLINKS)].mean(axis=1) < 0.3

    def units(self, by: str) -> np.ndarray:
        """Return unit weights `[N, 52]`, with the eyeLook ones of the gaze."""
        measured = getattr(self, by)
        return arkit.with_gaze(measured[:, 5:], measured[:, :2] - measured[:, 2:4])


def main(_) -> int:
    """Measure, tell, fit, write; return the exit code."""
    compilation_cache.enable()
    folder = folders.make(pathlib.Path(MEASURED_DIR.value))
    taught, held_out = [], {}
    for data_dir in mixed_sets.split_folders(DATA_DIR.value):
        name = pathlib.Path(data_dir).name
        parts = {}
        for split in ("train", "validation", "test"):
            path = folder / f"{name}_{split}.npz"
            if not path.exists():
                try:
                    opened = records.open_folder(data_dir, split)
                except records.MissingSplitError:
                    continue
                _keep(path, measure(opened, NUM_FRAMES.value))
            with np.load(path, allow_pickle=False) as file:
                parts[split] = {key: file[key] for key in file.files}
        if train := parts.pop("train", None):
            taught.append(Frames(**train))
        if parts:
            held_out[name] = _joined(list(parts.values()))
    tell_gaze(held_out)
    known = tell_units(held_out)
    means, emotion, _ = map(np.concatenate, zip(*map(performed, taught), strict=True))
    weights, bias = fitting.fit_emotion(means, emotion)
    for name, frames in held_out.items():
        tell_emotion(name, frames, weights, bias)
    if OUTPUT.value:
        np.savez_compressed(
            OUTPUT.value,
            unit_known=known,
            emotion_map=weights.astype(np.float32),
            emotion_bias=bias.astype(np.float32),
        )
    return 0


def measure(opened: records.Records, num_frames: int) -> dict[str, np.ndarray]:
    """Look at frames of every clip by both estimators; fields of `Frames`.

    Ours: of clips that show one picture throughout, one frame is enough.
    """
    estimators = {
        LANDMARKS: landmark_labels.LandmarkEstimator(),
        ENCODER: encoder_labels.EncoderEstimator(),
    }
    clips_of_frames = []
    for index in tqdm.tqdm(range(len(opened)), unit="clip", delay=0.5):
        record = opened.read(index)
        is_still = record["voice"] == fitting.SILENT_VOICE
        last_frame = int(record["num_frames"]) - 1
        wanted = np.linspace(0, last_frame, 1 if is_still else num_frames).astype(int)
        if made := _look(record, list(wanted), estimators):
            clips_of_frames.append(made)
    keys = clips_of_frames[0]
    return {key: np.concatenate([one[key] for one in clips_of_frames]) for key in keys}


def _look(
    record: records.Record,
    wanted: list[int],
    estimators: dict[str, face_labels.LabelEstimator],
) -> dict[str, np.ndarray] | None:
    """Look at frames of a clip; None where none shows a face."""
    last, rows, points, looks = None, [], [], {name: [] for name in estimators}
    for index, image in zip(wanted, clips.read_frames(record, wanted), strict=True):
        last = track.follow(image, last)
        if last is None:
            continue
        region = landmarks.region_of_landmarks(last)
        last = landmarks.landmarks_in_region(image, region)
        rows.append(index)
        points.append(last.points)
        for name, estimator in estimators.items():
            looks[name].append(estimator.see(image, last))
    if not rows:
        return None
    points = np.stack(points)
    fit = pose.fit_head(points)
    return {
        **{
            key: np.repeat(record[name], len(rows))
            for key, name in (
                *(("identity", "identity"), ("clip", "clip_id")),
                *(("emotion", "emotion"), ("strength", "emotion_strength")),
            )
        },
        **{key: np.asarray(record[key])[rows] for key in ("gaze", "arkit")},
        **{
            name: estimator.measure(np.stack(looks[name]), points, fit)
            for name, estimator in estimators.items()
        },
    }


def _keep(path: pathlib.Path, made: dict[str, np.ndarray]) -> None:
    beside = path.with_suffix(".writing.npz")
    np.savez(beside, **made)
    os.replace(beside, path)


def _joined(parts: list[dict[str, np.ndarray]]) -> Frames:
    return Frames(**{k: np.concatenate([part[k] for part in parts]) for k in parts[0]})


def tell_gaze(sets: dict[str, Frames]) -> None:
    """Print a table of angles between gaze and truth, over open eyes."""
    print("\n| set | people, frames | by | degrees | yaw | pitch |")
    print("|---|---|---|---|---|---|")
    for name, frames in sets.items():
        rows = frames.is_open
        truth, people = frames.gaze[rows], len(np.unique(frames.identity[rows]))
        for by in (LANDMARKS, ENCODER):
            told = getattr(frames, by)[rows, :2]
            apart = np.rad2deg(np.abs(told - truth)).mean(axis=0)
            print(
                f"| {name} | {people}, {rows.sum()} | {by} | "
                f"{fitting.angles(told, truth).mean():.1f} | "
                f"{apart[0]:.1f} | {apart[1]:.1f} |"
            )


def tell_units(sets: dict[str, Frames]) -> np.ndarray:
    """Print each unit's correlation by both, and return which the encoder knows."""
    columns = {
        (name, by): fitting.correlations(frames.units(by), frames.arkit)
        for name, frames in sets.items()
        for by in (LANDMARKS, ENCODER)
    }
    known = fitting.known_units([v for (_, by), v in columns.items() if by == ENCODER])
    heads = " | ".join(f"{name}, {by}" for name, by in columns)
    print(f"\n| unit | {heads} | known |\n|---|{'---|' * len(columns)}---|")
    for index, unit in enumerate(arkit.NAMES):
        values = " | ".join(f"{column[index]:.2f}" for column in columns.values())
        print(f"| {unit} | {values} | {'yes' if known[index] else ''} |")
    means = " | ".join(f"{np.nanmean(column):.2f}" for column in columns.values())
    print(f"| mean | {means} | {known.sum()} of {len(known)} |")
    return known


def performed(
    frames: Frames, by: str = ENCODER
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average units over every clip that performs.

    Ours: neutral takes but the second only exercise units, or are one picture; see
    `datasets.photo_heads.records.plan`.

    Returns:
        Means `[clips, 52]`, emotions `[clips]`, strengths `[clips]`.
    """
    _, first, clip = np.unique(frames.clip, return_index=True, return_inverse=True)
    sums = np.zeros((len(first), arkit.NUM_UNITS))
    np.add.at(sums, clip, frames.units(by))
    means = sums / np.bincount(clip)[:, None]
    emotion, strength = frames.emotion[first], frames.strength[first]
    is_second = np.array([name.endswith("_01") for name in frames.clip[first]])
    kept = (strength > 0) | is_second
    return means[kept], emotion[kept], strength[kept]


def tell_emotion(
    name: str, frames: Frames, weights: np.ndarray, bias: np.ndarray
) -> None:
    """Print how many clips' emotions are told, by strength; neutral is in each."""
    older = landmark_labels.load_weights()
    maps = {
        LANDMARKS: (older["emotion_map"], older["emotion_bias"]),
        ENCODER: (weights, bias),
    }
    for by, (weight, offset) in maps.items():
        means, emotion, strength = performed(frames, by)
        scores = means @ weight + offset
        fitting.tell_accuracy(f"{name}, {by}", scores, emotion, strength)


if __name__ == "__main__":
    program.run(main)

"""Fit the maps from landmarks to what faces show, and say how well they do."""

import dataclasses
import functools

import numpy as np
import scipy.optimize
import scipy.special

from vasa_jax import arkit, types
from vasa_jax.data import clips, records
from vasa_jax.portrait import gaze, landmark_labels, landmarks, pose, track

RIDGE = 3e-4
"""Of the mean variance of a feature. Ours: held-out people change little from 1e-4 to
1e-3, and lose beyond."""

LEAST_CORRELATION = 0.3
"""With the truth on people unseen, of every kind, from which a unit is known. Ours."""

LEAST_STD = 0.01
"""Of a unit's truth, below which a set cannot tell whether it is known. Ours."""

NUM_FOLDS = 5
"""Parts of the people, for maps that are tried on those they were not taught by."""

EMOTION_PENALTY = 0.01
"""On squared weights of the map to emotions. Ours: 0.001 to 0.05 do as well."""

NUM_BOOTSTRAPS = 1000

STRENGTHS = ((0.25, 0.4), (0.85, 1.0))
"""Of emotions whose accuracy is told: weak and strong ones."""

NO_EMOTION = -1
"""Emotion of frames of which nobody performed one."""

SILENT_VOICE = "none"
"""Voice of clips that show one photograph in all frames, of which one is enough."""


@dataclasses.dataclass(frozen=True)
class Frames:
    """Truth and measurement of N frames of several sets.

    Attributes:
        set_name, identity, clip: text `[N]`.
        points: `[N, 468, 3]` landmarks.
        eyes: `[N, 2, 21, 2]`, see `gaze.find_eyes`.
        gaze: `[N, 2]` truth, camera frame, radians.
        arkit: `[N, 52]` truth.
        emotion: int `[N]` truth, of `types.EMOTIONS`, or `NO_EMOTION`.
        strength: `[N]` of the emotion.
    """

    set_name: np.ndarray
    identity: np.ndarray
    clip: np.ndarray
    points: np.ndarray
    eyes: np.ndarray
    gaze: np.ndarray
    arkit: np.ndarray
    emotion: np.ndarray
    strength: np.ndarray

    @functools.cached_property
    def fit(self) -> pose.HeadFit:
        """Return head fits of leading shape `[N]`."""
        return pose.fit_head(self.points)

    @functools.cached_property
    def blink(self) -> np.ndarray:
        """Return the true shutting of the lids, `[N]`."""
        return self.arkit[:, list(arkit.BLINKS)].mean(axis=1)

    @functools.cached_property
    def relative_gap(self) -> np.ndarray:
        """Return the lids' gap `[N]` over the clip's usual one."""
        gaps = gaze.eye_aperture(self.eyes)
        percentile = landmark_labels.OPEN_PERCENTILE
        return _by_clip(
            self.clip, gaps, lambda one: one / np.percentile(one, percentile)
        )

    @property
    def is_open(self) -> np.ndarray:
        """Tell where the eyes show where they look, bool `[N]`."""
        return self.blink < 0.3


def measure(set_name: str, opened: records.Records, step: int) -> Frames:
    """Find landmarks and eyes in every so many frames of a set.

    Args:
        set_name: its name.
        opened: records of rendered heads or of moved photographs.
        step: frames from one to the next.

    Returns:
        The frames that show a face.
    """
    rows = []
    for index in range(len(opened)):
        record = opened.read(index)
        is_still = record["voice"] == SILENT_VOICE
        wanted = [0] if is_still else list(range(0, int(record["num_frames"]), step))
        last = None
        pictures = clips.read_frames(record, wanted)
        for index, image in zip(wanted, pictures, strict=True):
            last = track.follow(image, last)
            if last is None:
                continue
            region = landmarks.region_of_landmarks(last)
            last = landmarks.landmarks_in_region(image, region)
            truth = [record[name][index] for name in ("gaze", "arkit")]
            emotion = NO_EMOTION if is_still else int(record["emotion"])
            performed = emotion, float(record["emotion_strength"])
            rows.append(
                (set_name, f"{set_name} {record['identity']}")
                + (f"{set_name} {record['clip_id']}", last.points)
                + (gaze.find_eyes(image, last), *truth, *performed)
            )
    return Frames(*(np.stack(column) for column in zip(*rows, strict=True)))


def joined(parts: list[Frames]) -> Frames:
    """Return the frames of several sets one after the other."""
    names = [field.name for field in dataclasses.fields(Frames)]
    return Frames(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def chosen(frames: Frames, rows: np.ndarray) -> Frames:
    """Return some of the frames."""
    names = [field.name for field in dataclasses.fields(Frames)]
    return Frames(*(getattr(frames, name)[rows] for name in names))


def fit_gaze(frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Solve for `gaze.YAW_BY` and `gaze.PITCH_BY`, by least squares over open eyes."""
    x, y = gaze.iris_positions(frames.eyes, frames.fit).T
    yaw, pitch, roll = frames.fit.rotation.T
    designs = (x, yaw, roll), (np.ones_like(y), y, pitch)
    seen = frames.is_open
    first, second = (
        np.linalg.lstsq(np.stack(d, 1)[seen], frames.gaze[seen, i], rcond=None)[0]
        for i, d in enumerate(designs)
    )
    return first, second


def tell_gaze(frames: Frames, yaw_by: np.ndarray, pitch_by: np.ndarray) -> np.ndarray:
    """Return gaze `[N, 2]` by other numbers than `gaze` has, radians."""
    x, y = gaze.iris_positions(frames.eyes, frames.fit).T
    yaw, pitch, roll = frames.fit.rotation.T
    first = np.stack([x, yaw, roll], axis=1) @ yaw_by
    return np.stack([first, np.stack([y**0, y, pitch], axis=1) @ pitch_by], axis=1)


def tell_blink(frames: Frames) -> np.ndarray:
    """Return how far lids are shut `[N]`, clip by clip."""
    gaps = gaze.eye_aperture(frames.eyes)
    return _by_clip(frames.clip, gaps, landmark_labels.shut_share)


def angles(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return degrees between directions `[N, 2]` of yaw and pitch, radians."""
    first, second = (
        np.stack([np.sin(y) * np.cos(p), np.sin(p), np.cos(y) * np.cos(p)])
        for y, p in (predicted.T, truth.T)
    )
    return np.rad2deg(np.arccos(np.clip((first * second).sum(axis=0), -1, 1)))


class UnitFitter:
    """Ridge regression from faces and their mirror images to unit weights.

    Ours: sums of every fold are kept, so that leaving people out costs one solution.

    Args:
        frames: to be taught by.
        folds: int `[N]`, the part that a frame belongs to.
    """

    def __init__(self, frames: Frames, folds: np.ndarray):
        seen = landmark_labels.features(frames.eyes, frames.points, frames.fit)
        self._sums = {}
        for fold in np.unique(folds):
            rows = folds == fold
            both = np.concatenate([seen[rows], mirrored_features(seen[rows])])
            truth = frames.arkit[rows]
            truth = np.concatenate([truth, truth[:, list(arkit.OTHER_SIDE)]])
            both = np.append(both, np.ones((len(both), 1)), axis=1).astype(np.float64)
            self._sums[fold] = both.T @ both, both.T @ truth

    def solve(self, without: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
        """Return map `[F, 52]` and bias `[52]`, taught by all folds but some."""
        kept = [sums for fold, sums in self._sums.items() if fold not in without]
        gram, moment = (sum(parts) for parts in zip(*kept, strict=True))
        count = gram[-1, -1]
        mean, target = gram[-1, :-1] / count, moment[-1] / count
        spread = gram[:-1, :-1] / count - np.outer(mean, mean)
        shared = moment[:-1] / count - np.outer(mean, target)
        spread += RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
        weights = np.linalg.solve(spread, shared)
        return weights, target - mean @ weights


def folds_of(frames: Frames, seed: int = 0) -> np.ndarray:
    """Divide people into parts, int `[N]`; nobody is in two."""
    people, person = np.unique(frames.identity, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(people))
    return order[person] % NUM_FOLDS


def estimate_units(
    frames: Frames, solution: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return unit weights `[N, 52]`, not clipped."""
    seen = landmark_labels.features(frames.eyes, frames.points, frames.fit)
    return seen @ solution[0] + solution[1]


def clip_means(frames: Frames, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average over the frames of every clip with a performed emotion.

    Args:
        frames: N of them.
        values: `[N, C]`.

    Returns:
        Means `[clips, C]`, and int `[clips]` one frame of each clip.
    """
    performed = np.flatnonzero(frames.emotion != NO_EMOTION)
    _, first, clip = np.unique(
        frames.clip[performed], return_index=True, return_inverse=True
    )
    sums = np.zeros((len(first), values.shape[1]))
    np.add.at(sums, clip, values[performed])
    return sums / np.bincount(clip)[:, None], performed[first]


def fit_emotion(
    units: np.ndarray, emotion: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a softmax over emotions to unit weights; all emotions weigh the same.

    Args:
        units: `[n, 52]` means of clips, of people that the map to units was not
            taught by.
        emotion: int `[n]`.

    Returns:
        Map `[52, 8]` and bias `[8]`.
    """
    classes = len(types.EMOTIONS)
    wanted = np.eye(classes)[emotion]
    share_of_row = (wanted / wanted.sum(axis=0).clip(1) / classes).sum(axis=1)
    mean, std = units.mean(axis=0), units.std(axis=0) + 1e-6
    seen = np.append((units - mean) / std, np.ones((len(units), 1)), axis=1)

    def loss(flat):
        weights = flat.reshape(-1, classes)
        predicted = scipy.special.log_softmax(seen @ weights, axis=1)
        free = np.append(weights[:-1], np.zeros((1, classes)), axis=0)
        surprise = -(share_of_row * (predicted * wanted).sum(axis=1)).sum()
        slope = seen.T @ ((np.exp(predicted) - wanted) * share_of_row[:, None])
        slope += 2 * EMOTION_PENALTY * free
        return surprise + EMOTION_PENALTY * np.square(free).sum(), slope.ravel()

    start = np.zeros(seen.shape[1] * classes)
    found = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B")
    weights = found.x.reshape(-1, classes)
    scaled = weights[:-1] / std[:, None]
    return scaled, weights[-1] - mean @ scaled


def correlations(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the correlation of each column; no number where the truth rests."""
    found = np.full(truth.shape[1], np.nan)
    for column in np.flatnonzero(truth.std(axis=0) >= LEAST_STD):
        found[column] = np.corrcoef(predicted[:, column], truth[:, column])[0, 1]
    return found


def known_units(by_kind: list[np.ndarray]) -> np.ndarray:
    """Tell which units are known, bool `[52]`: on every kind that shows them."""
    rows = np.stack(by_kind)
    shown = np.isfinite(rows)
    return ((rows >= LEAST_CORRELATION) | ~shown).all(axis=0) & shown.any(axis=0)


def class_accuracy(
    predicted: np.ndarray, emotion: np.ndarray, seed: int = 0
) -> tuple[float, float, float]:
    """Return the share of clips told rightly, all emotions weighing the same.

    Args:
        predicted: `[n, 8]` probabilities of clips.
        emotion: int `[n]` what they are.
        seed: of the bootstrap.

    Returns:
        The accuracy, and the ends of its 95 % bootstrap interval over clips; an eighth
        is chance.
    """
    hits = predicted.argmax(axis=1) == emotion
    weights = 1 / np.bincount(emotion)[emotion]
    generator = np.random.default_rng(seed)
    rows = generator.integers(len(hits), size=(NUM_BOOTSTRAPS, len(hits)))
    drawn = (hits * weights)[rows].sum(axis=1) / weights[rows].sum(axis=1)
    mean = (hits * weights).sum() / weights.sum()
    return float(mean), *map(float, np.quantile(drawn, (0.025, 0.975)))


def tell_accuracy(
    name: str, scores: np.ndarray, emotion: np.ndarray, strength: np.ndarray
) -> None:
    """Print how many clips' emotions are told, by strength; neutral is in each.

    Args:
        name: of what told them.
        scores: `[n, 8]` of clips; the largest is what is told.
        emotion, strength: `[n]` what they are.
    """
    for low, high in STRENGTHS:
        rows = (strength == 0) | ((strength >= low) & (strength <= high))
        share, start, end = class_accuracy(scores[rows], emotion[rows])
        print(
            f"emotion, {name}, strength {low} to {high}: {share:.2f} "
            f"({start:.2f} to {end:.2f}) of {rows.sum()} clips"
        )


def mirrored_features(seen: np.ndarray) -> np.ndarray:
    """Return the features `[N, F]` of the mirrored faces."""
    split = 3 * landmarks.NUM_LANDMARKS
    points = seen[:, :split].reshape(len(seen), -1, 3)[:, _mirrored_landmarks()]
    lids = seen[:, split:].reshape(len(seen), 2, -1, 2)[:, ::-1]
    parts = points * np.float32([-1, 1, 1]), lids * np.float32([-1, 1])
    return np.concatenate([part.reshape(len(seen), -1) for part in parts], axis=1)


@functools.cache
def _mirrored_landmarks():
    """Return for each landmark the place of the one on the other side."""
    points, _ = pose.canonical_face()
    away = points[None] - points[:, None] * [-1, 1, 1]
    return np.linalg.norm(away, axis=-1).argmin(axis=1)


def _by_clip(clip, values, change):
    """Change the values of each clip together."""
    changed = np.zeros_like(values)
    for one in np.unique(clip):
        rows = clip == one
        changed[rows] = change(values[rows])
    return changed

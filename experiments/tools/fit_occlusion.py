"""Fit the maps of `vasa_jax.portrait.occlusion` to portraits with things drawn on them.

    python -m experiments.tools.fit_occlusion --portraits_dir=portraits \
        --output=vasa_jax/portrait/assets/occlusion.npz

Looks at every portrait as it is and with each thing of `drawn_occluders` (a second of
one core each), fits on the portraits of `train`, and prints for those of `validation`,
of each kind, the share that is told, and the area under the curve; likewise by maps
that were fitted without that kind.
"""

import pathlib
import zlib

import numpy as np
import tqdm
from absl import flags

from datasets import portrait_split
from experiments.running import program
from experiments.tools import drawn_occluders
from vasa_jax import errors, media
from vasa_jax.portrait import landmarks, locate, occlusion, pose

PORTRAITS_DIR = flags.DEFINE_string(
    "portraits_dir", None, "Folder of portraits.", required=True
)
OUTPUT = flags.DEFINE_string("output", None, "File of the maps; only told if left.")
NUM_PORTRAITS = flags.DEFINE_integer("num_portraits", 600, "At most.", lower_bound=20)

NUM_DIRECTIONS = 32
"""Ours: 16 tell microphones worse, 80 are told by heart."""

RIDGE = 1e-3
"""Over the mean square of features. Ours."""

FALSE_ALARMS = 0.05
"""Share of portraits of `train` that nothing covers and that score 0.5 or more."""

BARE = "nothing"
KINDS_OF = {"mouth": drawn_occluders.MOUTH, "eyes": drawn_occluders.EYES}


def main(_) -> None:
    """Look, fit, tell, write."""
    patches, kinds, is_train = _looked_at()
    kept = {}
    for number, part in enumerate(occlusion.PARTS):
        own = patches[number]
        fitted = _fit(own, kinds, is_train, KINDS_OF[part.name])
        for field in ("mean", "directions", "weights"):
            kept[f"{part.name}_{field}"] = getattr(fitted, field).astype(np.float16)
        for kind in sorted(set(kinds)):
            left_out = ""
            if kind in KINDS_OF[part.name]:
                without = _fit(
                    own, kinds, is_train & (kinds != kind), KINDS_OF[part.name]
                )
                left_out = "; unseen " + _quality(without, own, kinds, ~is_train, kind)
            seen = _quality(fitted, own, kinds, ~is_train, kind)
            print(f"{part.name}, {kind}: {seen}{left_out}")
    if OUTPUT.value:
        np.savez_compressed(OUTPUT.value, **kept)


def _looked_at():
    """Return patches of each part, what was drawn, and whether to be taught by it."""
    paths = sorted(pathlib.Path(PORTRAITS_DIR.value).glob("*.jpg"))
    paths = sorted(paths, key=lambda path: zlib.crc32(path.stem.encode()))
    rows, kinds, is_train = [], [], []
    for path in tqdm.tqdm(paths[: NUM_PORTRAITS.value], unit="portrait"):
        image = media.read_image(path)
        try:
            found = locate.locate_face(image).landmarks
        except errors.UserError:
            continue
        split = portrait_split.split_of(path.name)
        unit = float(pose.fit_head(found.points).unit)
        for kind in (BARE, *drawn_occluders.MOUTH, *drawn_occluders.EYES):
            generator = np.random.default_rng(
                zlib.crc32(f"{path.stem} {kind}".encode())
            )
            shown = image
            if kind != BARE:
                face = drawn_occluders.Face(image, found.points, unit, generator)
                shown = face.draw(kind)
            # As a tracker would: from where the face was in the frame before.
            region = landmarks.region_of_landmarks(found)
            rows.append(_patches(shown, landmarks.landmarks_in_region(shown, region)))
            kinds.append(kind)
            is_train.append(split == portrait_split.TRAIN)
    patches = [np.stack(part) for part in zip(*rows, strict=True)]
    return patches, np.array(kinds), np.array(is_train)


def _patches(image, found):
    """Return the patch of each part."""
    eyes = found.points[np.array(landmarks.EYE_CORNERS), :2].mean(axis=1)
    mouth = found.points[[13, 14], :2].mean(axis=0)
    roll = float(np.arctan2(*(eyes[1] - eyes[0])[::-1]))
    unit = float(pose.fit_head(found.points).unit)
    middles = (mouth, eyes.mean(axis=0))
    return [
        occlusion.patch(image, part, middle, unit, roll)
        for part, middle in zip(occlusion.PARTS, middles, strict=True)
    ]


def _fit(patches, kinds, is_train, covering):
    """Fit one part's map: directions of bare patches, and least squares to -1 and 1."""
    bare = patches[is_train & (kinds == BARE)].astype(np.float64)
    mean = bare.mean(axis=0)
    _, stds, axes = np.linalg.svd(bare - mean, full_matrices=False)
    stds = stds[:NUM_DIRECTIONS] / np.sqrt(len(bare))
    directions = axes[:NUM_DIRECTIONS] / stds[:, None]
    fitted = occlusion.Map(mean, directions, np.zeros(3 * NUM_DIRECTIONS + 3))
    seen = fitted.features(patches[is_train]).astype(np.float64)
    is_covered = np.isin(kinds[is_train], covering)
    weight = np.where(is_covered, 1 / is_covered.sum(), 1 / (~is_covered).sum())
    square = (seen * weight[:, None]).T @ seen
    square += RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    target = np.where(is_covered, 1.0, -1.0)
    weights = np.linalg.solve(square, (seen * weight[:, None]).T @ target)
    values = seen @ weights
    alarm = np.quantile(values[kinds[is_train] == BARE], 1 - FALSE_ALARMS)
    usual = np.median(values[kinds[is_train] == BARE])
    # The usual bare portrait scores 0, and one in twenty 0.5 or more.
    weights = weights / (2 * (alarm - usual))
    weights[-1] -= usual / (2 * (alarm - usual))
    return occlusion.Map(mean, directions, weights)


def _quality(fitted, patches, kinds, is_held_out, kind):
    """Say how many of a kind are told, and how well they are told from bare ones."""
    own = fitted.features(patches[is_held_out & (kinds == kind)]) @ fitted.weights
    bare = fitted.features(patches[is_held_out & (kinds == BARE)]) @ fitted.weights
    order = own[:, None] - bare[None]
    area = np.mean(order > 0) + np.mean(order == 0) / 2
    return f"{np.mean(own >= 0.5):.2f} of {len(own)} told, area {area:.2f}"


if __name__ == "__main__":
    program.run(main)

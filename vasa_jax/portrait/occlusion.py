"""Whether a hand, a microphone, a mask or dark glasses cover a mouth or the eyes.

Ours: a small patch of each, light and contrast levelled, judged by how it lies among
patches of portraits that nothing covers: its projection on their main directions, and
what these do not explain. Fitted by `experiments.tools.fit_occlusion` to photographs
of nobody with things drawn over them; how well it does is in `docs/labels.md`.
"""

import dataclasses
import functools

import einops
import numpy as np

from vasa_jax.portrait import networks, resample

WEIGHTS_NAME = "occlusion.npz"

_LEAST_CONTRAST = 5.0
"""Grey levels below which contrast is not strengthened. Ours: of plain cloth."""

_LARGEST_FEATURE = 30.0
"""Ours: beyond it a patch is no face's, and its square would drown all else."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the face that is looked at, about its middle.

    Attributes:
        name: of it.
        width, height: of its patch, head units.
        num_columns, num_rows: pixels of its patch.
    """

    name: str
    width: float
    height: float
    num_columns: int
    num_rows: int


PARTS = (
    Part("mouth", width=0.8, height=0.6, num_columns=16, num_rows=12),
    Part("eyes", width=1.1, height=0.45, num_columns=22, num_rows=9),
)
"""Ours: lips with skin around them, and both eyes with the bridge of the nose."""


@dataclasses.dataclass(frozen=True)
class Map:
    """What classifies one part as covered or not.

    Attributes:
        mean: float32 `[P]` usual patch.
        directions: float32 `[K, P]` along which usual patches differ, over their
            deviation there, and so of unit variance.
        weights: float32 `[3 K + 3]` of `features`.
    """

    mean: np.ndarray
    directions: np.ndarray
    weights: np.ndarray

    def features(self, patches: np.ndarray) -> np.ndarray:
        """Return float32 `[n, 3 K + 3]` of patches `[n, P]`."""
        away = patches - self.mean
        along = away @ self.directions.T
        lengths = np.square(self.directions).sum(axis=1)
        left = away - (along / lengths) @ self.directions
        sizes = [np.square(along).mean(axis=1), np.square(left).mean(axis=1)]
        logs = np.log(np.stack(sizes, axis=1) + 1e-3)
        parts = [
            along,
            np.abs(along),
            np.square(along),
            logs,
            np.ones_like(logs),
        ]
        found = np.concatenate(parts, axis=1)[:, :-1]
        return np.clip(found, -_LARGEST_FEATURE, _LARGEST_FEATURE).astype(np.float32)

    def score(self, patches: np.ndarray) -> np.ndarray:
        """Return float32 `[n]` of patches `[n, P]`: 0 if usual, 1 if covered."""
        return np.clip(self.features(patches) @ self.weights, 0, 1)


@functools.cache
def load_maps() -> tuple[Map, ...]:
    """Read the map of each of `PARTS`."""
    with np.load(networks.ASSETS / WEIGHTS_NAME, allow_pickle=False) as file:
        return tuple(
            Map(
                **{
                    field.name: file[f"{part.name}_{field.name}"].astype(np.float32)
                    for field in dataclasses.fields(Map)
                }
            )
            for part in PARTS
        )


def patch(
    image: np.ndarray, part: Part, middle: np.ndarray, unit: float, roll: float
) -> np.ndarray:
    """Cut the patch of a part, and level its light and contrast.

    Args:
        image: uint8 `[H, W, 3]`.
        part: which.
        middle: `[2]` of it, pixels.
        unit: pixels of a head unit.
        roll: of the eyes, radians, clockwise as seen.

    Returns:
        float32 `[P]`, P = 3 rows x columns.
    """
    turn = unit * resample.rotation_2d(roll)
    size = np.array([part.width, part.height])
    step = turn * (size / [part.num_columns, part.num_rows])
    matrix = np.concatenate([step, (middle - turn @ size / 2)[:, None]], axis=1)
    cut = resample.sample_affine(image, matrix, part.num_rows, part.num_columns)
    cut = cut - cut.mean(axis=(0, 1))
    return einops.rearrange(cut / (cut.std() + _LEAST_CONTRAST), "h w c -> (h w c)")


def covered(
    image: np.ndarray, mouth: np.ndarray, eyes: np.ndarray, unit: float
) -> np.ndarray:
    """Tell how surely each of `PARTS` is covered.

    Args:
        image: uint8 `[H, W, 3]`.
        mouth: `[2]` its middle, pixels.
        eyes: `[2, 2]` their middles, the image's left one first.
        unit: pixels of a head unit.

    Returns:
        float32 `[2]` in [0, 1].
    """
    across = eyes[1] - eyes[0]
    roll = float(np.arctan2(across[1], across[0]))
    rows = zip(PARTS, load_maps(), (mouth, eyes.mean(axis=0)), strict=True)
    return np.concatenate(
        [
            classifier.score(patch(image, part, at, unit, roll)[None])
            for part, classifier, at in rows
        ]
    )

"""Metrics by networks whose weights a user has to get: LPIPS, and what all share."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from vasa_jax.evaluation.benchmark import cache
from vasa_jax.evaluation.metrics import definition, frame_similarity
from vasa_jax.evaluation.metrics.definition import LOWER, Needs, Row
from vasa_jax.evaluation.networks import lpips


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weighted(definition.PerClip):
    """A metric by a network that a file holds.

    Attributes:
        weights: the file; None if it was not given.
    """

    weights: str | None = None

    def settings(self) -> dict[str, Any]:
        """Return the fields, with what the file holds in place of its name."""
        digest = None if self.weights is None else _digest(self.weights)
        return {**dataclasses.asdict(self), "weights": digest}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lpips(Weighted, frame_similarity.PairedFrames):
    """Distance of frames that people's judgements taught; see `lpips`.

    Ours: the ceiling by fewer frames, as the network is slow and they hardly differ.
    """

    ceiling_every: int = 10

    name = "lpips"
    rows = {
        "lpips": Row(
            title="LPIPS (VGG16)",
            better=LOWER,
            floor=frame_similarity.STILL,
            ceiling=frame_similarity.CODED,
            digits=3,
        )
    }

    @property
    def needs(self) -> Needs:
        """The weights, and a reference of the same size."""
        given = self.weights is not None
        return Needs(
            reference=True,
            same_size=True,
            missing=None if given else f"--lpips_weights=FILE ({lpips.CURE})",
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _lpips(self.weights)

    def compare(self, frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Return distances."""
        return self.compare_all([frames], truth)[0]

    def compare_all(
        self, videos: Sequence[np.ndarray], truth: np.ndarray
    ) -> list[np.ndarray]:
        """Return distances of each video; the network sees the truth once."""
        return _lpips(self.weights)(videos, truth)


@functools.cache
def _digest(path: str) -> str:
    return cache.digest_of(path)


@functools.cache
def _lpips(path: str):
    return lpips.compare_with(path)

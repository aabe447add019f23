"""Distances of all videos from all references as sets: FVD25, and one by VGG16."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from vasa_jax import media
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import frechet
from vasa_jax.evaluation.metrics.definition import (
    LOWER,
    ByWeightsFile,
    Measured,
    Needs,
    Row,
    State,
    Summary,
)
from vasa_jax.evaluation.networks import i3d, lpips, video_features

FLOOR = "the references, each second's first frame held"
CEILING = "half of the references from the other half"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetDistance(ByWeightsFile):
    """Frechet distance of features of 25 consecutive frames.

    Ours: without an interval, because clips that are drawn again repeat, and a Frechet
    distance grows by that alone; the ceiling has half as many clips, which makes it
    larger too.
    """

    flag: ClassVar[str]
    network: ClassVar[Callable[[str], video_features.FeatureNetwork]]

    @property
    def needs(self) -> Needs:
        """The weights and references of a second or more."""
        return Needs(
            reference=True,
            num_frames=video_features.NUM_FRAMES,
            missing=None if self.weights is not None else self.flag,
            is_in_main=True,
        )

    def prepare(self) -> None:
        """Read the weights."""
        _network(type(self), self.weights)

    def measure(
        self, clip: video_clip.Clip, reference: video_clip.Clip | None
    ) -> Measured:
        """Take the features of one clip, of its reference, and of that held still."""
        for one in (clip, reference):
            if one.facts.height != one.facts.width:
                return Measured(
                    left_out=f"{one.path.name} is of {one.facts.width} x "
                    f"{one.facts.height} pixels, and squares are needed"
                )
        network = _network(type(self), self.weights)
        real, still = _of_reference(
            type(self), self.weights, reference.path, reference.digest
        )
        generated = _features(network, clip.path)
        return Measured(features={"generated": generated, "real": real, "still": still})

    def finish(self, state: State) -> dict[str, Summary]:
        """Compare the sets; fewer than two seconds in one of them give nothing."""
        ordered = [one.features for one in state.known()]

        def moments(kind, chosen=slice(None)):
            parts = [features[kind] for features in ordered[chosen]]
            return frechet.Moments.from_batch(np.concatenate(parts)) if parts else None

        def distance(a, b):
            if a is None or b is None or min(a.count, b.count) < frechet.MIN_SAMPLES:
                return None
            return frechet.distance(a, b)

        real = moments("real")
        halves = moments("real", slice(0, None, 2)), moments("real", slice(1, None, 2))
        return {
            self.name: Summary(
                mean=distance(real, moments("generated")),
                floor=distance(real, moments("still")),
                ceiling=distance(*halves),
                num_clips=len(ordered),
            )
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fvd(SetDistance):
    """Distance by the logits of I3D. Paper: VASA-1 section 4.1, FVD25."""

    name = "fvd"
    rows = {
        "fvd": Row(
            title=video_features.I3DFeatures.title,
            aim=LOWER,
            floor=FLOOR,
            ceiling=CEILING,
            digits=1,
        )
    }
    flag = f"--i3d_weights=FILE ({i3d.CURE})"
    network = video_features.I3DFeatures


@dataclasses.dataclass(frozen=True, kw_only=True)
class VggDistance(SetDistance):
    """Distance by features of VGG16. Ours: for those who lack I3D's weights."""

    name = "vgg_distance"
    rows = {
        "vgg_distance": Row(
            title=video_features.VGG16Features.title,
            aim=LOWER,
            floor=FLOOR,
            ceiling=CEILING,
            digits=1,
        )
    }
    flag = f"--lpips_weights=FILE ({lpips.CURE})"
    network = video_features.VGG16Features

    def settings(self) -> dict[str, Any]:
        """Return the fields with how frames are seen, so that no other's are reused."""
        return {
            **super().settings(),
            "image_size": video_features.VGG16_SIZE,
            "every": video_features.VGG16_EVERY,
        }


@functools.cache
def _network(kind: type[SetDistance], path: str) -> video_features.FeatureNetwork:
    return kind.network(path)


@functools.lru_cache(maxsize=1)
def _of_reference(
    kind: type[SetDistance], weights: str, path: pathlib.Path, digest: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of a reference, and of it held still.

    Ours: the last is kept, because the samples of a voice share their reference.
    """
    network = _network(kind, weights)

    def hold(cut):
        return np.broadcast_to(cut[:1], cut.shape)

    return _features(network, path), _features(network, path, hold)


def _features(
    network: video_features.FeatureNetwork,
    path: pathlib.Path,
    change: Callable[[np.ndarray], np.ndarray] = lambda cut: cut,
) -> np.ndarray:
    cuts = video_features.clips_of(media.iterate_video(path), name=str(path))
    return np.stack([network(change(cut)) for cut in cuts])

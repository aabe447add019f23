"""One person: a geometry and an appearance from a seed."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.person import appearance, geometry, randomization
from datasets.synthetic_heads.rendering import filters, occlusion


@dataclasses.dataclass(frozen=True)
class Avatar:
    """A person that can be posed and rendered.

    Attributes:
        identity_seed: what it was drawn from.
        exaggeration: factor of its local shapes, 1 for plausible people.
        geometry: shape and hair.
        appearance: colours and skin.
        openness: float32 `[N]` of each vertex to the sky.
        photo: what happens to its pictures after rendering, or None.
    """

    identity_seed: int
    exaggeration: float
    geometry: geometry.HeadGeometry
    appearance: appearance.Appearance
    openness: np.ndarray
    photo: filters.PhotoFilter | None


def build_avatar(
    identity_seed: int, domain: randomization.Randomization | None = None
) -> Avatar:
    """Draw a person; the same arguments give the same arrays.

    Ours: shape and looks come from separate streams of the seed.

    Args:
        identity_seed: which person, 0 or more.
        domain: how far looks leave those of people; None leaves them be.
    """
    exaggeration, photo = 1.0, None
    if domain is not None:
        exaggeration = randomization.shape_exaggeration(domain, identity_seed)
    shape = geometry.build_geometry(identity_seed, exaggeration)
    generator = np.random.default_rng([identity_seed, 2])
    looks = appearance.random_appearance(generator, shape)
    if domain is not None:
        looks = randomization.randomize_appearance(domain, identity_seed, looks)
        photo = randomization.random_filter(domain, identity_seed)
    openness = occlusion.openness(shape)
    return Avatar(identity_seed, exaggeration, shape, looks, openness, photo)

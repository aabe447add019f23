"""Domain randomisation: how far synthetic heads leave the looks of people."""

import dataclasses

import numpy as np

from datasets.synthetic_heads import appearance
from vasa_jax import errors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Randomization:
    """How much is randomised.

    Attributes:
        strength: 0 plausible people only, 1 the full range.
    """

    strength: float = 0.5  # ours

    def __post_init__(self):
        if not 0.0 <= self.strength <= 1.0:
            raise errors.UserError(
                f"Randomization strength {self.strength} is outside 0 to 1."
            )


def shape_exaggeration(domain: Randomization, identity_seed: int) -> float:
    """Draw the factor of an identity's local shapes.

    Ours: painted and drawn portraits overstate shapes; up to twice as strong.
    """
    generator = np.random.default_rng([identity_seed, 3])
    return float(1.0 + domain.strength * generator.uniform(0.0, 0.8))


def randomize_appearance(
    domain: Randomization, identity_seed: int, looks: appearance.Appearance
) -> appearance.Appearance:
    """Lay random paint over an appearance."""
    return looks

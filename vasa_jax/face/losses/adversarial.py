"""The game of the face model with its discriminator.

Follows: MegaPortraits (multi-scale patches, hinge loss, feature matching).
"""

from collections.abc import Callable

import jax

from vasa_jax.face.losses import distances

Judge = Callable[[jax.Array], tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]]
"""From images to the logits of each scale, and all features between."""


def generator_terms(
    judge: Judge, fake: jax.Array, real: jax.Array
) -> dict[str, jax.Array]:
    """Fool the discriminator, and look alike to it.

    Follows: MegaPortraits (hinge loss, feature matching).

    Args:
        judge: whose parameters get no gradient.
        fake: `[B, H, W, 3]` views of rendered frames.
        real: the same views of their drivers.

    Returns:
        Means by the names of the losses' weights.
    """
    logits, fake_features = judge(fake)
    _, real_features = judge(real)
    return {
        "adversarial": sum(distances.hinge_generator(x).mean() for x in logits),
        "feature_matching": distances.feature_distance(
            fake_features, real_features
        ).mean(),
    }


def discriminator_loss(judge: Judge, fake: jax.Array, real: jax.Array) -> jax.Array:
    """Return the discriminator's hinge loss, a scalar; arguments as above.

    Follows: MegaPortraits (hinge loss).
    """
    real_logits, _ = judge(real)
    fake_logits, _ = judge(fake)
    return sum(
        distances.hinge_discriminator(a, b).mean()
        for a, b in zip(real_logits, fake_logits, strict=True)
    )

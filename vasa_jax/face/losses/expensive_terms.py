"""Terms that render once more or compare by a frozen network: not on every step.

Paper: VASA-1 §3.1, L_consist and L_cross_id. Follows: MegaPortraits, EMOPortraits.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from vasa_jax import types
from vasa_jax.face import scene
from vasa_jax.face.losses import distances, mobilefacenet, perceptual, regions

NAMES = ("consistency", "cross_identity", "canonical", "perceptual")

Apply = Callable[..., Any]
"""Calls a method of the face model with its parameters."""


def consistency(apply: Apply, latents: types.FaceLatents, pair: scene.Scene):
    """Render from either frame's latents: they must agree.

    Paper: VASA-1 §3.1, L_consist.
    """
    source, driver = pair.source, pair.driver

    def render(model):
        own = model.encode_portrait(
            driver.image, driver.head_pose, driver.facial_dynamics
        )
        asked = source.head_pose, driver.facial_dynamics
        return model.render(own, *asked).image, model.render(latents, *asked).image

    return distances.agreement(*apply(method=render)).mean()


def cross_identity(
    apply: Apply,
    latents: types.FaceLatents,
    pair: scene.Scene,
    network: perceptual.FrozenNetwork,
):
    """Drive the source with another person: it must stay itself.

    Paper: VASA-1 §3.1, L_cross_id.
    """
    pose = pair.other.head_pose
    frame = apply(latents, pose, pair.other.facial_dynamics, method="render")
    shown = mobilefacenet.align(frame.image, pose)
    known = mobilefacenet.align(pair.source.image, pair.source.head_pose)
    return distances.cosine_distance(
        network(shown)[-1], jax.lax.stop_gradient(network(known)[-1])
    ).mean()


def canonical(apply: Apply, latents: types.FaceLatents, pair: scene.Scene):
    """Both frames have one canonical volume. Follows: EMOPortraits."""
    driver = pair.driver
    own = apply(
        driver.image,
        driver.head_pose,
        driver.facial_dynamics,
        method="encode_portrait",
    )
    return distances.agreement(own.appearance_volume, latents.appearance_volume).mean()


def perceptual_term(
    image: jax.Array,
    pair: scene.Scene,
    crop_centres: jax.Array | None,
    network: perceptual.FrozenNetwork,
):
    """Compare frozen features of frames or crops. Follows: MegaPortraits.

    Args:
        image: `[B, H, W, 3]` frames.
        pair: their drivers.
        crop_centres: `[B, P, 2]`; None compares whole frames at several scales.
        network: whose features compare.
    """
    predicted = regions.views(regions.learnt(image, pair), crop_centres)
    target = regions.views(pair.driver.image, crop_centres)
    if crop_centres is not None:
        return distances.feature_distance(network(predicted), network(target)).mean()
    return distances.pyramid_distance(network, predicted, target).mean()


def on_every_nth_step(
    every: int,
    step: jax.Array,
    names: tuple[str, ...],
    compute: Callable[[Any], tuple[jax.Array, dict[str, jax.Array]]],
    operands: Any,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Compute a total and terms on every n-th step, n times as heavy; else zeros.

    Args:
        every: n.
        step: steps done, a scalar.
        names: of the terms.
        compute: from operands to the total and the terms by name.
        operands: tree of arrays; gradients pass to them alone.
    """

    def heavier(operands):
        total, terms = compute(operands)
        return every * total, terms

    def skip(operands):
        del operands
        return jnp.zeros(()), {name: jnp.zeros(()) for name in names}

    if every == 1:
        return compute(operands)
    return jax.lax.cond(step % every == 0, heavier, skip, operands)


def weighted_names(weights: Any) -> tuple[str, ...]:
    """Return the names of the terms that have a weight."""
    return tuple(name for name in NAMES if getattr(weights, name))

"""A rendered frame against its driver: pixels, flow, and where they come from."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from vasa_jax.face import decoder
from vasa_jax.face.losses import distances, regions

Scene = Mapping[str, Any]

HIDDEN_STRENGTH = 4.0
"""Further weight of what the portrait hides of the head, in frame and painting. Ours:
with the truth shown there the pose seen in frames of held-out people errs by 2.3
degrees in place of 3.1."""


def compare(
    frame: decoder.RenderedFrame, scene: Scene, mirrors_face: bool
) -> dict[str, jax.Array]:
    """Compare a frame, and each of its sources, with the driver.

    Ours: each source is taught by itself, and by exact truth where it is known.

    Args:
        frame: of B pairs.
        scene: the `driver` `[B, H, W, 3]` and its `driver_regions`; with `flow` all
            fields `examples.FLOW_FIELDS` and maybe `driver_surroundings`.
        mirrors_face: whether the frame shows the mirrored portrait.

    Returns:
        Means by the names of the losses' weights.
    """
    size, painted_size = frame.image.shape[1], frame.decoded.shape[1]
    near = regions.weight(scene["driver_regions"], size)
    weight = heavier = near * regions.learnable(scene, size)
    if "flow" in scene:
        hidden = regions.hidden_head(scene)[..., None]
        heavier = weight + HIDDEN_STRENGTH * regions.fit(hidden, size)
    terms = {
        "reconstruction": distances.reconstruction(
            frame.image, scene["driver"], heavier
        ),
        "decoded": distances.reconstruction(
            frame.decoded,
            regions.fit(scene["driver"], painted_size),
            regions.fit(heavier, painted_size),
        ),
    }
    if "flow" in scene:
        terms |= _portrait_terms(frame, scene, near)
        if mirrors_face:
            terms |= mirrored_terms(frame, scene, weight)
    return {name: term.mean() for name, term in terms.items()}


def _portrait_terms(frame, scene, weight):
    """Compare the warped portrait with what the driver shows of it.

    Ours: what the portrait shows too is true, whether it may be painted or not, so that
    filled backgrounds teach to keep still.
    """
    visible = scene["visible"]
    cells, coarse = visible.shape[1], frame.coarse_flow.shape[1]
    seen = regions.fit(visible[..., None], frame.image.shape[1])
    near = regions.sized(weight[..., 0], cells)
    return {
        "warped": distances.reconstruction(
            frame.warped, scene["driver"], weight * seen
        ),
        "flow": distances.flow(frame.flow, scene["flow"], near * visible),
        "coarse_flow": distances.flow(
            frame.coarse_flow,
            regions.fit(scene["flow"], coarse),
            regions.sized(visible, coarse),
        ),
        "visibility": distances.visibility(
            regions.sized(frame.mask_logits[..., 0], cells),
            visible,
            near * jnp.maximum(visible, scene["learnable"]),
        ),
    }


def mirrored_terms(
    frame: decoder.RenderedFrame, scene: Scene, weight: jax.Array
) -> dict[str, jax.Array]:
    """Compare the mirrored portrait with what the portrait itself hides of the head.

    Ours: flow and visibility of mirror images are exact truth too.

    Args:
        frame: of B pairs, by a face model that `mirrors_face`.
        scene: with `driver` `[B, H, W, 3]`, and the fields `examples.FLOW_FIELDS`;
            without `driver_surroundings` the whole frame counts as head.
        weight: `[B, H, W, 1]` of the pixels.

    Returns:
        `[B]` each, by the names of the losses' weights.
    """
    size, cells = frame.image.shape[1], scene["visible"].shape[1]
    hidden = regions.hidden_head(scene)
    shown = regions.head(scene) * scene["mirrored_visible"]
    logits = regions.sized(frame.mirror_logits[..., 0], cells)
    return {
        "mirrored": distances.reconstruction(
            frame.mirrored,
            scene["driver"],
            weight * regions.fit(hidden[..., None], size),
        ),
        "mirrored_flow": distances.flow(
            regions.fit(frame.mirrored_flow, cells), scene["mirrored_flow"], shown
        ),
        "mirrored_visibility": distances.visibility(
            logits, scene["mirrored_visible"], hidden
        ),
    }

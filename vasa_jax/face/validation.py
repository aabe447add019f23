"""What validation measures of rendered frames."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from vasa_jax import types
from vasa_jax.face import rendered_frame, scene
from vasa_jax.face.losses import distances, frame_losses, regions
from vasa_jax.train import metric_states


def measure(
    frame: rendered_frame.RenderedFrame,
    latents: types.FaceLatents,
    pair: scene.Scene,
    terms: Mapping[str, jax.Array],
) -> dict[str, metric_states.Mean]:
    """Measure frames against their drivers, beside copying the portrait.

    Args:
        frame: of B pairs.
        latents: of their portraits.
        pair: the drivers.
        terms: scalars to measure beside.

    Returns:
        Metric states by name.
    """
    driver, size = pair.driver.image, frame.image.shape[1]
    everywhere = regions.learnable(pair, size)[..., 0]
    details = regions.inside(pair.driver_regions, size) * everywhere
    values = {
        "psnr": psnr(frame.image, driver, everywhere),
        "psnr_copy": psnr(pair.source.image, driver, everywhere),
        "psnr_mouth_and_eyes": psnr(frame.image, driver, details),
        "psnr_mouth_and_eyes_copy": psnr(pair.source.image, driver, details),
        "l1": jnp.abs(frame.image - driver),
        **terms,
    }
    truth = pair.correspondence
    if frame.shortcut is not None and truth is not None:
        values["flow_error"] = distances.end_point_error(
            regions.fit(frame.shortcut.flow, truth.flow.shape[1]),
            truth.flow,
            truth.visible,
        )
    if frame.shortcut is not None and pair.surroundings is not None:
        logits, is_around = frame_losses.background(latents.pixels, pair.surroundings)
        values["background_found"] = (logits > 0.0) == (is_around > 0.5)
    return {
        name: metric_states.Mean.from_batch(jnp.atleast_1d(value))
        for name, value in values.items()
    }


def psnr(image: jax.Array, target: jax.Array, mask: jax.Array) -> jax.Array:
    """Return the peak signal-to-noise ratio under a mask, `[B]` dB.

    Args:
        image, target: `[B, H, W, 3]` in [-1, 1].
        mask: `[B, H, W]` weights.
    """
    error = (jnp.square(image - target).mean(-1) * mask).sum((1, 2))
    error = error / jnp.maximum(mask.sum((1, 2)), 1.0)
    return 10.0 * jnp.log10(4.0 / (error + 1e-8))

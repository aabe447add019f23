"""What a frame shows, read back by the motion encoders, against what was asked of it.

Ours: losses that see lips, lids and turns as viewers do, where pixels compared one by
one settle on mouths half open.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.face.losses import distances


def compare(
    apply: Callable[..., Any],
    image: jax.Array,
    scene: Mapping[str, Any],
    expression_weight: np.ndarray,
    use_other: bool,
) -> dict[str, jax.Array]:
    """Compare rendered frames with their drivers, both read alike.

    Args:
        apply: calls a method of the face model, whose parameters get no gradient.
        image: `[B, H, W, 3]` the frames.
        scene: the `driver` images, unchanged, with `driver_pose`; `driver_code` and
            `source_code` `[B, Z]`; with `use_other` also `other_code` and
            `other_is_same_performance` `[B]`.
        expression_weight: `[52]` of the ARKit units.
        use_other: whether another person's code is among those to differ from.

    Returns:
        Means by the names of the losses' weights.
    """

    def read(image):
        _, code = apply(image, scene["driver_pose"], method="encode_motion")
        arkit = apply(code, method="read_dynamics").arkit
        return code, arkit, apply(image, method=lambda model, x: model.pose_encoder(x))

    again, arkit, pose = read(image)
    _, asked_arkit, asked_pose = jax.lax.stop_gradient(read(scene["driver"]))
    asked = jax.lax.stop_gradient(scene["driver_code"])
    others = [scene["source_code"]]
    if use_other:
        is_foe = 1.0 - scene["other_is_same_performance"][:, None]
        others.append(
            jnp.where(is_foe > 0.5, scene["other_code"], -scene["driver_code"])
        )
    terms = {
        "motion_cycle": jnp.abs(again - asked).mean(-1),
        "expression_cycle": distances.expression(
            arkit, asked_arkit, jnp.asarray(expression_weight)
        ),
        "pose_cycle": distances.head_pose(pose, asked_pose),
        "contrast": distances.contrast(
            again, asked, jax.lax.stop_gradient(jnp.stack(others, axis=1))
        ),
    }
    return {name: term.mean() for name, term in terms.items()}

"""A batch of pairs as the losses see it: images, poses, codes, and what is known.

Ours: one record of named arrays, built once, in place of a batch that changes as it is
handed on.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from vasa_jax import types
from vasa_jax.face import augmentation
from vasa_jax.face.losses import loss_weights

PEOPLE = ("source", "driver", "other")
"""Whose frames a row holds; each draws its changes by its index here."""

Apply = Callable[..., Any]
"""Calls a method of the face model with its parameters."""


@struct.dataclass
class Person:
    """A frame of a person, and its motion.

    Attributes:
        image: `[B, H, W, 3]` in [-1, 1].
        head_pose: leading shape `[B]`.
        facial_dynamics: `[B, Z]`, encoded from the frame as augmentation changed it, or
            told without seeing it.
    """

    image: jax.Array
    head_pose: types.HeadPose
    facial_dynamics: jax.Array


@struct.dataclass
class Correspondence:
    """Exact truth of where in the portrait that lies which the driver shows.

    Attributes:
        flow: `[B, f, f, 2]` in the portrait, half images.
        visible: `[B, f, f]` 1 where the portrait shows the place too.
        mirrored_flow, mirrored_visible: the same of mirror images about the middle of
            the face.
        learnable: `[B, f, f]` share of each cell of the driver that may be learnt.
    """

    flow: jax.Array
    visible: jax.Array
    mirrored_flow: jax.Array
    mirrored_visible: jax.Array
    learnable: jax.Array


@struct.dataclass
class Surroundings:
    """What lies around the head, `[B, f, f]` shares of the cells.

    Attributes:
        source, driver: where the frame shows neither head nor hair.
        driver_torso: where of that the driver shows the torso.
    """

    source: jax.Array
    driver: jax.Array
    driver_torso: jax.Array


@struct.dataclass
class Scene:
    """A batch of pairs.

    Attributes:
        source: the portrait.
        driver: the frame to be rendered.
        other: another person.
        other_is_same_performance: `[B]` 1 where the other performs as the driver does.
        moved_driver: the driver as the pose encoder is to see it.
        moved_pose: the head's pose in it.
        driver_arkit: `[B, 52]`, None where it is not known.
        driver_gaze: `[B, 2]` yaw and pitch in the head, None where it is not known.
        driver_regions: `[B, 3, 2]` centres of mouth, left and right eye.
        correspondence: None where it is not known.
        surroundings: None where they are not known.
    """

    source: Person
    driver: Person
    other: Person
    other_is_same_performance: jax.Array
    moved_driver: jax.Array
    moved_pose: types.HeadPose
    driver_arkit: jax.Array | None
    driver_gaze: jax.Array | None
    driver_regions: jax.Array
    correspondence: Correspondence | None
    surroundings: Surroundings | None


def unchanged(
    batch: Mapping[str, Any], apply: Apply, loss: loss_weights.FaceLossConfig
) -> Scene:
    """Build the scene of a batch as it is, for evaluation.

    Args:
        batch: fields of `examples.pair`.
        apply: calls the face model, which encodes facial dynamics.
        loss: whether drivers' dynamics come from what is known of them.
    """
    people = {}
    for who in PEOPLE:
        image, head_pose = _read(batch, who)
        dynamics = _dynamics(batch, who, apply, loss, image, head_pose, people)
        people[who] = Person(image, head_pose, dynamics)
    driver = people["driver"]
    return Scene(
        **people,
        moved_driver=driver.image,
        moved_pose=driver.head_pose,
        **_known(batch),
    )


def changed(
    batch: Mapping[str, Any],
    apply: Apply,
    loss: loss_weights.FaceLossConfig,
    amounts: augmentation.Amounts,
) -> Scene:
    """Build the scene of a batch for training: drivers are changed before encoding.

    Follows: MegaPortraits; see `augmentation`. Ours: where motion is not trained, heads
    stay where they are in the image.

    Args:
        batch: fields of `examples.pair`, and `example_key`.
        apply: calls the face model, which encodes facial dynamics.
        loss: whether motion is trained, and drivers' dynamics come from what is known
            of them.
        amounts: how far images are changed.
    """
    people, moved = {}, {}
    for stream, who in enumerate(PEOPLE):
        image, head_pose = _read(batch, who)

        def change(key, image, head_pose, stream=stream, who=who):
            key = jax.random.fold_in(key, stream)
            if who == "source":
                key = jax.random.split(key, 3)[0]
                seen = augmentation.shake_pose(key, head_pose, amounts)
                return image, head_pose, image, seen
            return augmentation.change_driver(
                key, image, head_pose, amounts, loss.is_motion_trained
            )

        *moved[who], face, seen = jax.vmap(change)(
            batch["example_key"], image, head_pose
        )
        dynamics = _dynamics(batch, who, apply, loss, face, seen, people)
        if not loss.is_motion_trained:
            dynamics = jax.lax.stop_gradient(dynamics)
        people[who] = Person(image, head_pose, dynamics)
    driver = people["driver"]
    moved_driver, moved_pose = (
        moved["driver"] if loss.is_motion_trained else (driver.image, driver.head_pose)
    )
    return Scene(
        **people,
        moved_driver=moved_driver,
        moved_pose=moved_pose,
        **_known(batch),
    )


def correspondence_of(batch: Mapping[str, Any]) -> Correspondence | None:
    """Return the exact correspondence of a batch, None where it is not known."""
    if "flow" not in batch:
        return None
    names = Correspondence.__dataclass_fields__
    return Correspondence(**{name: batch[name] for name in names})


def surroundings_of(batch: Mapping[str, Any]) -> Surroundings | None:
    """Return what lies around the heads of a batch, None where it is not known."""
    if "source_surroundings" not in batch:
        return None
    return Surroundings(
        source=batch["source_surroundings"],
        driver=batch["driver_surroundings"],
        driver_torso=batch["driver_torso"],
    )


def to_float(image: jax.Array) -> jax.Array:
    """Map uint8 images to float32 in [-1, 1]."""
    return image.astype(jnp.float32) / 127.5 - 1.0


def _read(batch, who):
    head_pose = types.HeadPose.from_vector(batch[f"{who}_pose"])
    return to_float(batch[who]), head_pose


def _dynamics(batch, who, apply, loss, image, head_pose, people):
    """Return facial dynamics `[B, Z]` of a person: seen, or told of the portrait's."""
    truth = [
        (batch.get(f"{name}_arkit"), batch.get(f"{name}_gaze"))
        for name in ("source", who)
    ]
    is_known = not any(part is None for of_person in truth for part in of_person)
    if who != "source" and loss.uses_dynamics_map and is_known:
        portrait = people["source"].facial_dynamics
        return apply(portrait, *truth, method="shift_dynamics")
    return apply(image, head_pose, method="encode_motion")[1]


def _known(batch):
    return {
        "other_is_same_performance": batch["other_is_same_performance"],
        "driver_arkit": batch.get("driver_arkit"),
        "driver_gaze": batch.get("driver_gaze"),
        "driver_regions": batch["driver_regions"],
        "correspondence": correspondence_of(batch),
        "surroundings": surroundings_of(batch),
    }

"""How a batch becomes a scene: poses, changed drivers, codes and what is known."""

import dataclasses

import face_pairs
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import augmentation, scene
from vasa_jax.face.losses import loss_weights

STILL = augmentation.Amounts(
    gain=0.0,
    brightness=0.0,
    contrast=0.0,
    noise=0.0,
    blur_share=0.0,
    shift=0.0,
    zoom=0.0,
    turn=0.0,
    spline=0.0,
    pose_noise=0.0,
)


def apply(*given, method):
    """Stand in for the face model: codes are means of what they are made of."""
    if method == "shift_dynamics":
        code, before, after = given
        return code + means(*after) - means(*before)
    image, head_pose = given
    return head_pose, image.mean((1, 2))[:, :2]


def means(arkit, gaze):
    return jnp.stack([arkit.mean(-1), gaze.mean(-1)], axis=-1)


def changed(batch, amounts=STILL, **loss):
    change = jax.jit(scene.changed, static_argnums=(1, 2, 3))
    return change(batch, apply, loss_weights.FaceLossConfig(**loss), amounts)


def test_images_become_floats_and_vectors_poses():
    batch = face_pairs.batch()
    found = scene.unchanged(batch, apply, loss_weights.FaceLossConfig())
    for who in scene.PEOPLE:
        person = getattr(found, who)
        image = batch[who] / 127.5 - 1.0
        np.testing.assert_allclose(person.image, image, atol=1e-6)
        np.testing.assert_array_equal(
            person.head_pose.to_vector(), batch[f"{who}_pose"]
        )
        means = image.mean((1, 2))[:, :2]
        np.testing.assert_allclose(person.facial_dynamics, means, atol=1e-5)
    np.testing.assert_array_equal(found.correspondence.flow, batch["flow"])
    around = found.surroundings.source
    np.testing.assert_array_equal(around, batch["source_surroundings"])


def test_what_records_do_not_know_is_none():
    batch = {
        name: value
        for name, value in face_pairs.batch().items()
        if not name.endswith(("arkit", "gaze", "flow", "surroundings"))
    }
    found = changed(batch)
    assert found.driver_arkit is found.driver_gaze is None
    assert found.correspondence is found.surroundings is None


def test_codes_of_drivers_are_told_from_the_portraits_where_records_know_both():
    batch = face_pairs.batch()
    seen, known = changed(batch), changed(batch, uses_dynamics_map=True)
    portrait = known.source.facial_dynamics
    np.testing.assert_array_equal(seen.source.facial_dynamics, portrait)
    source = means(batch["source_arkit"], batch["source_gaze"])
    for who in ("driver", "other"):
        change = means(batch[f"{who}_arkit"], batch[f"{who}_gaze"]) - source
        told = getattr(known, who).facial_dynamics
        np.testing.assert_allclose(told, portrait + change, atol=1e-6)
        assert jnp.abs(told - getattr(seen, who).facial_dynamics).max() > 0
    for field in ("driver_gaze", "source_arkit"):
        without = {name: batch[name] for name in batch if name != field}
        unknown = changed(without, uses_dynamics_map=True)
        np.testing.assert_array_equal(
            unknown.driver.facial_dynamics, seen.driver.facial_dynamics
        )


@pytest.mark.parametrize("is_trained", [True, False])
def test_drivers_are_cropped_where_motion_encoders_learn_from_them(is_trained):
    batch = face_pairs.batch()
    amounts = dataclasses.replace(STILL, shift=0.3)
    found = changed(batch, amounts, is_motion_trained=is_trained)
    moves = float(jnp.abs(found.moved_driver - found.driver.image).mean()) > 0.05
    turns = (found.moved_pose.translation != found.driver.head_pose.translation).all()
    assert moves == turns == is_trained
    seen = changed(batch, is_motion_trained=is_trained)
    differs = found.driver.facial_dynamics != seen.driver.facial_dynamics
    assert bool(differs.all()) == is_trained
    # The portrait is never moved, nor is what the frame is compared with.
    for who in ("source", "driver"):
        image = getattr(found, who).image
        np.testing.assert_array_equal(image, getattr(seen, who).image)


def test_drivers_and_portraits_are_changed_by_keys_of_their_own():
    batch = face_pairs.batch()
    amounts = dataclasses.replace(STILL, brightness=0.2)
    found, still = changed(batch, amounts), changed(batch)
    lighter = {
        who: getattr(found, who).facial_dynamics - getattr(still, who).facial_dynamics
        for who in scene.PEOPLE
    }
    np.testing.assert_array_equal(lighter["source"], 0.0)
    rows = np.array([*lighter["driver"][:, 0], *lighter["other"][:, 0]])
    assert len(set(rows.round(4))) == 4

"""Frames against their drivers, pixel by pixel and as the encoders read them."""

import dataclasses
import functools
import types as python_types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.face import decoder, examples
from vasa_jax.face.losses import cycles, distances, frame_losses

ERROR = 0.25


def _frame(**given):
    fields = dict.fromkeys(f.name for f in dataclasses.fields(decoder.RenderedFrame))
    return decoder.RenderedFrame(**fields | given)


@functools.partial(jax.jit, static_argnames="has_truth")
def _evenly_wrong(visible, around, has_truth, learnable=1.0):
    """Return the terms of a frame that errs by the same everywhere."""
    image, cells = jnp.zeros((1, 32, 32, 3)), jnp.ones((1, 16, 16))
    scene = {"driver": image, "driver_regions": jnp.full((1, 3, 2), 50.0)}
    flow = jnp.zeros((1, 16, 16, 2))
    if has_truth:
        for name in examples.FLOW_FIELDS:
            scene[name] = flow if name.endswith("flow") else visible * cells
        scene["learnable"] = learnable * cells
        scene["driver_surroundings"] = around * cells
    frame = _frame(
        image=image + ERROR,
        decoded=image[:, ::2, ::2] + ERROR,
        warped=image,
        flow=flow,
        coarse_flow=flow[:, ::2, ::2],
        mask_logits=flow[..., :1],
    )
    return frame_losses.compare(frame, scene, mirrors_face=False)


@pytest.mark.parametrize(
    "visible, around, has_truth, weight",
    [
        (0.0, 0.0, True, 1.0 + frame_losses.HIDDEN_STRENGTH),
        (0.5, 0.0, True, 1.0 + 0.5 * frame_losses.HIDDEN_STRENGTH),
        (1.0, 0.0, True, 1.0),
        (0.0, 1.0, True, 1.0),  # around the head nothing is hidden of it
        (0.0, 0.0, False, 1.0),
    ],
)
def test_errors_weigh_more_where_the_portrait_hides_the_head(
    visible, around, has_truth, weight
):
    terms = _evenly_wrong(visible, around, has_truth)
    for name in ("reconstruction", "decoded"):
        np.testing.assert_allclose(terms[name], weight * ERROR, rtol=1e-5)


def test_what_is_not_learnable_is_no_target():
    terms = _evenly_wrong(0.0, 0.0, True, learnable=0.5)
    np.testing.assert_allclose(
        terms["reconstruction"],
        0.5 * ERROR * (1.0 + frame_losses.HIDDEN_STRENGTH),
        rtol=1e-5,
    )
    hidden = _evenly_wrong(0.0, 0.0, True, learnable=0.0)
    shown = _evenly_wrong(1.0, 0.0, True, learnable=0.0)
    for name in ("reconstruction", "decoded"):
        assert float(hidden[name]) == float(shown[name]) == 0.0
    # What the portrait shows is true all the same.
    assert float(hidden["visibility"]) == 0.0 < float(shown["visibility"])


def test_a_held_mask_gets_no_gradient_and_its_parts_do():
    key = jax.random.key(0)
    image = jax.random.normal(key, (1, 8, 8, 3))
    frame = _frame(
        image=image, warped=image, painted=-image, mask_logits=image[:, ::2, ::2, :1]
    )

    def total(frame):
        return jnp.square(decoder.hold_mask(frame).image).sum()

    given = jax.grad(total)(frame)
    assert float(jnp.abs(given.mask_logits).max()) == 0.0
    mask = jax.nn.sigmoid(frame.mask_logits)
    mask = jax.image.resize(mask, (1, 8, 8, 1), "linear")
    shown = mask * image - (1.0 - mask) * image
    np.testing.assert_allclose(given.warped, 2.0 * shown * mask, rtol=1e-4, atol=1e-6)


class LinearEncoders:
    """Encoders in closed form: all that is read is a mean colour, times something."""

    WEIGHTS = jnp.arange(1.0, 5.0)

    def __call__(self, *given, method):
        if method == "read_dynamics":
            arkit = given[0].mean(-1, keepdims=True) * jnp.ones(52)[None]
            return python_types.SimpleNamespace(arkit=arkit)
        grey = given[0].mean((1, 2, 3))[:, None]
        if method == "encode_motion":
            return given[1], grey * self.WEIGHTS[None]
        return method(python_types.SimpleNamespace(pose_encoder=self.pose), given[0])

    @staticmethod
    def pose(image):
        grey = image.mean((1, 2, 3))[:, None]
        vector = jnp.concatenate([grey.repeat(5, 1), jnp.ones_like(grey)], axis=1)
        return types.HeadPose.from_vector(vector)


@functools.partial(jax.jit, static_argnames="use_other")
def _read_back(image, driver, is_same=1.0, use_other=True):
    scene = {
        "driver": driver,
        "driver_pose": LinearEncoders.pose(driver),
        "driver_code": jnp.full((1, 4), 0.5) * LinearEncoders.WEIGHTS[None],
        "source_code": jnp.array([[1.0, 0.0, 0.0, 0.0]]),
        "other_code": jnp.array([[0.0, 1.0, 0.0, 0.0]]),
        "other_is_same_performance": jnp.array([is_same]),
    }
    weight = np.ones(52, np.float32)
    return cycles.compare(LinearEncoders(), image, scene, weight, use_other)


def test_what_is_read_from_a_frame_is_compared_with_what_was_asked():
    driver = jnp.full((1, 8, 8, 3), 0.5)
    same = _read_back(driver, driver)
    for name in ("motion_cycle", "expression_cycle", "pose_cycle"):
        np.testing.assert_allclose(same[name], 0.0, atol=1e-6)
    other = _read_back(driver + 0.1, driver)
    np.testing.assert_allclose(other["motion_cycle"], 0.1 * 2.5, rtol=1e-4)
    steps = 0.1 * 2.5 / distances.EXPRESSION_DEVIATION
    np.testing.assert_allclose(other["expression_cycle"], steps**2, rtol=1e-4)
    np.testing.assert_allclose(other["pose_cycle"], 5 * 0.1, rtol=1e-4)


@pytest.mark.parametrize(
    "is_same, use_other, far",
    [
        (0.0, True, [1 / 30**0.5, 2 / 30**0.5]),
        (1.0, True, [1 / 30**0.5, -1.0]),  # one who performs alike is no foe
        (0.0, False, [1 / 30**0.5]),
    ],
)
def test_the_contrast_tells_the_drivers_motion_from_those_of_others(
    is_same, use_other, far
):
    driver = jnp.full((1, 8, 8, 3), 0.5)
    found = _read_back(driver, driver, is_same, use_other)["contrast"]
    logits = 5.0 * np.array([1.0 - 0.2, *far])
    expected = np.log(np.exp(logits).sum()) - logits[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_driver_is_no_part_of_what_reading_back_teaches():
    driver = jnp.full((1, 8, 8, 3), 0.5)

    def total(image, driver):
        return sum(_read_back(image, driver).values())

    to_image, to_driver = jax.grad(total, argnums=(0, 1))(driver + 0.1, driver)
    assert float(jnp.abs(to_image).max()) > 0.0
    assert float(jnp.abs(to_driver).max()) == 0.0


def test_mirrored_terms_see_hidden_cells_of_the_head_only():
    zeros = np.zeros((1, 8, 8), np.float32)
    scene = {
        "driver": jnp.zeros((1, 32, 32, 3)),
        "visible": zeros.copy(),
        "learnable": zeros + 1.0,
        "mirrored_flow": zeros[..., None].repeat(2, -1),
        "mirrored_visible": zeros.copy(),
        "driver_surroundings": zeros.copy(),
    }
    scene["visible"][:, :, 4:] = 1.0
    scene["mirrored_visible"][:, 2:] = 1.0
    scene["driver_surroundings"][:, 6:] = 1.0
    frame = dict.fromkeys(f.name for f in dataclasses.fields(decoder.RenderedFrame))

    def terms(changed, where):
        wrong = {
            "mirrored": np.zeros((1, 32, 32, 3), np.float32),
            "mirrored_flow": zeros[..., None].repeat(2, -1),
            "mirror_logits": 20 * scene["mirrored_visible"][..., None] - 10,
        }
        wrong[changed][where] = 0.5
        return frame_losses.mirrored_terms(
            decoder.RenderedFrame(**frame | {**wrong, "image": scene["driver"]}),
            scene,
            jnp.ones((1, 32, 32, 1)),
        )

    hidden, visible = np.s_[:, 4:8, 4:8], np.s_[:, 4:8, 20:24]
    assert terms("mirrored", hidden)["mirrored"] > 1e-3
    assert terms("mirrored", visible)["mirrored"] == 0.0
    assert terms("mirrored", np.s_[:, 28:])["mirrored"] == 0.0  # around the head
    for places, is_seen in (
        (np.s_[:, 3, 2], True),  # the portrait shows its mirror image,
        (np.s_[:, 3, 6], True),  # also where it shows the place itself,
        (np.s_[:, 1, 2], False),  # but not here,
        (np.s_[:, 7, 2], False),  # and around the head nothing is mirrored
    ):
        error = float(terms("mirrored_flow", places)["mirrored_flow"][0])
        assert (error > 0.01) == is_seen
    known = float(terms("mirror_logits", visible)["mirrored_visibility"][0])
    assert known < 1e-3
    doubtful = terms("mirror_logits", np.s_[:, 3, 2])["mirrored_visibility"]
    assert float(doubtful[0]) > 0.01

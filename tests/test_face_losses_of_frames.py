"""Frames against their drivers, pixel by pixel and as the encoders read them."""

import functools
import types as python_types

import face_pairs
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.face import rendered_frame, scene
from vasa_jax.face.losses import distances, frame_losses, read_back_losses
from vasa_jax.face.shortcut import blending

ERROR = 0.25


def _frame(image, decoded, **parts):
    return rendered_frame.RenderedFrame(
        image=image,
        decoded=decoded,
        shortcut=face_pairs.only(rendered_frame.ShortcutParts, **parts),
    )


def _pair(driver, **given):
    person = face_pairs.only(scene.Person, image=driver)
    return face_pairs.only(scene.Scene, driver=person, **given)


@functools.partial(jax.jit, static_argnames="has_truth")
def _evenly_wrong(visible, around, has_truth, learnable=1.0):
    """Return the terms of a frame that errs by the same everywhere."""
    image, cells = jnp.zeros((1, 32, 32, 3)), jnp.ones((1, 16, 16))
    flow = jnp.zeros((1, 16, 16, 2))
    truth = around_head = None
    if has_truth:
        truth = scene.Correspondence(
            flow=flow,
            visible=visible * cells,
            mirrored_flow=flow,
            mirrored_visible=visible * cells,
            learnable=learnable * cells,
        )
        around_head = scene.Surroundings(
            source=around * cells, driver=around * cells, driver_torso=0.0 * cells
        )
    pair = _pair(
        image,
        driver_regions=jnp.full((1, 3, 2), 50.0),
        correspondence=truth,
        surroundings=around_head,
    )
    frame = _frame(
        image + ERROR,
        image[:, ::2, ::2] + ERROR,
        warped=image,
        flow=flow,
        coarse_flow=flow[:, ::2, ::2],
        mask_logits=flow[..., :1],
        still_share=0.5 * cells,
        body_share=0.25 * cells,
        mirrored=image,
        mirrored_flow=flow,
        mirrored_logits=flow[..., :1],
    )
    pixels = face_pairs.only(
        types.PortraitPixels, background_logits=jnp.zeros((1, 16, 16, 1))
    )
    latents = face_pairs.only(types.FaceLatents, pixels=pixels)
    return frame_losses.compare(frame, latents, pair)


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
    logits = image[:, ::2, ::2, :1]
    frame = _frame(image, -image, warped=image, painted=-image, mask_logits=logits)

    def total(frame):
        return jnp.square(blending.hold_mask(frame).image).sum()

    given = jax.grad(total)(frame).shortcut
    assert float(jnp.abs(given.mask_logits).max()) == 0.0
    mask = jax.nn.sigmoid(logits)
    mask = jax.image.resize(mask, (1, 8, 8, 1), "linear")
    shown = mask * image - (1.0 - mask) * image
    np.testing.assert_allclose(given.warped, 2.0 * shown * mask, rtol=1e-4, atol=1e-6)


class LinearEncoders:
    """Encoders in closed form: all that is read is a mean colour, times something."""

    WEIGHTS = jnp.arange(1.0, 5.0)
    COLOURS = jnp.array([2.0, 0.8, 0.2])

    def __call__(self, *given, method):
        if method == "read_dynamics":
            arkit = given[0].mean(-1, keepdims=True) * jnp.ones(52)[None]
            return python_types.SimpleNamespace(arkit=arkit)
        seen = (given[0] * self.COLOURS[None, None, None]).mean((1, 2, 3))[:, None]
        if method == "encode_motion":
            return given[1], seen * self.WEIGHTS[None]
        return method(python_types.SimpleNamespace(pose_encoder=self.pose), given[0])

    @staticmethod
    def pose(image):
        grey = image.mean((1, 2, 3))[:, None]
        vector = jnp.concatenate([grey.repeat(5, 1), jnp.ones_like(grey)], axis=1)
        return types.HeadPose.from_vector(vector)


@functools.partial(jax.jit, static_argnames="use_other")
def _read_back(image, driver, is_same=1.0, use_other=True):
    pair = _pair(
        driver,
        source=face_pairs.only(
            scene.Person, facial_dynamics=jnp.array([[1.0, 0.0, 0.0, 0.0]])
        ),
        other=face_pairs.only(
            scene.Person, facial_dynamics=jnp.array([[0.0, 1.0, 0.0, 0.0]])
        ),
        other_is_same_performance=jnp.array([is_same]),
    )
    asked = pair.driver.replace(
        head_pose=LinearEncoders.pose(driver),
        facial_dynamics=jnp.full((1, 4), 0.9) * LinearEncoders.WEIGHTS[None],
    )
    return read_back_losses.read_back(
        LinearEncoders(),
        image,
        pair.replace(driver=asked),
        np.ones(52, np.float32),
        use_other,
    )


def test_what_is_read_from_a_frame_is_compared_with_what_is_read_of_its_driver():
    driver = jnp.full((1, 8, 8, 3), 0.5)
    same = _read_back(driver, driver)
    for name in ("motion_cycle", "expression_cycle", "pose_cycle"):
        np.testing.assert_allclose(same[name], 0.0, atol=1e-6)
    other = _read_back(driver + 0.1, driver)
    np.testing.assert_allclose(other["motion_cycle"], 0.1 * 2.5, rtol=1e-4)
    steps = 0.1 * 2.5 / distances.EXPRESSION_STANDARD_DEVIATION
    np.testing.assert_allclose(other["expression_cycle"], steps**2, rtol=1e-4)
    np.testing.assert_allclose(other["pose_cycle"], 5 * 0.1, rtol=1e-4)


@pytest.mark.parametrize(
    "is_same, use_other, far",
    [
        (0.0, True, [1 / 30**0.5, 2 / 30**0.5]),
        (1.0, True, [1 / 30**0.5, -1.0]),  # one who performs alike is no other
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


def test_no_colour_changes_what_is_read_back():
    driver = jnp.full((1, 8, 8, 3), 0.5)

    def total(image):
        return sum(_read_back(image, driver).values())

    push = np.asarray(jax.grad(total)(driver + 0.1))
    assert np.abs(push).max() > 0.0
    np.testing.assert_array_equal(push, push[..., :1].repeat(3, axis=-1))


def test_mirrored_terms_see_hidden_cells_of_the_head_only():
    zeros = np.zeros((1, 8, 8), np.float32)
    visible, mirrored_visible, around = zeros.copy(), zeros.copy(), zeros.copy()
    visible[:, :, 4:] = 1.0
    mirrored_visible[:, 2:] = 1.0
    around[:, 6:] = 1.0
    pair = _pair(
        jnp.zeros((1, 32, 32, 3)),
        correspondence=face_pairs.only(
            scene.Correspondence,
            visible=visible,
            learnable=zeros + 1.0,
            mirrored_flow=zeros[..., None].repeat(2, -1),
            mirrored_visible=mirrored_visible,
        ),
        surroundings=face_pairs.only(scene.Surroundings, driver=around),
    )

    def terms(changed, where):
        wrong = {
            "mirrored": np.zeros((1, 32, 32, 3), np.float32),
            "mirrored_flow": zeros[..., None].repeat(2, -1),
            "mirrored_logits": 20 * mirrored_visible[..., None] - 10,
        }
        wrong[changed][where] = 0.5
        parts = face_pairs.only(rendered_frame.ShortcutParts, **wrong)
        return frame_losses.mirrored_terms(parts, pair, jnp.ones((1, 32, 32, 1)))

    hidden, visible = np.s_[:, 4:8, 4:8], np.s_[:, 4:8, 20:24]
    assert terms("mirrored", hidden)["mirrored"] > 1e-3
    assert terms("mirrored", visible)["mirrored"] == 0.0
    assert terms("mirrored", np.s_[:, 28:])["mirrored"] == 0.0  # around the head
    for cells, is_seen in (
        (np.s_[:, 3, 2], True),  # the portrait shows its mirror image,
        (np.s_[:, 3, 6], True),  # also where it shows the place itself,
        (np.s_[:, 1, 2], False),  # but not here,
        (np.s_[:, 7, 2], False),  # and around the head nothing is mirrored
    ):
        error = float(terms("mirrored_flow", cells)["mirrored_flow"][0])
        assert (error > 0.01) == is_seen
    known = float(terms("mirrored_logits", visible)["mirrored_visibility"][0])
    assert known < 1e-3
    doubtful = terms("mirrored_logits", np.s_[:, 3, 2])["mirrored_visibility"]
    assert float(doubtful[0]) > 0.01


def test_without_the_shortcut_the_frame_counts_once():
    image = jnp.zeros((1, 32, 32, 3))
    pair = _pair(image, driver_regions=jnp.full((1, 3, 2), 50.0))
    plain = rendered_frame.RenderedFrame(image=image + ERROR, decoded=image + ERROR)
    latents = face_pairs.only(types.FaceLatents)
    (name, value), *more = frame_losses.compare(plain, latents, pair).items()
    assert name == "reconstruction" and not more
    np.testing.assert_allclose(value, ERROR, rtol=1e-5)

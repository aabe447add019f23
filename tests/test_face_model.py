"""The face model: warps, shortcut, sizes and gradients."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import arkit, geometry, types
from vasa_jax.face import config as face_config
from vasa_jax.face import decoder as face_decoder
from vasa_jax.face import dynamics_map, warping
from vasa_jax.face import model as face_model
from vasa_jax.face.shortcut import (
    blending,
    flows,
    sampling_grids,
    unwrapping,
)
from vasa_jax.portrait import marks


@functools.cache
def compiled(config, method=None):
    """A method of the model with these sizes, compiled once for all tests."""
    return jax.jit(functools.partial(face_model.FaceModel(config).apply, method=method))


def apply(model, params, *args, method=None):
    """Apply a face model."""
    return compiled(model.config, method)(params, *args)


@pytest.fixture(scope="module")
def tiny():
    """The tiny model, its parameters and two images."""
    model = face_model.FaceModel(face_config.tiny())
    images = jax.random.uniform(jax.random.key(1), (2, 32, 32, 3), minval=-1.0)
    params = jax.jit(model.init)(jax.random.key(0), images, images)
    return model, params, images


@pytest.mark.parametrize(
    ("preset", "least", "most"),
    [("vasa1", 170e6, 230e6), ("demo", 4e6, 9e6), ("tiny", 1e4, 5e5)],
)
def test_presets_have_the_parameters_they_promise(preset, least, most):
    config = face_config.PRESETS[preset]()
    model = face_model.FaceModel(config)
    image = jax.ShapeDtypeStruct(
        (1, config.image_size, config.image_size, 3), "float32"
    )
    shapes = jax.eval_shape(model.init, jax.random.key(0), image, image)
    assert least < sum(leaf.size for leaf in jax.tree.leaves(shapes)) < most


def test_parameters_stay_float32_where_the_model_computes_in_bfloat16():
    config = dataclasses.replace(face_config.tiny(), dtype="bfloat16")
    model = face_model.FaceModel(config)
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), image, image)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    frame, _ = jax.eval_shape(model.apply, shapes, image, image)
    assert {leaf.dtype for leaf in jax.tree.leaves(frame)} == {jnp.dtype("float32")}


DRAWN = ("mouth_shape", "eye_shape")
"""What draws mouths and eyes has a task of its own; see `test_face_drawing`."""


@pytest.mark.slow
def test_gradients_reach_every_parameter(tiny):
    model, params, images = tiny
    # Adaptive norms start at zero; a nudge opens the way behind them.
    rng = np.random.default_rng(0)
    params = jax.tree.map(
        lambda leaf: leaf + rng.normal(0, 0.02, leaf.shape).astype(leaf.dtype), params
    )

    def loss(params):
        frame, readout = model.apply(params, images, images[::-1])
        parts = [frame.image, frame.decoded, frame.shortcut.flow]
        parts += [frame.shortcut.mask_logits]
        parts += [readout.arkit, readout.gaze_in_head]
        return sum(jnp.sum(jnp.square(part)) for part in parts)

    gradients = jax.jit(jax.grad(loss))(params)["params"]
    for name in DRAWN:
        del gradients["shortcut"][name]
    flat = jax.tree_util.tree_leaves_with_path(gradients)
    dead = [jax.tree_util.keystr(path) for path, leaf in flat if not leaf.any()]
    assert not dead, dead


def _renderer(model, params, images):
    """Return what encodes portraits with some marks, and renders them as they are."""
    pose = types.HeadPose.from_vector(jnp.tile(jnp.array([[0.0] * 5 + [1.0]]), (2, 1)))
    dynamics = jnp.zeros((2, model.config.dynamics_channels))

    @jax.jit
    def encode(seen):
        return model.apply(
            params, images, pose, dynamics, seen, method="encode_portrait"
        )

    @jax.jit
    def render(latents):
        return model.apply(params, latents, pose, dynamics, method="render").image

    return encode, render


def test_lips_let_the_inside_of_the_mouth_be_drawn_and_nothing_else(tiny):
    model, params, images = tiny
    seen = marks.open_marks(2)
    shut = seen.eyes.replace(presence=np.zeros_like(seen.eyes.presence))
    encode, render = _renderer(model, params, images)
    undrawn, latents = render(encode(None)), encode(seen.replace(eyes=shut))
    np.testing.assert_allclose(render(latents), undrawn, atol=1e-6)
    mouth = latents.pixels.mouth
    mouth = mouth.replace(gaps=jnp.zeros_like(mouth.gaps))
    latents = latents.replace(pixels=latents.pixels.replace(mouth=mouth))
    drawn = render(latents)
    changed = np.abs(np.asarray(drawn - undrawn)).max(-1) > 1e-6
    rows, columns = np.nonzero(changed.any(0))
    assert 2 < changed[0].sum() < 200
    # The middle of the lips lies 0.39 half images below that of the frame.
    assert abs(rows.mean() - 16 * 1.39) < 3 and abs(columns.mean() - 15.5) < 3


def test_open_eyes_are_drawn_where_the_portrait_has_them_and_nothing_else(tiny):
    model, params, images = tiny
    encode, render = _renderer(model, params, images)
    seen = marks.open_marks(2)
    one = seen.eyes.replace(presence=np.float32([[1, 0], [1, 0]]))
    none = seen.eyes.replace(presence=np.zeros((2, 2), np.float32))
    drawn, undrawn = (render(encode(seen.replace(eyes=eyes))) for eyes in (one, none))
    changed = np.abs(np.asarray(drawn - undrawn)).max(-1) > 1e-6
    rows, columns = np.nonzero(changed.any(0))
    # Only the eye that the portrait shows open, 3 pixels wide.
    assert 1 < changed[0].sum() < 20
    assert abs(rows.mean() - 16 * 0.9) < 2 and abs(columns.mean() - 16 * 0.75) < 2


def test_the_shortcut_returns_the_image_where_flow_and_mask_start(tiny):
    model, params, images = tiny
    latents = apply(model, params, images, method="encode_portrait")
    grid = warping.batched_volume_grid(model.config, 2)
    coarse = flows.CoarseFlow()
    features = jax.random.normal(jax.random.key(0), (2, 16, 16, 8))
    body = jnp.broadcast_to(geometry.image_grid(16, 16), (2, 16, 16, 2))
    mirrored = sampling_grids.mirror(grid)
    grids = sampling_grids.SamplingGrids(own=grid, mirrored=mirrored, body=body)
    start = jax.eval_shape(coarse.init, jax.random.key(0), features, grids)
    zero = jax.tree.map(lambda leaf: np.zeros(leaf.shape, "f4"), start)
    found = jax.jit(coarse.apply)(zero, features, grids)
    flow, mirrored = found.flow, found.mirrored_flow
    still, body = found.still_share, found.body_share
    weights = grid.shape[1] + 1 + np.exp(flows.BODY_BIAS)
    np.testing.assert_allclose(still, 1 / weights, rtol=1e-5)
    np.testing.assert_allclose(body, 1 - (grid.shape[1] + 1) / weights, rtol=1e-4)
    # Voxels of the outermost cells are clamped to centres; the inside is exact.
    expected = geometry.image_grid(16, 16)[1:-1, 1:-1]
    np.testing.assert_allclose(flow[0, 1:-1, 1:-1], expected, atol=1e-5)
    turned_x = -expected[..., 0] * grid.shape[1] / weights
    still_x = expected[..., 0] * (1 - grid.shape[1] / weights)
    np.testing.assert_allclose(
        mirrored[0, 1:-1, 1:-1, 0], still_x + turned_x, atol=1e-5
    )
    fine = geometry.resize(geometry.image_grid(16, 16)[None], 32, 32)
    warped = geometry.sample_image(latents.pixels.image[:1], fine)
    np.testing.assert_allclose(warped[:, 2:-2, 2:-2], images[:1, 2:-2, 2:-2], atol=1e-4)


def test_the_mirrored_portrait_fills_only_what_the_portrait_hides(tiny):
    model, params, images = tiny
    pose = types.HeadPose.from_vector(jnp.array([[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]] * 2))
    code = jnp.zeros((2, model.config.dynamics_channels))

    def render(model, pictures):
        latents = model.encode_portrait(images, pose, code)
        pixels = latents.pixels.replace(image=pictures)
        return model.render(latents.replace(pixels=pixels), pose, code)

    frame = apply(model, params, images, method=render)
    parts = frame.shortcut
    share = (parts.painted - frame.decoded) / (parts.mirrored - frame.decoded)
    np.testing.assert_allclose(share.mean(), jax.nn.sigmoid(-2.0), atol=0.01)
    ramp = jnp.broadcast_to(jnp.linspace(-1, 1, 32)[:, None], images.shape)
    seen = apply(model, params, ramp, method=render).shortcut
    rise = [(x[:, :, 16:] - x[:, :, :16]).mean() for x in (seen.warped, seen.mirrored)]
    assert rise[0] > 0.3 and rise[1] < -0.3
    lit = jax.tree.map(lambda leaf: leaf, params)
    bias = jnp.array([10.0, 0.0, -10.0])  # red as far up, blue as far down as can be
    lit["params"]["shortcut"]["mirror"]["light"]["bias"] = bias
    brighter = apply(model, lit, ramp, method=render).shortcut
    gain = (brighter.mirrored + 1.0).mean((0, 1, 2)) / (seen.mirrored + 1.0).mean(
        (0, 1, 2)
    )
    reach = flows.LIGHT_REACH
    np.testing.assert_allclose(gain, np.exp([reach, 0.0, -reach]), rtol=0.02)
    np.testing.assert_array_equal(brighter.warped, seen.warped)


def test_frames_come_at_the_portraits_size_and_blend_painted_with_warped(tiny):
    model, params, images = tiny
    frame, readout = apply(model, params, images, images)
    parts = frame.shortcut
    assert frame.image.shape == images.shape
    assert frame.decoded.shape == (2, model.config.decoder_size, 32, 3)
    mask = jax.nn.sigmoid(parts.mask_logits)
    blend = mask * parts.warped + (1 - mask) * parts.painted
    np.testing.assert_allclose(frame.image, blend, atol=1e-5)
    assert readout.arkit.shape == (2, arkit.NUM_UNITS)


def test_without_the_shortcut_the_frame_is_what_the_decoder_paints():
    config = dataclasses.replace(face_config.tiny(), shortcut=None)
    model = face_model.FaceModel(config)
    image = jnp.zeros((1, 32, 32, 3))
    shapes = jax.eval_shape(model.init, jax.random.key(0), image, image)
    assert "shortcut" not in shapes["params"]
    params = jax.tree.map(lambda leaf: np.full(leaf.shape, 0.1, leaf.dtype), shapes)
    frame, _ = apply(model, params, image, image)
    np.testing.assert_array_equal(frame.image, frame.decoded)
    assert frame.shortcut is None


def test_without_the_shortcut_gradients_reach_all_of_the_decoder():
    sizes = dataclasses.replace(face_config.tiny(), shortcut=None)
    plain = face_decoder.Decoder(sizes)
    volume = jax.random.normal(jax.random.key(0), (1, 4, 8, 8, 4))
    params = jax.jit(plain.init)(jax.random.key(1), volume)
    params = jax.tree.map(lambda leaf: np.asarray(leaf) + 0.05, params)

    @jax.jit
    @jax.grad
    def gradients(params):
        return jnp.square(plain.apply(params, volume)).sum()

    found = jax.device_get(gradients(params))
    assert all(leaf.any() for leaf in jax.tree.leaves(found))


def test_rendering_does_not_depend_on_the_order_of_the_batch(tiny):
    model, params, images = tiny
    straight, _ = apply(model, params, images, images)
    turned, _ = apply(model, params, images[::-1], images[::-1])
    np.testing.assert_allclose(turned.image[::-1], straight.image, atol=1e-4)


def test_rematerialisation_changes_nothing(tiny):
    model, params, images = tiny
    config = dataclasses.replace(model.config, use_remat=True)
    again, _ = apply(face_model.FaceModel(config), params, images, images)
    plain, _ = apply(model, params, images, images)
    np.testing.assert_allclose(again.image, plain.image, atol=1e-6)


def test_a_frame_calls_no_lapack(tiny):
    """Its threads, OpenBLAS's of SciPy, spin beside XLA's own on a CPU."""
    model, params, images = tiny
    latents = apply(model, params, images, method="encode_portrait")
    motion = latents.head_pose, latents.facial_dynamics
    program = compiled(model.config, "render").lower(params, latents, *motion)
    assert "lapack" not in program.as_text().lower()


def test_expanded_latents_repeat_the_portrait(tiny):
    model, params, images = tiny
    latents = apply(model, params, images, method="encode_portrait")
    latents = jax.tree.map(lambda leaf: leaf[:1], latents)
    repeated = face_model.expand(latents, 3)
    np.testing.assert_array_equal(repeated.identity[2], latents.identity[0])
    assert repeated.head_pose.rotation.shape == (3, 3)


def test_settings_that_do_not_fit_are_refused_with_the_number_that_would():
    with pytest.raises(ValueError, match="set image_size=32"):
        dataclasses.replace(face_config.tiny(), image_size=64, shortcut=None)
    with pytest.raises(ValueError, match="two numbers or more"):
        dataclasses.replace(face_config.tiny(), decoder_channels=(16,))
    with pytest.raises(ValueError, match="float32"):
        dataclasses.replace(face_config.tiny(), dtype="float16")


def test_a_face_map_steers_the_mouth_and_not_what_lies_beside_the_face(tiny):
    model, params, images = tiny
    params = jax.tree.map(lambda leaf: leaf + 0.02, params)
    pose = types.HeadPose.from_vector(jnp.array([[0.0] * 5 + [0.5]] * 2))
    latents = apply(model, params, images, method="encode_portrait")
    latents = latents.replace(head_pose=pose)

    @jax.jit
    def drawn(weight):
        change = jnp.full((2, dynamics_map.NUM_KNOWN), weight)
        laid = model.bind(params).shortcut.face_map(latents, change)
        return unwrapping.wrap(laid, pose, 16)

    change = jnp.abs(drawn(1.0) - drawn(-1.0)).sum(-1)
    assert change[:, 8:10, 7:9].min() > 0
    np.testing.assert_array_equal(change[:, :2], 0.0)


def test_the_mask_keeps_no_pattern_of_the_sub_pixel_convolution(tiny):
    model, params, images = tiny
    painter = jax.tree.map(jnp.zeros_like, params["params"]["decoder"]["output"])
    # A mask whose sub-pixels differ, and nothing else.
    bias = painter["fine"]["bias"].at[3].set(2.0).at[7].set(-2.0)
    painter["fine"]["bias"] = bias
    decoder_params = {**params["params"]["decoder"], "output": painter}
    changed = {"params": {**params["params"], "decoder": decoder_params}}
    frame, _ = apply(model, changed, images, images)
    np.testing.assert_allclose(
        frame.shortcut.mask_logits[:, 2:-2, 2:-2], blending.MASK_BIAS, atol=1e-5
    )


def test_a_body_keeps_below_its_head_and_grows_with_it_but_does_not_turn():
    source = types.HeadPose.from_vector(jnp.array([[0.3, -0.2, 0.1, 0.1, 0.0, 1.2]]))
    driver = types.HeadPose.from_vector(jnp.array([[-0.5, 0.4, 0.2, -0.2, 0.1, 0.8]]))
    same = sampling_grids.body_grid(source, source, 8)
    np.testing.assert_allclose(same[0], geometry.image_grid(8, 8), atol=1e-6)
    # A cell half an image below one head's centre, at scale 1, is so below the other.
    found = sampling_grids.body_grid(source, driver, 10)
    cells = np.asarray(geometry.image_grid(10, 10))
    expected = (cells - [-0.2, 0.1]) / 0.8 * 1.2 + [0.1, 0.0]
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_light_multiplies_the_colours_of_the_warped_portrait(tiny):
    model, params, images = tiny
    part = params["params"]["shortcut"]

    def lit(light):
        head = {
            **jax.tree.map(jnp.zeros_like, part["light"]),
            "bias": jnp.full(3, light),
        }
        changed = {"params": {**params["params"], "shortcut": {**part, "light": head}}}
        return apply(model, changed, images, images)[0].shortcut.warped

    dark, plain, bright = lit(-0.5), lit(0.0), lit(0.5)
    # What is mixed in of the background is lit already; the rest follows the gain.
    gain = np.exp(flows.LIGHT_REACH * np.tanh(0.5))
    expected = (1.0 - 1.0 / gain) / (gain - 1.0) * (bright - plain)
    np.testing.assert_allclose(plain - dark, expected, atol=1e-5)
    assert float(jnp.abs(bright - plain).mean()) > 0.1


def test_a_model_with_the_shortcut_shows_frames_of_another_size(tiny):
    model, params, images = tiny
    larger = face_model.FaceModel(face_config.resized(model.config, 64))
    wide = jax.image.resize(images, (2, 64, 64, 3), "linear")
    assert apply(larger, params, wide, wide)[0].image.shape == (2, 64, 64, 3)

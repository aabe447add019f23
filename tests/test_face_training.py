"""The two tasks of stage one, on made-up batches at the tests' scale."""

import dataclasses
import functools
import typing

import face_pairs
import jax
import jax.numpy as jnp
import motion_windows
import numpy as np
import optax
import pytest

from experiments.configs import face
from vasa_jax import errors, geometry, types
from vasa_jax.face import augmentation, encoder_training, encoders
from vasa_jax.face import config as face_config
from vasa_jax.face import training as face_training
from vasa_jax.face.losses import (
    discriminator,
    distances,
    expensive_terms,
    mobilefacenet,
    perceptual,
)
from vasa_jax.face.shortcut import background
from vasa_jax.train import task as task_lib

KEY = jax.random.key(5)
LEARNT_TERMS = (
    "expression",
    "gaze",
    "motion_cycle",
    "expression_cycle",
    "pose_cycle",
    "contrast",
    "consistency",
    "cross_identity",
    "canonical",
    "perceptual",
    "adversarial",
    "feature_matching",
)
"""Terms that presets may leave out."""


def _mean_colours(face):
    """Stand in for a network of faces, which it sees cut out."""
    assert face.shape[1:] == (mobilefacenet.SIZE, mobilefacenet.SIZE, 3)
    return (face.mean((1, 2)) + 1.0,)


def _face_task(sizes=None, **weights):
    return face_training.FaceTask(
        sizes or face_config.tiny(),
        face_training.FaceLossConfig(**weights),
        augmentation.AMOUNTS["severe"],
        np.ones(52, np.float32),
        perceptual_network=functools.partial(
            perceptual.vgg16_features, perceptual.random_vgg16(jax.random.key(0))
        ),
        identity_network=_mean_colours,
        discriminator_channels=(8, 8),
    )


def test_encoder_task_teaches_only_the_motion_encoders():
    task = encoder_training.EncoderTask(
        face_config.tiny(),
        encoder_training.EncoderLossConfig(),
        augmentation.AMOUNTS["severe"],
        np.ones(52, np.float32),
    )
    pair = face_pairs.batch()
    batch = {
        "image": pair["source"][:, None],
        "pose": pair["source_pose"][:, None],
        "arkit": pair["source_arkit"][:, None],
        "gaze": pair["source_gaze"][:, None],
        "example_key": pair["example_key"],
    }
    params = motion_windows.filled(jax.eval_shape(task.init, jax.random.key(0)))

    @jax.jit
    def value_and_gradient(params):
        return jax.value_and_grad(
            lambda params: task.loss(params, batch, None, jnp.zeros((), jnp.int32)),
            has_aux=True,
        )(params)

    (total, found), gradients = value_and_gradient(params)
    assert set(found.metrics) == {
        "head_pose",
        "expression",
        "gaze",
        "code_map",
        "code_size",
    }
    assert np.isfinite(total)
    touched = {name for name, part in gradients["face"].items() if _largest(part) > 0}
    assert touched == {
        "pose_encoder",
        "dynamics_encoder",
        "dynamics_heads",
        "dynamics_map",
    }


@pytest.mark.slow
def test_frozen_motion_encoders_get_no_gradient_and_the_renderer_does():
    task = _face_task(motion_cycle=0.5, expression_cycle=0.5, pose_cycle=0.5)
    params = jax.jit(task.init)(jax.random.key(0))
    batch = face_pairs.batch()
    gradients = jax.jit(
        jax.grad(lambda p: task.face_loss(p, batch, KEY, jnp.zeros((), jnp.int32))[0])
    )(params)["face"]
    for name in ("pose_encoder", "dynamics_encoder", "dynamics_heads"):
        assert _largest(gradients[name]) == 0.0, name
    for name in ("decoder", "appearance_encoder", "source_warp", "driver_warp"):
        assert _largest(gradients[name]) > 0.0, name


GOLDEN = {
    "total": 116.979,
    "background": 17.0623,
    "coarse_flow": 1.58561,
    "decoded": 2.06897,
    "flow": 1.61887,
    "mirrored": 0.369257,
    "mirrored_flow": 1.71094,
    "mirrored_visibility": 4.15791,
    "reconstruction": 1.82926,
    "stillness": 6.09988,
    "visibility": 0.908303,
    "warped": 1.41132,
}
"""Loss terms of the tiny preset, of fixed parameters and rows."""

UPDATE = (
    "They change with the mathematics of the model or of a loss, and with nothing "
    "else: if you meant to change those, print what `_golden_terms` returns and write "
    "it into GOLDEN; if not, find out what changed them."
)


def _golden_terms():
    task = face.make_task(face.get_config("tiny"))
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    params, step = motion_windows.filled(shapes), jnp.zeros((), jnp.int32)
    total, found = jax.jit(task.face_loss)(params, face_pairs.batch(), KEY, step)
    return {"total": total, **found.metrics}


def test_the_terms_of_a_golden_step_are_as_they_were():
    found = _golden_terms()
    assert set(found) == set(GOLDEN)
    for name, value in GOLDEN.items():
        message = f"{name}. {UPDATE}"
        np.testing.assert_allclose(found[name], value, rtol=1e-3, err_msg=message)


@pytest.mark.slow
def test_every_term_joins_the_total_by_its_weight():
    weights = dict.fromkeys(LEARNT_TERMS, 0.5)
    task = _face_task(
        **weights, adversarial_start=0, num_random_crops=1, is_motion_trained=True
    )
    params = motion_windows.filled(jax.eval_shape(task.init, jax.random.key(0)))
    batch, step = face_pairs.batch(), jnp.zeros((), jnp.int32)

    @jax.jit
    def compute(params):
        total, found = task.face_loss(params, batch, KEY, step)
        seen = {**batch, task_lib.SHARED_FIELD: found.shared}
        hinge, _ = task.discriminator_loss(params, seen, KEY, step)
        return total, found.metrics, hinge

    total, terms, hinge = compute(params)
    kinds = face_training.FaceLossConfig.__annotations__
    constant = {
        n for n, kind in kinds.items() if typing.get_origin(kind) is typing.ClassVar
    }
    assert set(terms) == constant | {"visibility", *LEARNT_TERMS}
    assert all(float(term) != 0.0 for term in terms.values())
    settings = face_training.FaceLossConfig(**weights)
    expected = sum(getattr(settings, name) * term for name, term in terms.items())
    np.testing.assert_allclose(total, expected, rtol=1e-5)
    assert float(hinge) > 0.0


def test_a_frame_that_is_the_painted_image_counts_once():
    plain = dataclasses.replace(face_config.tiny(), shortcut=None)
    task = _face_task(plain)
    params = motion_windows.filled(jax.eval_shape(task.init, jax.random.key(0)))
    total, found = jax.jit(task.face_loss)(params, face_pairs.batch(), KEY, 0)
    terms = found.metrics
    assert set(terms) == {"reconstruction"}
    np.testing.assert_allclose(total, 4.0 * terms["reconstruction"], rtol=1e-6)


@pytest.mark.slow
def test_networks_of_the_papers_losses_see_whole_frames():
    plain = dataclasses.replace(face_config.tiny(), shortcut=None)
    seen = {}

    def network(image):
        seen.setdefault("perceptual", []).append(image.shape)
        return (image,)

    task = face_training.FaceTask(
        plain,
        face_training.FaceLossConfig(
            perceptual=1.0, adversarial=1.0, num_random_crops=None
        ),
        augmentation.AMOUNTS["severe"],
        np.ones(52, np.float32),
        perceptual_network=network,
    )
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    assert shapes["discriminator"]["scale_0_0"]["kernel"].shape[-1] == 64
    step, batch = jnp.zeros((), jnp.int32), face_pairs.batch()
    jax.eval_shape(lambda p: task.face_loss(p, batch, KEY, step), shapes)
    sides = [32, 16, 8, 4]
    found = [shape for shape in seen["perceptual"] if shape[0] == face_pairs.BATCH]
    assert found == [(face_pairs.BATCH, side, side, 3) for side in sides for _ in "ab"]


@pytest.mark.parametrize("term", ["perceptual", "cross_identity"])
def test_a_term_without_its_frozen_network_is_refused(term):
    with pytest.raises(errors.UserError, match=f"{term} is 2.0 without a frozen"):
        face_training.FaceTask(
            face_config.tiny(),
            face_training.FaceLossConfig(**{term: 2.0}),
            augmentation.AMOUNTS["severe"],
            np.ones(52, np.float32),
        )


@pytest.mark.parametrize("every, step", [(1, 3), (2, 4), (2, 3)])
def test_expensive_terms_are_n_times_as_heavy_on_every_nth_step(every, step):
    def compute(x):
        return 3.0 * x, {"term": x}

    def total(x, step):
        found = expensive_terms.on_every_nth_step(every, step, ("term",), compute, x)
        return found

    value, gradient = jax.value_and_grad(total, has_aux=True)(2.0, jnp.array(step))
    times = every * (step % every == 0)
    assert float(value[0]) == 6.0 * times and float(gradient) == 3.0 * times
    assert float(value[1]["term"]) == 2.0 * bool(times)


def test_terms_on_every_0th_step_are_refused():
    with pytest.raises(errors.UserError, match="expensive_every"):
        face_training.FaceLossConfig(expensive_every=0)


def test_cropped_drivers_show_the_same_face_where_their_pose_says():
    size, still = (
        64,
        dict.fromkeys(
            ("gain", "brightness", "contrast", "noise", "blur_share", "spline"), 0.0
        ),
    )
    config = augmentation.Amounts(**still, pose_noise=0.0)
    grid = geometry.image_grid(size, size)
    image = jnp.stack([jnp.sin(3 * grid[..., i % 2] + i) for i in range(3)], axis=-1)
    pose = types.HeadPose.from_vector(jnp.array([0.1, 0.1, 0.2, 0.05, 0.0, 0.6]))

    @jax.jit
    def face(image, pose):
        pose = jax.tree.map(lambda leaf: leaf[None], pose)
        return encoders.align_face(image[None], pose, 16)[0]

    @functools.partial(jax.jit, static_argnums=0)
    def change(is_cropped):
        return augmentation.change_driver(KEY, image, pose, config, is_cropped)

    left = change(False)
    np.testing.assert_allclose(left[0], image, atol=1e-5)
    np.testing.assert_array_equal(left[1].to_vector(), pose.to_vector())
    moved, moved_pose, bent, shaken = change(True)
    assert float(jnp.abs(moved - image).mean()) > 0.05
    assert float(jnp.abs(moved_pose.to_vector() - pose.to_vector()).max()) > 0.02
    np.testing.assert_allclose(bent, moved, atol=1e-5)
    np.testing.assert_allclose(shaken.to_vector(), moved_pose.to_vector(), atol=1e-6)
    np.testing.assert_allclose(face(moved, moved_pose), face(image, pose), atol=0.02)


def test_spectral_norm_divides_by_the_largest_singular_value():
    kernel = jax.random.normal(jax.random.key(0), (2, 2, 3, 5))
    fixed = discriminator.spectral_norm(kernel)
    largest = np.linalg.svd(np.asarray(fixed).reshape(12, 5), compute_uv=False)[0]
    assert 0.98 < largest < 1.15


def test_the_discriminator_judges_patches_at_every_scale():
    judge = discriminator.PatchDiscriminator(channels=(4, 8))
    image = jax.random.normal(jax.random.key(0), (2, 32, 32, 3))
    params = jax.jit(judge.init)(jax.random.key(1), image)
    logits, features = jax.jit(judge.apply)(params, image)
    assert [part.shape for part in logits] == [(2, 8, 8, 1), (2, 4, 4, 1)]
    assert len(features) == 4


def test_a_network_learns_what_lies_around_the_head():
    features = jax.random.normal(jax.random.key(0), (1, 16, 16, 4))
    truth = (features[..., 0] > 0.0).astype(jnp.float32)
    image, net = jnp.zeros((1, 32, 32, 3)), background.Background()
    pose = types.HeadPose.from_vector(jnp.array([[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]))
    variables = jax.jit(net.init)(jax.random.key(1), features, image, pose)
    chain = optax.adam(3e-3)

    def loss(variables):
        logits = net.apply(variables, features, image, pose)[1][..., 0]
        return distances.background(logits, truth).mean()

    @jax.jit
    def step(variables, state):
        value, gradients = jax.value_and_grad(loss)(variables)
        updates, state = chain.update(gradients, state)
        return optax.apply_updates(variables, updates), state, value

    state, values = jax.jit(chain.init)(variables), []
    for _ in range(120):
        variables, state, value = step(variables, state)
        values.append(float(value))
    assert values[-1] < 0.2 * values[0]


def test_colour_jitter_stays_in_range_and_changes_the_image():
    image = jax.random.uniform(jax.random.key(0), (16, 16, 3), minval=-1.0)
    changed = augmentation.jitter_colour(
        jax.random.key(1), image, augmentation.AMOUNTS["severe"]
    )
    assert float(jnp.abs(changed).max()) <= 1.0
    assert float(jnp.abs(changed - image).mean()) > 0.01


def test_bending_without_strength_returns_the_image():
    image = jax.random.normal(jax.random.key(0), (16, 16, 3))
    still = dataclasses.replace(augmentation.AMOUNTS["severe"], spline=0.0)
    np.testing.assert_allclose(
        augmentation.bend(jax.random.key(1), image, still), image, atol=1e-5
    )


def _largest(tree):
    return max(np.abs(leaf).max() for leaf in jax.tree.leaves(jax.device_get(tree)))

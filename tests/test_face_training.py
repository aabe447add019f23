"""The two tasks of stage one, on made-up batches at the tests' scale."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import motion_windows
import numpy as np
import optax
import pytest

from experiments.configs import face_fields
from vasa_jax import errors, geometry, types
from vasa_jax.face import augmentation, encoder_training, encoders, examples
from vasa_jax.face import config as face_config
from vasa_jax.face import model as face_model
from vasa_jax.face import training as face_training
from vasa_jax.face.losses import (
    discriminator,
    distances,
    mobilefacenet,
    perceptual,
)
from vasa_jax.face.shortcut import background
from vasa_jax.train import loss_schedule

BATCH = 2
KEY = jax.random.key(5)


def _pair_batch(seed=0):
    rng = np.random.default_rng(seed)
    batch = {}
    for who in ("source", "driver", "other"):
        batch[who] = rng.integers(0, 256, (BATCH, 32, 32, 3), dtype=np.uint8)
        pose = rng.normal(0, 0.1, (BATCH, 6)).astype(np.float32)
        pose[:, 5] = 1.0
        batch[f"{who}_pose"] = pose
        batch[f"{who}_arkit"] = rng.random((BATCH, 52), np.float32)
        batch[f"{who}_gaze"] = rng.normal(0, 0.2, (BATCH, 2)).astype(np.float32)
    batch["driver_regions"] = rng.uniform(-0.4, 0.4, (BATCH, 3, 2)).astype(np.float32)
    for name in ("flow", "mirrored_flow"):
        batch[name] = rng.uniform(-1, 1, (BATCH, 16, 16, 2)).astype(np.float32)
    for name in (
        "visible",
        "learnable",
        "mirrored_visible",
        "source_surroundings",
        "driver_surroundings",
        "driver_torso",
    ):
        batch[name] = (rng.random((BATCH, 16, 16)) > 0.3).astype(np.float32)
    batch["other_is_same_performance"] = np.array([1.0, 0.0], np.float32)
    batch["example_key"] = jax.random.split(jax.random.key(seed), BATCH)
    return batch


def _mean_colours(face):
    """Stand in for a network of faces, which it sees cut out."""
    assert face.shape[1:] == (mobilefacenet.SIZE, mobilefacenet.SIZE, 3)
    return (face.mean((1, 2)) + 1.0,)


def _face_task(shift=0.12, **weights):
    return face_training.FaceTask(
        face_config.tiny(),
        face_training.FaceLossConfig(**weights),
        augmentation.AugmentationConfig(shift=shift),
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
        augmentation.AugmentationConfig(),
        np.ones(52, np.float32),
    )
    pair = _pair_batch()
    batch = {
        "image": pair["source"][:, None],
        "pose": pair["source_pose"][:, None],
        "arkit": pair["source_arkit"][:, None],
        "gaze": pair["source_gaze"][:, None],
        "example_key": pair["example_key"],
    }
    params = jax.jit(task.init)(jax.random.key(0))

    @jax.jit
    def value_and_gradient(params):
        return jax.value_and_grad(
            lambda params: task.loss(params, batch, None, jnp.zeros((), jnp.int32)),
            has_aux=True,
        )(params)

    (total, terms), gradients = value_and_gradient(params)
    assert set(terms) == {"head_pose", "expression", "gaze", "code_map", "code_size"}
    assert np.isfinite(total)
    touched = {name for name, part in gradients["face"].items() if _largest(part) > 0}
    assert touched == {
        "pose_encoder",
        "dynamics_encoder",
        "dynamics_heads",
        "dynamics_map",
    }


def test_codes_of_drivers_come_from_their_truth_where_records_know_it():
    batch = _pair_batch()
    params = jax.jit(_face_task().init)(jax.random.key(0))

    def codes(batch, **settings):
        task = _face_task(**settings)
        scene = jax.jit(task._prepare)(params, batch)
        return {who: np.asarray(scene[f"{who}_code"]) for who in ("source", "driver")}

    def written(params, who):
        model = face_model.FaceModel(face_config.tiny())
        known = batch[f"{who}_arkit"], batch[f"{who}_gaze"]
        return model.apply({"params": params["face"]}, *known, method="write_dynamics")

    seen, known = codes(batch), codes(batch, uses_dynamics_map=True)
    np.testing.assert_array_equal(seen["source"], known["source"])
    np.testing.assert_allclose(known["driver"], written(params, "driver"), atol=1e-5)
    assert np.abs(known["driver"] - seen["driver"]).max() > 1e-3
    without = {name: batch[name] for name in batch if not name.endswith("_gaze")}
    unknown = codes(without, uses_dynamics_map=True)
    np.testing.assert_array_equal(unknown["driver"], seen["driver"])


@pytest.mark.slow
def test_frozen_motion_encoders_get_no_gradient_and_the_renderer_does():
    task = _face_task(motion_cycle=0.5, expression_cycle=0.5, pose_cycle=0.5)
    params = jax.jit(task.init)(jax.random.key(0))
    batch = _pair_batch()
    gradients = jax.jit(
        jax.grad(lambda p: task.face_loss(p, batch, KEY, jnp.zeros((), jnp.int32))[0])
    )(params)["face"]
    for name in ("pose_encoder", "dynamics_encoder", "dynamics_heads"):
        assert _largest(gradients[name]) == 0.0, name
    for name in ("decoder", "appearance_encoder", "source_warp", "driver_warp"):
        assert _largest(gradients[name]) > 0.0, name


@pytest.mark.slow
def test_every_term_joins_when_its_weight_is_not_zero():
    names = (
        "head_pose",
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
    task = _face_task(
        **dict.fromkeys(names, 1.0), adversarial_start=0, is_motion_trained=True
    )
    params = jax.jit(task.init)(jax.random.key(0))
    batch = _pair_batch()

    @jax.jit
    def compute(params):
        total, metrics = task.face_loss(params, batch, KEY, jnp.zeros((), jnp.int32))
        seen = {**batch, "shared": metrics.pop("shared")}
        judged, _ = task.discriminator_loss(params, seen, KEY, None)
        return total, metrics, judged

    total, metrics, judged = compute(params)
    mirrored = {"mirrored", "mirrored_flow", "mirrored_visibility"}
    assert {*names, *mirrored} <= set(metrics)
    assert all(np.isfinite(value) for value in metrics.values())
    assert np.isfinite(total)
    assert float(judged) > 0.0


def test_a_frame_that_is_the_painted_image_counts_once():
    tiny = face_config.tiny()
    plain = dataclasses.replace(
        tiny,
        use_shortcut=False,
        face_map_size=0,
        mirrors_face=False,
        fills_background=False,
    )
    rest = (augmentation.AugmentationConfig(), np.ones(52, np.float32))
    with pytest.raises(errors.UserError, match="decoded is 2.0 without the shortcut"):
        face_training.FaceTask(plain, face_training.FaceLossConfig(), *rest)
    untold = dict.fromkeys(face_fields.FLOW_WEIGHTS, 0.0)
    weights = face_training.FaceLossConfig(decoded=0.0, **untold)
    task = face_training.FaceTask(plain, weights, *rest)
    params = motion_windows.filled(jax.eval_shape(task.init, jax.random.key(0)))
    batch = {k: v for k, v in _pair_batch().items() if k not in examples.FLOW_FIELDS}
    total, terms = jax.jit(task.face_loss)(params, batch, KEY, 0)
    np.testing.assert_allclose(total, 4.0 * terms["reconstruction"], rtol=1e-6)


@pytest.mark.parametrize("term", ["perceptual", "cross_identity"])
def test_a_term_without_its_frozen_network_is_refused(term):
    with pytest.raises(errors.UserError, match=f"{term} is 2.0 without a frozen"):
        face_training.FaceTask(
            face_config.tiny(),
            face_training.FaceLossConfig(**{term: 2.0}),
            augmentation.AugmentationConfig(),
            np.ones(52, np.float32),
        )


def test_steps_between_teach_the_discriminator_nothing():
    tasks = [_face_task(adversarial=1.0, adversarial_every=n) for n in (1, 2)]
    judge = jax.jit(discriminator.PatchDiscriminator((8, 8)).init)
    params = {"discriminator": judge(KEY, jnp.zeros((1, 64, 64, 3)))["params"]}
    image = jax.random.uniform(KEY, (BATCH, 32, 32, 3), minval=-1.0)
    batch = {**_pair_batch(), "shared": {"image": image}}

    @functools.partial(jax.jit, static_argnums=0)
    def gradients(number, step):
        return jax.grad(
            lambda params: tasks[number].discriminator_loss(params, batch, KEY, step)[0]
        )(params)

    always = gradients(0, 3)
    assert _largest(always) > 0.0
    assert _largest(gradients(1, 3)) == 0.0
    twice = jax.tree.map(lambda leaf: 2 * leaf, always)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6),
        gradients(1, 4),
        twice,
    )


@pytest.mark.slow
def test_steps_between_leave_the_adversarial_terms_out():
    names = {"adversarial", "feature_matching"}
    task = _face_task(
        **dict.fromkeys(names, 1.0), adversarial_start=0, adversarial_every=2
    )
    weights = face_training.FaceLossConfig(**dict.fromkeys(names, 1.0))
    params, batch = jax.jit(task.init)(jax.random.key(0)), _pair_batch()
    compute = jax.jit(lambda step: task.face_loss(params, batch, KEY, step))
    totals, terms = {}, {}
    for step in (1, 2):
        totals[step], terms[step] = compute(step)
        assert terms[step].pop("shared")["image"].shape == (BATCH, 32, 32, 3)
    assert all(terms[1][name] == 0.0 != terms[2][name] for name in names)
    rest = {name: value for name, value in terms[1].items() if name not in names}
    expected = loss_schedule.weighted_sum(weights, rest, 0)
    np.testing.assert_allclose(totals[1], expected, rtol=1e-5)
    more = sum(terms[2][name] for name in names)
    np.testing.assert_allclose(totals[2], expected + 2 * more, rtol=1e-5)


@pytest.mark.parametrize("name", ["adversarial_every", "dear_every"])
def test_terms_on_every_0th_step_are_refused(name):
    with pytest.raises(errors.UserError, match=name):
        face_training.FaceLossConfig(**{name: 0})


def test_cropped_drivers_show_the_same_face_where_their_pose_says():
    size, still = (
        64,
        dict.fromkeys(
            ("gain", "brightness", "contrast", "noise", "blur_share", "spline"), 0.0
        ),
    )
    config = augmentation.AugmentationConfig(**still, pose_noise=0.0)
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


@pytest.mark.slow
@pytest.mark.parametrize("is_trained", [True, False])
def test_drivers_are_cropped_where_motion_encoders_learn_from_them(is_trained):
    weights = {"head_pose": 1.0, "expression": 1.0, "is_motion_trained": is_trained}
    rng, batch = np.random.default_rng(0), _pair_batch()
    shapes = jax.eval_shape(_face_task(**weights).init, KEY)
    params = jax.tree.map(
        lambda leaf: rng.normal(0, 0.1, leaf.shape).astype(leaf.dtype), shapes
    )

    @jax.jit
    def read(params, shift):
        task = _face_task(shift, **weights)
        _, terms = task.face_loss(params, batch, KEY, jnp.zeros((), jnp.int32))
        return terms["head_pose"], terms["expression"]

    differs = np.array(read(params, 0.0)) != np.array(read(params, 0.3))
    assert (differs == is_trained).all()


def test_spectral_norm_divides_by_the_largest_singular_value():
    kernel = jax.random.normal(jax.random.key(0), (2, 2, 3, 5))
    fixed = discriminator.spectral_norm(kernel)
    largest = np.linalg.svd(np.asarray(fixed).reshape(12, 5), compute_uv=False)[0]
    assert 0.98 < largest < 1.15


def test_the_discriminator_judges_patches_at_every_scale():
    judge = discriminator.PatchDiscriminator(channels=(4, 8), num_scales=2)
    image = jax.random.normal(jax.random.key(0), (2, 32, 32, 3))
    params = judge.init(jax.random.key(1), image)
    logits, features = judge.apply(params, image)
    assert [part.shape for part in logits] == [(2, 8, 8, 1), (2, 4, 4, 1)]
    assert len(features) == 4


def test_a_network_learns_what_lies_around_the_head():
    features = jax.random.normal(jax.random.key(0), (1, 16, 16, 4))
    truth = (features[..., 0] > 0.0).astype(jnp.float32)
    image, net = jnp.zeros((1, 32, 32, 3)), background.Background()
    pose = types.HeadPose.from_vector(jnp.array([[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]))
    variables = net.init(jax.random.key(1), features, image, pose)
    chain = optax.adam(3e-3)

    def loss(variables):
        logits = net.apply(variables, features, image, pose)[..., -1]
        return distances.background(logits, truth).mean()

    @jax.jit
    def step(variables, state):
        value, gradients = jax.value_and_grad(loss)(variables)
        updates, state = chain.update(gradients, state)
        return optax.apply_updates(variables, updates), state, value

    state, values = chain.init(variables), []
    for _ in range(120):
        variables, state, value = step(variables, state)
        values.append(float(value))
    assert values[-1] < 0.2 * values[0]


def test_colour_jitter_stays_in_range_and_changes_the_image():
    image = jax.random.uniform(jax.random.key(0), (16, 16, 3), minval=-1.0)
    changed = augmentation.jitter_colour(
        jax.random.key(1), image, augmentation.AugmentationConfig()
    )
    assert float(jnp.abs(changed).max()) <= 1.0
    assert float(jnp.abs(changed - image).mean()) > 0.01


def test_bending_without_strength_returns_the_image():
    image = jax.random.normal(jax.random.key(0), (16, 16, 3))
    still = augmentation.AugmentationConfig(spline=0.0)
    np.testing.assert_allclose(
        augmentation.bend(jax.random.key(1), image, still), image, atol=1e-5
    )


def _largest(tree):
    return max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(tree))

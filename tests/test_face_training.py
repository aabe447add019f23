"""The two tasks of stage one, on made-up batches at the tests' scale."""

import dataclasses
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vasa_jax import types
from vasa_jax.face import (
    augmentation,
    background,
    decoder,
    discriminator,
    encoder_training,
    examples,
    frame_losses,
    losses,
    perceptual,
)
from vasa_jax.face import config as face_config
from vasa_jax.face import training as face_training

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
        "mirrored_visible",
        "source_surroundings",
        "driver_surroundings",
    ):
        batch[name] = (rng.random((BATCH, 16, 16)) > 0.3).astype(np.float32)
    batch["other_is_same_performance"] = np.array([1.0, 0.0], np.float32)
    batch["example_key"] = jax.random.split(jax.random.key(seed), BATCH)
    return batch


def _face_task(**weights):
    return face_training.FaceTask(
        face_config.tiny(),
        face_training.FaceLossConfig(**weights),
        augmentation.AugmentationConfig(),
        np.ones(52, np.float32),
        perceptual_weights=perceptual.random_vgg16(jax.random.key(0)),
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
    assert set(terms) == {"head_pose", "expression", "gaze", "code_size"}
    assert np.isfinite(total)
    touched = {name for name, part in gradients["face"].items() if _largest(part) > 0}
    assert touched == {"pose_encoder", "dynamics_encoder", "dynamics_heads"}


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


def test_mirrored_terms_see_hidden_cells_of_the_head_only():
    zeros = np.zeros((1, 8, 8), np.float32)
    scene = {
        "driver": jnp.zeros((1, 32, 32, 3)),
        "visible": zeros.copy(),
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


def test_shrinking_averages_blocks():
    images = np.zeros((1, 4, 4, 3), np.uint8)
    images[0, :2, :2] = [[[8], [16]], [[24], [32]]]
    small = examples.shrink(images, 2)
    np.testing.assert_array_equal(small[0, :, :, 0], [[20, 0], [0, 0]])


def _masks():
    mask = np.full((2, 64, 64), 2, np.uint8)  # all head,
    mask[1, :, :16] = 0  # but in frame 1 background,
    mask[1, 48:, 16:] = 1  # torso
    mask[1, :8, 16:] = 3  # and hair
    return {"masks": zlib.compress(mask.tobytes()), "num_frames": 2}


@pytest.mark.parametrize("size", [16, 64, 128])
def test_surroundings_are_background_and_torso_at_the_size_asked_for(size):
    around = examples.read_surroundings(_masks(), 1, size)
    assert around.shape == (size, size) and around.dtype == np.float32
    assert (around[:, : size // 4] == 1.0).all()
    assert (around[3 * size // 4 :] == 1.0).all()
    assert (around[: 3 * size // 4, size // 4 :] == 0.0).all()
    assert not examples.read_surroundings(_masks(), 0, size).any()


def test_a_network_learns_what_lies_around_the_head():
    features = jax.random.normal(jax.random.key(0), (1, 16, 16, 4))
    truth = (features[..., 0] > 0.0).astype(jnp.float32)
    image, net = jnp.zeros((1, 32, 32, 3)), background.Background()
    pose = types.HeadPose.from_vector(jnp.array([[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]))
    variables = net.init(jax.random.key(1), features, image, pose)
    chain = optax.adam(3e-3)

    def loss(variables):
        logits = net.apply(variables, features, image, pose)[..., -1]
        return losses.background(logits, truth).mean()

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

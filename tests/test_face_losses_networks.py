"""Which frozen networks the presets of stage one need, and how they are given."""

import jax
import numpy as np
import pytest

from experiments.configs import face, face_networks
from vasa_jax import config, errors
from vasa_jax.face.losses import mobilefacenet, perceptual

RANDOM = ("perceptual_weights=random", "identity_weights=random")


def settings_of(preset, *changes):
    return config.override(face.get_config(preset), changes)


@pytest.mark.parametrize("preset", ["demo_gpu", "vasa1_256", "vasa1"])
def test_presets_that_compare_by_frozen_networks_refuse_to_go_without(preset):
    with pytest.raises(errors.UserError) as caught:
        face.make_task(settings_of(preset))
    sentence = str(caught.value)
    for name in ("perceptual", "cross_identity"):
        assert f"--set=face_loss.{name}=0" in sentence
    assert "--set=perceptual_weights=VGG16.npz (from experiments.tools.pack" in sentence
    assert "--set=identity_weights=MobileFaceNet.onnx" in sentence
    with pytest.raises(errors.UserError) as caught:
        face.make_task(settings_of(preset, RANDOM[0]))
    assert "identity_weights" in str(caught.value)
    assert "perceptual" not in str(caught.value)


def test_without_those_losses_or_with_random_networks_a_task_is_made():
    for preset in ("tiny", "demo", "demo_encoders"):
        face.make_task(settings_of(preset))
    zeros = ("face_loss.perceptual=0", "face_loss.cross_identity=0")
    assert face_networks.load(settings_of("demo_gpu", *zeros)) == {}
    face.make_task(settings_of("demo_gpu", *RANDOM))


def test_networks_are_read_from_files_and_describe_images(tmp_path):
    weights = perceptual.random_vgg16(jax.random.key(3), face_networks.VGG16_BLOCKS)
    np.savez(tmp_path / "vgg.npz", **weights)
    changes = (f"perceptual_weights={tmp_path}/vgg.npz", RANDOM[1])
    found = face_networks.load(settings_of("demo_gpu", *changes))
    image = np.linspace(-1, 1, 16 * 16 * 3, dtype=np.float32).reshape(1, 16, 16, 3)
    maps = jax.jit(found["perceptual_network"])(image)
    expected = jax.jit(perceptual.vgg16_features)(weights, image)
    assert [m.shape[1:] for m in maps] == [(16, 16, 64), (8, 8, 128), (4, 4, 256)]
    np.testing.assert_allclose(maps[-1], expected[-1], rtol=1e-3, atol=1e-5)
    size = mobilefacenet.SIZE
    faces = jax.ShapeDtypeStruct((2, size, size, 3), np.float32)
    assert jax.eval_shape(found["identity_network"], faces)[-1].shape == (2, 128)


@pytest.mark.parametrize("setting", ["perceptual_weights", "identity_weights"])
def test_a_file_that_is_not_there_is_named(setting):
    changes = (*RANDOM, f"{setting}=nowhere.onnx")
    with pytest.raises(errors.UserError, match="nowhere.onnx"):
        face.make_task(settings_of("demo_gpu", *changes))

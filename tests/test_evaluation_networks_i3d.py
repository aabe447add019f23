"""I3D against a rendition in PyTorch, and what its files must hold."""

import importlib.util

import jax
import numpy as np
import pytest
import safetensors.numpy

from vasa_jax import errors
from vasa_jax.evaluation.networks import i3d

NUM_FRAMES, SIZE = 11, 36
"""Neither is even after all halvings, so that 'SAME' pads both ways."""


# Of `arrays` and `video` by `_torch_endpoints` with PyTorch 2.13: the first logits of
# both videos, and mean and deviation of the maps of some layers.
PYTORCH_LOGITS = (
    (-4.353469, 5.414629, 3.912296, 0.204340, 0.905316),
    (-4.166746, 5.785738, 3.487475, 0.313666, 0.599931),
)
PYTORCH_MAPS = {
    "Conv3d_1a_7x7": (0.307171, 0.472819),
    "Conv3d_2c_3x3": (0.643079, 0.967381),
    "Mixed_3c": (0.917212, 1.433180),
    "Mixed_4f": (1.860982, 3.101925),
    "Mixed_5c": (2.101556, 3.459215),
}


@pytest.fixture(scope="module")
def arrays():
    generator = np.random.default_rng(0)
    found = {}
    for name, shape in i3d.published_shapes().items():
        drawn = generator.standard_normal(shape, np.float32)
        if name.endswith("conv3d.weight"):
            drawn *= (2 / np.prod(shape[1:])) ** 0.5
        elif name.endswith(("running_var", "bn.weight")):
            drawn = np.exp(0.2 * drawn)
        else:
            drawn *= 0.2
        found[name] = drawn
    return found


@pytest.fixture(scope="module")
def video():
    shape = (2, NUM_FRAMES, SIZE, SIZE, 3)
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)


def test_the_published_file_has_the_layers_of_figure_three():
    shapes = i3d.published_shapes()
    assert shapes["Conv3d_1a_7x7.conv3d.weight"] == (64, 3, 7, 7, 7)
    assert shapes["Mixed_3b.b1b.conv3d.weight"] == (128, 96, 3, 3, 3)
    assert shapes["Mixed_5c.b3b.bn.running_var"] == (128,)
    assert shapes["logits.conv3d.weight"] == (400, 1024, 1, 1, 1)
    convolutions = [name for name in shapes if name.endswith("conv3d.weight")]
    assert len(convolutions) == 58
    # What the network learns is published as 12.7 million numbers.
    learned = [np.prod(s) for n, s in shapes.items() if "running" not in n]
    assert sum(learned) == 12_697_264


def test_a_window_in_time_as_channels_is_a_convolution_in_time_and_space():
    generator = np.random.default_rng(2)
    x = generator.standard_normal((2, 5, 6, 7, 3), np.float32)
    kernel = generator.standard_normal((3, 3, 3, 3, 4), np.float32)
    for strides in ((1, 1, 1), (2, 2, 2)):
        expected = jax.lax.conv_general_dilated(
            x, kernel, strides, "SAME", dimension_numbers=("NDHWC", "DHWIO", "NDHWC")
        )
        found = i3d.convolve(x, kernel, strides)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def _torch_endpoints(arrays, video):
    """Compute every named layer as the published PyTorch code describes it."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def pad(x, window, strides):
        amounts = []
        for size, width, stride in zip(x.shape[2:], window, strides, strict=True):
            rest = size % stride
            total = max(width - (rest if rest else stride), 0)
            amounts = [total // 2, total - total // 2, *amounts]
        # The pairs are per axis; PyTorch wants the last axis first.
        return functional.pad(x, amounts)

    def unit(x, name, strides=(1, 1, 1)):
        weight = tensors[f"{name}.conv3d.weight"]
        x = functional.conv3d(pad(x, weight.shape[2:], strides), weight, None, strides)
        norm = [
            tensors[f"{name}.bn.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        ]
        return functional.batch_norm(x, *norm, training=False, eps=0.001).relu()

    def pool(x, window, strides):
        return functional.max_pool3d(pad(x, window, strides), window, strides)

    def mixed(x, name):
        return torch.cat(
            [
                unit(x, f"{name}.b0"),
                unit(unit(x, f"{name}.b1a"), f"{name}.b1b"),
                unit(unit(x, f"{name}.b2a"), f"{name}.b2b"),
                unit(pool(x, (3, 3, 3), (1, 1, 1)), f"{name}.b3b"),
            ],
            dim=1,
        )

    found = {}
    with torch.inference_mode():
        x = torch.from_numpy(video).permute(0, 4, 1, 2, 3)
        x = found["Conv3d_1a_7x7"] = unit(x, "Conv3d_1a_7x7", (2, 2, 2))
        x = pool(x, (1, 3, 3), (1, 2, 2))
        x = found["Conv3d_2b_1x1"] = unit(x, "Conv3d_2b_1x1")
        x = found["Conv3d_2c_3x3"] = unit(x, "Conv3d_2c_3x3")
        x = pool(x, (1, 3, 3), (1, 2, 2))
        for name in ("Mixed_3b", "Mixed_3c"):
            x = found[name] = mixed(x, name)
        x = pool(x, (3, 3, 3), (2, 2, 2))
        for name in ("Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f"):
            x = found[name] = mixed(x, name)
        x = pool(x, (2, 2, 2), (2, 2, 2))
        for name in ("Mixed_5b", "Mixed_5c"):
            x = found[name] = mixed(x, name)
        x = functional.avg_pool3d(x, (2, *x.shape[3:]), 1)
        x = found["logits"] = functional.conv3d(
            x, tensors["logits.conv3d.weight"], tensors["logits.conv3d.bias"]
        )
    maps = {name: y.permute(0, 2, 3, 4, 1).numpy() for name, y in found.items()}
    return maps, x.mean(dim=(2, 3, 4)).numpy()


@pytest.fixture(scope="module")
def own_endpoints(arrays, video):
    """Logits, and the output of every named layer, of our network."""

    @jax.jit
    def run(params, video):
        return i3d.I3D().apply(
            {"params": params},
            video,
            capture_intermediates=True,
            mutable="intermediates",
        )

    logits, found = run(i3d.from_published(arrays), video)
    layers = found["intermediates"]
    return logits, {n: layers[n]["__call__"][0] for n in layers if n != "__call__"}


@pytest.mark.slow
def test_layers_and_logits_are_those_that_pytorch_once_gave(own_endpoints):
    logits, layers = own_endpoints
    np.testing.assert_allclose(logits[:, :5], PYTORCH_LOGITS, atol=1e-4)
    for name, expected in PYTORCH_MAPS.items():
        found = layers[name].mean(), layers[name].std()
        np.testing.assert_allclose(found, expected, rtol=1e-4, err_msg=name)


def test_every_layer_equals_pytorchs(arrays, video, request):
    expected, expected_logits = _torch_endpoints(arrays, video)
    logits, layers = request.getfixturevalue("own_endpoints")
    largest = {}
    for name, layer in expected.items():
        own = layers[name]
        assert own.shape == layer.shape, name
        largest[name] = np.abs(own - layer).max() / np.abs(layer).max()
    print({name: f"{value:.1e}" for name, value in largest.items()})
    assert len(largest) == 13
    assert max(largest.values()) < 1e-5
    np.testing.assert_allclose(logits, expected_logits, atol=1e-4)


def test_arrays_are_read_from_npz_safetensors_and_pytorchs_file(arrays, tmp_path):
    params = i3d.from_published(arrays)
    np.savez(tmp_path / "i3d.npz", **arrays)
    safetensors.numpy.save_file(arrays, tmp_path / "i3d.safetensors")
    for name in ("i3d.npz", "i3d.safetensors"):
        read = i3d.load(tmp_path / name)
        assert jax.tree.all(jax.tree.map(np.array_equal, read, params))
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    tensors["Conv3d_1a_7x7.bn.num_batches_tracked"] = torch.tensor(7)
    for is_new in (True, False):
        # The published file is in PyTorch's older format.
        torch.save(tensors, tmp_path / "i.pt", _use_new_zipfile_serialization=is_new)
        read = i3d.load(tmp_path / "i.pt")
        assert jax.tree.all(jax.tree.map(np.array_equal, read, params))
    torch.save({"Conv3d_1a_7x7": print}, tmp_path / "code.pt")
    with pytest.raises(errors.UserError, match="cannot be read"):
        i3d.load(tmp_path / "code.pt")


def test_without_its_weights_i3d_names_the_file_to_get(tmp_path):
    with pytest.raises(errors.UserError, match=r"rgb_imagenet\.pt .*pytorch-i3d"):
        i3d.load(None)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(errors.UserError, match=r"'Conv3d_1a_7x7.*rgb_imagenet\.pt"):
        i3d.load(tmp_path / "other.npz")


def test_without_pytorch_its_files_are_refused_by_name(tmp_path):
    if importlib.util.find_spec("torch"):
        pytest.skip("PyTorch is installed")
    (tmp_path / "rgb_imagenet.pt").write_bytes(b"weights")
    with pytest.raises(errors.UserError, match="PyTorch, which is not installed"):
        i3d.load(tmp_path / "rgb_imagenet.pt")

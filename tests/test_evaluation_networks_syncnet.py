"""SyncNet computes what the published network does, from its file."""

import functools

import jax
import numpy as np
import pytest
import safetensors.numpy

from vasa_jax import errors
from vasa_jax.evaluation.networks import syncnet

SMALL = syncnet.SyncNet(
    sound_channels=(2, 3, 3, 2, 2, 4),
    lip_channels=(3, 2, 3, 2, 2, 4),
    hidden=5,
    width=6,
)
PLACES = (0, 4, 8, 11, 14, 18)
# Of each convolution of a half: kernel, stride, padding; then its pool, if any:
# kernel, stride, padding.
SOUND_FORMS = (
    (((3, 3), 1, 1), ((1, 1), (1, 1), 0)),
    (((3, 3), 1, 1), ((3, 3), (1, 2), 0)),
    (((3, 3), 1, 1), None),
    (((3, 3), 1, 1), None),
    (((3, 3), 1, 1), ((3, 3), (2, 2), 0)),
    (((5, 4), 1, 0), None),
)
LIP_FORMS = (
    (((5, 7, 7), (1, 2, 2), 0), ((1, 3, 3), (1, 2, 2), 0)),
    (((1, 5, 5), (1, 2, 2), (0, 1, 1)), ((1, 3, 3), (1, 2, 2), (0, 1, 1))),
    (((1, 3, 3), 1, (0, 1, 1)), None),
    (((1, 3, 3), 1, (0, 1, 1)), None),
    (((1, 3, 3), 1, (0, 1, 1)), ((1, 3, 3), (1, 2, 2), 0)),
    (((1, 6, 6), 1, 0), None),
)
HALVES = (("aud", 1, SOUND_FORMS), ("lip", 3, LIP_FORMS))


def _channels(network, half):
    return network.sound_channels if half == "aud" else network.lip_channels


def _published(network, seed=0):
    """Return random tensors under the published names."""
    shapes = {}
    for half, inputs, forms in HALVES:
        for place, channels, (form, _) in zip(
            PLACES, _channels(network, half), forms, strict=True
        ):
            shapes[f"netcnn{half}.{place}.weight"] = channels, inputs, *form[0]
            shapes[f"netcnn{half}.{place}.bias"] = (channels,)
            shapes |= _norm(f"netcnn{half}.{place + 1}", channels)
            inputs = channels
        shapes[f"netfc{half}.0.weight"] = network.hidden, inputs
        shapes[f"netfc{half}.0.bias"] = (network.hidden,)
        shapes |= _norm(f"netfc{half}.1", network.hidden)
        shapes[f"netfc{half}.3.weight"] = network.width, network.hidden
        shapes[f"netfc{half}.3.bias"] = (network.width,)
    generator = np.random.default_rng(seed)
    return {
        name: generator.uniform(0.5, 1.5, shape).astype(np.float32)
        if name.endswith(("var", "mean"))
        else generator.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def _norm(name, channels):
    return {
        f"{name}.{part}": (channels,)
        for part in ("weight", "bias", "running_mean", "running_var")
    }


def _slide(x, kernel, stride, padding, reduce):
    """Apply `reduce` to every window over the last axes of `[C, ...]`."""
    axes = len(kernel)
    stride = (stride,) * axes if isinstance(stride, int) else stride
    padding = (padding,) * axes if isinstance(padding, int) else padding
    fill = -np.inf if reduce == "max" else 0
    around = [(0, 0), *((p, p) for p in padding)]
    x = np.pad(x, around, constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(
        x, kernel, axis=tuple(range(1, axes + 1))
    )
    return windows[(slice(None), *(slice(None, None, s) for s in stride))]


def _numpy_half(tensors, half, forms, x):
    """Run one half on one window `[C, ...]` as the published layers say."""

    def norm(x, name):
        weight, bias, mean, variance = (
            tensors[f"{name}.{part}"].reshape(-1, *[1] * (x.ndim - 1))
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias

    for place, (form, pool) in zip(PLACES, forms, strict=True):
        name = f"netcnn{half}.{place}"
        windows = _slide(x, *form, "sum")
        weight = tensors[f"{name}.weight"]
        axes = weight.ndim - 2
        over = [0, *range(-axes, 0)]
        x = np.tensordot(weight, windows, ([1, *range(2, 2 + axes)], over))
        x = x + tensors[f"{name}.bias"].reshape(-1, *[1] * axes)
        x = np.maximum(norm(x, f"netcnn{half}.{place + 1}"), 0)
        if pool is not None:
            x = _slide(x, *pool, "max").max(axis=tuple(range(-axes, 0)))
    x = tensors[f"netfc{half}.0.weight"] @ x.ravel() + tensors[f"netfc{half}.0.bias"]
    x = np.maximum(norm(x, f"netfc{half}.1"), 0)
    return tensors[f"netfc{half}.3.weight"] @ x + tensors[f"netfc{half}.3.bias"]


def _inputs(count=2):
    generator = np.random.default_rng(1)
    frames = generator.uniform(0, 1, (count, 5, 224, 224, 3)).astype(np.float32)
    cepstra = generator.normal(0, 3, (count, 13, 20)).astype(np.float32)
    return frames, cepstra


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return small random tensors and the file that holds them."""
    tensors = _published(SMALL)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    safetensors.numpy.save_file(tensors, path)
    return tensors, path


def test_both_halves_equal_plain_numpy(published):
    tensors, path = published
    params = syncnet.read_weights(path, SMALL)
    frames, cepstra = _inputs()
    lips, sound = jax.jit(SMALL.apply)({"params": params}, frames, cepstra)
    double = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    for row in range(2):
        expected = _numpy_half(double, "aud", SOUND_FORMS, cepstra[row][None])
        np.testing.assert_allclose(sound[row], expected, rtol=1e-4, atol=1e-4)
        depth_second = np.stack([frames[row, ..., c] for c in range(3)])
        expected = _numpy_half(double, "lip", LIP_FORMS, depth_second)
        np.testing.assert_allclose(lips[row], expected, rtol=1e-4, atol=1e-4)


def _rendition(torch, network):
    """Return the published architecture in PyTorch, and its names."""
    nn = torch.nn
    parts = {}
    for half, inputs, forms in HALVES:
        kinds = {
            "aud": (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
            "lip": (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d),
        }
        convolution, norm, pool_kind = kinds[half]
        layers = []
        for channels, (form, pool) in zip(_channels(network, half), forms, strict=True):
            layers += [convolution(inputs, channels, *form), norm(channels), nn.ReLU()]
            if pool is not None:
                layers.append(pool_kind(*pool))
            inputs = channels
        parts[f"netcnn{half}"] = nn.Sequential(*layers)
        parts[f"netfc{half}"] = nn.Sequential(
            nn.Linear(inputs, network.hidden),
            nn.BatchNorm1d(network.hidden),
            nn.ReLU(),
            nn.Linear(network.hidden, network.width),
        )
    return nn.ModuleDict(parts).eval()


def test_every_layer_equals_a_pytorch_rendition_of_the_published_network(tmp_path):
    torch = pytest.importorskip("torch")
    network = syncnet.SyncNet()
    torch.manual_seed(0)
    model = _rendition(torch, network)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith(("running_mean", "running_var")):
                value.copy_(torch.rand(value.shape) + 0.5)
    path = tmp_path / "syncnet_v2.model"
    torch.save(model.state_dict(), path)
    params = syncnet.read_weights(path)

    heard = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Sequential | torch.nn.ModuleDict):
            continue
        module.register_forward_hook(
            functools.partial(
                lambda name, _m, _i, out: heard.update({name: out.numpy().copy()}), name
            )
        )
    frames, cepstra = _inputs()
    frames = np.rint(frames * 255)
    channel_second = torch.from_numpy(frames).permute(0, 4, 1, 2, 3)
    with torch.no_grad():
        for half, given in (
            ("lip", channel_second),
            ("aud", torch.from_numpy(cepstra)[:, None]),
        ):
            model[f"netfc{half}"](model[f"netcnn{half}"](given).flatten(1))

    @jax.jit
    def run(params, frames, cepstra):
        return network.apply(
            {"params": params}, frames, cepstra, capture_intermediates=True
        )

    _, state = run(params, frames, cepstra)
    places = {f"conv_{i}": f"cnn{{}}.{p}" for i, p in enumerate(PLACES)}
    places |= {f"norm_{i}": f"cnn{{}}.{p + 1}" for i, p in enumerate(PLACES)}
    worst = 0.0
    for ours, theirs in (("lips", "lip"), ("sound", "aud")):
        outputs = state["intermediates"][ours]
        head = outputs["head"]
        found = {p.format(theirs): outputs[name] for name, p in places.items()}
        found |= {
            f"fc{theirs}.{place}": head[name]
            for place, name in ((0, "hidden"), (1, "norm"), (3, "embedding"))
        }
        assert len(found) == 15
        for name, value in found.items():
            value = np.asarray(value["__call__"][0])
            if value.ndim == 4:
                value = np.moveaxis(value, -1, 1)
            expected = heard[f"net{name}"]
            if expected.ndim == 5:
                expected = expected[:, :, 0]
            difference = np.abs(value - expected).max() / np.abs(expected).max()
            worst = max(worst, difference)
            assert difference < 2e-5, f"{name}: {difference}"
    print(f"largest difference of 30 layers, over the layer's largest: {worst:.2e}")


def test_npz_and_safetensors_of_the_same_names_are_read_alike(published, tmp_path):
    tensors, path = published
    extra = {"netcnnaud.1.num_batches_tracked": np.array(7)}
    np.savez(tmp_path / "small.npz", **tensors, **extra)
    one = syncnet.read_weights(path, SMALL)
    other = syncnet.read_weights(tmp_path / "small.npz", SMALL)
    jax.tree.map(np.testing.assert_array_equal, one, other)
    assert len(jax.tree.leaves(one)) == len(tensors)


def test_files_of_other_networks_are_refused(published, tmp_path):
    tensors, path = published
    with pytest.raises(errors.UserError, match=r"netcnn.*syncnet_v2\.model"):
        syncnet.read_weights(path)
    lacking = {k: v for k, v in tensors.items() if k != "netfclip.3.bias"}
    np.savez(tmp_path / "lacking.npz", **lacking)
    with pytest.raises(errors.UserError, match=r"netfclip\.3\.bias"):
        syncnet.read_weights(tmp_path / "lacking.npz", SMALL)
    with pytest.raises(errors.UserError, match=r"syncnet_v2\.model"):
        syncnet.read_weights(tmp_path / "missing.model", SMALL)

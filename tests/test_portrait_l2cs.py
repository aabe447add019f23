"""L2CS-Net: its layers are PyTorch's, and its angles are ours."""

import os
import pathlib

import jax
import numpy as np
import pytest
import safetensors.numpy

from vasa_jax import errors, media
from vasa_jax.portrait import face_views, l2cs, locate

SMALL = l2cs.Sizes(width=4, stage_blocks=(2, 1, 1, 1))
GOLDEN = [[2.727312, -3.0383968, -1.991646], [1.4856913, -0.18225282, 2.5352366]]
"""Of `_arrays(SMALL)` and `_picture(65)` by `_rendition` with PyTorch 2.14: logits of
both heads, every 30th."""


def _arrays(sizes, seed=0):
    """Return random arrays as a published file holds them."""
    generator = np.random.default_rng(seed)
    found = {}
    for name, shape in l2cs.published_shapes(sizes).items():
        spread = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.3
        drawn = generator.normal(0, spread, shape)
        is_scale = name.endswith("running_var") or len(shape) == 1 and ".weight" in name
        found[name] = np.float32(np.abs(drawn) + 0.5 if is_scale else drawn)
    return found


def _picture(side, seed=1):
    drawn = np.random.default_rng(seed).normal(0, 1, (side, side, 3))
    return np.float32(drawn)


def _network(arrays, sizes):
    return l2cs.GazeNetwork(l2cs.from_published(arrays, sizes), sizes)


def _logits(arrays, sizes, picture):
    params = l2cs.from_published(arrays, sizes)
    run = jax.jit(lambda params, image: l2cs.logits(params, image, sizes))
    return np.asarray(run(params, picture))


def _rendition(torch, sizes):
    """Return the published network in PyTorch; its forward gives yaw, then pitch."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, inner, stride, has_shortcut):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
            self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
            self.conv3 = nn.Conv2d(inner, 4 * inner, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(inner), nn.BatchNorm2d(inner)
            self.bn3 = nn.BatchNorm2d(4 * inner)
            self.downsample = None
            if has_shortcut:
                convolution = nn.Conv2d(inputs, 4 * inner, 1, stride, bias=False)
                norm = nn.BatchNorm2d(4 * inner)
                self.downsample = nn.Sequential(convolution, norm)

        def forward(self, x):
            y = self.bn1(self.conv1(x)).relu()
            y = self.bn3(self.conv3(self.bn2(self.conv2(y)).relu()))
            return (y + (x if self.downsample is None else self.downsample(x))).relu()

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            inputs = sizes.width
            self.conv1 = nn.Conv2d(3, inputs, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(inputs)
            for stage, count in enumerate(sizes.stage_blocks):
                inner, blocks = sizes.width * 2**stage, []
                for block in range(count):
                    stride = 1 if stage == 0 or block else 2
                    blocks.append(Block(inputs, inner, stride, block == 0))
                    inputs = 4 * inner
                setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            self.fc_yaw_gaze = nn.Linear(inputs, sizes.num_bins)
            self.fc_pitch_gaze = nn.Linear(inputs, sizes.num_bins)
            self.fc_finetune = nn.Linear(inputs + 3, 3)

        def forward(self, x):
            x = self.bn1(self.conv1(x)).relu()
            x = nn.functional.max_pool2d(x, 3, 2, 1)
            for stage in range(len(sizes.stage_blocks)):
                x = getattr(self, f"layer{stage + 1}")(x)
            x = x.mean((2, 3))
            return self.fc_yaw_gaze(x), self.fc_pitch_gaze(x)

    return Network().eval()


def _torch_logits(torch, arrays, sizes, picture):
    model = _rendition(torch, sizes)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    model.load_state_dict(tensors, strict=False)
    with torch.inference_mode():
        given = torch.from_numpy(picture).permute(2, 0, 1)[None]
        return torch.cat(model(given)).numpy(), model


def test_logits_are_those_that_pytorch_once_gave():
    found = _logits(_arrays(SMALL), SMALL, _picture(65))
    assert found.shape == (2, 90)
    np.testing.assert_allclose(found[:, ::30], GOLDEN, rtol=1e-4, atol=1e-4)


def test_every_logit_equals_a_pytorch_renditions():
    torch = pytest.importorskip("torch")
    expected, _ = _torch_logits(torch, _arrays(SMALL), SMALL, _picture(65))
    found = _logits(_arrays(SMALL), SMALL, _picture(65))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_published_file_of_pytorch_gives_its_angles(prefix, tmp_path):
    torch = pytest.importorskip("torch")
    num_bins = 28 if prefix else 90
    sizes = l2cs.Sizes(num_bins=num_bins)
    face = np.random.default_rng(2).uniform(0, 255, (224, 224, 3)).astype(np.float32)
    view = face_views.normalised(face_views.resized(face, l2cs.IMAGE_SIZE))
    arrays = _arrays(sizes)
    for head in l2cs.HEADS:
        arrays[f"{head}.weight"] /= 1000
    expected, model = _torch_logits(torch, arrays, sizes, view)
    state = {prefix + name: value for name, value in model.state_dict().items()}
    torch.save(state, tmp_path / "l2cs.pkl")
    told = l2cs.load(tmp_path / "l2cs.pkl").look(face)
    shares = torch.softmax(torch.from_numpy(expected), 1).numpy()
    assert shares.max() < 0.5  # Many bins count.
    first, step = (-42, 3) if prefix else (-180, 4)
    degrees = (shares * np.arange(num_bins)).sum(axis=1) * step + first
    np.testing.assert_allclose(told, -np.deg2rad(degrees), atol=1e-4)
    torch.save({"conv1": print}, tmp_path / "code.pkl")
    with pytest.raises(errors.UserError, match=r"code\.pkl.*cannot be read"):
        l2cs.load(tmp_path / "code.pkl")


def test_angles_are_decoded_at_the_bins_left_edges():
    for num_bins, known in (
        (90, {45: 0, 46: 4, 30: -60}),
        (28, {14: 0, 15: 3, 4: -30}),
    ):
        for place, degrees in known.items():
            logits = np.where(np.arange(num_bins) == place, 60.0, 0.0)
            assert l2cs.to_degrees(logits) == pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize("yaw, pitch", [(0, 0), (30, 0), (0, 20), (-25, -15)])
def test_our_angles_point_where_the_published_ones_do(yaw, pitch):
    a, b = np.deg2rad([yaw, pitch])
    published = [-np.cos(b) * np.sin(a), -np.sin(b), -np.cos(b) * np.cos(a)]
    # Ours: x to the image's right, y down, z away from the viewer.
    right, down = l2cs.to_gaze(np.array([yaw, pitch]))
    ours = [np.sin(right) * np.cos(down), np.sin(down), -np.cos(right) * np.cos(down)]
    np.testing.assert_allclose(ours, published, atol=1e-6)
    if yaw > 0:
        assert right < 0  # Looks to the image's left.
    if pitch > 0:
        assert down < 0  # Looks up.


def _paired(arrays):
    """Make a network that tells a mirrored picture's angles mirrored, in yaw alone.

    Every channel has one that is its mirror image, counted from the other end, and so
    have the bins of yaw.
    """
    made = {}
    for name, array in arrays.items():
        turned = array[::-1]
        if array.ndim == 4:
            turned = turned[..., ::-1]
            turned = turned if name == "conv1.weight" else turned[:, ::-1]
        if name.startswith("fc_"):
            turned = array[:, ::-1] if array.ndim == 2 else array
            if "yaw" in name:
                # Bin 45 is straight ahead, so that bin 0 has no partner.
                turned = np.roll(turned[::-1], 1, axis=0)
        made[name] = np.ascontiguousarray((array + turned) / 2)
    made["fc_yaw_gaze.bias"][0] = -500.0
    return made


def test_a_mirrored_face_looks_the_mirrored_way(monkeypatch):
    # On sides of 2^n + 1 pixels the steps of all layers lie alike from both ends.
    monkeypatch.setattr(l2cs, "IMAGE_SIZE", 129)
    network = _network(_paired(_arrays(SMALL)), SMALL)
    down, right = np.mgrid[:129, :129]
    stripes = 127 + 127 * np.sin((down + right) / 2)
    face = np.float32(np.stack([stripes] * 3, axis=-1))
    yaw, pitch = network.look(face)
    mirrored_yaw, mirrored_pitch = network.look(face[:, ::-1])
    assert abs(yaw) > 0.005
    assert mirrored_yaw == pytest.approx(-yaw, abs=1e-5)
    assert mirrored_pitch == pytest.approx(pitch, abs=1e-5)


def test_files_of_other_networks_are_refused_by_name(tmp_path):
    arrays = _arrays(l2cs.Sizes(width=4))
    path = tmp_path / "l2cs.safetensors"
    for changes, words in (
        ({"layer3.6.conv1.weight": np.zeros((4, 16, 1, 1))}, "does not have.*layer3.6"),
        ({"fc_yaw_gaze.bias": np.zeros(66)}, "by 66 bins, and not by 90 or 28"),
        ({}, "'conv1.weight' of shape"),
    ):
        given = {name: np.float32(a) for name, a in (arrays | changes).items()}
        safetensors.numpy.save_file(given, path)
        with pytest.raises(errors.UserError, match=words):
            l2cs.load(path)
    with pytest.raises(errors.UserError, match=r"no file.*L2CSNet_gaze360\.pkl"):
        l2cs.load(tmp_path / "nothing.pkl")


def test_the_published_network_tells_a_mirrored_portrait_mirrored():
    folder = pathlib.Path(os.environ.get("VASA_FROZEN_WEIGHTS", ""), "l2cs")
    path = folder / "L2CSNet_gaze360.pkl"
    if not path.is_file():
        pytest.skip("VASA_FROZEN_WEIGHTS holds no l2cs/L2CSNet_gaze360.pkl")
    network = l2cs.load(path)
    portrait = media.read_image(pathlib.Path("examples", "portrait.png"))
    told = []
    for picture in (portrait, np.ascontiguousarray(portrait[:, ::-1])):
        found = locate.locate_face(picture).landmarks
        told.append(network.look(face_views.cut(picture, found, l2cs.SHRUNK_SIZE)))
    np.testing.assert_allclose(told[1], told[0] * [-1, 1], atol=np.deg2rad(4))

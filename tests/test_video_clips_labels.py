"""What clips are told to show, and what training makes of what is not known."""

import dataclasses
import functools
import pathlib

import motion_windows
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.building import engines
from datasets.synthetic_heads import names
from datasets.video_clips import builder, labels, tracking
from datasets.video_clips import settings as settings_lib
from vasa_jax import errors, media
from vasa_jax.encode import clip_conditions
from vasa_jax.motion import normalization, windows
from vasa_jax.motion import training as motion_training
from vasa_jax.portrait import crop, locate, pose

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = settings_lib.Settings(size=128, seconds=2.0)


def test_what_frames_do_not_tell_is_left_out_of_a_clips_gaze():
    gazes = np.array([[0.1, 0.0]] * 5 + [[np.nan, np.nan]] * 9)
    np.testing.assert_allclose(clip_conditions.main_direction(gazes), [0.1, 0])
    assert np.isnan(clip_conditions.main_direction(gazes[5:])).all()


def test_a_blurred_clip_is_less_sharp_in_any_light():
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 1))
    sharp = np.broadcast_to(noise, (3, 64, 64, 3)).astype(np.uint8)
    blurred = (sharp[:, 1:] // 2 + sharp[:, :-1] // 2)[:, :, :-1]
    dim = sharp // 3 + 40
    told = [labels.sharpness(one) for one in (sharp, blurred, dim)]
    assert told[1] < 0.9 * told[0]
    assert told[2] == pytest.approx(told[0], rel=0.02)


def test_an_unknown_gaze_is_no_number_and_leaves_statistics_alone():
    assert np.isnan(clip_conditions.gaze({})).all()
    rows = [
        {
            "motion": np.full((2, 7), number, np.float32),
            "audio_features": np.ones((2, 3), np.float32),
            "gaze": np.full(2, gaze, np.float32),
            "head_distance": np.ones(1, np.float32),
        }
        for number, gaze in enumerate((0.1, np.nan, 0.3))
    ]
    measured = normalization.measure(rows, 2)
    np.testing.assert_allclose(measured.gaze.mean, [0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(measured.gaze.deviation, [0.1, 0.1], rtol=1e-5)
    alone = normalization.measure(rows[1:2], 2)
    np.testing.assert_array_equal(alone.gaze.mean, [0, 0])
    np.testing.assert_array_equal(alone.gaze.deviation, [1, 1])


def test_windows_of_unknown_gaze_drop_that_condition():
    generator = np.random.default_rng(0)
    clips = [motion_windows.record(generator) for _ in range(2)]
    clips[0]["gaze"] = clip_conditions.gaze({})
    cut = functools.partial(windows.cut, window_frames=4, previous_frames=2)
    batch = motion_windows.batch(cut, clips)
    statistics = motion_windows.some_statistics()
    made = motion_training.make_conditions(batch, statistics)
    assert made.gaze_dropped.tolist() == [True, False]
    np.testing.assert_allclose(
        statistics.gaze.denormalise(made.gaze), [[0, 0], clips[1]["gaze"]], atol=1e-6
    )


def test_the_voice_of_a_clip_ends_in_silence_where_the_sound_does():
    told = labels.heard(np.array([True, True, False, True]), 5)
    assert told["is_voiced"].tolist() == [True, True, False, True, False]
    assert told["voiced_share"] == pytest.approx(0.6)
    assert labels.heard(np.ones(9, bool), 3)["is_voiced"].tolist() == [True] * 3
    assert told["language"] == "unknown"


def test_a_part_is_looked_at_where_its_key_points_are():
    image = media.read_image(ROOT / "examples" / "portrait.png")
    points = locate.locate_face(image).landmarks.points
    fit = pose.fit_head(points)
    box = crop.CropBox.of_whole(*image.shape[:2])
    placed = tracking.place_keypoints(points, fit.centre) / box.half_size - 1
    scale = pose.head_pose_in_crop(fit, box).scale
    x, y = (1 + placed[names.KEYPOINT_NAMES.index("mouth")]) * box.half_size
    masked, side = image.copy(), round(0.4 * fit.unit)
    masked[round(y) - side :, round(x) - side :][: 2 * side, : 2 * side] = [20, 90, 160]

    def told(shown):
        count = len(shown)
        keypoints = np.stack([placed] * count)
        return labels.covered(np.stack(shown), keypoints, np.repeat(scale, count))

    assert told([image]).max() < 0.5
    mouth, eyes = told([masked])
    assert mouth >= 0.5 and eyes < 0.5
    # Every tenth frame is looked at, and of these the median counts.
    often = [image] * 10 + [masked] * 11
    np.testing.assert_array_equal(told(often), told([masked]))


def test_short_clips_do_not_tell_whether_voices_belong_to_them():
    dataclasses.replace(SETTINGS, min_lip_match=0.07)
    with pytest.raises(errors.UserError, match=r"seconds is 1.5; choose 2.0 or more"):
        dataclasses.replace(SETTINGS, seconds=1.5, min_lip_match=0.07)


def test_a_missing_network_is_refused_before_any_video_is_read(tmp_path):
    for field in ("l2cs_weights", "hsemotion_weights"):
        settings = dataclasses.replace(SETTINGS, **{field: str(tmp_path / "no.onnx")})
        with pytest.raises(errors.UserError, match=r"no\.onnx"):
            builder.build(tmp_path, tmp_path / "set", settings, engines.Pool(1))
    assert not (tmp_path / "set").exists()

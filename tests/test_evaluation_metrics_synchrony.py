"""Scores of lips and sound by the own network: offsets, ends, rows of the report."""

import json
import os
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from experiments.running import scorer_training
from vasa_jax import config, errors, export, media, types
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition, lip_synchrony, registry
from vasa_jax.evaluation.networks import contrastive, lip_sync


def _unit(count=45, width=8, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_distances_are_those_of_every_pair_and_nothing_stands_beyond_the_ends():
    lips, sound = _unit(6, seed=1), _unit(6, seed=2)
    found = lip_synchrony.offset_distances(lips, sound, max_offset=3)
    for i in range(6):
        for j in range(-3, 4):
            if not 0 <= i + j < 6:
                assert np.isnan(found[i, j + 3])
                continue
            expected = np.sqrt(2 - 2 * lips[i] @ sound[i + j])
            np.testing.assert_allclose(found[i, j + 3], expected, rtol=1e-4)


@pytest.mark.parametrize("late", [-4, 0, 3])
def test_the_offset_tells_by_how_many_frames_the_sound_comes_early(late):
    lips = _unit()
    table = lip_synchrony.offset_distances(lips, np.roll(lips, late, axis=0))
    found = lip_synchrony.score_offsets(table)
    assert found.offset_frames == -late
    assert found.distances.shape == (31,)
    assert found.confidence == pytest.approx(
        np.median(found.distances) - found.distance
    )


def test_sound_that_belongs_to_the_lips_scores_higher_than_sound_that_does_not():
    lips = _unit()
    near = lip_synchrony.score_offsets(lip_synchrony.offset_distances(lips, lips))
    far = lip_synchrony.score_offsets(
        lip_synchrony.offset_distances(lips, _unit(seed=5))
    )
    assert near.confidence > far.confidence + 0.5
    assert near.distance < far.distance - 0.5


def test_right_sound_is_always_told_and_shifted_sound_never():
    lips = _unit(60)
    right = lip_synchrony.offset_distances(lips, lips)
    shifted = lip_synchrony.offset_distances(lips, np.roll(lips, 5, axis=0))
    for count in (1, 10):
        assert lip_synchrony.share_found(right, count) == 1.0
        assert lip_synchrony.share_found(shifted, count) == 0.0
    # One frame is no clear mistake, three are.
    by_one = lip_synchrony.offset_distances(lips, np.roll(lips, 1, axis=0))
    assert lip_synchrony.share_found(by_one) < 0.3
    assert np.isnan(lip_synchrony.share_found(right, 31))
    assert np.isnan(lip_synchrony.share_found(right, 61))


def test_windows_in_a_row_are_not_joined_across_one_that_is_not_seen():
    lips, is_seen = _unit(60), np.arange(60) != 30
    table = lip_synchrony.offset_distances(lips, lips, is_seen=is_seen)
    assert np.isnan(table[30]).all() and np.isfinite(table[29]).all()
    # All offsets are known from 15 to 44.
    assert lip_synchrony.share_found(table, 15) == 1.0
    assert np.isnan(lip_synchrony.share_found(table, 16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return an export that hears by the mel encoder, whose channels are few."""
    sizes = lip_sync.LipSyncConfig(
        audio_encoder="mel",
        num_audio_channels=encoders.make("mel").num_channels,
        image_size=48,
        lip_channels=(4, 4, 4, 4),
        sound_channels=4,
        hidden=8,
        width=8,
    )
    task = scorer_training.LipSyncTask(sizes)
    params = jax.jit(task.init)(jax.random.key(0))
    place = tmp_path_factory.mktemp("sync") / "export"
    export.save_export(place, params, {"sync": config.to_json(sizes)}, {}, "Sync.")
    return place


def _face(present):
    curve = np.zeros(len(present))
    return video_clip.FaceCurves(
        head_pose=np.tile([0, 0, 0, 0, 0, 1.0], (len(present), 1)),
        mouth_aperture=curve,
        eye_aperture=curve,
        gaze=np.zeros((len(present), 2)),
        present=present,
    )


class _KnownClip(video_clip.Clip):
    """A clip whose frames, sound and face are known."""

    digest = "known"

    def __init__(self, num_frames, num_sound_frames, cache_dir=None):
        super().__init__("talk.mp4", cache_dir)
        generator = np.random.default_rng(0)
        self._images = generator.integers(0, 256, (num_frames, 64, 64, 3), np.uint8)
        self.waveform = 0.1 * generator.normal(
            size=num_sound_frames * types.SAMPLES_PER_FRAME
        ).astype(np.float32)
        self.face = _face(np.ones(num_frames, bool))
        self.facts = video_clip.Facts(
            num_frames=num_frames,
            height=64,
            width=64,
            frame_rate_hz=25.0,
            num_sound_frames=num_sound_frames,
        )

    def frames(self):
        return iter(self._images)


def test_the_rows_of_a_report_have_value_floor_and_ceiling(folder):
    metric = lip_synchrony.OwnSyncScore(weights=str(folder))
    metric.prepare()
    clip = _KnownClip(40, 40)
    scores = metric.measure(clip, clip).scores
    assert scores.keys() == metric.rows.keys()
    for key in ("own_sync/confidence", "own_sync/distance"):
        assert scores[key].value == pytest.approx(scores[key].ceiling)
        assert np.isfinite(scores[key].floor)
    assert 0 < scores["own_sync/distance"].value < 2
    assert np.isnan(metric.measure(clip, None).scores["own_sync/distance"].ceiling)
    left_out = metric.measure(_KnownClip(40, 9), None).left_out
    assert "its sound lasts 9 frames, and 35 are needed" in left_out


def test_windows_without_a_face_do_not_count(folder):
    metric = lip_synchrony.OwnSyncScore(weights=str(folder))
    lips = _unit()
    sound = lips.copy()
    present = np.ones(49, bool)
    present[[20, 30]] = False
    unseen = np.r_[16:21, 26:31]
    # What the network makes of frames without a face is anything.
    lips[unseen] = _unit(10, seed=3)
    found = metric.score_seen(_face(present), lips, sound)
    table = np.delete(lip_synchrony.offset_distances(lips, sound), unseen, axis=0)
    np.testing.assert_allclose(found.distances, np.nanmean(table, axis=0), rtol=1e-6)
    assert found.distance < 1e-4
    # A face in the first half only: sound that is earlier lies before the clip.
    present = np.arange(49) < 15
    assert metric.score_seen(_face(present), lips, sound) is None
    assert metric.score_seen(_face(present & False), lips, sound) is None


def test_a_clip_whose_face_is_away_is_left_out_and_so_is_such_a_ceiling(folder):
    metric = lip_synchrony.OwnSyncScore(weights=str(folder))
    clip, away = _KnownClip(40, 40), _KnownClip(40, 40)
    away.face = _face(np.arange(40) % 5 > 0)
    assert "windows of 5 frames show a face" in metric.measure(away, clip).left_out
    scores = metric.measure(clip, away).scores
    assert np.isfinite(scores["own_sync/confidence"].value)
    assert np.isnan(scores["own_sync/confidence"].ceiling)


def test_a_reference_is_embedded_once_for_all_samples(folder, tmp_path):
    metric = lip_synchrony.OwnSyncScore(weights=str(folder))
    clip, reference = _KnownClip(40, 40), _KnownClip(40, 40, tmp_path)
    first = metric.measure(clip, reference).scores
    reference._images = None  # whoever reads the frames again fails
    second = metric.measure(clip, reference).scores["own_sync/distance"]
    assert second == first["own_sync/distance"]
    assert np.isfinite(second.ceiling)


def test_the_report_calls_both_own():
    known = {m.name: m for m in registry.make(registry.Settings())}["own_sync"].rows
    assert known["own_sync/confidence"].title == "S_C (own)"
    assert known["own_sync/confidence"].aim == definition.HIGHER
    assert known["own_sync/distance"].title == "S_D (own)"
    assert known["own_sync/distance"].aim == definition.LOWER


def test_a_clip_shorter_than_a_window_is_refused(folder):
    scorer = contrastive.read(lip_sync.KIND, folder)
    with pytest.raises(errors.UserError, match="at least 5 frames"):
        scorer.embed_all(np.zeros((4, 56, 56), np.uint8), np.zeros((9, 3)))


def test_an_export_of_another_network_is_refused_by_name(tmp_path):
    place = tmp_path / "other"
    export.save_export(place, {"x": {"y": np.zeros(2)}}, {}, {}, "Other.")
    with pytest.raises(errors.UserError, match="holds no lip-sync network"):
        contrastive.read(lip_sync.KIND, place)


@pytest.mark.slow
def test_the_table_has_a_column_a_set_and_leaves_out_videos_without_a_face(
    folder, tmp_path, rendered_photo
):
    videos = tmp_path / "videos"
    videos.mkdir()
    generator = np.random.default_rng(0)
    sound = 0.1 * generator.normal(size=40 * types.SAMPLES_PER_FRAME)
    noise = generator.integers(0, 256, rendered_photo.shape, np.uint8)
    for name, picture in (("face", rendered_photo), ("noise", noise)):
        path = videos / f"{name}.mp4"
        with media.VideoWriter(
            path, *picture.shape[:2], waveform=sound.astype(np.float32)
        ) as out:
            out.write(np.broadcast_to(picture, (40, *picture.shape)))

    num_channels = encoders.make("mel").num_channels
    sets = [tmp_path / "one", tmp_path / "two"]
    for count, place in enumerate(sets, start=1):
        (place / "validation").mkdir(parents=True)
        for number in range(count):
            records.write_npz_record(
                place / "validation" / f"{number}.npz",
                {
                    "clip_id": f"{number}",
                    "lips": generator.integers(0, 256, (40, 56, 56), np.uint8),
                    "audio_features": generator.normal(size=(40, num_channels)),
                    "split": "validation",
                },
            )

    def run(place):
        program = [sys.executable, "-m", "experiments.sync_tables"]
        folders = ",".join(map(str, sets))
        return subprocess.run(
            [
                *program,
                f"--sync={folder}",
                f"--data_dir={folders}",
                f"--videos={place}",
                f"--output={tmp_path}",
            ],
            cwd=pathlib.Path(__file__).parent.parent,
            env={**os.environ, "JAX_PLATFORMS": "cpu"},
            capture_output=True,
            text=True,
        )

    done = run(videos)
    assert done.returncode == 0, done.stderr
    columns = json.loads((tmp_path / "sync_tables.json").read_text())
    one, two, found = columns.values()
    assert list(columns) == [*(f"lips of {place}" for place in sets), "videos"]
    assert (one["num_clips"], two["num_clips"]) == (1, 2)
    assert 0 < one["nearer_than_away"] < 1 and 0 < two["nearer_than_other"] < 1
    # One clip has no other's voice beside it.
    assert one["nearer_than_other"] is None
    assert "than the voice of the clip before | - | 0." in done.stdout
    assert (found["num_clips"], found["num_left_out"]) == (1, 1)
    assert np.isfinite(found["confidence"])
    assert "without a face | 0 | 0 | 1 |" in done.stdout
    assert len(found["curve"]) == 31
    assert f"| videos | {found['curve'][0]:.3f} |" in done.stdout
    assert "unless it learnt on filmed people too, they favour" in done.stdout
    done = run(videos / "noise.mp4")
    assert done.returncode == 2
    assert "None of the 1 clips can be measured" in done.stderr

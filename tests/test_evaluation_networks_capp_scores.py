"""CAPP scores of clips: windows, shifts, tables, and the row of the report."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from vasa_jax import config, errors, export, types
from vasa_jax.audio import encoders
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition, registry, synchrony
from vasa_jax.evaluation.networks import capp, capp_training, contrastive

SIZES = capp.tiny()


def _rows(kernel_like):
    generator = np.random.default_rng(3)
    return jax.tree.map(
        lambda leaf: generator.normal(scale=0.3, size=leaf.shape).astype(np.float32),
        kernel_like,
    )


@pytest.fixture(scope="module")
def scorer():
    shapes = jax.eval_shape(capp_training.CappTask(SIZES).init, jax.random.key(0))
    return contrastive.Scorer(kind=capp.KIND, sizes=SIZES, params=_rows(shapes["capp"]))


def _clip(num_frames, seed=0):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(num_frames, SIZES.num_audio_channels))
    return features, 0.03 * generator.normal(size=(num_frames, 3))


def test_a_shifted_score_is_the_score_of_shifted_arrays(scorer):
    features, rotation = _clip(40)
    for frames in (-7, 5):
        heard = features[max(0, frames) : 40 + min(0, frames)]
        seen = rotation[max(0, -frames) : 40 - max(0, frames)]
        assert capp.score(scorer, features, rotation, frames) == pytest.approx(
            capp.score(scorer, heard, seen), abs=1e-6
        )


def test_the_score_is_the_mean_over_windows_half_a_second_apart(scorer):
    features, rotation = _clip(12 + 2 * capp.STEP_FRAMES)
    parts = [
        capp.score(scorer, features[first : first + 12], rotation[first : first + 12])
        for first in (0, 12, 24)
    ]
    assert capp.score(scorer, features, rotation) == pytest.approx(
        np.mean(parts), abs=1e-6
    )


def test_windows_in_which_the_head_is_away_do_not_count(scorer):
    features, rotation = _clip(36)
    away = rotation.copy()
    away[15] = np.nan
    parts = [
        capp.score(scorer, features[first : first + 12], rotation[first : first + 12])
        for first in (0, 24)
    ]
    assert capp.score(scorer, features, away) == pytest.approx(np.mean(parts), abs=1e-6)
    assert capp.has_window(features, away, 12)
    away[[3, 30]] = np.nan
    assert np.isnan(capp.score(scorer, features, away))
    assert not capp.has_window(features, away, 12)
    tables = capp.sanity_tables(
        scorer, [(features, rotation), (features, away)], (0,), (2.0,)
    )
    assert tables.num_clips == 1
    assert tables.shifts[0] == pytest.approx(
        capp.score(scorer, features, rotation), abs=1e-6
    )


def test_a_clip_shorter_than_a_window_and_its_shift_is_refused(scorer):
    features, rotation = _clip(14)
    with pytest.raises(errors.UserError, match="at least 12 frames, and 3 more"):
        capp.score(scorer, features, rotation, 3)


def test_tables_average_both_sides_and_leave_out_short_clips(scorer):
    long, short = _clip(30, 1), _clip(14, 2)
    tables = capp.sanity_tables(scorer, [long, short], (0, 2, 8), (0.5, 1.0))
    assert tables.num_clips == 2
    assert tables.num_clips_of_shift == {0: 2, 2: 2, 8: 1}
    sides = [capp.score(scorer, *long, shift) for shift in (8, -8)]
    assert tables.shifts[8] == pytest.approx(np.mean(sides), abs=1e-6)
    assert tables.scales[1.0] == pytest.approx(tables.shifts[0], abs=1e-5)
    halved = 0.5 * (long[1] - long[1].mean(0))
    one = capp.sanity_tables(scorer, [long], (0,), (0.5,))
    # Windows are centred again, so that scaling about any mean is the same.
    assert one.scales[0.5] == pytest.approx(
        capp.score(scorer, long[0], halved), abs=1e-4
    )
    with pytest.raises(errors.UserError, match="No clip has the 12 frames"):
        capp.sanity_tables(scorer, [_clip(5)])


class _StillClip(video_clip.Clip):
    """A clip whose sound and face are known."""

    def __init__(self, waveform, face, num_frames):
        super().__init__("talk.mp4")
        self.waveform, self.face = waveform, face
        self.facts = video_clip.Facts(
            num_frames=num_frames,
            height=64,
            width=64,
            frame_rate_hz=25.0,
            num_sound_frames=len(waveform) // types.SAMPLES_PER_FRAME,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return an export that hears by the mel encoder, whose channels are few."""
    channels = encoders.make("mel").num_channels
    sizes = capp.CappConfig(
        audio_encoder="mel",
        num_audio_channels=channels,
        window_frames=12,
        width=16,
        num_heads=2,
        num_audio_layers=1,
        num_pose_layers=1,
        code_channels=2,
    )
    shapes = jax.eval_shape(capp_training.CappTask(sizes).init, jax.random.key(0))
    place = tmp_path_factory.mktemp("capp") / "export"
    params = {"capp": _rows(shapes["capp"])}
    export.save_export(place, params, {"capp": config.to_json(sizes)}, {}, "CAPP.")
    return place


def test_the_row_of_a_report_has_value_floor_and_ceiling(folder):
    generator = np.random.default_rng(0)
    rotation = 0.05 * generator.normal(size=(30, 3))
    face = video_clip.FaceCurves(
        head_pose=np.concatenate([rotation, np.ones((30, 3))], axis=1),
        mouth_opening=np.zeros(30),
        eye_opening=np.zeros(30),
        gaze=np.zeros((30, 2)),
        present=np.ones(30, bool),
    )
    waveform = generator.normal(size=30 * types.SAMPLES_PER_FRAME).astype(np.float32)
    clip = _StillClip(0.1 * waveform, face, 30)
    metric = synchrony.CappScore(weights=str(folder))
    metric.prepare()
    score = metric.measure(clip, clip).scores["capp"]
    assert score.value == pytest.approx(score.ceiling)
    assert -1 <= score.floor <= 1 and score.floor != score.value
    assert np.isnan(metric.measure(clip, None).scores["capp"].ceiling)
    summary = metric.finish(definition.State({"talk": metric.measure(clip, None)}))[
        "capp"
    ]
    assert summary.mean == pytest.approx(score.value)
    short = _StillClip(waveform[: 5 * types.SAMPLES_PER_FRAME], face, 30)
    assert "its sound lasts 5 frames" in metric.measure(short, None).left_out
    json.dumps(metric.settings())
    hardly_short = _StillClip(clip.waveform[:-100], face, 30)
    near = metric.measure(hardly_short, None).scores["capp"].value
    assert near == pytest.approx(score.value, abs=0.1)
    # A gap of six frames in every window; five would be passed.
    gone = np.arange(30) % 12 >= 6
    lost = _StillClip(clip.waveform, dataclasses.replace(face, present=~gone), 30)
    assert "shows a face all along" in metric.measure(lost, None).left_out
    gone[:] = np.arange(30) % 12 >= 7
    seen = _StillClip(clip.waveform, dataclasses.replace(face, present=~gone), 30)
    assert np.isfinite(metric.measure(seen, None).scores["capp"].value)


def test_the_report_calls_it_own_and_asks_for_a_face_and_sound():
    known = {m.name: m for m in registry.make(registry.Settings())}
    assert known["capp"].rows["capp"].title == "CAPP (own)"
    assert known["capp"].rows["capp"].aim == definition.HIGHER
    needs = synchrony.CappScore(weights="folder").needs
    assert needs.face and needs.sound and needs.num_frames == 75
    assert needs.unmet() is None


def test_an_export_of_another_network_is_refused_by_name(tmp_path):
    place = tmp_path / "other"
    export.save_export(place, {"x": {"y": np.zeros(2)}}, {}, {}, "Other.")
    with pytest.raises(errors.UserError, match="holds no CAPP network"):
        contrastive.read(capp.KIND, place)

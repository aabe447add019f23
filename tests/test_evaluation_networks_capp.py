"""CAPP: the network, its training, its scores and its answers to shifts and factors."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.running import scorer_training
from vasa_jax import config, errors, export, types
from vasa_jax.audio import encoders
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition, registry, synchrony
from vasa_jax.evaluation.networks import capp, contrastive
from vasa_jax.train import task as task_lib

SIZES = capp.tiny()


def _world(num_clips, num_frames=40, seed=0):
    """Return clips whose heads turn as a hidden curve that the sound also shows."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(3, SIZES.num_audio_channels))
    clips = []
    for _ in range(num_clips):
        noise = generator.normal(size=(num_frames + 4, 3))
        hidden = (noise[:-4] + noise[2:-2] + noise[4:]) / 3
        motion = np.concatenate([0.03 * hidden, np.ones((num_frames, 5))], axis=1)
        clips.append({"motion": motion, "audio_features": hidden @ mixing})
    return clips


def _batch(clips, seed, num_windows=4):
    generator = np.random.default_rng(seed)
    cuts = [
        scorer_training.cut_turns(
            clip,
            generator,
            window_frames=SIZES.window_frames,
            num_windows=num_windows,
            shifts=(1, 8),
        )
        for clip in clips
    ]
    rows = {name: np.stack([c[name] for c in cuts]) for name in cuts[0]}
    rows[task_lib.EXAMPLE_KEY_FIELD] = jax.random.split(
        jax.random.key(seed), len(clips)
    )
    return rows


@pytest.fixture(scope="module")
def trained():
    """Train in the toy world; return task, parameters and the losses on the way."""
    task = scorer_training.CappTask(SIZES)
    params = jax.jit(task.init)(jax.random.key(0))
    chain = optax.adam(5e-3)

    @jax.jit
    def step(params, state, batch):
        (value, metrics), gradient = jax.value_and_grad(task.loss, has_aux=True)(
            params, batch, jax.random.key(0), 0
        )
        updates, state = chain.update(gradient, state)
        return optax.apply_updates(params, updates), state, value, gradient

    state, losses = jax.jit(chain.init)(params), []
    clips = _world(24)
    for number in range(120):
        batch = _batch([clips[(number * 6 + i) % 24] for i in range(6)], number)
        params, state, value, gradient = step(params, state, batch)
        losses.append(float(value))
    return task, params, losses, gradient


def test_where_a_head_faces_on_the_whole_makes_no_difference(trained):
    task, params, _, _ = trained
    network = capp.Capp(task.sizes)
    rotation = _batch(_world(1), 0)["rotation"][0]
    embed = jax.jit(
        lambda r: network.apply({"params": params["capp"]}, r, method="embed_pose")
    )
    there = embed(rotation + np.array([0.4, -0.1, 0.2], np.float32))
    np.testing.assert_allclose(embed(rotation), there, atol=2e-4)


def test_training_lowers_the_loss_and_reaches_every_parameter(trained):
    _, _, losses, gradient = trained
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        if "key" in str(path[-1]) and leaf.ndim == 1:
            continue
        assert np.abs(np.asarray(leaf)).max() > 0, path


def test_held_out_voices_fit_their_own_movement_best(trained):
    task, params, _, _ = trained
    found = jax.jit(task.evaluate)(params, _batch(_world(8, seed=5), 7), None)
    cosine, shifted, other = (
        float(found[name].compute())
        for name in ("cosine", "cosine_shifted", "cosine_other")
    )
    assert cosine > shifted + 0.1
    assert cosine > other + 0.1
    assert abs(other) < 0.3


def test_embeddings_have_length_one(trained):
    task, params, _, _ = trained
    batch = _batch(_world(2), 1)
    voice, movement, _ = jax.jit(capp.Capp(task.sizes).apply)(
        {"params": params["capp"]}, batch["audio"][0], batch["rotation"][0]
    )
    for rows in (voice, movement):
        np.testing.assert_allclose(jnp.linalg.norm(rows, axis=-1), 1.0, atol=1e-4)


def test_the_network_that_ships_stays_below_half_a_million_parameters():
    task = scorer_training.CappTask(capp.demo())
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) <= 500_000


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(errors.UserError, match="width 48 is not a multiple"):
        capp.CappConfig(num_heads=5)


def _rows(kernel_like):
    generator = np.random.default_rng(3)
    return jax.tree.map(
        lambda leaf: generator.normal(scale=0.3, size=leaf.shape).astype(np.float32),
        kernel_like,
    )


@pytest.fixture(scope="module")
def scorer():
    shapes = jax.eval_shape(scorer_training.CappTask(SIZES).init, jax.random.key(0))
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
    shapes = jax.eval_shape(scorer_training.CappTask(sizes).init, jax.random.key(0))
    place = tmp_path_factory.mktemp("capp") / "export"
    params = {"capp": _rows(shapes["capp"])}
    export.save_export(place, params, {"capp": config.to_json(sizes)}, {}, "CAPP.")
    return place


def test_the_row_of_a_report_has_value_floor_and_ceiling(folder):
    generator = np.random.default_rng(0)
    rotation = 0.05 * generator.normal(size=(30, 3))
    face = video_clip.FaceCurves(
        head_pose=np.concatenate([rotation, np.ones((30, 3))], axis=1),
        mouth_aperture=np.zeros(30),
        eye_aperture=np.zeros(30),
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

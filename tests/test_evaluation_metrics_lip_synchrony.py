"""S_C and S_D by offsets of the sound, with the published zeros and without."""

import jax
import numpy as np
import pytest

from vasa_jax import errors
from vasa_jax.audio import cepstra as cepstra_lib
from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition, lip_synchrony
from vasa_jax.evaluation.networks import syncnet

SMALL = syncnet.SyncNet(
    sound_channels=(1, 1, 1, 1, 1, 2),
    lip_channels=(1, 1, 1, 1, 1, 2),
    hidden=2,
    width=3,
)

METRIC = lip_synchrony.SyncNetScore()


@pytest.fixture(scope="module")
def params():
    inputs = syncnet.example_inputs()
    shapes = jax.eval_shape(SMALL.init, jax.random.key(0), *inputs)["params"]
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: generator.uniform(0.1, 1, leaf.shape).astype(np.float32), shapes
    )


def _embeddings(count=40, width=8, seed=0):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def published_distances(lips, sound, max_offset=lip_synchrony.MAX_OFFSET_FRAMES):
    return lip_synchrony.offset_distances(
        lips, sound, max_offset, beyond=0.0, added=syncnet.DISTANCE_EPSILON
    )


def test_distances_are_those_of_every_pair_and_zeros_beyond_the_ends():
    lips, sound = _embeddings(6, seed=1), _embeddings(6, seed=2)
    found = published_distances(lips, sound, max_offset=3)
    assert found.shape == (6, 7)
    for i in range(6):
        for j in range(-3, 4):
            other = sound[i + j] if 0 <= i + j < 6 else np.zeros(8)
            expected = np.sqrt(((lips[i] - other + 1e-6) ** 2).sum())
            np.testing.assert_allclose(found[i, j + 3], expected, rtol=1e-5)


@pytest.mark.parametrize("late", [-4, 0, 3])
def test_the_offset_tells_by_how_many_frames_the_sound_comes_early(late):
    lips = _embeddings()
    found = lip_synchrony.score_offsets(
        published_distances(lips, np.roll(lips, late, axis=0))
    )
    assert found.offset_frames == -late
    assert found.distances.shape == (31,)
    assert found.distance == found.distances.min()
    assert found.distance < 1.5
    median = sorted(found.distances)[15]
    np.testing.assert_allclose(found.confidence, median - found.distance, rtol=1e-6)


def test_confidence_is_higher_where_sound_belongs_to_the_lips():
    lips = _embeddings()
    true = lip_synchrony.score_offsets(published_distances(lips, lips))
    other = lip_synchrony.score_offsets(published_distances(lips, _embeddings(seed=5)))
    assert true.confidence > other.confidence + 1
    assert true.distance < other.distance - 1


def test_embeddings_are_those_of_the_network_one_window_at_a_time(params):
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 256, (9, 224, 224, 3), np.uint8)
    waveform = generator.normal(0, 0.1, 8 * 640 + 100).astype(np.float32)
    lips, sound = syncnet.embed(params, frames, waveform, SMALL, batch_windows=2)
    assert lips.shape == sound.shape == (3, 3)
    cepstra = cepstra_lib.mfcc(np.round(waveform.astype(np.float64) * 32768))
    apply = jax.jit(SMALL.apply)
    for place in range(3):
        seen = frames[place : place + 5, ..., ::-1].astype(np.float32)
        heard = cepstra[4 * place : 4 * place + 20].T.astype(np.float32)
        one = apply({"params": params}, seen[None], heard[None])
        np.testing.assert_allclose(lips[place], one[0][0], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(sound[place], one[1][0], rtol=1e-4, atol=1e-4)


def test_clips_that_are_too_short_or_not_cut_out_are_refused(params):
    frames = np.zeros((6, 224, 224, 3), np.uint8)
    with pytest.raises(errors.UserError, match="at least 6 frames.*sound of 5"):
        syncnet.embed(params, frames, np.zeros(5 * 640), SMALL)
    with pytest.raises(errors.UserError, match="6 frames; this|this clip has 5"):
        syncnet.embed(params, frames[:5], np.zeros(6 * 640), SMALL)
    with pytest.raises(errors.UserError, match=r"\[T, 224, 224, 3\]"):
        syncnet.embed(params, frames[:, :100], np.zeros(6 * 640), SMALL)


def test_belonging_is_the_mean_of_nearest_and_usual_distance_less_the_own():
    table = np.full((1, 31), 0.9, np.float32)
    table[0, [2, 14, 17]] = 0.7, 0.5, 0.1  # 17 is two frames away: not told either way.
    usual = (23 * 0.9 + 0.7) / 24
    expected = (0.7 + usual) / 2 - 0.5
    assert lip_synchrony.belonging(table) == pytest.approx(expected, abs=1e-6)


def test_sound_that_is_late_or_anothers_belongs_less_than_the_own():
    lips = _embeddings(60)
    lips /= np.linalg.norm(lips, axis=1, keepdims=True)

    def told(sound):
        return lip_synchrony.belonging(lip_synchrony.offset_distances(lips, sound))

    own, beside = told(lips), told(np.roll(lips, 1, axis=0))
    assert own > 0.8 and beside > 0.8
    assert told(np.roll(lips, 7, axis=0)) < 0
    assert told(np.roll(lips, -7, axis=0)) < 0
    other = _embeddings(60, seed=5)
    assert told(other / np.linalg.norm(other, axis=1, keepdims=True)) < 0.2 * own


def face(num_frames):
    curve = np.zeros(num_frames)
    return video_clip.FaceCurves(
        head_pose=np.zeros((num_frames, 6)),
        mouth_aperture=curve,
        eye_aperture=curve,
        gaze=np.zeros((num_frames, 2)),
        present=np.ones(num_frames, bool),
    )


def embeddings(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)


@pytest.mark.parametrize(("count", "share"), [(30, 0.258), (50, 0.155), (200, 0.039)])
def test_the_share_of_zeros_falls_with_the_length(count, share):
    lips = embeddings(count)
    found = METRIC.score(face(count + 4), lips, lips)
    assert found["sync/zeros"] == pytest.approx(share, abs=5e-4)
    table = lip_synchrony.offset_distances(lips, lips, added=syncnet.DISTANCE_EPSILON)
    inside = np.nanmean(table, axis=0)
    assert found["sync/distance_inside"] == pytest.approx(inside.min(), abs=1e-6)
    # Zeros lie nearer than another's vectors, so the median is lower by them.
    assert found["sync/confidence"] < found["sync/confidence_inside"]


def test_every_table_tells_the_share_of_zeros_and_with_what_to_compare():
    clips = {
        str(count): definition.Measured(
            scores={
                key: definition.Score(value)
                for key, value in METRIC.score(
                    face(count + 4), embeddings(count), embeddings(count)
                ).items()
            }
        )
        for count in (100, 200)
    }
    found = METRIC.finish(definition.State(clips))
    assert found.keys() == METRIC.rows.keys()
    assert "3.9 to 7.7 % of them here" in found["sync/confidence"].about
    one = METRIC.finish(definition.State({"100": clips["100"]}))
    assert "7.7 % of them here" in one["sync/distance"].about
    assert METRIC.finish(definition.State({}))["sync/distance"].about == ""


class _Clip:
    """A clip whose lengths and embeddings are known."""

    def __init__(self, num_frames, seed=0):
        self.facts = video_clip.Facts(
            num_frames=num_frames,
            height=64,
            width=64,
            frame_rate_hz=25.0,
            num_sound_frames=num_frames,
        )
        self.face = face(num_frames)
        self.rows = embeddings(num_frames - 4, seed)

    def kept(self, kind, find, settings):
        return find()


class _Known(lip_synchrony.SyncNetScore):
    """The metric by embeddings that clips bring."""

    def embed(self, clip):
        return clip.rows, np.roll(clip.rows, 3, axis=0)


def test_a_clip_of_less_than_four_seconds_has_no_score():
    short = _Known().measure(_Clip(99), None)
    assert short.left_out.startswith("no score: it lasts 99 frames")
    assert not short.scores
    # The offset tells that the sound comes three frames late: early is positive.
    scores = _Known().measure(_Clip(100), None).scores
    assert scores["sync/offset"].value == -3
    assert "positive: the sound is early" in METRIC.rows["sync/offset"].title


def test_a_clip_and_its_original_are_scored_over_one_length():
    clip, reference = _Clip(120), _Clip(122)
    found = _Known().measure(clip, reference).scores
    for key in ("sync/confidence", "sync/distance", "sync/zeros"):
        assert found[key].ceiling == pytest.approx(found[key].value, abs=1e-6)
    again = _Known().measure(reference, clip).scores
    assert again["sync/zeros"].value == found["sync/zeros"].value
    assert np.isnan(_Known().measure(clip, _Clip(99)).scores["sync/zeros"].ceiling)

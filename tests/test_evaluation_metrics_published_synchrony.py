"""The published SyncNet's scores: zeros beyond the ends, short clips, lengths."""

import numpy as np
import pytest

from vasa_jax.evaluation.benchmark import video_clip
from vasa_jax.evaluation.metrics import definition, lip_synchrony
from vasa_jax.evaluation.networks import syncnet

METRIC = lip_synchrony.SyncNetScore()


def face(num_frames):
    curve = np.zeros(num_frames)
    return video_clip.FaceCurves(
        head_pose=np.zeros((num_frames, 6)),
        mouth_opening=curve,
        eye_opening=curve,
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

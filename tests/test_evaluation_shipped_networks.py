"""The networks of CAPP and S_C in the repository tell true sound from shifted."""

import numpy as np
import pytest

from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.records import plan, record
from datasets.synthetic_heads.rendering import renderer
from experiments.configs import capp as capp_config
from experiments.configs import sync
from vasa_jax import types
from vasa_jax.encode import encoding
from vasa_jax.evaluation.metrics import lip_synchrony
from vasa_jax.evaluation.networks import capp, contrastive, lip_sync
from vasa_jax.portrait import face_cuts

SEED = 77
"""Not that of the clips that the networks were taught by."""


SHIFT = 4
"""Frames by which a sound is moved."""


def held_out(seconds):
    """Return settings, and two clips of a person of each split but the first."""
    settings = plan.Settings(seconds=seconds, size=128, seed=SEED)
    clips = [clip for person in (6, 14) for clip in plan.clips_of(settings, person)[:2]]
    assert {clip.split for clip in clips} == {"validation", "test"}
    return settings, clips


def test_they_have_the_sizes_of_the_demo_presets():
    assert contrastive.read(capp.KIND).sizes == capp_config.get_config("demo").model
    assert contrastive.read(lip_sync.KIND).sizes == sync.get_config("demo").model


@pytest.mark.slow
def test_capp_is_highest_where_head_and_voice_are_of_one_time():
    scorer = contrastive.read(capp.KIND)
    settings = plan.Settings(seconds=5.0, size=128, seed=SEED)
    people = (6, 7, 14, 15)
    scores = []
    for clip in [clip for person in people for clip in plan.clips_of(settings, person)]:
        done = performance.perform(clip.request)
        features = scorer.hear(encoding.to_waveform(done.audio, len(done.rotation)))
        row = [
            capp.score(scorer, features, done.rotation, shift)
            for shift in (0, -25, -8, -3, 3, 8, 25)
        ]
        row.append(capp.score(scorer, features, 0 * done.rotation))
        scores.append(row)
    # Heads move by chance too, so one clip tells little.
    right, *wrong = np.mean(scores, axis=0)
    assert right > max(wrong) + 0.1


@pytest.mark.slow
def test_s_c_of_rendered_lips_is_higher_by_their_own_sound():
    scorer = contrastive.read(lip_sync.KIND)
    settings, clips = held_out(seconds=3.0)
    own, shifted, moved = [], [], []
    for clip in clips:
        person = record.build_person(clip, settings)
        shown = record.show(
            clip,
            settings,
            person,
            renderer.Renderer(settings.size),
            performance.perform(clip.request),
        )
        waveform = encoding.to_waveform(shown["audio"], len(shown["arkit"]))
        features = scorer.hear(waveform)
        lips = face_cuts.cut_lips(shown["video"], shown["head_pose"])
        seen, heard = scorer.embed_all(lips, features)
        for rows in (seen, heard):
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
        for found, sound in (
            (own, heard),
            (shifted, np.roll(heard, len(heard) // 2, axis=0)),
        ):
            found.append(
                lip_synchrony.score_offsets(lip_synchrony.offset_distances(seen, sound))
            )
        late = np.concatenate([np.zeros(SHIFT * types.SAMPLES_PER_FRAME), waveform])
        heard = scorer.hear(late[: len(waveform)].astype(np.float32))
        both = scorer.embed_all(lips, heard)
        moved.append(lip_synchrony.score_offsets(lip_synchrony.offset_distances(*both)))
        assert own[-1].distance < shifted[-1].distance, clip.clip_id
    # Of 24 such clips it finds the offset of 23.
    assert sum(one.offset_frames == 0 for one in own) >= len(clips) - 1
    # Sound moved to be late: a positive offset means that it is early.
    assert sum(one.offset_frames == -SHIFT for one in moved) >= len(clips) - 1
    means = [np.mean([one.confidence for one in found]) for found in (own, shifted)]
    assert means[0] > 2 * means[1]

"""Clips that nobody renders know what records know, and are mostly conversation."""

import dataclasses

import numpy as np
import pytest

from datasets.synthetic_heads.records import plan, record, unrendered
from datasets.synthetic_heads.rendering import renderer
from vasa_jax import types

SETTINGS = plan.Settings(seed=5)


def test_an_unrendered_clip_equals_the_record_of_the_rendered_one():
    settings = plan.Settings(seconds=0.4, size=32, seed=3)
    clip = plan.clips_of(settings, 0)[1]
    person = record.build_person(clip, settings)
    rendered = record.make(clip, settings, person, renderer.Renderer(32))
    known = unrendered.make(clip, unrendered.build_shape(clip, settings))
    for name, value in known.items():
        np.testing.assert_array_equal(value, rendered[name], err_msg=name)
    seen = {"video", "size", "take", "seed", "phonemes", "head_distance", "viseme"}
    assert set(rendered) - set(known) == seen | {"keypoints", "masks", "geometry"}


def test_wanted_clips_share_no_performance_and_do_not_depend_on_their_number():
    clips = list(unrendered.wanted_clips(SETTINGS, 30, 0.6))
    assert len({clip.performance for clip in clips}) == len(clips) == 30
    assert clips[:10] == list(unrendered.wanted_clips(SETTINGS, 10, 0.6))
    assert {clip.split for clip in clips} == {"train", "validation"}


def test_as_many_clips_as_asked_for_show_no_emotion_and_the_rest_act_all_of_them():
    requests = [clip.request for clip in unrendered.wanted_clips(SETTINGS, 600, 0.6)]
    acted = [one for one in requests if one.emotion != "neutral"]
    assert len(acted) / len(requests) == pytest.approx(0.4 * 7 / 8, abs=0.05)
    assert {one.emotion for one in acted} == set(types.EMOTIONS[1:])
    plain = np.mean([not one.colours_voice for one in acted])
    assert plain == pytest.approx(0.5, abs=0.1)
    full = np.mean([one.emotion_strength == 1.0 for one in acted])
    assert full == pytest.approx(0.5, abs=0.1)
    calm = [one for one in requests if one.emotion == "neutral"]
    assert not any(one.emotion_strength or one.bares_teeth for one in calm)


def test_smiles_that_bare_the_teeth_are_strong_ones():
    requests = [clip.request for clip in unrendered.wanted_clips(SETTINGS, 600, 0.0)]
    bared = [one.emotion_strength for one in requests if one.bares_teeth]
    assert len(bared) > 10 and min(bared) >= 0.6


def test_a_calm_clip_is_the_planned_one_but_for_its_emotion():
    clip = plan.clips_of(SETTINGS, 0)[0]
    calm = unrendered.converse(clip, 1.0).request
    assert clip.request.emotion != "neutral"
    assert calm == dataclasses.replace(
        clip.request, emotion="neutral", emotion_strength=0.0, bares_teeth=False
    )

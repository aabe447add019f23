"""Clips that nobody renders know what the record of the rendered clip knows."""

import numpy as np

from datasets.synthetic_heads.records import plan, record, unrendered
from datasets.synthetic_heads.rendering import renderer


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
    settings = plan.Settings(seed=5)
    clips = list(unrendered.wanted_clips(settings, 30))
    assert len({clip.performance for clip in clips}) == len(clips) == 30
    assert clips[:10] == list(unrendered.wanted_clips(settings, 10))
    assert {clip.split for clip in clips} == {"train", "validation"}

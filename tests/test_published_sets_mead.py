"""MEAD's paths: views, emotions and levels that are there, with the sound beside."""

import pytest

from datasets.published_sets import clips, mead, video_files
from vasa_jax import errors


def _tree():
    """One actor: every view but one, neutral at one level, and sounds of the takes."""
    views = [view for view in mead.VIEWS if view != "left_60"]
    takes = ["neutral/level_1/001", "angry/level_1/001", "disgusted/level_3/002"]
    files = [f"MEAD/M003/video/{view}/{take}.mp4" for view in views for take in takes]
    return files + [f"MEAD/M003/audio/{take}.m4a" for take in takes]


def _read(paths):
    reading = mead.read(None, video_files.VideoFiles(dict.fromkeys(paths, 1)))
    assert reading.num_rows == sum(path.endswith(".mp4") for path in paths)
    return reading


def test_what_is_there_is_taken_with_the_sound_of_its_take():
    reading = _read(_tree())
    assert len(reading.clips) == 5 * 3
    assert {clip.person for clip in reading.clips} == {"M003"}
    made = {clip.name: clip for clip in reading.clips}
    front = made["MEAD/M003/video/front/disgusted/level_3/002.mp4"]
    assert front.sound == "MEAD/M003/audio/disgusted/level_3/002.m4a"
    assert front.emotions == (clips.Emotion("disgust", 1.0),)
    weak = made["MEAD/M003/video/top/angry/level_1/001.mp4"]
    assert weak.emotions == (clips.Emotion("anger", 1 / 3),)
    calm = made["MEAD/M003/video/front/neutral/level_1/001.mp4"]
    assert calm.emotions == (clips.Emotion("neutral", 1.0),)


def test_views_that_hide_an_eye_are_left_out():
    left_out = _read(_tree()).left_out
    assert {row[1] for row in left_out} == {"of an unused view"}
    assert all("right_60" in row[0] for row in left_out) and len(left_out) == 3


def test_takes_of_one_number_are_no_pair():
    made = _read(_tree()).clips
    angry, neutral = (
        next(clip for clip in made if f"front/{emotion}/level_1/001" in clip.name)
        for emotion in ("angry", "neutral")
    )
    assert angry.source_video != neutral.source_video
    assert angry.sound != neutral.sound


@pytest.mark.parametrize(
    "path, kind",
    [
        ("M003/video/front/angry/level_2/001.mp4", "without a sound of its own"),
        ("M003/video/front/bored/level_1/001.mp4", "with an unknown emotion"),
        ("M003/video/front/angry/level_9/001.mp4", "with an unknown level"),
        ("M003/video/behind/angry/level_1/001.mp4", "of an unused view"),
        ("M003/trailer.mp4", "of an unknown form"),
    ],
)
def test_what_is_wrong_is_left_out_by_its_reason(path, kind):
    reading = _read([*_tree(), path])
    assert [row[1] for row in reading.left_out if row[0] == path] == [kind]


def test_a_folder_of_another_form_is_refused():
    with pytest.raises(errors.UserError, match="has the form ACTOR/video/VIEW"):
        _read(["a/b.mp4"])

"""RAVDESS's names: which number says what, and what is left out."""

import pytest

from datasets.published_sets import clips, ravdess, video_files
from vasa_jax import errors, types


def _read(*names):
    paths = {f"Actor_12/{name}.mp4": 1 for name in names}
    reading = ravdess.read(None, video_files.VideoFiles(paths))
    assert reading.num_rows == len(names)
    return reading


def test_numbers_become_emotions_and_strengths():
    numbers = [number for number, word in ravdess.EMOTIONS.items() if word]
    made = _read(*(f"01-01-{number}-01-02-01-12" for number in numbers)).clips
    told = {clip.emotions[0].name for clip in made}
    assert told == set(types.EMOTIONS) - {"contempt"}
    (strong,) = _read("01-01-06-02-02-01-12").clips
    assert strong.emotions == (clips.Emotion("fear", 1.0),) and strong.person == "12"
    (neutral,) = _read("01-01-01-01-02-01-12").clips
    assert neutral.emotions == (clips.Emotion("neutral", 1.0),)


def test_calm_is_no_emotion_of_ours_and_has_no_label():
    (clip,) = _read("01-01-02-01-02-01-12").clips
    assert clip.emotions == ()


@pytest.mark.parametrize(
    "name, kind",
    [
        ("02-01-06-01-02-01-12", "of one modality"),
        ("03-01-06-01-02-01-12", "of one modality"),
        ("01-02-06-01-02-01-12", "that are sung"),
        ("01-01-09-01-02-01-12", "of an unknown form"),
        ("1-01-06-01-02-01-12", "of an unknown form"),
    ],
)
def test_what_does_not_suit_is_left_out_by_its_reason(name, kind):
    reading = _read("01-01-06-01-02-01-12", name)
    assert [row[1] for row in reading.left_out] == [kind]


def test_another_folder_and_lists_are_refused(tmp_path):
    with pytest.raises(errors.UserError, match="named such as 01-01-06"):
        _read("trailer")
    with pytest.raises(errors.UserError, match="leave --annotations_dir out"):
        ravdess.read(tmp_path, video_files.VideoFiles({}))

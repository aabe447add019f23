"""Many portraits and voices in one process."""

import pathlib

import av
import numpy as np
import pytest

from vasa_jax import audio, media
from vasa_jax.animate import many_files, model_files, video_files
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError


def test_one_goes_with_all_and_as_many_in_order():
    assert many_files.pair(["a"], ["x", "y"]) == [("a", "x"), ("a", "y")]
    assert many_files.pair(["a", "b"], ["x"]) == [("a", "x"), ("b", "x")]
    assert many_files.pair(["a", "b"], ["x", "y"]) == [("a", "x"), ("b", "y")]
    with pytest.raises(UserError, match="2 images and 3 voices; give one image"):
        many_files.pair(["a", "b"], ["x", "y", "z"])


def test_names_are_split_at_commas_but_not_inside_a_files_own(tmp_path):
    assert many_files.split_names("a.png, b.png,") == ["a.png", "b.png"]
    odd = tmp_path / "one, two.png"
    odd.write_bytes(b"")
    assert many_files.split_names(str(odd)) == [str(odd)]


def test_videos_are_called_after_both_files_and_never_alike():
    named = many_files.name_outputs([("f/a.png", "v/x.wav")], "out")
    assert named == [pathlib.Path("out/a-x.mp4")]
    (long,) = many_files.name_outputs([("\u4eba" * 83, "x" * 250)], "out")
    assert len(long.name.encode()) < 256
    with pytest.raises(UserError, match="called a-x.mp4"):
        many_files.name_outputs([("f/a.png", "x.wav"), ("g/a.png", "x.wav")], "out")


@pytest.fixture
def inputs(tmp_path, rendered_photo, voice, tiny_checkpoint):
    from test_animate_files import write_wave

    media.write_image(tmp_path / "face.png", rendered_photo)
    media.write_image(tmp_path / "blank.png", np.full((80, 80, 3), 90, np.uint8))
    write_wave(tmp_path / "voice.wav", voice[:10_000])
    return {
        "images": [tmp_path / "face.png", tmp_path / "blank.png", tmp_path / "no.png"],
        "audio_files": [tmp_path / "voice.wav"],
        "folder": tmp_path / "videos",
        "models": model_files.ModelFiles(checkpoint=tiny_checkpoint),
    }


def test_a_bad_input_is_reported_and_the_rest_goes_on(inputs):
    done, errors = {}, {}
    num_failed = many_files.animate_many(
        **inputs,
        settings=video_files.VideoSettings(frame_rate_hz=50),
        finished=lambda output, count: done.update({output.name: count}),
        failed=lambda output, error: errors.update({output.name: str(error)}),
    )
    assert num_failed == 2
    assert done == {"face-voice.mp4": 30}
    assert "o face was found" in errors["blank-voice.mp4"]
    assert "Cannot read the image" in errors["no-voice.mp4"]
    (video,) = inputs["folder"].iterdir()
    assert video.name == "face-voice.mp4"
    with av.open(str(video)) as container:
        assert container.streams.video[0].average_rate == 50
        assert sum(1 for _ in container.decode(video=0)) == 30
    # 15 frames at 25 a second and 30 at 50 last as long as the voice, but for the
    # blocks of 1024 samples that AAC fills up.
    sound = np.concatenate(list(audio.iterate_waveform(video)))
    assert 0 <= len(sound) - 15 * 640 <= 2048


def test_what_counts_for_all_is_refused_at_once_and_leaves_no_folder(inputs):
    nowhere = model_files.ModelFiles(checkpoint="nowhere")
    for change, words in (
        ({"controls": Controls(num_steps=101)}, "num_steps is 101"),
        ({"models": nowhere}, "There is no checkpoint at"),
    ):
        with pytest.raises(UserError, match=words):
            many_files.animate_many(**{**inputs, **change})
        assert not inputs["folder"].exists()


def test_a_folder_that_stays_empty_is_taken_away_again(inputs):
    assert many_files.animate_many(**{**inputs, "images": inputs["images"][1:]}) == 2
    assert not inputs["folder"].exists()

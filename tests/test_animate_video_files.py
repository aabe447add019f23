"""What a video is to be: refused at once, and the same for voices and for drivers."""

import numpy as np
import pytest

from vasa_jax import audio, media
from vasa_jax.animate import model_files, reenactment, video_files
from vasa_jax.errors import UserError


def test_a_frame_rate_out_of_range_is_refused_at_once():
    with pytest.raises(UserError, match="frame_rate is 61; give a whole number"):
        video_files.VideoSettings(frame_rate_hz=61)


def test_models_are_loaded_once(tiny_checkpoint):
    models = model_files.ModelFiles(checkpoint=tiny_checkpoint)
    assert models.load() is models.load()


def test_a_driver_is_shown_at_the_frame_rate_that_is_asked_for(
    tmp_path, rendered_photo, voice, tiny_checkpoint
):
    media.write_image(tmp_path / "face.png", rendered_photo)
    driver, output = tmp_path / "driver.mp4", tmp_path / "talk.mp4"
    small = rendered_photo[::2, ::2]
    with media.VideoWriter(driver, *small.shape[:2], waveform=voice[:3_200]) as writer:
        writer.write(np.repeat(small[None], 5, axis=0))
    told = []
    num_frames = reenactment.reenact_files(
        tmp_path / "face.png",
        driver,
        output,
        models=model_files.ModelFiles(checkpoint=tiny_checkpoint),
        settings=video_files.VideoSettings(frame_rate_hz=50),
        listener=video_files.Listener(progress=lambda *call: told.append(call)),
    )
    assert num_frames == 10 and told[-1] == (20, 20)
    assert {total for _, total in told} == {20} and told == sorted(told)
    assert media.probe_video(output).frame_rate_hz == 50
    sound = np.concatenate(list(audio.iterate_waveform(output)))
    assert 0 <= len(sound) - 5 * 640 <= 2048

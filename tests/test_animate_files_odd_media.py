"""Odd recordings speak for a face, and drive it, as they play."""

import odd_recording
import pytest

pytest.importorskip("ai_edge_litert")

from vasa_jax import audio, media
from vasa_jax.animate import files, model_files, reenactment


@pytest.mark.parametrize("command", ["animate", "reenact"])
def test_videos_are_as_long_and_are_silent_in_the_hole(
    odd_video, command, rendered_photo, tiny_checkpoint, tmp_path
):
    image, output = tmp_path / "face.png", tmp_path / "out.mp4"
    media.write_image(image, rendered_photo)
    run = {"animate": files.animate_files, "reenact": reenactment.reenact_files}
    models = model_files.ModelFiles(checkpoint=tiny_checkpoint)
    count = run[command](str(image), str(odd_video), str(output), models=models)
    assert abs(count - odd_recording.NUM_FRAMES) <= 1
    assert media.count_frames(output) == count
    odd_recording.check_hole(audio.load_waveform(output))

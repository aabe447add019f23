"""A video that drives a picture."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from vasa_jax import media
from vasa_jax.animate import model_files, reenactment, video_files
from vasa_jax.errors import UserError

NUM_FRAMES = 10


@pytest.fixture
def inputs(tmp_path, rendered_photo, tiny_checkpoint):
    """Arguments of a run that works."""
    media.write_image(tmp_path / "face.png", rendered_photo)
    with media.VideoWriter(tmp_path / "driver.mp4", *rendered_photo.shape[:2]) as video:
        video.write(np.stack([rendered_photo] * NUM_FRAMES))
    return {
        "image": str(tmp_path / "face.png"),
        "video": str(tmp_path / "driver.mp4"),
        "output": str(tmp_path / "out.mp4"),
        "models": model_files.ModelFiles(checkpoint=tiny_checkpoint),
    }


def test_progress_counts_the_frames_that_are_read_and_those_that_are_made(inputs):
    calls = []
    listener = video_files.Listener(progress=lambda *call: calls.append(call))
    assert reenactment.reenact_files(**inputs, listener=listener) == NUM_FRAMES
    assert calls[-1] == (2 * NUM_FRAMES, 2 * NUM_FRAMES)
    assert (NUM_FRAMES, 2 * NUM_FRAMES) in calls
    assert calls == sorted(calls)


def test_nothing_else_may_be_turned_about(inputs, tmp_path):
    with pytest.raises(UserError, match="is 'sun'; give camera or portrait"):
        reenactment.reenact_files(**inputs, turns_about="sun")
    assert not (tmp_path / "out.mp4").exists()

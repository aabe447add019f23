"""A face as a camera."""

import asyncio

import numpy as np
import plugged
import pytest

from vasa_jax.errors import UserError

pyvirtualcam = pytest.importorskip(
    "pyvirtualcam", reason="the extra `camera` is not installed"
)

from pyvirtualcam import camera  # noqa: E402

from vasa_jax.live.adapters import virtual_camera  # noqa: E402


class Notebook:
    """A camera for the real package that keeps what it is sent; no machine lacks it."""

    frames = []
    is_closed = False

    def __init__(self, *, width, height, fps, fourcc, device, **_):
        assert (width, height, fps) == (64, 64, 25)
        self._shape = height, width, 3

    def send(self, frame):
        self.frames.append(frame.reshape(self._shape).mean() / 255)

    def close(self):
        type(self).is_closed = True

    def device(self):
        return "notebook"

    def native_fourcc(self):
        return None


def test_a_meeting_sees_the_face_and_whoever_plays_the_sound_is_in_step(
    monkeypatch,
):
    async def work():
        async with plugged.living_faces() as living:
            one = await living.begin(None)
            sounds = []
            showing = asyncio.create_task(
                virtual_camera.show(
                    one, lambda samples: sounds.append(samples), backend="notebook"
                )
            )
            one.say(plugged.tone(16_000, 0.5) / np.float32(32768))
            while len(sounds) < 50:
                await asyncio.sleep(0.02)
            one.end()
            await showing
            return sounds

    monkeypatch.setitem(camera.BACKENDS, "notebook", Notebook)
    Notebook.frames.clear()
    sounds = plugged.run(work)
    loud = [np.abs(samples).max() for samples in sounds]
    assert max(loud) > 0.7 and Notebook.is_closed
    seen = Notebook.frames[: len(loud)]
    apart = np.abs(np.array(seen) - loud[: len(seen)]) > 0.02
    assert len(seen) >= 49
    plugged.skip_if_busy()
    assert apart.sum() <= 2  # A frame that was late is held.


def test_where_there_is_no_camera_a_sentence_says_how_to_have_one():
    async def work():
        async with plugged.living_faces() as living:
            one = await living.begin(None)
            with pytest.raises(UserError, match="no virtual camera .*v4l2loopback"):
                await virtual_camera.show(one, device="/dev/no_camera")

    plugged.run(work)

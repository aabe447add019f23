"""A face for FastRTC, by its own WebRTC on the loopback."""

import asyncio
import os

import numpy as np
import plugged
import pytest
import webrtc_viewer

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Or it asks an outside server.
pytest.importorskip("fastrtc", reason="the extra `fastrtc` is not installed")

from aiortc import VideoStreamTrack  # noqa: E402
from fastrtc import Stream  # noqa: E402

from vasa_jax.live import agents  # noqa: E402
from vasa_jax.live.adapters import fastrtc_handler  # noqa: E402

LEVEL = 0.05
"""What a microphone's slow gain has made of a loud tone is well above it."""


def _stream(living):
    handler = fastrtc_handler.FaceHandler(living, agents.AlongAgent)
    return Stream(
        handler, modality="audio-video", mode="send-receive", concurrency_limit=5
    )


async def _connect(stream, name):
    viewer, microphone = webrtc_viewer.Viewer(), webrtc_viewer.Microphone()

    async def answer(offer):
        return await stream.handle_offer(
            {"webrtc_id": name, **offer}, stream.set_additional_outputs(name)
        )

    await viewer.offer(answer, microphone, VideoStreamTrack())
    return viewer, microphone


async def _until(condition):
    while not condition():
        await asyncio.sleep(0.02)


def test_a_user_is_answered_by_a_face_whose_lips_are_with_its_sound():
    async def work():
        async with plugged.living_faces() as living:
            stream = _stream(living)
            viewer, microphone = await _connect(stream, "one")
            await _until(lambda: len(viewer.pictures) > 10 and len(viewer.sounds) > 10)
            rate = 48_000
            word = np.append(plugged.tone(rate, 0.24), np.zeros(rate // 5, np.int16))
            microphone.say(np.tile(word, 4))
            await _until(lambda: len(webrtc_viewer.onsets(viewer.sounds, LEVEL)) >= 4)
            await asyncio.sleep(0.6)
            assert len(living) == 1
            await viewer.aclose()
            await _until(lambda: len(living) == 0)
            return viewer

    viewer = plugged.run(work)
    heard = webrtc_viewer.onsets(viewer.sounds, LEVEL)
    seen = webrtc_viewer.onsets(viewer.pictures, LEVEL)
    plugged.skip_if_busy()
    # aiortc keeps sound at the other end, and no picture, for 80 ms.
    apart = [min(seen - one, key=abs) for one in heard]
    assert len(heard) >= 4 and abs(np.median(apart) + 0.06) < 0.1
    loudest = max(level for _, level in viewer.sounds)
    brightest = max(level for _, level in viewer.pictures)
    assert loudest == pytest.approx(brightest, rel=0.15)
    times = np.array([when for when, _ in viewer.pictures])
    assert 17 < len(times) / (times[-1] - times[0]) < 27


def test_who_finds_no_room_is_told_so_and_disturbs_nobody():
    async def work():
        async with plugged.living_faces() as living:
            stream = _stream(living)
            first, _ = await _connect(stream, "one")
            await _until(lambda: len(first.pictures) > 5)
            second, _ = await _connect(stream, "two")
            await _until(lambda: any("places" in text for text in second.messages))
            count = len(first.pictures)
            await _until(lambda: len(first.pictures) > count + 5)
            await second.aclose()
            await first.aclose()

    plugged.run(work)


def test_a_face_that_ends_by_itself_tells_the_user_why():
    async def work():
        async with plugged.living_faces() as living:
            viewer, _ = await _connect(_stream(living), "one")
            await _until(lambda: len(viewer.pictures) > 5)
            living.end_all()
            await _until(lambda: any("stopped" in text for text in viewer.messages))
            await viewer.aclose()

    plugged.run(work)

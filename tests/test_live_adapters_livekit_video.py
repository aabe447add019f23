"""A face for LiveKit Agents, by the real runner, agent session and native tracks."""

import asyncio
import contextlib
import dataclasses
import time

import numpy as np
import plugged
import pytest

pytest.importorskip("livekit.agents", reason="the extra `livekit` is not installed")

from livekit import rtc  # noqa: E402
from livekit.agents import Agent, AgentSession  # noqa: E402
from livekit.agents.voice import avatar  # noqa: E402

from vasa_jax.live.adapters import livekit_video  # noqa: E402

RATE = 24_000


class Room:
    """What a runner uses of a room; native tracks see and hear what it publishes.

    No server of LiveKit can be had from PyPI; all else is the real package.
    """

    def __init__(self):
        self.local_participant = self
        self.pictures, self.sounds = [], []  # When each came, and what it holds.
        self._streams = []

    def isconnected(self):
        return True

    def on(self, *_):
        pass

    off = on

    async def publish_track(self, track, options):
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            stream, watch = rtc.VideoStream(track), self._see
        else:
            stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
            watch = self._hear
        self._streams.append((stream, asyncio.create_task(watch(stream))))
        return self

    async def aclose(self):
        for stream, task in self._streams:
            task.cancel()
            await stream.aclose()

    async def wait_for_subscription(self):
        pass

    async def _see(self, stream):
        async for event in stream:
            frame = event.frame.convert(rtc.VideoBufferType.RGB24)
            brightness = np.frombuffer(frame.data, np.uint8).mean() / 255
            self.pictures.append((time.monotonic(), brightness))

    async def _hear(self, stream):
        async for event in stream:
            samples = np.frombuffer(event.frame.data, np.int16).astype(float)
            self.sounds.append((time.monotonic(), np.abs(samples).max() / 32768))

    def loud(self, seen, level=0.2):
        """Return when what was seen or heard was above a level."""
        return np.array([when for when, value in seen if value > level])


@dataclasses.dataclass
class Stage:
    """All that one conversation has."""

    room: Room
    agent: AgentSession
    generator: livekit_video.FaceGenerator
    played: list

    def say(self, seconds):
        async def frames():
            for piece in plugged.pieces(plugged.tone(RATE, seconds), RATE, 0.1):
                yield rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece))

        return self.agent.say("Hello.", audio=frames())


@contextlib.asynccontextmanager
async def _stage(**face):
    async with plugged.living_faces(**face) as living:
        generator = livekit_video.FaceGenerator(await living.begin(None), RATE)
        room, agent, played = Room(), AgentSession(), []
        voice = avatar.QueueAudioOutput(sample_rate=RATE, wait_playback_start=True)
        voice.on("playback_started", lambda event: played.append("started"))
        voice.on("playback_finished", played.append)
        runner = avatar.AvatarRunner(
            room, audio_recv=voice, video_gen=generator, options=generator.options
        )
        agent.output.audio = voice
        await runner.start()
        await agent.start(Agent(instructions=""), record=False)
        try:
            yield Stage(room, agent, generator, played)
        finally:
            await agent.aclose()
            await generator.aclose()
            await runner.aclose()
            await room.aclose()


def _rate(room, since):
    """Return pictures a second."""
    times = np.array([when for when, _ in room.pictures if when > since])
    return len(times) / (times[-1] - times[0])


def test_the_agent_hears_that_all_was_played_and_lips_are_with_the_sound():
    async def work():
        async with _stage() as stage:
            for seconds in (1.0, 0.6):
                await stage.say(seconds).wait_for_playout()
            await asyncio.sleep(0.3)
            return stage.room, stage.played

    room, (started, first, again, second) = plugged.run(work)
    assert started == again == "started"
    assert not first.interrupted and not second.interrupted
    assert first.playback_position == pytest.approx(1.0, abs=0.09)
    assert second.playback_position == pytest.approx(0.6, abs=0.09)
    heard, seen = room.loud(room.sounds), room.loud(room.pictures)
    assert len(heard) * 0.01 == pytest.approx(1.6, abs=0.15)
    plugged.skip_if_busy()
    assert len(seen) / 25 == pytest.approx(1.6, abs=0.2)
    # The first sound and the last.
    assert abs(heard[0] - seen[0]) < 0.1
    assert abs(heard[-1] - seen[-1] - 0.03) < 0.1
    assert 17 < _rate(room, heard[0]) < 27


def test_a_face_that_is_slower_than_time_does_not_stretch_its_speech():
    async def work():
        async with _stage(render_seconds=0.12) as stage:
            await stage.say(1.5).wait_for_playout()
            await asyncio.sleep(0.3)
            return stage.room

    room = plugged.run(work)
    heard = room.loud(room.sounds)
    assert len(heard) * 0.01 == pytest.approx(1.5, abs=0.15)
    plugged.skip_if_busy()
    assert heard[-1] - heard[0] == pytest.approx(1.5, abs=0.3)
    assert 17 < _rate(room, heard[0]) < 27


def test_who_is_interrupted_is_silent_soon_and_can_speak_again():
    async def work():
        async with _stage() as stage:
            speech = stage.say(8.0)
            while len(stage.room.loud(stage.room.sounds)) < 50:
                await asyncio.sleep(0.01)
            await speech.interrupt()
            interrupted = time.monotonic()
            await speech.wait_for_playout()
            await asyncio.sleep(0.5)
            last = stage.room.loud(stage.room.sounds)[-1]
            await stage.say(0.5).wait_for_playout()
            await asyncio.sleep(0.3)
            return stage.room, stage.played, interrupted, last

    room, (_, cut, started, whole), interrupted, last = plugged.run(work)
    assert cut.interrupted and 0.4 < cut.playback_position < 1.5
    assert started == "started" and not whole.interrupted
    assert whole.playback_position == pytest.approx(0.5, abs=0.09)
    heard = room.loud(room.sounds)
    assert np.sum(heard > last) * 0.01 == pytest.approx(0.5, abs=0.1)
    plugged.skip_if_busy()
    assert last - interrupted < 0.3
    seen = room.loud(room.pictures)
    assert not np.any((seen > last + 0.3) & (seen < heard[heard > last][0] - 0.2))

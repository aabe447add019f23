"""A face for Pipecat, in a real pipeline and by its own WebRTC on the loopback."""

import asyncio
import contextlib
import dataclasses
import time

import numpy as np
import plugged
import pytest
import webrtc_viewer

pytest.importorskip("pipecat", reason="the extra `pipecat` is not installed")

from pipecat.frames import frames  # noqa: E402
from pipecat.pipeline.pipeline import Pipeline  # noqa: E402
from pipecat.pipeline.worker import PipelineParams, PipelineWorker  # noqa: E402
from pipecat.processors import frame_processor  # noqa: E402
from pipecat.transports import base_transport  # noqa: E402
from pipecat.transports.smallwebrtc import connection, transport  # noqa: E402
from pipecat.workers.runner import WorkerRunner  # noqa: E402

from vasa_jax.live import session as session_lib  # noqa: E402
from vasa_jax.live.adapters import pipecat_service  # noqa: E402

RATE = 24_000


class Ear(frame_processor.FrameProcessor):
    """Note what comes back from the transport."""

    def __init__(self):
        super().__init__()
        self.heard = []

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        self.heard.append((time.monotonic(), frame))
        await self.push_frame(frame, direction)

    def when(self, kind):
        return [when for when, frame in self.heard if isinstance(frame, kind)]


@dataclasses.dataclass
class Stage:
    """All that one conversation has."""

    session: session_lib.Session
    worker: PipelineWorker
    before: Ear
    viewer: webrtc_viewer.Viewer
    ear: Ear
    running: asyncio.Task


@contextlib.asynccontextmanager
async def _stage():
    async with plugged.living_faces() as living:
        server, viewer = connection.SmallWebRTCConnection(), webrtc_viewer.Viewer()
        before, ear = Ear(), Ear()
        parameters = base_transport.TransportParams(
            audio_out_enabled=True,
            audio_out_sample_rate=RATE,
            video_out_enabled=True,
            video_out_width=64,
            video_out_height=64,
        )
        way = transport.SmallWebRTCTransport(server, parameters)
        session = await living.begin(None)
        face = pipecat_service.FaceService(session, sample_rate_hz=RATE)
        worker = PipelineWorker(
            Pipeline([before, face, way.output(), ear]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            enable_rtvi=False,
        )
        await viewer.offer(lambda offer: _answer(server, offer))
        await server.connect()
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        running = asyncio.create_task(runner.run())
        try:
            yield Stage(session, worker, before, viewer, ear, running)
        finally:
            if not running.done():
                await worker.cancel()
            await running
            await viewer.aclose()
            await server.disconnect()


async def _say(worker, voice):
    sounds = [
        frames.TTSAudioRawFrame(piece.tobytes(), RATE, 1)
        for piece in plugged.pieces(voice, RATE, 0.1)
    ]
    await worker.queue_frames(
        [frames.TTSStartedFrame(), *sounds, frames.TTSStoppedFrame()]
    )


async def _answer(server, offer):
    await server.initialize(**offer)
    return server.get_answer()


async def _until(condition):
    while not condition():
        await asyncio.sleep(0.02)


def test_a_viewer_sees_and_hears_one_face_at_one_time():
    async def work():
        async with _stage() as stage:
            await _until(lambda: len(stage.viewer.pictures) > 10)
            word = np.append(plugged.tone(RATE, 0.24), np.zeros(RATE // 5, np.int16))
            await _say(stage.worker, np.tile(word, 4))
            await _until(lambda: stage.ear.when(frames.TTSStoppedFrame))
            await asyncio.sleep(0.5)
            return stage.viewer, stage.ear

    viewer, ear = plugged.run(work)
    heard = webrtc_viewer.onsets(viewer.sounds)
    seen = webrtc_viewer.onsets(viewer.pictures)
    (stopped,) = ear.when(frames.TTSStoppedFrame)
    assert stopped >= ear.when(frames.TTSAudioRawFrame)[-1]
    assert len(ear.when(frames.TTSAudioRawFrame)) * 0.04 == pytest.approx(1.76, abs=0.1)
    images = [frame for _, frame in ear.heard if hasattr(frame, "sync_with_audio")]
    stamps = np.diff([frame.pts for frame in images])
    assert len(images) > 40 and np.median(stamps) == 10**9 // 25
    plugged.skip_if_busy()
    assert len(ear.when(frames.BotStartedSpeakingFrame)) == 1
    # aiortc keeps sound at the other end, and no picture, for 80 ms.
    apart = [min(seen - one, key=abs) for one in heard]
    assert len(heard) >= 4 and abs(np.median(apart) + 0.04) < 0.08


def test_who_is_interrupted_is_silent_soon_and_can_speak_again():
    async def work():
        async with _stage() as stage:
            await _say(stage.worker, plugged.tone(RATE, 8.0))
            await _until(lambda: len(webrtc_viewer.loud(stage.viewer.sounds)) > 20)
            await stage.worker.queue_frame(frames.InterruptionFrame())
            interrupted = time.monotonic()
            await asyncio.sleep(1.0)
            last = webrtc_viewer.loud(stage.viewer.sounds)[-1]
            assert not stage.ear.when(frames.TTSStoppedFrame)
            await _say(stage.worker, plugged.tone(RATE, 0.5))
            await _until(lambda: stage.ear.when(frames.TTSStoppedFrame))
            await asyncio.sleep(0.3)
            return stage.viewer, stage.ear, interrupted, last

    viewer, ear, interrupted, last = plugged.run(work)
    heard = webrtc_viewer.loud(viewer.sounds)
    assert np.sum(heard > last) * 0.02 == pytest.approx(0.5, abs=0.1)
    plugged.skip_if_busy()
    assert last - interrupted < 0.4
    assert len(ear.when(frames.BotStartedSpeakingFrame)) == 2
    assert len(ear.when(frames.BotStoppedSpeakingFrame)) == 2


def test_a_pipeline_that_ends_says_all_first_and_ends_the_session():
    async def work():
        async with _stage() as stage:
            await _until(lambda: len(stage.viewer.pictures) > 5)
            await _say(stage.worker, plugged.tone(RATE, 1.0))
            await stage.worker.queue_frame(frames.EndFrame())
            await stage.running
            return stage.viewer, stage.session.ended.result()

    viewer, ended = plugged.run(work)
    assert len(webrtc_viewer.loud(viewer.sounds)) * 0.02 == pytest.approx(1.0, abs=0.1)
    assert ended is None


def test_a_face_that_fails_is_an_error_of_the_pipeline():
    async def work():
        async with _stage() as stage:
            await _until(lambda: len(stage.viewer.pictures) > 5)
            stage.session.fail(RuntimeError("the device is gone"))
            await _until(lambda: stage.before.when(frames.ErrorFrame))
            return stage.before.heard

    errors = [
        frame for _, frame in plugged.run(work) if isinstance(frame, frames.ErrorFrame)
    ]
    assert "could not compute the face" in errors[0].error

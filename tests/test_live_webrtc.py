"""WebRTC against aiortc's own client on the loopback."""

import asyncio
import fractions
import gc

import live_serving
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from experiments.tools import flashing_face
from vasa_jax.live import limits, performance, tick_queue, webrtc

aiortc = pytest.importorskip("aiortc", reason="the extra `live` is not installed")
ice = pytest.importorskip("aioice.ice")


class _Client:
    """A browser's part, without a browser."""

    def __init__(self, sound=None):
        self.peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self.tracks = {}
        self.peer.on("track", lambda track: self.tracks.update({track.kind: track}))
        if sound is None:
            self.peer.addTransceiver("audio", direction="recvonly")
        else:
            self.peer.addTrack(sound)
        self.peer.addTransceiver("video", direction="recvonly")

    async def connect(self, client, **fields):
        await self.peer.setLocalDescription(await self.peer.createOffer())
        local = self.peer.localDescription
        offer = {"sdp": local.sdp, "type": "offer", **fields}
        response = await client.post("/offer", json=offer)
        answer = await response.json()
        assert response.status == 200, answer
        description = aiortc.RTCSessionDescription(answer["sdp"], answer["type"])
        await self.peer.setRemoteDescription(description)
        return answer


class _Tone(aiortc.mediastreams.AudioStreamTrack):
    """A microphone that hears a tone."""

    async def recv(self):
        frame = await super().recv()
        time = frame.pts + np.arange(frame.samples)
        tone = np.round(8000 * np.sin(time * 0.3)).astype(np.int16)
        frame.planes[0].update(tone.tobytes())
        return frame


def _tick(level, size=16, number=1):
    frame = np.full((size, size, 3), level, np.uint8)
    samples = np.full(640, level / 255, np.float32)
    return tick_queue.NumberedTick(
        number, performance.Tick(frame, samples, True, False, np.nan)
    )


def test_the_answer_names_vp8_first_and_picture_and_sound_arrive():
    async def work(client, living):
        one = _Client()
        answer = await one.connect(client)
        media = answer["sdp"].split("m=")
        video = next(part for part in media if part.startswith("video"))
        payload = video.split()[3]
        assert f"a=rtpmap:{payload} VP8/90000" in video
        living.find(answer["session_id"]).say(np.full(80_000, 0.8, np.float32))
        async with asyncio.timeout(60):
            while (await one.tracks["video"].recv()).to_ndarray(
                format="gray"
            ).mean() < 150:
                pass
            while (
                np.abs((await one.tracks["audio"].recv()).to_ndarray()).max() < 15_000
            ):
                pass
        assert (await one.tracks["video"].recv()).width == 64
        await one.peer.close()

    live_serving.serving(work)


def test_the_whole_picture_arrives_with_the_face_alone_moving_in_it():
    async def work(client, living):
        portrait = live_serving.png(height=61, width=120)
        given = await (await client.post("/portrait", data=portrait)).json()
        one = _Client()
        answer = await one.connect(
            client, portrait_id=given["portrait_id"], whole_picture=True
        )
        frame = await one.tracks["video"].recv()
        assert (frame.width, frame.height) == (120, 60)
        living.find(answer["session_id"]).say(np.full(80_000, 0.9, np.float32))
        async with asyncio.timeout(60):
            while (
                live_serving.middle_and_border(frame.to_ndarray(format="rgb24"))[0]
                < 150
            ):
                frame = await one.tracks["video"].recv()
        _, border = live_serving.middle_and_border(frame.to_ndarray(format="rgb24"))
        assert border == pytest.approx(90, abs=6)
        await one.peer.close()

    live_serving.serving(work)


def test_the_microphone_is_heard_and_read_even_if_nobody_answers():
    async def work(client, living):
        one = _Client(_Tone())
        answer = await one.connect(client)
        session = living.find(answer["session_id"])
        heard = []

        class Listener:
            def __init__(self, speaker):
                pass

            def hear(self, samples):
                heard.append(samples)

            def close(self):
                pass

        session.set_agent(Listener)
        await live_serving.until(lambda: sum(map(len, heard)) > 16_000)
        sound = np.concatenate(heard)[-8000:]
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        frequency = spectrum.argmax() * 16_000 / len(sound)
        assert frequency == pytest.approx(0.3 * 8000 / (2 * np.pi), rel=0.02)
        await one.peer.close()

    live_serving.serving(work)


def test_a_page_that_goes_frees_everything_within_two_seconds():
    async def work(client, living):
        one = _Client()
        answer = await one.connect(client)
        socket = await client.ws_connect(f"/control/{answer['session_id']}")
        await live_serving.next_json(socket, "state")
        await one.tracks["video"].recv()
        await socket.close()
        await live_serving.until(lambda: len(living) == 0, seconds=2.0)
        await one.peer.close()
        await asyncio.sleep(0.2)
        gc.collect()
        left = [o for o in gc.get_objects() if isinstance(o, webrtc.PictureTrack)]
        assert not [track for track in left if track.readyState == "live"]

    live_serving.serving(work)


def test_a_second_page_cannot_take_a_session():
    async def work(client, living):
        one = _Client()
        path = f"/control/{(await one.connect(client))['session_id']}"
        async with client.ws_connect(path) as socket:
            await live_serving.next_json(socket, "state")
            async with client.ws_connect(path) as second:
                refusal = await live_serving.next_json(second, "ended")
            assert "another page" in refusal["sentence"]
        await one.peer.close()

    live_serving.serving(work)


def test_who_comes_too_late_to_a_session_is_told_why_it_ended():
    async def work(client, living):
        one = _Client()
        session_id = (await one.connect(client))["session_id"]
        living.find(session_id).end("The face has left.")
        for name, told in (
            (session_id, "The face has left."),
            ("unknown", "This session has ended; start again."),
        ):
            async with client.ws_connect(f"/control/{name}") as socket:
                refusal = await live_serving.next_json(socket, "ended")
            assert refusal["sentence"] == told
        await one.peer.close()

    live_serving.serving(work)


def test_a_browser_that_answers_late_for_long_keeps_its_session(monkeypatch):
    # Questions follow one another at once, and wait for no answer.
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.0)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.02)

    async def work(client, living):
        one = _Client()
        answer = await one.connect(client)
        async with client.ws_connect(f"/control/{answer['session_id']}") as socket:
            await one.tracks["video"].recv()
            num_asked = 0

            def request_received(*arguments):
                nonlocal num_asked
                num_asked += 1

            monkeypatch.setattr(ice.Connection, "request_received", request_received)
            await live_serving.until(lambda: num_asked > 40)
            monkeypatch.undo()
            await live_serving.next_json(socket, "state")
            assert len(living) == 1
            await one.tracks["video"].recv()
        await one.peer.close()

    live_serving.serving(work)


def test_a_session_that_ends_while_it_is_offered_is_refused_with_its_sentence(
    monkeypatch,
):
    began = webrtc.Peer.answer

    async def end_while_answering(self, sdp):
        asyncio.get_running_loop().call_soon(
            lambda: self._session.end("The face has left.")
        )
        return await began(self, sdp)

    monkeypatch.setattr(webrtc.Peer, "answer", end_while_answering)

    async def work(client, living):
        one = _Client()
        await one.peer.setLocalDescription(await one.peer.createOffer())
        body = {"sdp": one.peer.localDescription.sdp, "type": "offer"}
        response = await client.post("/offer", json=body)
        assert await live_serving.error_of(response, 400) == "The face has left."
        assert len(living) == 0
        await one.peer.close()

    live_serving.serving(work)


def test_an_answer_that_takes_too_long_is_refused_with_a_sentence(monkeypatch):
    async def never(self, sdp):
        await asyncio.Event().wait()

    monkeypatch.setattr(webrtc.Peer, "answer", never)

    async def work(client, living):
        body = {"sdp": "v=0", "type": "offer"}
        response = await client.post("/offer", json=body)
        assert "took too long" in await live_serving.error_of(response, 400)
        assert len(living) == 0

    live_serving.serving(work, limits.Limits(connect_seconds=0.2))


def test_a_client_that_never_connects_loses_its_place():
    async def work(client, living):
        one = _Client()
        await one.peer.setLocalDescription(await one.peer.createOffer())
        sdp = one.peer.localDescription.sdp
        body = {"sdp": sdp, "type": "offer"}
        assert (await client.post("/offer", json=body)).status == 200
        assert len(living) == 1
        await live_serving.until(lambda: len(living) == 0)
        await one.peer.close()

    live_serving.serving(work, limits.Limits(connect_seconds=1.0))


def test_frames_are_new_objects_of_the_codecs_colours_and_the_ticks_time():
    async def work():
        ticks = tick_queue.TickQueue()
        track = webrtc.PictureTrack(ticks)
        frames = []
        for colours in (Colorspace.ITU601, Colorspace.ITU709):
            track.colour_space = colours
            ticks.put(tick_queue.NumberedTick(3, _coloured_tick()))
            frames.append(await track.recv())
        first, second = frames
        assert first is not second
        assert first.pts * first.time_base == fractions.Fraction(2, 25)
        # Y of 200, 120, 90 by the books: 16 + 219 * (Kr R + Kg G + Kb B) / 255.
        for frame, (red, green, blue) in (
            (first, (0.299, 0.587, 0.114)),
            (second, (0.2126, 0.7152, 0.0722)),
        ):
            luma = 16 + 219 * (red * 200 + green * 120 + blue * 90) / 255
            assert abs(frame.to_ndarray()[:16].mean() - luma) < 1.5

    asyncio.run(work())


def test_a_picture_that_stands_is_sent_again_only_now_and_then():
    async def work():
        ticks = tick_queue.TickQueue(max_ticks=100)
        track = webrtc.PictureTrack(ticks)
        first, second, last = (_tick(level).tick for level in (50, 100, 150))
        played = [first] * 3 + [second] * 12 + [last]
        for number, tick in enumerate(played, start=1):
            ticks.put(tick_queue.NumberedTick(number, tick))
        frames = [await track.recv() for _ in range(5)]
        assert [frame.pts * 25 // 90_000 for frame in frames] == [0, 3, 8, 13, 15]
        assert len(set(map(id, frames))) == 5

    asyncio.run(work())


def _coloured_tick():
    frame = np.broadcast_to(np.array([200, 120, 90], np.uint8), (16, 16, 3))
    silence = np.zeros(640, np.float32)
    return performance.Tick(frame, silence, True, False, np.nan)


def test_sound_is_stamped_by_what_it_follows_and_skips_with_the_picture():
    async def work():
        ticks = tick_queue.TickQueue(max_ticks=100)
        track = webrtc.SoundTrack(ticks)
        for number in (*range(1, 11), *range(16, 26)):
            ticks.put(_tick(level=0 if number < 16 else 200, number=number))
        pieces = [await track.recv() for _ in range(40)]  # Two of every tick, at once.
        stamps = np.array([piece.pts for piece in pieces])
        assert all(piece.samples == 960 for piece in pieces)
        steps = np.diff(stamps)
        assert sorted(set(steps)) == [960, 960 + 5 * 1920]
        sound = np.concatenate([piece.to_ndarray()[0, ::2] for piece in pieces])
        times = np.concatenate([stamp + np.arange(960) for stamp in stamps])
        onset = times[np.argmax(np.abs(sound) > 12_000)] / 48_000
        assert onset == pytest.approx(15 / 25, abs=0.004)

    asyncio.run(work())


def test_all_three_rates_are_fixed_before_an_encoder_is_made():
    from aiortc.codecs import vpx

    webrtc.set_bit_rate(1_200_000)
    encoder = vpx.Vp8Encoder()
    encoder.target_bitrate = 300_000
    assert encoder.target_bitrate == 1_200_000
    webrtc.set_bit_rate()


def test_h264_comes_first_on_a_wish():
    async def work(client, living):
        one = _Client()
        answer = await one.connect(client)
        video = answer["sdp"].split("m=video")[1]
        assert f"a=rtpmap:{video.split()[2]} H264/90000" in video
        await one.peer.close()

    face = flashing_face.FlashingFace()
    live_serving.serving(work, face=face, codec="h264")

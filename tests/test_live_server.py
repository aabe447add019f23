"""The server over HTTP, sockets and WebRTC, on the loopback, with a face of no models."""

import asyncio
import contextlib
import io
import json
import os
import wave

import numpy as np
import pytest
from PIL import Image

aiohttp = pytest.importorskip("aiohttp", reason="the extra `live` is not installed")
aiortc = pytest.importorskip("aiortc", reason="the extra `live` is not installed")

from aiohttp import test_utils

from experiments.tools import flashing_face
from vasa_jax.live import limits, server, sessions


def serving(work, allowed=None, face=None, **config):
    """Run `work(client, living)` against a server, and return what it returns."""

    async def run():
        living = sessions.Sessions(
            face or flashing_face.FlashingFace(),
            np.zeros((64, 64, 3), np.uint8),
            allowed or limits.Limits(),
            batch_frames=5,
        )
        await living.warm_up()
        app = server.Server(living, server.ServerConfig(**config)).make_app()
        async with test_utils.TestClient(test_utils.TestServer(app)) as client:
            return await work(client, living)

    return asyncio.run(asyncio.wait_for(run(), 60))


def _png(height=32, width=32):
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _wav(samples):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


async def _until(condition, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def _error(response, status):
    assert response.status == status
    return (await response.json())["error"]


async def _next_json(socket, kind):
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            fields = json.loads(message.data)
            if fields["type"] == kind:
                return fields
    raise AssertionError(f"the socket closed before {kind!r}")


def test_the_page_and_its_files_are_served_and_nothing_else():
    async def work(client, living):
        for path, start in (
            ("/", b"<!doctype html>"),
            ("/page.js", b"//"),
            ("/portrait.jpg", b"\xff\xd8"),
        ):
            response = await client.get(path)
            assert response.status == 200
            assert (await response.read()).startswith(start)
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        for path in (
            "/page.html/../server.py",
            "/..%2fserver.py",
            "/%2e%2e/server.py",
            "/recording/..%2f..%2fetc%2fpasswd",
            "/control/..%2f..%2fetc%2fpasswd",
        ):
            response = await client.get(path)
            assert response.status in (400, 404)
            assert b"root:" not in await response.read()

    serving(work)


def test_health_and_metrics_count_sessions():
    async def work(client, living):
        health = await (await client.get("/health")).json()
        assert health == {"status": "ok", "sessions": 0, "max_sessions": 2}
        one = await living.begin(None)
        await _until(lambda: living.counts.counts["frames_new_total"] > 3)
        assert (await (await client.get("/health")).json())["sessions"] == 1
        assert "vasa_sessions 1\n" in await (await client.get("/metrics")).text()
        one.end()
        await asyncio.sleep(0)
        assert "vasa_sessions 0\n" in await (await client.get("/metrics")).text()

    serving(work)


def test_a_token_is_wanted_once_and_then_carried_by_a_cookie():
    async def work(client, living):
        assert "token" in await _error(await client.get("/"), 401)
        assert "token" in await _error(await client.get("/?token=wrong"), 401)
        assert (await client.get("/health")).status == 200
        bearer = {"Authorization": "Bearer secret"}
        assert (await client.get("/metrics", headers=bearer)).status == 200
        assert (await client.get("/page.js")).status == 401
        assert (await client.get("/?token=secret")).status == 200
        assert (await client.get("/page.js")).status == 200

    serving(work, token="secret")


def test_other_sites_pages_and_names_that_point_here_are_refused():
    async def work(client, living):
        response = await client.post("/offer", headers={"Origin": "http://evil.test"})
        assert "another site" in await _error(response, 400)
        response = await client.get("/", headers={"Host": "evil.test"})
        assert "localhost alone" in await _error(response, 400)

    serving(work)


def test_all_paths_lie_under_the_prefix():
    async def work(client, living):
        assert (await client.get("/face/health")).status == 200
        assert (await client.get("/health")).status == 404

    serving(work, prefix="/face")


def test_a_portrait_is_kept_and_named_by_a_secret():
    async def work(client, living):
        answer = await (await client.post("/portrait", data=_png())).json()
        one = await living.begin(answer["portrait_id"])
        one.end()
        later = [await client.post("/portrait", data=_png()) for _ in range(2)]
        assert all(response.status == 200 for response in later)
        with pytest.raises(ValueError, match="choose it again"):
            await living.begin(answer["portrait_id"])

    serving(work, limits.Limits(portraits=2))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not one that can be read"),
        (os.urandom(5000), "not one that can be read"),
        (_png()[:60], "broken"),
        (_wav(np.zeros(8000)), "not one that can be read"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "not one that can be read"),
        (_png(300, 300), "at most 0 megapixels"),
    ],
)
def test_uploads_that_are_no_portrait_are_refused_with_a_sentence(data, sentence):
    async def work(client, living):
        error = await _error(await client.post("/portrait", data=data), 400)
        assert sentence in error
        assert "vasa_live_" not in error

    serving(work, limits.Limits(picture_pixels=10_000))


def test_uploads_over_the_limit_are_refused():
    async def work(client, living):
        response = await client.post("/portrait", data=bytes(200_000))
        assert "too large" in await _error(response, 413)

    serving(work, limits.Limits(upload_bytes=100_000))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no sound"),
        (os.urandom(64) + bytes(5000), "no sound"),
        (b"RIFF" + os.urandom(5000), "cannot be read"),
        (_wav(np.zeros(8000))[:50], "sound"),
        (_png(), "no sound"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "no sound"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "no sound"),
        (b"ID3\x04\0\0\0\0\0\0#EXTM3U\nfile:///etc/hostname\n", "cannot be read"),
        (_wav(np.zeros(40_000)), "longer than 2 s"),
    ],
)
def test_uploads_that_are_no_sound_are_refused_with_a_sentence(data, sentence):
    async def work(client, living):
        one = await living.begin(None)
        response = await client.post(f"/sound/{one.session_id}", data=data)
        error = await _error(response, 400)
        assert sentence in error
        assert "vasa_live_" not in error and "/" not in error
        assert not one.ended.done()

    serving(work, limits.Limits(sound_seconds=2.0))


def test_a_sound_file_is_said():
    async def work(client, living):
        one = await living.begin(None)
        ticks = one.subscribe(max_ticks=1000)
        data = _wav(np.full(16_000, 0.5))
        response = await client.post(f"/sound/{one.session_id}", data=data)
        assert await response.json() == {"seconds": 1.0}
        loud = 0
        async with asyncio.timeout(20):
            while loud < 24:
                _, tick = await ticks.get()
                loud += np.abs(tick.samples).max() > 0.4
        response = await client.post("/sound/nobody", data=data)
        assert "has ended" in await _error(response, 400)

    serving(work)


def test_who_comes_too_late_is_told_so():
    async def work(client, living):
        await living.begin(None)
        offer = {"sdp": "v=0", "type": "offer"}
        response = await client.post("/offer", json=offer)
        assert "All 1 places" in await _error(response, 503)
        async with client.ws_connect("/live") as socket:
            assert "All 1 places" in (await _next_json(socket, "ended"))["sentence"]

    serving(work, limits.Limits(sessions=1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 5000,
        b'{"sdp": 1, "type": "offer"}',
        b'{"sdp": "nonsense", "type": "offer"}',
        b'{"sdp": "v=0", "type": "offer"}',
        b'{"sdp": "v=0\\r\\nm=video x", "type": "offer"}',
        b'{"sdp": "v=0", "type": "answer"}',
        b'{"sdp": "v=0", "type": "offer", "portrait_id": ["x"]}',
    ],
)
def test_offers_that_are_none_are_refused_and_leave_nothing(body):
    async def work(client, living):
        error = await _error(await client.post("/offer", data=body), 400)
        assert error.endswith(".")
        await _until(lambda: len(living) == 0)

    serving(work)


def test_a_socket_carries_picture_and_sound_of_one_tick():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await _next_json(socket, "begun")
            living.find(begun["session_id"]).say(
                (0.8 * (np.arange(32_000) % 16_000 < 8000)).astype(np.float32)
            )
            levels, shown, pairs = [], 0.0, []
            while len(pairs) < 90:
                message = await socket.receive(timeout=10)
                if message.type != aiohttp.WSMsgType.BINARY:
                    continue
                sound = np.frombuffer(message.data[4:1284], "<i2") / 32767
                if len(message.data) > 1284:
                    picture = Image.open(io.BytesIO(message.data[1284:]))
                    shown = np.asarray(picture).mean() / 255
                pairs.append((np.abs(sound).max(), shown))
            levels = np.array(pairs)
            assert levels[:, 0].max() > 0.7
            wrong = np.abs(levels[:, 0] - levels[:, 1]) > 0.05
            assert wrong.mean() < 0.1  # Repeated frames on a busy machine.
        await _until(lambda: len(living) == 0, seconds=2.0)

    serving(work)


def test_messages_change_the_session_and_wrong_ones_are_told():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            await _next_json(socket, "begun")
            for wrong, sentence in (
                ("{", "no JSON"),
                ("[" * 100_0, "no JSON"),
                ("3", "no JSON object"),
                ('{"type": "fly"}', "no message of type"),
                ('{"type": "controls", "seed": 3}', "cannot change"),
                ('{"type": "controls", "gaze": [99, 0]}', "from -25 to 25"),
                ('{"type": "controls", "gaze": "left"}', "not made of numbers"),
                ('{"type": "controls", "gaze": [[1], 2]}', "not made of numbers"),
                ('{"type": "controls", "liveliness": NaN}', "liveliness is nan"),
                ('{"type": "controls", "liveliness": true}', "not made of numbers"),
                ('{"type": "controls", "emotion": {"joy": 1}}', "no emotion"),
                ('{"type": "agent", "name": "nobody"}', "no such agent"),
            ):
                await socket.send_str(wrong)
                error = await _next_json(socket, "error")
                assert sentence in error["sentence"]
            await socket.send_bytes(b"odd")
            assert "half a sample" in (await _next_json(socket, "error"))["sentence"]
            await socket.send_str('{"type": "controls", "gaze": [10, -5]}')
            await socket.send_str('{"type": "clear"}')
            await _next_json(socket, "state")

    serving(work)


def test_who_is_heard_along_speaks_through_the_face():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            await socket.send_str('{"type": "agent", "name": "along"}')
            tone = np.sin(np.arange(320) * 0.3) * 0.3
            piece = np.round(tone * 32767).astype("<i2").tobytes()

            async def speak():
                while True:
                    await socket.send_bytes(piece)
                    await asyncio.sleep(0.02)

            speaking = asyncio.create_task(speak())
            try:
                async with asyncio.timeout(20):
                    async for message in socket:
                        if message.type == aiohttp.WSMsgType.BINARY:
                            sound = np.frombuffer(message.data[4:1284], "<i2")
                            if np.abs(sound).max() > 3000:
                                break
            finally:
                speaking.cancel()
            assert 0.1 < living.counts.delays()["0.5"] < 10

    serving(work)


def test_a_recording_is_an_mp4_that_goes_with_its_session(tmp_path):
    from vasa_jax import media

    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await _next_json(socket, "begun")
            url = f"/recording/{begun['session_id']}"
            assert "record first" in await _error(await client.get(url), 400)
            await socket.send_str('{"type": "record", "on": true}')
            await asyncio.sleep(0.5)
            await socket.send_str('{"type": "record", "on": false}')
            assert (await _next_json(socket, "recorded"))["is_there"]
            response = await client.get(url)
            assert response.status == 200
            data = await response.read()
        await _until(lambda: len(living) == 0)
        assert "record first" in await _error(await client.get(url), 400)
        return data

    path = tmp_path / "talk.mp4"
    path.write_bytes(serving(work))
    assert media.probe_video(path).num_frames >= 3


def test_twenty_idle_tabs_and_half_open_connections_disturb_nobody():
    async def work(client, living):
        host, port = client.server.host, client.server.port
        tabs = [await client.get("/") for _ in range(20)]
        half_open = [await asyncio.open_connection(host, port) for _ in range(20)]
        for _, writer in half_open[:10]:
            writer.write(b"POST /portrait HTTP/1.1\r\nContent-Length: 1000\r\n")
        async with client.ws_connect("/live") as socket:
            await _next_json(socket, "media")
            for _ in range(20):
                await socket.receive(timeout=5)
        for _, writer in half_open:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        for tab in tabs:
            tab.release()

    serving(work)


def test_a_client_that_never_reads_loses_its_session_alone(monkeypatch):
    monkeypatch.setattr("vasa_jax.live.websocket.SEND_SECONDS", 0.5)

    async def work(client, living):
        # Noise makes large pictures, so that the buffers between fill up.
        deaf = await client.ws_connect("/live", max_msg_size=0)
        transport = deaf._response.connection.transport
        transport.pause_reading()
        async with client.ws_connect("/live") as socket:
            await _next_json(socket, "media")
            await _until(lambda: len(living) == 1, seconds=40)
            await socket.receive(timeout=5)

    face = flashing_face.FlashingFace(image_size=1024)
    serving(work, face=face)


def test_a_session_that_nobody_uses_ends_with_a_sentence():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            ended = await _next_json(socket, "ended")
            assert "Nothing was said" in ended["sentence"]

    serving(work, limits.Limits(idle_seconds=0.2))


def test_a_device_that_fails_ends_its_session_with_a_sentence():
    class Failing(flashing_face.FlashingFace):
        def stream(self, portrait, controls):
            stream = super().stream(portrait, controls)

            def fail(motion):
                raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

            if controls.seed:  # Not while it warms up.
                stream.render = fail
            return stream

    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            ended = await _next_json(socket, "ended")
            assert "could not compute" in ended["sentence"]
        assert living.counts.counts["sessions_failed_total"] == 1
        assert (await client.get("/health")).status == 200

    serving(work, face=Failing())

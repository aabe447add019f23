"""Pages, portraits, sounds, offers and what becomes of sessions."""

import asyncio
import contextlib

import live_serving
import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.live import limits


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

    live_serving.serving(work)


def test_health_and_metrics_count_sessions():
    async def work(client, living):
        health = await (await client.get("/health")).json()
        assert health == {"status": "ok", "sessions": 0, "max_sessions": 2}
        one = await living.begin(None)
        await live_serving.until(lambda: living.counts.counts["frames_new_total"] > 3)
        assert (await (await client.get("/health")).json())["sessions"] == 1
        assert "vasa_sessions 1\n" in await (await client.get("/metrics")).text()
        one.end()
        await asyncio.sleep(0)
        assert "vasa_sessions 0\n" in await (await client.get("/metrics")).text()

    live_serving.serving(work)


def test_a_portrait_is_kept_and_named_by_a_secret():
    async def work(client, living):
        answer = await (await client.post("/portrait", data=live_serving.png())).json()
        one = await living.begin(answer["portrait_id"])
        one.end()
        for _ in range(2):
            await living.add_portrait(np.zeros((8, 8, 3), np.uint8))
        with pytest.raises(ValueError, match="choose it again"):
            await living.begin(answer["portrait_id"])

    live_serving.serving(work, limits.Limits(portraits=2))


def test_uploads_over_the_limit_are_refused():
    async def work(client, living):
        response = await client.post("/portrait", data=bytes(200_000))
        assert "too large" in await live_serving.error_of(response, 413)

    live_serving.serving(work, limits.Limits(upload_bytes=100_000))


def test_a_sound_file_is_said():
    async def work(client, living):
        one = await living.begin(None)
        ticks = one.subscribe(max_ticks=1000)
        data = live_serving.wav(np.full(16_000, 0.5))
        response = await client.post(f"/sound/{one.session_id}", data=data)
        assert await response.json() == {"seconds": 1.0}
        loud = 0
        async with asyncio.timeout(20):
            while loud < 24:
                _, tick = await ticks.get()
                loud += np.abs(tick.samples).max() > 0.4
        response = await client.post("/sound/nobody", data=data)
        assert "has ended" in await live_serving.error_of(response, 400)

    live_serving.serving(work)


def test_who_comes_too_late_is_told_so():
    async def work(client, living):
        await living.begin(None)
        offer = {"sdp": "v=0", "type": "offer"}
        response = await client.post("/offer", json=offer)
        assert "All 1 places" in await live_serving.error_of(response, 503)
        async with client.ws_connect("/live") as socket:
            assert (
                "All 1 places"
                in (await live_serving.next_json(socket, "ended"))["sentence"]
            )

    live_serving.serving(work, limits.Limits(sessions=1))


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
        error = await live_serving.error_of(await client.post("/offer", data=body), 400)
        assert error.endswith(".")
        await live_serving.until(lambda: len(living) == 0)

    live_serving.serving(work)


def test_twenty_idle_tabs_and_half_open_connections_disturb_nobody():
    async def work(client, living):
        host, port = client.server.host, client.server.port
        tabs = [await client.get("/") for _ in range(20)]
        half_open = [await asyncio.open_connection(host, port) for _ in range(20)]
        for _, writer in half_open[:10]:
            writer.write(b"POST /portrait HTTP/1.1\r\nContent-Length: 1000\r\n")
        async with client.ws_connect("/live") as socket:
            await live_serving.next_json(socket, "media")
            for _ in range(20):
                await socket.receive(timeout=5)
        for _, writer in half_open:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        for tab in tabs:
            tab.release()

    live_serving.serving(work)


def test_a_session_that_nobody_uses_ends_with_a_sentence():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            ended = await live_serving.next_json(socket, "ended")
            assert "Nothing was said" in ended["sentence"]

    live_serving.serving(work, limits.Limits(idle_seconds=0.2))


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
            ended = await live_serving.next_json(socket, "ended")
            assert "could not compute" in ended["sentence"]
        assert living.counts.counts["sessions_failed_total"] == 1
        assert (await client.get("/health")).status == 200

    live_serving.serving(work, face=Failing())

"""How sessions on sockets end, and what ends none: slow clients, slow devices."""

import asyncio
import contextlib
import socket as socket_lib

import live_serving
import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.live import limits, websocket


class _Noise(flashing_face.FlashingFace):
    """A face whose pictures are large however small they are."""

    def stream(self, portrait, controls):
        stream = super().stream(portrait, controls)
        rng = np.random.default_rng(0)

        def render(motion):
            for piece in motion:
                yield rng.integers(0, 256, (len(piece), 256, 256, 3), np.uint8)

        stream.render = render
        return stream


@contextlib.asynccontextmanager
async def _plain_reader(client):
    """Connect a client that takes bytes only when it is told to."""
    one = socket_lib.socket()
    one.setsockopt(socket_lib.SOL_SOCKET, socket_lib.SO_RCVBUF, 4096)
    one.setblocking(False)
    server, loop = client.server, asyncio.get_running_loop()
    await loop.sock_connect(one, (server.host, server.port))
    asked = (
        f"GET /live HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(one, asked.encode())
    yield one
    one.close()


def _only(living):
    (one,) = living._sessions.values()
    return one


async def _why(client, session_id):
    return (await (await client.get(f"/ending/{session_id}")).json())["sentence"]


def test_a_client_that_never_reads_loses_its_session_alone_and_is_told_when_it_does(
    monkeypatch,
):
    monkeypatch.setattr("vasa_jax.live.websocket.SEND_SECONDS", 0.5)

    async def work(client, living):
        async with _plain_reader(client) as deaf:
            await live_serving.until(lambda: len(living._sessions) == 1)
            session_id = _only(living).session_id
            async with client.ws_connect("/live") as socket:
                await live_serving.next_json(socket, "media")
                while len(living) > 1:
                    await socket.receive(timeout=10)
                await socket.receive(timeout=10)
            assert await _why(client, session_id) == websocket.NOT_TAKEN
            read, loop = b"", asyncio.get_running_loop()
            async with asyncio.timeout(20):
                while websocket.NOT_TAKEN.encode() not in read[-1000:]:
                    piece = await loop.sock_recv(deaf, 65536)
                    assert piece
                    read += piece

    live_serving.serving(work, face=_Noise(image_size=256))


def test_a_client_that_reads_slowly_loses_frames_and_keeps_its_session():
    async def work(client, living):
        async with _plain_reader(client) as slow:
            loop = asyncio.get_running_loop()
            await live_serving.until(lambda: len(living._sessions) == 1)
            one = _only(living)
            await live_serving.until(lambda: one._queues)
            (ticks,) = one._queues
            while ticks.num_lost < 200:  # Eight seconds, less than one frame.
                await loop.sock_recv(slow, 1024)
                await asyncio.sleep(0.1)
            assert not one.ended.done()

    live_serving.serving(work, face=_Noise(image_size=256))


def test_a_device_that_is_far_too_slow_makes_frames_late_and_ends_nothing():
    class Slow(flashing_face.FlashingFace):
        def stream(self, portrait, controls):
            stream = super().stream(portrait, controls)
            if controls.seed:  # Not while it warms up.
                stream.motion._step_seconds = 1.5  # For 0.4 s of motion.
                stream._render_seconds = 0.2  # For each of 25 frames a second.
            return stream

    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await live_serving.next_json(socket, "begun")
            living.find(begun["session_id"]).say(np.full(8000, 0.5, np.float32))
            num_loud = 0
            async for message in socket:
                assert message.type in (
                    live_serving.aiohttp.WSMsgType.BINARY,
                    live_serving.aiohttp.WSMsgType.TEXT,
                )
                if message.type == live_serving.aiohttp.WSMsgType.BINARY:
                    sound = np.frombuffer(message.data[4:1284], "<i2")
                    num_loud += np.abs(sound).max() > 10_000
                if num_loud == 12:
                    break
            assert living.counts.counts["ticks_held_total"] > 20
            assert len(living) == 1

    live_serving.serving(work, face=Slow())


def test_a_client_that_answers_no_question_is_told_so_when_it_comes_back(monkeypatch):
    monkeypatch.setattr("vasa_jax.live.websocket.HEARTBEAT_SECONDS", 0.4)

    async def work(client, living):
        async with client.ws_connect("/live", autoping=False) as socket:
            begun = await live_serving.next_json(socket, "begun")
            await live_serving.until(lambda: len(living) == 0)
            why = await _why(client, begun["session_id"])
            assert why == websocket.NOT_ANSWERED
        assert "start again" in await _why(client, "nobody")

    live_serving.serving(work)


def test_a_message_that_is_too_large_ends_a_session_with_a_sentence():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await live_serving.next_json(socket, "begun")
            await socket.send_bytes(bytes(2000))
            await live_serving.until(lambda: len(living) == 0)
            assert await _why(client, begun["session_id"]) == websocket.TOO_LARGE

    live_serving.serving(work, limits.Limits(message_bytes=1000))


@pytest.mark.parametrize("error", [RuntimeError("a defect"), KeyError("nothing")])
def test_an_agent_that_fails_ends_its_session_with_a_sentence(error):
    class Failing:
        def __init__(self, speaker):
            pass

        def hear(self, samples):
            raise error

        def close(self):
            pass

    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await live_serving.next_json(socket, "begun")
            living.find(begun["session_id"]).set_agent(Failing)
            await socket.send_bytes(bytes(640))
            ended = await live_serving.next_json(socket, "ended")
            assert "read the server's log" in ended["sentence"]
        assert living.counts.counts["sessions_failed_total"] == 1

    live_serving.serving(work)


def test_a_server_that_is_stopped_says_so():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            await live_serving.next_json(socket, "media")
            closing = asyncio.create_task(client.server.close())
            ended = await live_serving.next_json(socket, "ended")
            assert ended["sentence"] == "The server has been stopped."
            await socket.receive(timeout=10)
            await closing

    live_serving.serving(work)

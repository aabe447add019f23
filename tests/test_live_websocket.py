"""The socket beside a session: messages, picture and sound, recordings."""

import asyncio
import contextlib
import importlib.util
import io
import socket as socket_lib

import live_serving
import numpy as np
import pytest
from PIL import Image

from experiments.tools import flashing_face
from vasa_jax.live import limits, voices, websocket
from vasa_jax.speech.natural_voices import model


def test_a_socket_carries_picture_and_sound_of_one_tick():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await live_serving.next_json(socket, "begun")
            living.find(begun["session_id"]).say(
                (0.8 * (np.arange(32_000) % 16_000 < 8000)).astype(np.float32)
            )
            levels, shown, pairs = [], 0.0, []
            while len(pairs) < 90:
                message = await socket.receive(timeout=10)
                if message.type != live_serving.aiohttp.WSMsgType.BINARY:
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
        await live_serving.until(lambda: len(living) == 0, seconds=2.0)

    live_serving.serving(work)


def test_messages_change_the_session_and_wrong_ones_are_told():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            await live_serving.next_json(socket, "begun")
            for wrong, sentence in (
                ("{", "no JSON"),
                ("[" * 100_0, "no JSON"),
                ("3", "no JSON object"),
                ('{"type": "fly"}', "no message of type"),
                ('{"type": "controls", "seed": 3}', "cannot change"),
                ('{"type": "controls", "gaze": [99, 0]}', "from -25 to 25"),
                ('{"type": "controls", "gaze": "left"}', "not made of numbers"),
                ('{"type": "controls", "gaze": [[1], 2]}', "gaze is neither a number"),
                ('{"type": "controls", "liveliness": NaN}', "liveliness is nan"),
                ('{"type": "controls", "liveliness": true}', "not made of numbers"),
                ('{"type": "controls", "emotion": {"joy": 1}}', "no emotion"),
                ('{"type": "agent", "name": "nobody"}', "no such agent"),
            ):
                await socket.send_str(wrong)
                error = await live_serving.next_json(socket, "error")
                assert sentence in error["sentence"]
            await socket.send_bytes(b"odd")
            assert (
                "half a sample"
                in (await live_serving.next_json(socket, "error"))["sentence"]
            )
            await socket.send_str('{"type": "controls", "gaze": [10, -5]}')
            await socket.send_str('{"type": "clear"}')
            await live_serving.next_json(socket, "state")

    live_serving.serving(work)


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
            num_loud = 0
            async for message in socket:
                if message.type == live_serving.aiohttp.WSMsgType.BINARY:
                    sound = np.frombuffer(message.data[4:1284], "<i2")
                    num_loud += np.abs(sound).max() > 3000
                    if num_loud == 10:
                        break
            speaking.cancel()
            assert 0.1 < living.counts.delays()["0.5"] < 10

    live_serving.serving(work)


async def _loud_ticks(socket, count):
    """Return how loud the next ticks are, after the first loud one."""
    levels = []
    async for message in socket:
        if message.type == live_serving.aiohttp.WSMsgType.BINARY:
            level = np.abs(np.frombuffer(message.data[4:1284], "<i2").astype(int)).max()
            if levels or level > 20_000:
                levels.append(level)
        if len(levels) == count:
            return np.array(levels)
    raise AssertionError("the socket closed")


def test_typed_text_is_said_until_it_is_cleared_and_the_next_is_said():
    async def work(client, living):
        settings = await (await client.get("/settings")).json()
        assert settings["voices"]["names"] == ["high", "low"]
        async with client.ws_connect("/live") as socket:
            long = "We saw a cat on the mat today. " * 300
            await socket.send_json({"type": "say", "text": long})
            assert (await _loud_ticks(socket, 30) > 20_000).mean() > 0.5
            await socket.send_json({"type": "clear"})
            await live_serving.until(
                lambda: not any(one.is_speaking for one in living._sessions.values())
            )
            await socket.send_json(
                {"type": "say", "text": "Go on, please.", "voice": "low"}
            )
            assert (await _loud_ticks(socket, 10) > 20_000).any()

    live_serving.serving(work, voices=live_serving.tones())


def test_who_speaks_interrupts_typed_text():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            long = "We saw a cat on the mat today. " * 300
            await socket.send_json({"type": "say", "text": long})
            await _loud_ticks(socket, 5)
            voice = np.sin(np.arange(16_000) * 0.3) * 0.3
            await socket.send_bytes(np.round(voice * 32767).astype("<i2").tobytes())
            (one,) = living._sessions.values()
            await live_serving.until(lambda: not one.is_speaking)

    live_serving.serving(work, voices=live_serving.tones())


def test_texts_that_cannot_be_said_are_refused_in_sentences():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            for fields, sentence in (
                ({}, "text to say is no text"),
                ({"text": None}, "text to say is no text"),
                ({"text": ["a"]}, "text to say is no text"),
                ({"text": "a", "voice": ["a"]}, "voice to say is no text"),
                ({"text": "a", "language": 3}, "language is no text"),
                ({"text": ""}, "nothing to say"),
                ({"text": "☃"}, "nothing to say"),
                ({"text": "a", "voice": "nobody"}, "no voice 'nobody'"),
                ({"text": "a" * 10_001}, "at most 10000"),
            ):
                await socket.send_json({"type": "say", **fields})
                error = await live_serving.next_json(socket, "error")
                assert sentence in error["sentence"]
            assert not any(one.is_speaking for one in living._sessions.values())
            await socket.send_json({"type": "say", "text": "\U0001f600a" * 5000})
            await _loud_ticks(socket, 5)

    live_serving.serving(work, voices=live_serving.tones())


def test_without_voices_a_text_is_refused_with_what_to_install():
    async def work(client, living):
        settings = await (await client.get("/settings")).json()
        assert settings["voices"] is None
        async with client.ws_connect("/live") as socket:
            await socket.send_json({"type": "say", "text": "Good morning."})
            error = await live_serving.next_json(socket, "error")
            assert error["sentence"] == settings["without_voices"]
            assert "pip install" in error["sentence"]

    live_serving.serving(work)


@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in model.PACKAGES),
    reason="natural voices need the extra `voices`, which is not installed",
)
def test_a_natural_voice_says_typed_text():
    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            await socket.send_json({"type": "say", "text": "Oh."})
            loud = 0
            async for message in socket:
                if message.type == live_serving.aiohttp.WSMsgType.BINARY:
                    sound = np.frombuffer(message.data[4:1284], "<i2").astype(int)
                    loud += np.abs(sound).max() > 1000
                if loud > 3:
                    break

    live_serving.serving(work, voices=voices.natural())


def test_a_recording_is_an_mp4_that_goes_with_its_session(tmp_path):
    from vasa_jax import media

    async def work(client, living):
        async with client.ws_connect("/live") as socket:
            begun = await live_serving.next_json(socket, "begun")
            url = f"/recording/{begun['session_id']}"
            assert "record first" in await live_serving.error_of(
                await client.get(url), 400
            )
            await socket.send_str('{"type": "record", "on": true}')
            await asyncio.sleep(0.5)
            await socket.send_str('{"type": "record", "on": false}')
            assert (await live_serving.next_json(socket, "recorded"))["is_there"]
            response = await client.get(url)
            assert response.status == 200
            data = await response.read()
        await live_serving.until(lambda: len(living) == 0)
        assert "record first" in await live_serving.error_of(await client.get(url), 400)
        return data

    path = tmp_path / "talk.mp4"
    path.write_bytes(live_serving.serving(work))
    assert media.count_frames(path) >= 3


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
            await live_serving.until(lambda: one._outlets)
            (ticks,) = one._outlets
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

"""The socket beside a session: messages, picture and sound, recordings."""

import asyncio
import io
import socket as socket_lib

import live_serving
import numpy as np
from PIL import Image

from experiments.tools import flashing_face


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
                ('{"type": "controls", "gaze": [[1], 2]}', "not made of numbers"),
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


def test_a_client_that_never_reads_loses_its_session_alone(monkeypatch):
    monkeypatch.setattr("vasa_jax.live.websocket.SEND_SECONDS", 0.5)

    async def work(client, living):
        deaf = socket_lib.socket()
        deaf.setsockopt(socket_lib.SOL_SOCKET, socket_lib.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        server = client.server
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (server.host, server.port))
        asked = (
            f"GET /live HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await loop.sock_sendall(deaf, asked.encode())
        await live_serving.until(lambda: len(living) == 1)
        async with client.ws_connect("/live") as socket:
            await live_serving.next_json(socket, "media")
            while len(living) > 1:
                await socket.receive(timeout=10)
            await socket.receive(timeout=10)
        deaf.close()

    live_serving.serving(work, face=_Noise(image_size=256))

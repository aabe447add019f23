"""The socket beside a session: messages, picture and sound, recordings."""

import asyncio
import importlib.util
import io

import av
import live_serving
import numpy as np
import pytest
from PIL import Image

from vasa_jax import media
from vasa_jax.live import recording, voices
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


def test_the_whole_picture_is_sent_and_recorded_on_a_wish(tmp_path):
    async def work(client, living):
        portrait = live_serving.png(height=61, width=120)
        given = await (await client.post("/portrait", data=portrait)).json()
        query = {"portrait_id": given["portrait_id"], "whole_picture": "1"}
        async with client.ws_connect("/live", params=query) as socket:
            begun = await live_serving.next_json(socket, "begun")
            told = await live_serving.next_json(socket, "media")
            assert (told["width"], told["height"]) == (120, 60)
            one = living.find(begun["session_id"])
            recorded = recording.Recording(one, tmp_path / "talk.mp4", 5.0)
            one.say(np.full(80_000, 0.9, np.float32))
            middle = 0
            while middle < 150:
                data = (await socket.receive(timeout=10)).data
                if isinstance(data, bytes) and len(data) > 1284:
                    picture = np.asarray(Image.open(io.BytesIO(data[1284:])))
                    middle, border = live_serving.middle_and_border(picture)
            assert picture.shape == (60, 120, 3)
            assert border == pytest.approx(90, abs=2)
            await recorded.finish()

    live_serving.serving(work)
    frames = list(media.iterate_video(tmp_path / "talk.mp4"))
    assert frames[0].shape == (60, 120, 3)


async def _loud_picture(socket):
    """Return the first picture of a loud sound."""
    while True:
        data = (await socket.receive(timeout=10)).data
        if isinstance(data, bytes) and len(data) > 1284:
            picture = np.asarray(Image.open(io.BytesIO(data[1284:])))
            if picture[:, -20:, :3].mean() > 150:
                return picture


def test_another_picture_or_nothing_stands_behind_the_person(tmp_path):
    async def work(client, living):
        given = await (await client.post("/background", data=live_serving.png())).json()
        loud = np.full(80_000, 0.9, np.float32)
        query = {"background": given["background_id"]}
        async with client.ws_connect("/live", params=query) as socket:
            begun = await live_serving.next_json(socket, "begun")
            assert living.find(begun["session_id"]).is_composite
            living.find(begun["session_id"]).say(loud)
            picture = await _loud_picture(socket)
            assert picture.shape == (64, 64, 3)
            assert picture[:, :20].mean() == pytest.approx(90, abs=3)
        query = {"background": "transparent"}
        async with client.ws_connect("/live", params=query) as socket:
            begun = await live_serving.next_json(socket, "begun")
            one = living.find(begun["session_id"])
            recorded = recording.Recording(one, tmp_path / "talk.webm", 5.0)
            one.say(loud)
            picture = await _loud_picture(socket)
            assert picture.shape == (64, 64, 4)
            assert picture[:, :30, 3].max() == 0
            assert picture[:, 34:, 3].min() == 255
            await recorded.finish()

    live_serving.serving(work, face=live_serving.HalfFace())
    assert media.probe_video(tmp_path / "talk.webm").width == 64


def test_backgrounds_that_cannot_be_shown_are_refused():
    async def work(client, living):
        for name, sentence in (
            ("beach", "not kept any more"),
            ("blurred", "cannot be told from the background"),
        ):
            params = {"background": name}
            async with client.ws_connect("/live", params=params) as socket:
                refusal = await live_serving.next_json(socket, "ended")
                assert sentence in refusal["sentence"]
        offer = {"sdp": "v=0", "type": "offer"}
        for background, sentence in (
            ("transparent", "choose the plain connection"),
            (3, "send a name, or an id"),
        ):
            asked = {**offer, "background": background}
            response = await client.post("/offer", json=asked)
            assert sentence in await live_serving.error_of(response, 400)
        response = await client.post("/background", data=b"no picture")
        await live_serving.error_of(response, 400)
        assert len(living) == 0

    live_serving.serving(work)


def test_an_mp4_that_grows_is_sent_on_a_wish():
    async def work(client, living):
        async with client.ws_connect("/live?format=mp4") as socket:
            begun = await live_serving.next_json(socket, "begun")
            told = await live_serving.next_json(socket, "media")
            assert told["mime"].startswith("video/mp4;")
            living.find(begun["session_id"]).say(np.full(80_000, 0.9, np.float32))
            data, pieces = b"", 0
            while pieces < 90:
                message = (await socket.receive(timeout=10)).data
                if isinstance(message, bytes):
                    data, pieces = data + message, pieces + 1
        async with client.ws_connect("/live?format=gif") as socket:
            refusal = await live_serving.next_json(socket, "ended")
            assert "give pictures or mp4" in refusal["sentence"]
        path = "/live?format=mp4&background=transparent"
        async with client.ws_connect(path) as socket:
            refusal = await live_serving.next_json(socket, "ended")
            assert "has no transparency" in refusal["sentence"]
        await live_serving.until(lambda: len(living) == 0, seconds=2.0)
        return data

    with av.open(io.BytesIO(live_serving.serving(work))) as file:
        levels = [
            frame.to_ndarray(format="gray").mean() for frame in file.decode(video=0)
        ]
    assert len(levels) == 89
    assert levels[0] < 20 and max(levels) > 200


def test_the_default_portrait_is_shown_whole_and_other_wishes_are_refused():
    async def work(client, living):
        for query, shape in (("", (64, 64)), ("?whole_picture=1", (30, 80))):
            data = await (await client.get(f"/portrait.jpg{query}")).read()
            assert np.asarray(Image.open(io.BytesIO(data))).shape == (*shape, 3)
        response = await client.get("/portrait.jpg?whole_picture=yes")
        assert "give 0 or 1" in await live_serving.error_of(response, 400)
        async with client.ws_connect("/live?whole_picture=yes") as socket:
            refusal = await live_serving.next_json(socket, "ended")
            assert "give 0 or 1" in refusal["sentence"]
        offer = {"sdp": "v=0", "type": "offer", "whole_picture": 1}
        response = await client.post("/offer", json=offer)
        assert "send true or false" in await live_serving.error_of(response, 400)
        assert len(living) == 0

    live_serving.serving(work, portrait=np.full((31, 80, 3), 90, np.uint8))


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

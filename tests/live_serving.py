"""A server on the loopback, with a face of no models, and what clients send to it.

Who imports this is skipped where the extra `live` is not installed.
"""

import asyncio
import dataclasses
import io
import json
import wave

import numpy as np
import pytest
from PIL import Image

aiohttp = pytest.importorskip("aiohttp", reason="the extra `live` is not installed")
pytest.importorskip("aiortc", reason="the extra `live` is not installed")

from aiohttp import test_utils  # noqa: E402

from experiments.tools import flashing_face  # noqa: E402
from vasa_jax.animate import backdrop  # noqa: E402
from vasa_jax.errors import UserError  # noqa: E402
from vasa_jax.live import limits, server, sessions, voices  # noqa: E402
from vasa_jax.speech import adapters  # noqa: E402

SECONDS = 240
"""Of one test, on a machine that has other work; it takes a few."""


def serving(work, allowed=None, face=None, seal=None, portrait=None, **config):
    """Run `work(client, living)` against a server, and return what it returns."""

    async def run():
        living = sessions.Sessions(
            face or flashing_face.FlashingFace(),
            np.zeros((64, 64, 3), np.uint8) if portrait is None else portrait,
            allowed or limits.Limits(),
            seal=seal,
        )
        await living.warm_up()
        app = server.Server(living, server.ServerConfig(**config)).make_app()
        async with test_utils.TestClient(test_utils.TestServer(app)) as client:
            return await work(client, living)

    return asyncio.run(asyncio.wait_for(run(), SECONDS))


class HalfFace(flashing_face.FlashingFace):
    """A flashing face whose left half shows what is behind the person."""

    def locate(self, image):
        """Take any picture for a portrait of half a person."""
        person = np.ones((self.image_size, self.image_size), np.float32)
        person[:, : self.image_size // 2] = 0
        found = super().locate(image)
        scene = backdrop.Scene(person=person, backdrop=found.image)
        return dataclasses.replace(found, scene=scene)


def tones(say=None):
    """Return voices that say a loud tone for each letter, or what `say` gives."""

    def tone(words):
        return np.full(len(words) * 800, 0.9, np.float32)

    def make(voice, language):
        if voice not in ("high", "low"):
            raise UserError(f"There is no voice {voice!r}; choose high or low.")
        return adapters.FunctionSpeaker(say or tone)

    return voices.Voices(
        make=make,
        voice="high",
        language="en",
        names=["high", "low"],
        languages=["en", "en-gb", "fr"],
    )


def png(height=32, width=32):
    """Return a grey picture."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def middle_and_border(frame):
    """Return how bright uint8 `[H, W, 3]` is where a `FlashingFace` lies, and left."""
    height, width = frame.shape[:2]
    rows = slice(height // 2 - 4, height // 2 + 4)
    middle = frame[rows, width // 2 - 4 : width // 2 + 4]
    return middle.mean(), frame[:, : width // 2 - height // 4 - 2].mean()


def wav(samples):
    """Return samples float `[S]` as a file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


async def until(condition, seconds=30.0):
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def error_of(response, status):
    """Return the sentence of a refusal."""
    assert response.status == status
    return (await response.json())["error"]


async def next_json(socket, kind):
    """Return the next message of a kind."""
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            fields = json.loads(message.data)
            if fields["type"] == kind:
                return fields
    raise AssertionError(f"the socket closed before {kind!r}")

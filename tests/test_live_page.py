"""The page in a real browser, with a fake microphone."""

import asyncio

import live_browser
import live_serving
import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.live import limits
from vasa_jax.portrait import locate

pytestmark = live_browser.MARKS


@pytest.mark.parametrize(
    ("ticks", "selector"),
    [([], "#video"), (["#plain"], "#canvas"), (["#plain", "#thin"], "#video")],
)
def test_the_face_is_seen_to_speak_and_goes_with_the_tab(ticks, selector):
    async def work(page, living):
        for tick in ticks:
            await page.check(tick)
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.wait_for_selector(selector)
        live_browser.only(living).say(np.full(16_000 * 20, 0.9, np.float32))
        await live_browser.until_bright(page, selector)
        await page.wait_for_selector("#state:has-text('Speaking')")
        await page.click("#quiet")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.close(run_before_unload=False)
        await live_serving.until(lambda: len(living) == 0, seconds=2.0)

    live_browser.on_page(work)


@pytest.mark.parametrize("plain", [False, True])
def test_the_whole_picture_is_seen_on_a_wish(plain):
    picture = live_serving.png(height=61, width=120)

    async def work(page, living):
        if plain:
            await page.check("#plain")
        await page.set_input_files(
            "#portrait", {"name": "a.png", "mimeType": "image/png", "buffer": picture}
        )
        await page.wait_for_selector("#portrait_note:has-text('Found a face')")
        assert await _ratio(page, "#still") == pytest.approx(1.0, abs=0.01)
        await page.check("#whole")
        assert await _ratio(page, "#still") == pytest.approx(120 / 61, abs=0.01)
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        assert await page.is_disabled("#whole")
        live_browser.only(living).say(np.full(16_000 * 20, 0.9, np.float32))
        shown = "#canvas" if plain else "#video"
        async with asyncio.timeout(60):
            # Dark at first, where the face lies; around it the picture.
            while (await live_browser.seen(page, shown)).mean() < 105:
                await asyncio.sleep(0.05)
        assert await _ratio(page, shown) == pytest.approx(2.0, abs=0.01)

    live_browser.on_page(work)


async def _pixels(page, selector):
    """Return red and alpha left and right in the middle of what an element shows."""
    return await page.evaluate(
        """(selector) => {
          const canvas = document.createElement('canvas');
          canvas.width = canvas.height = 8;
          const context = canvas.getContext('2d');
          context.drawImage(document.querySelector(selector), 0, 0, 8, 8);
          return [1, 6].map((x) => {
            const { data } = context.getImageData(x, 4, 1, 1);
            return [data[0], data[3]];
          });
        }""",
        selector,
    )


async def _shown_until(page, selector, is_so):
    async with asyncio.timeout(60):
        while not is_so(*await _pixels(page, selector)):
            await asyncio.sleep(0.05)


def test_a_picture_stands_behind_the_person_or_nothing_does():
    picture = live_serving.png()
    file = {"name": "wall.png", "mimeType": "image/png", "buffer": picture}

    async def work(page, living):
        await page.select_option("#background", "picture")
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('Choose the picture')")
        await page.set_input_files("#background_file", file)
        await page.wait_for_selector("#background_note:has-text('wall.png')")
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        assert await page.is_disabled("#background")
        live_browser.only(living).say(np.full(16_000 * 20, 0.9, np.float32))
        await _shown_until(
            page,
            "#video",
            lambda left, right: abs(left[0] - 90) < 12 and right[0] > 180,
        )
        await page.click("#stop")
        await page.select_option("#background", "transparent")
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('choose the plain connection')")
        await page.check("#plain")
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        live_browser.only(living).say(np.full(16_000 * 20, 0.9, np.float32))
        await _shown_until(
            page,
            "#canvas",
            lambda left, right: left[1] == 0 and right[0] > 180 and right[1] == 255,
        )

    live_browser.on_page(work, face=live_serving.HalfFace())


async def _ratio(page, selector):
    """Return the width of what is seen over its height."""
    box = await page.locator(selector).bounding_box()
    return box["width"] / box["height"]


def test_the_fake_microphone_is_heard_along():
    async def work(page, living):
        await page.check("[name=agent][value=along]")
        await page.click("#start")
        await page.wait_for_selector("#video")
        # The fake microphone beeps once a second.
        await live_serving.until(lambda: living.counts.delays(), seconds=60)

    live_browser.on_page(work)


def test_colours_come_as_they_were_sent():
    class Flat(flashing_face.FlashingFace):
        def stream(self, portrait, controls):
            stream = super().stream(portrait, controls)
            colour = np.array([200, 120, 90], np.uint8)

            def render(motion):
                for piece in motion:
                    shape = (len(piece), 128, 128, 3)
                    yield np.broadcast_to(colour, shape).copy()

            stream.render = render
            return stream

    async def work(page, living):
        await page.click("#start")
        async with asyncio.timeout(60):
            while True:
                seen = await live_browser.seen(page, "#video")
                if np.abs(seen - [200, 120, 90]).max() <= 4:
                    return
                await asyncio.sleep(0.2)

    live_browser.on_page(work, face=Flat())


def test_a_recording_can_be_downloaded():
    async def work(page, living):
        await page.click("#start")
        await page.wait_for_selector("#video")
        await live_serving.until(lambda: living.counts.counts["frames_new_total"] > 5)
        await page.click("#record")
        await asyncio.sleep(1.0)
        await page.click("#record")
        async with page.expect_download() as waiting:
            await page.click("#download_link")
        download = await waiting.value
        assert download.suggested_filename == "talking_face.mp4"

    live_browser.on_page(work)


def test_a_microphone_that_was_denied_is_told_and_a_sound_file_is_said_all_the_same(
    tmp_path,
):
    file = tmp_path / "voice.wav"
    file.write_bytes(live_serving.wav(np.full(16_000 * 5, 0.9)))

    async def work(page, living):
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('microphone was not allowed')")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.set_input_files("#sound", str(file))
        await page.wait_for_selector("#sound_note:has-text('It says 5.0 s')")
        await live_browser.until_bright(page, "#video")

    # Asked without anybody there to allow it, a headless browser denies.
    live_browser.on_page(work, flags=live_browser.FLAGS)


@pytest.mark.parametrize(
    ("script", "click", "sentence"),
    [
        ("delete window.RTCPeerConnection", "#start", "has no WebRTC"),
        (
            "navigator.mediaDevices.getUserMedia = async () => {"
            " throw new DOMException('', 'NotFoundError'); }",
            "#photograph",
            "There is no camera",
        ),
        (
            "navigator.mediaDevices.getUserMedia = async () => {"
            " throw new DOMException('', 'NotReadableError'); }",
            "#photograph",
            "used by another program",
        ),
    ],
)
def test_what_a_browser_lacks_is_told_in_a_sentence(script, click, sentence):
    async def work(page, living):
        await page.click(click)
        await page.wait_for_selector(f"#error:has-text('{sentence}')")

    live_browser.on_page(work, script=script)


def test_a_server_that_is_full_says_so():
    async def work(page, living):
        await living.begin(None)
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('All 1 places')")
        assert await page.is_enabled("#start")

    live_browser.on_page(work, allowed=limits.Limits(sessions=1))


@pytest.mark.parametrize("plain", [False, True])
def test_typed_text_is_said_and_cut_short(plain):
    async def work(page, living):
        if plain:
            await page.check("#plain")
        await page.wait_for_selector("#language option[value=en-gb]", state="attached")
        assert await page.is_hidden("#without_voices")
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.fill("#text", "We saw a cat on the mat today. " * 300)
        await page.select_option("#voice", "low")
        await page.click("#say")
        await live_browser.until_bright(page, "#canvas" if plain else "#video")
        await page.wait_for_selector("#state:has-text('Speaking')")
        await page.click("#quiet")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.fill("#text", "")
        await page.click("#say")
        await page.wait_for_selector("#error:has-text('nothing to say')")
        await page.fill("#text", "Go on and tell me more. " * 100)
        await page.press("#text", "Control+Enter")
        await page.wait_for_selector("#state:has-text('Speaking')")

    live_browser.on_page(work, voices=live_serving.tones())


def test_without_voices_the_page_says_what_to_install():
    async def work(page, living):
        await page.wait_for_selector("#without_voices:has-text('pip install')")
        assert await page.is_hidden("#text")

    live_browser.on_page(work)


@pytest.mark.parametrize("plain", [False, True])
def test_a_session_that_ends_by_itself_says_why(plain):
    async def work(page, living):
        if plain:
            await page.check("#plain")
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('Nothing was said')")
        assert await page.is_enabled("#start")
        assert await page.inner_text("#state") == "Not connected"

    live_browser.on_page(work, allowed=limits.Limits(idle_seconds=0.2))


def test_a_socket_that_breaks_asks_the_server_why():
    keep = """
      window.sockets = [];
      window.WebSocket = class extends WebSocket {
        constructor(...given) { super(...given); window.sockets.push(this); }
      };
    """

    async def work(page, living):
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.evaluate("sockets[0].close()")
        await page.wait_for_selector("#error:has-text('This session has ended')")
        assert await page.is_enabled("#start")

    live_browser.on_page(work, script=keep)


def test_sound_processors_that_load_late_delay_the_plain_connection_alone():
    late = """
      const add = AudioWorklet.prototype.addModule;
      AudioWorklet.prototype.addModule = async function (...given) {
        await new Promise((done) => setTimeout(done, 1500));
        return add.apply(this, given);
      };
    """

    async def work(page, living):
        await page.check("#plain")
        await page.click("#start")
        await page.wait_for_selector("#state:has-text('Listening')")
        await page.wait_for_selector("#canvas")
        live_browser.only(living).say(np.full(16_000 * 20, 0.9, np.float32))
        await live_browser.until_bright(page, "#canvas")

    live_browser.on_page(work, script=late)


@pytest.mark.parametrize(
    "script",
    [
        "delete window.MediaSource",
        "MediaSource.prototype.addSourceBuffer = () => { throw new Error(); }",
        """
        const append = SourceBuffer.prototype.appendBuffer;
        let count = 0;
        SourceBuffer.prototype.appendBuffer = function (data) {
          return append.call(this, ++count > 20 ? new Uint8Array(400).fill(255) : data);
        };
        """,
    ],
)
def test_a_browser_that_does_not_play_the_mp4_gets_pictures_by_itself(script):
    async def work(page, living):
        await page.check("#plain")
        await page.check("#thin")
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('so pictures are sent')")
        await page.wait_for_selector("#canvas")
        await live_serving.until(lambda: len(living) == 1)
        live_browser.only(living).say(np.full(16_000 * 20, 0.9, np.float32))
        await live_browser.until_bright(page, "#canvas")
        assert not await page.is_checked("#thin")

    live_browser.on_page(work, script=script)


def test_a_device_that_fails_is_told():
    class Failing(flashing_face.FlashingFace):
        def stream(self, portrait, controls):
            stream = super().stream(portrait, controls)
            if controls.seed:  # Not while it warms up.
                stream.render = self._fail
            return stream

        def _fail(self, motion):
            raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    async def work(page, living):
        await page.click("#start")
        await page.wait_for_selector("#error:has-text('could not compute the face')")

    live_browser.on_page(work, face=Failing())


def test_a_portrait_without_a_face_is_told():
    class Looking(flashing_face.FlashingFace):
        def locate(self, image):
            if image.any():  # The default portrait of these tests is black.
                locate.locate_face(image)
            return super().locate(image)

    async def work(page, living):
        await page.set_input_files(
            "#portrait",
            {"name": "a.png", "mimeType": "image/png", "buffer": live_serving.png()},
        )
        await page.wait_for_selector("#error:has-text('face')")

    live_browser.on_page(work, face=Looking())

"""Sliders of the page, in a real browser: what each asks of the session."""

import asyncio
import json

import live_browser
import live_serving

from vasa_jax.animate.controls import Controls

pytestmark = live_browser.MARKS

KEEP_SENT = """
  window.sent = [];
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (typeof data === "string") window.sent.push(data);
    return send.call(this, data);
  };
"""
USUAL = {
    "type": "controls",
    "gaze": [0, 0],
    "pose_offset": [0, 0, 0],
    "head_distance": 1,
    "liveliness": 1,
    "pose_scale": 1,
    "mouth_scale": 1,
    "brow_offset": 0,
    "smile_offset": 0,
    "audio_guidance": 0.5,
    "gaze_guidance": 1,
    "emotion": {},
}
MOVED = [
    # Slider, where to, what the message then holds, what is shown.
    ("gaze_yaw", "-25", {"gaze": [-25, 0]}, "-25°"),
    ("gaze_pitch", "15", {"gaze": [0, 15]}, "15°"),
    ("head_distance", "1.3", {"head_distance": 1.3}, "1.30 ×"),
    ("pose_offset_yaw", "20", {"pose_offset": [20, 0, 0]}, "20°"),
    ("pose_offset_pitch", "-15", {"pose_offset": [0, -15, 0]}, "-15°"),
    ("pose_offset_roll", "15", {"pose_offset": [0, 0, 15]}, "15°"),
    ("pose_scale", "2", {"pose_scale": 2}, "2.00 ×"),
    ("liveliness", "0.3", {"liveliness": 0.3}, "0.30 ×"),
    ("mouth_scale", "0.5", {"mouth_scale": 0.5}, "0.50 ×"),
    ("smile_offset", "-1", {"smile_offset": -1}, "-100 %"),
    ("brow_offset", "1", {"brow_offset": 1}, "100 %"),
    ("blink_rate", "60", {"blink_rate": 60}, "60 a minute"),
    ("audio_guidance", "10", {"audio_guidance": 10}, "10.0"),
    ("gaze_guidance", "0", {"gaze_guidance": 0}, "0.0"),
]


async def _start(page):
    await page.check("#plain")  # Costs the browser least.
    await page.click("#start")
    await page.wait_for_selector("#state:has-text('Listening')")


async def _last_sent(page):
    """Return the last message of controls."""
    sent = [json.loads(text) for text in await page.evaluate("sent")]
    return [message for message in sent if message["type"] == "controls"][-1]


async def _open_groups(page):
    await page.evaluate(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )


async def _reset(page, slider):
    await page.click(f"details:has(#{slider}) .reset")


def test_each_slider_asks_for_its_control_and_reset_takes_it_back():
    async def work(page, living):
        await _start(page)
        await _open_groups(page)
        assert await _last_sent(page) == USUAL
        for slider, value, fields, shown in MOVED:
            await page.fill(f"#{slider}", value)
            assert await _last_sent(page) == {**USUAL, **fields}
            assert await page.inner_text(f"output[for={slider}]") == shown
            assert await page.get_attribute(f"#{slider}", "aria-valuetext") == shown
            group = f"details:has(#{slider})"
            assert await page.is_visible(f"{group} .changed")
            await _reset(page, slider)
            assert await _last_sent(page) == USUAL
            assert await page.is_hidden(f"{group} .changed")
        assert await page.is_hidden("#error")

    live_browser.on_page(work, script=KEEP_SENT)


def test_an_emotion_is_asked_for_with_its_strength():
    async def work(page, living):
        await _start(page)
        await _open_groups(page)
        assert await page.is_disabled("#strength")
        await page.select_option("#emotion", "sadness")
        assert (await _last_sent(page))["emotion"] == {"sadness": 0.6}
        await page.fill("#strength", "0.25")
        assert (await _last_sent(page))["emotion"] == {"sadness": 0.25}
        assert await page.inner_text("output[for=strength]") == "25 %"
        await _reset(page, "emotion")
        assert await _last_sent(page) == USUAL
        assert await page.input_value("#strength") == "0.6"

    live_browser.on_page(work, script=KEEP_SENT)


def test_sliders_and_groups_are_found_by_their_labels_and_moved_by_keys():
    async def work(page, living):
        await _start(page)
        for name, slider, key, fields in (
            ("Gaze, left to right", "gaze_yaw", "ArrowRight", {"gaze": [1, 0]}),
            # Right is where the head leans, and its angle is negative there.
            (
                "Leant, left to right",
                "pose_offset_roll",
                "ArrowRight",
                {"gaze": [1, 0], "pose_offset": [0, 0, -1]},
            ),
        ):
            group = page.locator(f"details:has(#{slider})")
            if not await group.evaluate("one => one.open"):
                await group.locator("summary").focus()
                await page.keyboard.press("Enter")
            await page.get_by_role("slider", name=name, exact=True).focus()
            await page.keyboard.press(key)
            assert await _last_sent(page) == {**USUAL, **fields}
        await page.get_by_role("button", name="Reset all").focus()
        await page.keyboard.press("Enter")
        assert await _last_sent(page) == USUAL

    live_browser.on_page(work, script=KEEP_SENT)


def test_what_was_asked_outlives_the_session_and_reaches_the_next():
    async def work(page, living):
        await _open_groups(page)
        await page.fill("#blink_rate", "12")
        await _start(page)
        await page.fill("#pose_offset_yaw", "-7")
        asked = Controls(blink_rate=12.0, pose_offset=(-7.0, 0.0, 0.0))
        await _until_asked(living, asked)
        await page.click("#stop")
        await live_serving.until(lambda: len(living) == 0)
        await _start(page)
        await _until_asked(living, asked)
        assert await page.inner_text("output[for=blink_rate]") == "12 a minute"

    live_browser.on_page(work, script=KEEP_SENT)


async def _until_asked(living, controls):
    """Wait until the only session's face was asked for controls."""
    one = live_browser.only(living)
    async with asyncio.timeout(30):
        while one._performance._stream.controls != controls:
            await asyncio.sleep(0.05)

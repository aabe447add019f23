"""A real browser, with a fake microphone, on the page of a server.

Who imports this is skipped where playwright is not installed.
"""

import asyncio
import contextlib
import shutil

import live_serving
import numpy as np
import pytest

playwright = pytest.importorskip(
    "playwright.async_api", reason="playwright is not installed"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]

FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream"]
ALLOWED = [*FLAGS, "--use-fake-ui-for-media-stream"]
MILLISECONDS = 60_000


def on_page(work, flags=ALLOWED, script="", **settings):
    """Run `work(page, living)` on the page of a server."""

    async def run(client, living):
        async with opened(client, flags, script) as page:
            return await work(page, living)

    return live_serving.serving(run, **settings)


@contextlib.asynccontextmanager
async def opened(client, flags, script):
    """Open the page in a browser of its own."""
    async with playwright.async_playwright() as engine:
        browser = await engine.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.add_init_script(script)
        await page.goto(str(client.make_url("/")))
        yield page
        await browser.close()
        assert not problems


async def seen(page, selector):
    """Return the mean colour of what an element shows."""
    return np.array(
        await page.evaluate(
            """(selector) => {
              const shown = document.querySelector(selector);
              const canvas = document.createElement('canvas');
              canvas.width = canvas.height = 8;
              const context = canvas.getContext('2d');
              context.drawImage(shown, 0, 0, 8, 8);
              const { data } = context.getImageData(0, 0, 8, 8);
              const sum = [0, 0, 0];
              data.forEach((value, i) => { if (i % 4 < 3) sum[i % 4] += value / 64; });
              return sum;
            }""",
            selector,
        )
    )


async def until_bright(page, selector):
    async with asyncio.timeout(60):
        while (await seen(page, selector)).mean() < 150:
            await asyncio.sleep(0.05)


def only(living):
    (one,) = living._sessions.values()
    return one

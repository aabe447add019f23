r"""Measure a live page with a light client: rate, delays, memory, silence.

    python -m experiments.benchmark_live --seconds=60
    python -m experiments.benchmark_live --seconds=60 --flashing

A server is started beside, speaks along with a voice that a client sends by WebRTC, and
is told to be quiet. With --flashing the face has no models and is as bright as its
sound is loud, so that the picture, too, can be timed at the client's end; with models
the server's own stamps tell when a sound is played with its frame. Needs the extra
`live`, and Linux for memory and processor time.
"""

import asyncio
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import aiohttp
import numpy as np
from absl import flags

from experiments.running import program
from experiments.tools import flashing_face, live_client
from vasa_jax import audio, types
from vasa_jax.errors import UserError
from vasa_jax.live import limits, server, serving, sessions

SECONDS = flags.DEFINE_float("seconds", 60.0, "That the client speaks.")
FLASHING = flags.DEFINE_bool("flashing", False, "A face without models.")
CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Folder of both models.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", 512, "Side of the frames, pixels.")
SOUND = flags.DEFINE_string("sound", "examples/voice.wav", "What the client says.")
OUTPUT = flags.DEFINE_string("output", None, "JSON file to write as well.")
FLASHING_PORT = flags.DEFINE_integer("flashing_port", None, "Used by this program.")

START_SECONDS = 900
"""That a server may take to compile and start."""

GRID_SECONDS = 0.01
"""Resolution of the curves that are compared."""

CHUNK_SECONDS = 6.0
"""Of each part whose delay is measured alone."""

MAX_DELAY_SECONDS = 6.0

QUIET_LEVEL = 0.01
"""Root mean square of what counts as silent at the client."""


def main(arguments: list[str]) -> None:
    """Measure, and print a table."""
    if FLASHING_PORT.value is not None:
        _serve_flashing(FLASHING_PORT.value)
        return
    port = _free_port()
    process = subprocess.Popen(_server_command(port))
    try:
        measured = asyncio.run(_measure(process.pid, f"http://127.0.0.1:{port}/"))
    finally:
        process.terminate()
        process.wait(timeout=30)
    for name, value in measured.items():
        print(f"{name:52} {value}")
    if OUTPUT.value:
        pathlib.Path(OUTPUT.value).write_text(json.dumps(measured, indent=1) + "\n")


def _server_command(port: int) -> list[str]:
    if FLASHING.value:
        module = ["-m", "experiments.benchmark_live", f"--flashing_port={port}"]
        return [sys.executable, *module, f"--image_size={IMAGE_SIZE.value}"]
    command = [sys.executable, "-m", "vasa_jax", "serve", f"--port={port}"]
    command.append(f"--image_size={IMAGE_SIZE.value}")
    if CHECKPOINT.value:
        command.append(f"--checkpoint={CHECKPOINT.value}")
    return command


def _serve_flashing(port: int) -> None:
    async def run() -> None:
        living = sessions.Sessions(
            flashing_face.FlashingFace(IMAGE_SIZE.value),
            np.zeros((8, 8, 3), np.uint8),
            limits.Limits(),
        )
        handlers = server.Server(living, server.ServerConfig())
        await serving.run(handlers, living, host="127.0.0.1", port=port)

    asyncio.run(run())


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def _measure(pid: int, url: str) -> dict[str, float]:
    voice = live_client.Voice(_voice())
    async with aiohttp.ClientSession() as http:
        await _wait_for(http, url)
        client = live_client.Client(http, url, voice)
        socket_beside = await client.connect("along")
        while not client.picture:
            await asyncio.sleep(0.1)
        await asyncio.sleep(5.0)
        before = await _counts(http, url), _process(pid), time.monotonic()
        await asyncio.sleep(SECONDS.value)
        after = await _counts(http, url), _process(pid), time.monotonic()
        quiet = [await _seconds_to_silence(client, socket_beside) for _ in range(3)]
        await socket_beside.close()
        await client.close()
        left = time.monotonic()
        while (await _health(http, url))["sessions"]:
            await asyncio.sleep(0.02)
        freed = time.monotonic() - left
    begin, end = before[2], after[2]
    spent = end - begin
    counted = {name: after[0][name] - before[0][name] for name in before[0]}
    times = np.array([seconds for seconds, _ in client.picture])
    inside = times[(times >= begin) & (times < end)]
    a_second = np.bincount((inside - begin).astype(int))[: int(spent)]
    delay = _delays(voice.levels, client.sound, begin, end)
    measured = {
        "frames a second received, mean": len(inside) / spent,
        "frames a second received, least of any second": int(a_second.min()),
        "between frames received, s, median": float(np.median(np.diff(inside))),
        "between frames received, s, 95 %": float(np.quantile(np.diff(inside), 0.95)),
        "between frames received, s, most": float(np.diff(inside).max()),
        "share of ticks with a frame of their own": counted["frames_new_total"]
        / counted["ticks_total"],
        "share of ticks at which time stood still": counted["ticks_held_total"]
        / counted["ticks_total"],
        "sound sent to sound received, s, median": float(np.median(delay)),
        "sound sent to sound received, s, 95 %": float(np.quantile(delay, 0.95)),
        "server's stamps, s, median": after[0].get("voice_delay_seconds_0.5", np.nan),
        "server's stamps, s, 95 %": after[0].get("voice_delay_seconds_0.95", np.nan),
        "clear to silence received, s, worst of 3": max(quiet),
        "tab closed to session freed, s": freed,
        "memory of the server at first, MB": before[1][0],
        "memory of the server at last, MB": after[1][0],
        "processor time of the server, cores": (after[1][1] - before[1][1]) / spent,
    }
    if FLASHING.value:
        apart = _delays(client.sound, client.picture, begin, end, can_lead=True)
        measured["picture after sound received, s, median"] = float(np.median(apart))
        worst = np.abs(apart).max() if len(apart) else np.nan
        measured["picture and sound apart, s, most"] = float(worst)
    return {name: round(value, 3) for name, value in measured.items()}


def _voice() -> np.ndarray:
    """Return what the client says at 48 kHz, with a pause at its end."""
    if not os.path.exists(SOUND.value):
        raise UserError(f"--sound is {SOUND.value!r}, which does not exist.")
    samples = audio.load_waveform(SOUND.value)
    samples = np.concatenate([samples, np.zeros(types.SAMPLE_RATE_HZ, np.float32)])
    ratio = live_client.RATE_HZ // types.SAMPLE_RATE_HZ
    positions = np.arange(len(samples) * ratio) / ratio
    return np.interp(positions, np.arange(len(samples)), samples).astype(np.float32)


async def _wait_for(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                await _health(http, url)
                return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.5)


async def _health(http: aiohttp.ClientSession, url: str) -> dict:
    async with http.get(f"{url}health") as response:
        return await response.json()


async def _counts(http: aiohttp.ClientSession, url: str) -> dict[str, float]:
    async with http.get(f"{url}metrics") as response:
        text = await response.text()
    pattern = r'^vasa_(\w+)(?:\{quantile="([\d.]+)"\})? ([\d.]+)$'
    return {
        name + (f"_{quantile}" if quantile else ""): float(value)
        for name, quantile, value in re.findall(pattern, text, re.M)
    }


def _process(pid: int) -> tuple[float, float]:
    """Return the memory, MB, and the processor time, seconds, of a process."""
    folder = pathlib.Path("/proc", str(pid))
    pages = int((folder / "statm").read_text().split()[1])
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return (
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        ticks / os.sysconf("SC_CLK_TCK"),
    )


async def _seconds_to_silence(
    client: live_client.Client, socket_beside: aiohttp.ClientWebSocketResponse
) -> float:
    """Tell a face that speaks to be quiet, and wait until it is."""
    await socket_beside.send_json({"type": "agent", "name": "along"})
    async with asyncio.timeout(60):
        while len(client.sound) < 5 or client.sound[-1][1] < 3 * QUIET_LEVEL:
            await asyncio.sleep(0.005)
    # The other agent answers after a pause only, so nothing new is said.
    asked_at = time.monotonic()
    await socket_beside.send_json({"type": "agent", "name": "echo"})
    await asyncio.sleep(1.0)
    loud = [seconds for seconds, level in client.sound if level > QUIET_LEVEL]
    return max(0.0, max(one for one in loud if one < asked_at + 1.0) - asked_at)


def _delays(
    first: list[tuple[float, float]],
    second: list[tuple[float, float]],
    begin: float,
    end: float,
    can_lead: bool = False,
) -> np.ndarray:
    """Return by how much one curve follows another, part by part, seconds."""
    first, second = np.array(first), np.array(second)
    delays = []
    least = -1.0 if can_lead else 0.0
    shifts = np.arange(least, MAX_DELAY_SECONDS, GRID_SECONDS)
    for start in np.arange(begin, end - CHUNK_SECONDS, CHUNK_SECONDS / 2):
        times = np.arange(start, start + CHUNK_SECONDS, GRID_SECONDS)
        ours = _curve(first, times)
        # A little noise, so that a part without change goes with nothing.
        ours = ours + 1e-6 * np.sin(1e4 * times)
        theirs = _curve(second, times + shifts[:, None])
        scores = [np.corrcoef(ours, one)[0, 1] if np.ptp(one) else -1 for one in theirs]
        if max(scores) > 0.5:
            delays.append(shifts[int(np.argmax(scores))])
    return np.array(delays or [np.nan])


def _curve(levels: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the level that stood at each time."""
    seconds, values = levels.T
    indices = np.clip(np.searchsorted(seconds, times, "right") - 1, 0, None)
    return values[indices]


if __name__ == "__main__":
    program.run(main)

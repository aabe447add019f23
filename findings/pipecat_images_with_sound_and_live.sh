#!/bin/sh
# Pipecat 1.14.0: a transport with `video_out_is_live=True` never shows an image whose
# `sync_with_audio` is True, and says nothing. Both are documented ways to keep pictures in
# time ("real-time video output streaming", and "only displayed after all preceding audio
# has been sent"); a good guess is that they work together. Such an image is set as the one
# that is shown again and again, and the live task waits for a queue that it never enters.
# Seen on 29 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pipecat-ai==1.14.0
"$folder/venv/bin/python" - <<'PYTHON' 2>"$folder/log"
import asyncio
import sys

from pipecat.frames.frames import EndFrame, OutputImageRawFrame, StartFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

NUM_IMAGES = 25


class Screen(BaseOutputTransport):
    def __init__(self, is_live):
        super().__init__(
            TransportParams(
                audio_out_enabled=True,
                video_out_enabled=True,
                video_out_is_live=is_live,
                video_out_width=8,
                video_out_height=8,
            )
        )
        self.shown = set()

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_video_frame(self, frame):
        self.shown.add(frame.image)
        return True


async def show(is_live, is_synchronous):
    screen = Screen(is_live)
    worker = PipelineWorker(Pipeline([screen]), enable_rtvi=False)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    for number in range(NUM_IMAGES):
        image = OutputImageRawFrame(bytes([number]) * 192, (8, 8), "RGB")
        image.sync_with_audio = is_synchronous
        await worker.queue_frame(image)
        await asyncio.sleep(0.1)
    await worker.queue_frame(EndFrame())
    await running
    print(
        f"video_out_is_live {is_live}, sync_with_audio {is_synchronous}:"
        f" {len(screen.shown)} of {NUM_IMAGES} images shown"
    )
    return len(screen.shown)


async def main():
    alone = min(await show(False, True), await show(True, False))
    return alone > 0.8 * NUM_IMAGES and await show(True, True) == 0


if not asyncio.run(main()):
    sys.exit("images are shown with both now, or with neither")
PYTHON

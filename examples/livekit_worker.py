"""A LiveKit agent with a face. It says the example voice to whoever joins.

    pip install "vasa_jax[livekit]"
    livekit-server --dev                  # or a server of your own, by the variables:
    export LIVEKIT_URL=ws://localhost:7880
    export LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=secret
    python examples/livekit_worker.py dev

Give `AgentSession` an `stt`, an `llm` and a `tts`, and it converses.
"""

import asyncio
import pathlib
from collections.abc import AsyncIterator

import numpy as np
from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, cli
from livekit.agents.voice import avatar, room_io

from vasa_jax import audio
from vasa_jax.live import limits, loading
from vasa_jax.live.adapters import livekit_video

VOICE = pathlib.Path(__file__).parent / "voice.wav"
RATE_HZ = 24_000  # What your voice has.

# A process loads and compiles the models before it is given a room.
server = AgentServer(initialize_process_timeout=900, num_idle_processes=1)


def load(process: JobProcess) -> None:
    """Prepare one face, for the one room that a process serves."""
    faces = loading.open_sessions(allowed=limits.Limits(sessions=1))
    asyncio.run(faces.warm_up())
    process.userdata["faces"] = faces


server.setup_fnc = load


@server.rtc_session()
async def converse(job: JobContext) -> None:
    """Join a room, and speak with a face."""
    one = await job.proc.userdata["faces"].begin(None)
    generator = livekit_video.FaceGenerator(one, RATE_HZ)
    voice = avatar.QueueAudioOutput(sample_rate=RATE_HZ, wait_playback_start=True)
    runner = avatar.AvatarRunner(
        job.room, audio_recv=voice, video_gen=generator, options=generator.options
    )
    agent = AgentSession()  # stt=..., llm=..., tts=...
    agent.output.audio = voice
    await job.connect()
    await runner.start()
    playing = asyncio.create_task(runner.wait_for_complete())
    playing.add_done_callback(lambda _: job.shutdown("the face has ended"))
    job.add_shutdown_callback(runner.aclose)
    job.add_shutdown_callback(generator.aclose)
    await agent.start(
        Agent(instructions="You are a kind listener. Answer briefly."),
        room=job.room,
        room_options=room_io.RoomOptions(audio_output=False),
    )
    agent.say("Hello.", audio=greeting())


async def greeting() -> AsyncIterator[rtc.AudioFrame]:
    """Give the example voice in pieces."""
    samples = audio.load_waveform(VOICE)
    levels = np.round(samples * 32767).astype(np.int16)
    for start in range(0, len(levels), 1600):
        piece = levels[start : start + 1600]
        yield rtc.AudioFrame(piece.tobytes(), 16_000, 1, len(piece))


if __name__ == "__main__":
    cli.run_app(server)

"""A session with the tests' own tiny models, from a photograph to frames and back."""

import asyncio

import clocked
import numpy as np

from experiments.tools import flashing_face
from vasa_jax import types
from vasa_jax.animate import talking_face
from vasa_jax.animate.controls import Controls
from vasa_jax.live import limits, performance, sessions, voice_queue


def test_a_face_of_real_models_listens_speaks_is_interrupted_and_changes(
    tiny_models, rendered_photo, voice
):
    config = tiny_models.motion_config

    async def work():
        living = sessions.Sessions(
            talking_face.TalkingFace(tiny_models, batch_frames=1),
            rendered_photo,
            limits.Limits(),
            step_frames=config.previous_frames,
        )
        await living.warm_up()
        one = await living.begin(None)
        ticks = one.subscribe(max_ticks=10_000)
        one.say(voice)
        while not one.is_speaking:
            await ticks.get()
        heard = await _until(ticks, lambda tick: np.abs(tick.samples).max() > 0.05)
        one.set_controls(Controls(gaze=(10.0, 0.0), emotion={"happiness": 0.5}))
        one.clear()
        after = await _take(ticks, 40)
        quiet = [np.abs(tick.samples).max() for tick in after[6:]]
        assert max(quiet) == 0.0
        assert len({tick.frame.tobytes() for tick in heard + after}) > 1
        assert not one.ended.done()
        living.close()

    asyncio.run(asyncio.wait_for(work(), 120))


def test_live_frames_are_those_of_the_same_motion_offline(tiny_models, rendered_photo):
    face = talking_face.TalkingFace(tiny_models, batch_frames=1)
    portrait = face.locate(rendered_photo)
    step_frames = tiny_models.motion_config.previous_frames
    stream = face.stream(portrait, Controls(step_frames=step_frames))
    motion, frames = [], []
    render = stream.render

    def noted(pieces):
        motion.extend(pieces)
        frames.extend(render(pieces))
        return frames[-1:]

    stream.render = noted
    queue = voice_queue.VoiceQueue(step_frames * types.SAMPLES_PER_FRAME)
    clocked.play(performance.Performance(stream, portrait.image, queue), 60, 0.1, 0.07)
    many = talking_face.TalkingFace(tiny_models, batch_frames=5)
    offline = np.concatenate(list(many.render(portrait, [np.concatenate(motion)])))
    assert len(offline) > 20
    apart = np.concatenate(frames).astype(int) - offline
    assert np.abs(apart).max() <= 1


def test_every_stream_takes_the_steps_that_the_server_was_given():
    taken = []

    class Noting(flashing_face.FlashingFace):
        def stream(self, portrait, asked):
            taken.append((asked.num_steps, asked.step_frames))
            return super().stream(portrait, asked)

    async def work():
        picture = np.zeros((8, 8, 3), np.uint8)
        living = sessions.Sessions(Noting(), picture, limits.Limits(), num_steps=3)
        await living.warm_up()
        await living.begin(None)
        living.close()

    asyncio.run(asyncio.wait_for(work(), 60))
    assert set(taken) == {(3, sessions.STEP_FRAMES)} and len(taken) == 4


async def _take(ticks, count):
    return [(await ticks.get()).tick for _ in range(count)]


async def _until(ticks, condition):
    taken = []
    while not taken or not condition(taken[-1]):
        taken.append((await ticks.get()).tick)
    return taken


def test_two_sessions_do_not_starve_one_another(tiny_models, rendered_photo):
    config = tiny_models.motion_config

    async def work():
        living = sessions.Sessions(
            talking_face.TalkingFace(tiny_models, batch_frames=1),
            rendered_photo,
            limits.Limits(sessions=2),
            step_frames=config.previous_frames,
        )
        await living.warm_up()
        queues = [(await living.begin(None)).subscribe(1000) for _ in range(2)]
        new = [sum(tick.is_new for tick in await _take(ticks, 60)) for ticks in queues]
        living.close()
        return new

    first, second = asyncio.run(asyncio.wait_for(work(), 120))
    assert min(first, second) > 0.2 * max(first, second) > 0

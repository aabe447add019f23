"""A face for systems that bring their own voice."""

import asyncio

import numpy as np
import plugged
import pytest

from vasa_jax.errors import UserError
from vasa_jax.live.adapters import plugged_face


async def _said(face, rate, voice, times=1):
    """Say a voice some times over and return all moments to the last one's end."""
    for _ in range(times):
        for piece in plugged.pieces(voice, rate):
            await face.say(piece, rate)
        assert face.end_utterance()
    return await _until_ended(face, times)


async def _until_ended(face, count=1):
    taken = []
    async for moment in face.moments():
        taken.append(moment)
        count -= moment.num_ended
        if not count:
            return taken


def _sound(moments):
    return np.concatenate([moment.sound for moment in moments])


def test_a_voice_of_any_rate_comes_out_whole_and_in_step_with_the_picture():
    rates = (8_000, 22_050, 24_000, 48_000)

    async def one(living, rate):
        face = plugged_face.PluggedFace(await living.begin(None), 24_000)
        voice = plugged.tone(rate, 0.5)
        return await _said(face, rate, np.concatenate([voice, voice // 4]))

    async def work():
        async with plugged.living_faces(len(rates)) as living:
            return await asyncio.gather(*(one(living, rate) for rate in rates))

    played = plugged.run(work)
    for rate, moments in zip(rates, played, strict=True):
        assert abs(len(plugged.spoken(_sound(moments))) - 24_000) < 60, rate
        numbers = [one.number for one in moments]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        voiced = [one.has_voice for one in moments]
        assert voiced[-1] and 25 <= sum(voiced) <= 27
    plugged.skip_if_busy()
    for rate, moments in zip(rates, played, strict=True):
        loud = np.array([np.abs(one.sound.astype(int)).max() for one in moments])
        bright = np.array([one.frame.mean() / 255 for one in moments])
        apart = np.abs(loud / 32768 - bright) > 0.06
        assert apart.sum() <= 4, rate  # Where loudness changes within a frame.
        assert loud.max() > 0.7 * 32768


def test_what_lies_above_the_hearing_of_the_face_is_not_lost():
    async def work():
        async with plugged.living_faces() as living:
            face = plugged_face.PluggedFace(await living.begin(None), 48_000)
            noise = np.random.default_rng(0).normal(size=14_891)  # Up to 24 kHz.
            voice = (3000 * noise).astype(np.int16)
            return voice, await _said(face, 48_000, voice, times=3)

    voice, moments = plugged.run(work)
    sound = _sound(moments)
    found = np.correlate(sound.astype(float), voice.astype(float), "valid")
    energy = float(np.square(voice.astype(float)).sum())
    assert found.max() == pytest.approx(energy, rel=0.001)
    begins = np.flatnonzero(found > 0.999 * energy)
    # One after another, each where the last ended.
    assert len(begins) == 3
    assert np.abs(np.diff(begins) - len(voice)).max() <= 3


def test_each_utterance_ends_with_its_last_sound_and_none_without_one():
    async def work():
        async with plugged.living_faces() as living:
            face = plugged_face.PluggedFace(await living.begin(None), 24_000)
            assert not face.end_utterance()
            voice = plugged.tone(24_000, 0.3)
            moments = await _said(face, 24_000, voice, times=2)
            assert not face.end_utterance()
            return moments

    moments = plugged.run(work)
    ends = [i for i, one in enumerate(moments) if one.num_ended]
    voiced = [i for i, one in enumerate(moments) if one.has_voice]
    assert ends[-1] == voiced[-1] == len(moments) - 1
    assert 7 <= ends[1] - ends[0] <= 8 and ends[0] - voiced[0] >= 7


def test_clear_is_silent_at_once_and_ends_nothing_and_a_new_voice_is_whole():
    async def work():
        async with plugged.living_faces() as living:
            face = plugged_face.PluggedFace(await living.begin(None), 24_000)
            waiting = asyncio.create_task(
                _said(face, 24_000, plugged.tone(24_000, 9.0))
            )
            before = []
            async for moment in face.moments():
                before.append(moment)
                if sum(one.has_voice for one in before) == 8:
                    break
            assert not waiting.done()  # 5 s wait, and the rest with whoever brings it.
            face.clear()
            waiting.cancel()
            voice = plugged.tone(24_000, 0.4, level=0.3)
            return before, voice, await _said(face, 24_000, voice)

    _, voice, after = plugged.run(work)
    assert after[0].is_cut and not any(one.is_cut for one in after[1:])
    fading = plugged.spoken(np.append(1, after[0].sound))
    assert len(fading) <= 1 + 24_000 // 100
    assert not after[1].has_voice and not after[1].sound.any()
    sound = plugged.spoken(_sound(after[1:]))
    assert abs(len(sound) - len(voice)) <= 3
    assert np.abs(sound.astype(int)).max() < 0.32 * 32768
    assert [one.num_ended for one in after if one.num_ended] == [1]


def test_who_brings_a_voice_that_is_cut_meanwhile_brings_it_in_vain():
    async def work():
        async with plugged.living_faces() as living:
            one = await living.begin(None)
            face = plugged_face.PluggedFace(one, 16_000)
            long = np.ones(plugged_face.AHEAD_SAMPLES + 32_000, np.int16)
            await face.say(long, 16_000)
            waiting = asyncio.create_task(face.say(long, 16_000))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            face.clear()
            await waiting
            return one.num_waiting

    assert plugged.run(work) == 0


def test_frames_that_take_long_are_held_and_time_goes_on():
    async def work():
        async with plugged.living_faces(render_seconds=0.12) as living:
            face = plugged_face.PluggedFace(await living.begin(None), 24_000)
            loop = asyncio.get_running_loop()
            began = loop.time()
            moments = await _said(face, 24_000, plugged.tone(24_000, 1.0))
            return moments, loop.time() - began

    moments, seconds = plugged.run(work)
    assert len({one.frame.tobytes() for one in moments}) < len(moments) / 3
    assert abs(len(plugged.spoken(_sound(moments))) - 24_000) < 60
    plugged.skip_if_busy()
    assert 17 < len(moments) / seconds < 27  # 8, if it waited for its frames.


def test_a_face_that_fails_says_so_to_its_reader():
    async def work():
        async with plugged.living_faces() as living:
            one = await living.begin(None)
            face = plugged_face.PluggedFace(one, 24_000)
            one.fail(RuntimeError("the device is gone"))
            with pytest.raises(plugged_face.FaceEnded, match="could not compute"):
                await _until_ended(face)

    plugged.run(work)


@pytest.mark.parametrize("rate", [4_000, 200_000, 24_001])
def test_rates_that_cannot_be_are_refused(rate):
    async def work():
        async with plugged.living_faces() as living:
            one = await living.begin(None)
            if rate != 24_001:
                face = plugged_face.PluggedFace(one, 24_000)
                with pytest.raises(UserError, match="samples a second"):
                    await face.say(np.zeros(100, np.int16), rate)
            with pytest.raises(UserError, match="give"):
                plugged_face.PluggedFace(one, rate)

    plugged.run(work)

"""Agents that answer: one says back, one speaks along."""

import asyncio

import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.audio import voice_activity
from vasa_jax.live import agents, limits, reading_aloud, sessions
from vasa_jax.speech import adapters


class _Speaker:
    def __init__(self):
        self.said, self.num_cleared, self.is_speaking = [], 0, False

    def say(self, samples, is_live=False):
        self.said.append((samples, is_live))

    def clear(self):
        self.num_cleared += 1
        self.is_speaking = False


def _voice(seconds, level=0.1):
    return (level * np.sin(np.arange(int(seconds * 16_000)) * 0.1)).astype(np.float32)


def _room(seconds):
    noise = np.random.default_rng(0).normal(size=int(seconds * 16_000))
    return (1e-3 * noise).astype(np.float32)


@pytest.mark.parametrize("piece", [160, 320, 999])
def test_what_was_heard_is_said_back_after_a_pause(piece):
    speaker = _Speaker()
    agent = agents.EchoAgent(speaker)
    sound = np.concatenate([_room(1), _voice(1.2), _room(0.4), _voice(0.8), _room(1)])
    for start in range(0, len(sound), piece):
        agent.hear(sound[start : start + piece])
    ((said, is_live),) = speaker.said
    assert not is_live
    voiced = np.flatnonzero(np.abs(said) > 0.05)
    # Whole, with the short pause inside and something before the beginning.
    assert voiced[-1] - voiced[0] == pytest.approx(2.4 * 16_000, abs=200)
    assert voiced[0] > 1000


def test_an_agent_answers_a_turn_in_words_of_any_voice():
    def polite(face):
        def answer(samples):
            words = f"You spoke for {len(samples) / 16_000:.0f} seconds."
            face.read(reading_aloud.Text(words, make_speaker, refused=refused.append))

        return agents.TurnAgent(face, answer)

    def make_speaker():
        return adapters.FunctionSpeaker(say)

    def say(words):
        spoken.append(words)
        return _voice(0.5)

    async def work():
        living = sessions.Sessions(
            flashing_face.FlashingFace(),
            np.zeros((8, 8, 3), np.uint8),
            limits.Limits(),
        )
        await living.warm_up()
        one = await living.begin(None)
        one.set_agent(polite)
        ticks = one.subscribe(max_ticks=1000)
        one.hear(np.concatenate([_room(1), _voice(2), _room(1)]))
        assert one.is_speaking
        while np.abs((await ticks.get()).tick.samples).max() < 0.05:
            pass
        living.close()

    spoken, refused = [], []
    asyncio.run(asyncio.wait_for(work(), 60))
    assert spoken == ["You spoke for 3 seconds."] and not refused


def test_noise_and_clicks_are_no_voice():
    speaker = _Speaker()
    agent = agents.EchoAgent(speaker)
    agent.hear(np.concatenate([_room(2), _voice(0.03), _room(2)]))
    assert not speaker.said


def test_a_fan_that_is_switched_on_is_soon_no_voice():
    activity = voice_activity.VoiceActivity()
    fan = 0.02 * np.random.default_rng(0).normal(size=(1000, 320)).astype(np.float32)
    heard = [activity.is_voice(frame) for frame in fan]
    assert heard[0] and not any(heard[700:])


def test_who_speaks_again_interrupts_the_face_and_is_answered():
    speaker = _Speaker()
    agent = agents.EchoAgent(speaker)
    agent.hear(_room(1))
    speaker.is_speaking = True
    agent.hear(_voice(0.1))
    agent.hear(_room(0.2))
    assert speaker.num_cleared == 0  # A cough.
    agent.hear(np.concatenate([_voice(1), _room(1)]))
    assert speaker.num_cleared == 1
    assert len(speaker.said) == 1


def test_a_monologue_is_answered_in_parts():
    speaker = _Speaker()
    agents.EchoAgent(speaker).hear(_voice(agents.MAX_SECONDS + 2))
    assert len(speaker.said) == 1


def test_speaking_along_passes_everything_on_as_live():
    speaker = _Speaker()
    agents.AlongAgent(speaker).hear(_voice(0.02))
    ((said, is_live),) = speaker.said
    assert is_live and len(said) == 320

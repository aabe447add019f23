"""A face that listens nods where who speaks makes a pause."""

import asyncio

import numpy as np
import pytest

from experiments.tools import flashing_face
from vasa_jax.animate import controls
from vasa_jax.live import limits, nods, sessions


def _voice(seconds):
    return (0.1 * np.sin(np.arange(int(seconds * 16_000)) * 0.1)).astype(np.float32)


def _room(seconds):
    noise = np.random.default_rng(0).normal(size=int(seconds * 16_000))
    return (1e-3 * noise).astype(np.float32)


@pytest.mark.parametrize("piece", [160, 320, 999, 100_000])
def test_a_pause_after_some_words_is_told_once(piece):
    pauses = nods.Pauses()
    sound = np.concatenate([_room(1), _voice(1.5), _room(2), _voice(0.3), _room(1)])
    told = [
        (start + piece) / 16_000
        for start in range(0, len(sound), piece)
        if pauses.hear(sound[start : start + piece])
    ]
    assert len(told) == 1
    if piece < 1000:
        assert told[0] == pytest.approx(2.7, abs=0.1)


def test_words_add_up_until_they_are_worth_a_nod():
    pauses = nods.Pauses()
    phrase = np.concatenate([_voice(0.7), _room(0.5)])
    told = [pauses.hear(piece) for piece in [_room(1), phrase, phrase, phrase]]
    assert told == [False, False, True, False]


def test_nods_are_small_smooth_downward_and_of_the_pitch_alone():
    one = nods.Nods()
    one.begin(100)
    frames = np.arange(300)
    still = np.zeros((300, 8), np.float32)
    moved = one.added(still, frames)
    assert not still.any()
    pitch = np.rad2deg(moved[:, 1])
    assert not np.delete(moved, 1, axis=1).any()
    assert not pitch[:100].any() and not pitch[100 + 3 * nods.NOD_FRAMES :].any()
    assert pitch.min() == 0 and 1.0 < pitch.max() < 5.0
    assert np.abs(np.diff(pitch)).max() < 1.1  # A nod takes 0.6 s.
    np.testing.assert_array_equal(one.added(still[::3], frames[::3]), moved[::3])


def test_no_nod_begins_within_another_and_a_still_head_does_not_nod():
    one = nods.Nods()
    one.begin(10)
    frames, still = np.arange(100), np.zeros((100, 6), np.float32)
    first = one.added(still, frames)
    one.begin(12)
    np.testing.assert_array_equal(one.added(still, frames), first)
    one.scale = 0.0
    assert not one.added(still, frames).any()


def test_who_speaks_to_a_face_sees_it_nod_unless_it_speaks_itself():
    pitches = []

    class Nodding(flashing_face.FlashingFace):
        def stream(self, portrait, asked):
            stream = super().stream(portrait, asked)
            render = stream.render

            def noted(motion):
                pitches.append(motion[0][:, 1].max())
                return render(motion)

            stream.render = noted
            return stream

    async def work():
        living = sessions.Sessions(
            Nodding(), np.zeros((8, 8, 3), np.uint8), limits.Limits()
        )
        await living.warm_up()
        one = await living.begin(None)
        one.set_controls(controls.Controls())
        ticks = one.subscribe(max_ticks=1000)
        one.say(_voice(1.0))
        one.hear(np.concatenate([_room(1), _voice(2), _room(0.5)]))
        while one.is_speaking:
            await ticks.get()
        assert not any(pitches)
        one.hear(np.concatenate([_voice(2), _room(0.5)]))
        while not any(pitches):
            await ticks.get()
        while pitches[-1]:
            await ticks.get()
        living.close()

    asyncio.run(asyncio.wait_for(work(), 60))

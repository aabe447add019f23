"""Typed texts: in order, a line at a time, cut short at once, refused in sentences."""

import asyncio
import concurrent.futures
import threading

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.live import reading_aloud
from vasa_jax.speech import adapters

SENTENCE = "This is a line of words. "


class _Mouth:
    """Says nothing, and remembers what it was to say."""

    def __init__(self):
        self.said, self.num_waiting, self.most_waiting = [], 0, 0

    def say(self, samples):
        self.said.append(samples)
        self.num_waiting += len(samples)
        self.most_waiting = max(self.most_waiting, self.num_waiting)


class _Stage:
    """Texts, a mouth and the sentences that came back."""

    def __init__(self, function=None, max_letters=10_000):
        self.mouth, self.sentences, self.lines = _Mouth(), [], []
        self._threads = concurrent.futures.ThreadPoolExecutor(2)
        self._function = function or (lambda words: np.full(16_000, 0.9, np.float32))
        self.reading = reading_aloud.ReadingAloud(
            self.mouth, self._threads, max_letters
        )

    def add(self, words):
        def function(line):
            self.lines.append(line)
            return self._function(line)

        self.reading.add(
            reading_aloud.Text(
                words,
                lambda: adapters.FunctionSpeaker(function),
                self.sentences.append,
            )
        )

    async def until(self, condition):
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    async def until_done(self):
        await self.until(lambda: not self.reading.is_busy)


def run(work):
    asyncio.run(work())


def test_texts_are_said_in_the_order_they_came():
    async def work():
        stage = _Stage()
        stage.add("One thing. Two things.")
        stage.add("Three things.")
        await stage.until_done()
        assert stage.lines == ["One thing.", "Two things.", "Three things."]
        assert not stage.sentences

    run(work)


def test_a_first_clause_is_said_before_the_rest_is_made():
    async def work():
        stage = _Stage()
        gate = threading.Event()

        def function(words):
            if "once" not in words:
                gate.wait(20)
            return np.full(8000, 0.9, np.float32)

        stage._function = function
        stage.add("There was once a king, who had a daughter. She was tall.")
        await stage.until(lambda: stage.mouth.said)
        assert stage.lines[0] == "There was once a king,"
        assert stage.reading.is_busy
        gate.set()
        await stage.until_done()

    run(work)


def test_a_long_text_is_made_no_faster_than_it_is_said():
    async def work():
        stage = _Stage()
        stage.add((SENTENCE * 500)[:10_000])

        async def say():
            while True:
                stage.mouth.num_waiting = max(0, stage.mouth.num_waiting - 8000)
                await asyncio.sleep(0.001)

        saying = asyncio.create_task(say())
        await stage.until(lambda: len(stage.lines) > 30)
        saying.cancel()
        assert stage.mouth.most_waiting < reading_aloud.AHEAD_SAMPLES + 2 * 16_000
        stage.reading.clear()
        assert not stage.reading.is_busy
        num_made, stage.mouth.num_waiting = len(stage.lines), 0
        await asyncio.sleep(0.3)
        assert len(stage.lines) <= num_made + 1  # The one in the making.

    run(work)


def test_what_is_cut_short_is_not_said_and_holds_up_nobody():
    async def work():
        stage = _Stage()
        gate = threading.Event()

        def function(words):
            if words.startswith("Slow"):
                gate.wait(20)
            return np.full(8000, 0.9, np.float32)

        stage._function = function
        stage.add("Slow words.")
        await stage.until(lambda: stage.lines)
        stage.reading.clear()
        stage.add("Quick words.")
        await stage.until(lambda: len(stage.mouth.said) >= 1)
        assert stage.lines == ["Slow words.", "Quick words."]
        await stage.until_done()
        num_said = len(stage.mouth.said)
        gate.set()
        await asyncio.sleep(0.1)
        assert len(stage.mouth.said) == num_said

    run(work)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "nothing to say"),
        ("?! ☃", "nothing to say"),
        ("[pause x] Go.", "no number of seconds"),
        ("\ud800", "no letters"),
    ],
)
def test_what_cannot_be_said_is_refused_in_a_sentence_and_the_next_is_said(
    words, sentence
):
    async def work():
        stage = _Stage()
        stage.add(words)
        stage.add("a")
        await stage.until_done()
        (refusal,) = stage.sentences
        assert sentence in refusal
        assert stage.lines == ["a"]

    run(work)


def test_a_voice_with_a_defect_is_told_and_the_next_text_is_said():
    async def work():
        def function(words):
            if "Go" in words:
                raise RuntimeError("a defect")
            return np.full(8000, 0.9, np.float32)

        stage = _Stage(function)
        stage.add("Go home.")
        stage.add("Stay here.")
        await stage.until_done()
        assert stage.sentences == [reading_aloud.FAILED]
        assert stage.lines == ["Go home.", "Stay here."]

    run(work)


def test_a_voice_that_never_ends_a_line_is_told(monkeypatch):
    monkeypatch.setattr(reading_aloud, "LINE_SECONDS", 0.1)
    gate = threading.Event()

    async def work():
        stage = _Stage(lambda words: gate.wait(20))
        stage.add("Go home.")
        await stage.until_done()
        assert stage.sentences == [reading_aloud.TOO_SLOW]
        gate.set()

    run(work)


def test_more_than_may_wait_is_refused():
    async def work():
        stage = _Stage(max_letters=100)
        with pytest.raises(UserError, match="101 letters; at most 100"):
            stage.add("a" * 101)
        stage.add("a" * 100)
        stage.reading.clear()

    run(work)

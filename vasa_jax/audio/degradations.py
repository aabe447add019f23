"""What happens to a voice on its way: gain, gates, noise, music, rooms, lines, codecs.

Ours: the paper's voices come out of edited videos; microphones and calls change sound,
and lips must not. Each change is a function of a waveform and a source of chance, keeps
the length, and delays nothing.
"""

from collections.abc import Callable

import numpy as np

from vasa_jax import types

_MOST_GAIN_DECIBELS = 10.0
"""Ours: how far microphones and distances differ."""

_SETTLING_SECONDS = 2.0
"""Ours: in which automatic gains of browsers and telephones come to rest."""

_BELOW_VOICE_DECIBELS = 10.0
"""Noise and music lie so far below the voice. Ours: a loud place, in which one still
understands."""

_ROOM_SECONDS = 0.5
"""In which a room's sound falls by 60 dB. Ours: a bare living room."""

_LINE_HERTZ = (300.0, 3400.0)
_LINE_EDGE_HERTZ = 100.0
"""Follows: ITU-T G.712, a telephone line."""

_GATE_DECIBELS = (-32.0, -22.0)
_GATE_HOLD_SECONDS, _GATE_FADE_SECONDS = 0.15, 0.01
"""Below the loud parts a gate shuts; not at once, and with a short fade. Ours: as the
noise suppression of calls does."""

_OPUS_KILOBITS = (16.0, 64.0)
"""Ours: what browsers send speech with."""

_LEVEL_SECONDS = 0.02
_CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (-3, 0, 4), (2, 5, 9))
_SEMITONE = 2 ** (1 / 12)

_LIMIT = 1.0
_NEVER_SILENT = 1e-5


def change_gain(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Make a voice up to 10 dB louder or softer, clipped at 1 as converters do.

    Args:
        waveform: float32 `[S]` at 16 kHz.
        generator: source of chance.

    Returns:
        float32 `[S]`, as all functions here.
    """
    decibels = generator.uniform(-_MOST_GAIN_DECIBELS, _MOST_GAIN_DECIBELS)
    return _limited(waveform * 10 ** (decibels / 20))


def settle_gain(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Begin up to 10 dB too loud or too soft and come to rest in 2 s."""
    decibels = generator.uniform(-_MOST_GAIN_DECIBELS, _MOST_GAIN_DECIBELS)
    times = np.arange(len(waveform)) / types.SAMPLE_RATE_HZ
    # A twentieth is left after the time of settling.
    gain = decibels * np.exp(-3 * times / _SETTLING_SECONDS)
    return _limited(waveform * 10 ** (gain / 20))


def gate_pauses(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Shut out what is far below the loud parts."""
    step = round(_GATE_FADE_SECONDS * types.SAMPLE_RATE_HZ)
    num_steps = -(-len(waveform) // step)
    padded = np.pad(waveform, (0, num_steps * step - len(waveform)))
    level = np.sqrt(np.square(padded).reshape(num_steps, step).mean(axis=1))
    threshold = np.percentile(level, 95) * 10 ** (
        generator.uniform(*_GATE_DECIBELS) / 20
    )
    hold = round(_GATE_HOLD_SECONDS / _GATE_FADE_SECONDS)
    heard = np.convolve(level > threshold, np.ones(hold + 2))
    # It opens a step before what it hears and shuts some time after.
    is_open = np.minimum(heard[1 : num_steps + 1], 1.0)
    points = (np.arange(num_steps) + 0.5) * step
    return _limited(waveform * np.interp(np.arange(len(waveform)), points, is_open))


def add_noise(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Add noise between white and brown, 10 dB below the voice."""
    colour = generator.uniform(0, 2)
    return _limited(_mixed(waveform, coloured_noise(len(waveform), colour, generator)))


def add_music(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Add chords and a beat, 10 dB below the voice."""
    return _limited(_mixed(waveform, music(len(waveform), generator)))


def enter_room(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Speak in a room whose sound dies away in half a second."""
    return _limited(reverberate(waveform, _ROOM_SECONDS, generator))


def telephone(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Leave 300 to 3,400 Hz, without delay; nothing is left to chance."""
    del generator
    spectrum = np.fft.rfft(waveform, _padded_length(waveform))
    frequency = np.fft.rfftfreq(_padded_length(waveform), 1 / types.SAMPLE_RATE_HZ)
    low, high = _LINE_HERTZ
    inside = np.minimum(frequency - low, high - frequency) / _LINE_EDGE_HERTZ
    passed = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside + 1, 0, 1))
    return _limited(np.fft.irfft(spectrum * passed)[: len(waveform)])


def code(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Send a voice through Opus at 16 to 64 kbit/s."""
    kilobits = np.exp(generator.uniform(*np.log(_OPUS_KILOBITS)))
    # Imported late, because rooms and noise are made without FFmpeg too.
    from vasa_jax.audio import opus

    return _limited(opus.code(waveform, round(1000 * kilobits)))


CHANGES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "gain": change_gain,
    "settling_gain": settle_gain,
    "gated_pauses": gate_pauses,
    "noise": add_noise,
    "music": add_music,
    "room": enter_room,
    "telephone": telephone,
    "opus": code,
}
"""By name, all that can happen to a voice."""


def change_some(
    waveform: np.ndarray, share: float, generator: np.random.Generator
) -> np.ndarray:
    """Change a voice in one way of `CHANGES`, or leave it.

    Args:
        waveform: float32 `[S]`.
        share: how often it is changed, 0 to 1.
        generator: source of chance.

    Returns:
        float32 `[S]`.
    """
    if generator.random() >= share:
        return waveform
    return CHANGES[generator.choice(list(CHANGES))](waveform, generator)


def coloured_noise(
    num_samples: int, colour: float, generator: np.random.Generator
) -> np.ndarray:
    """Make noise of unit level whose power falls as frequency to the power `colour`.

    Ours: 0 is white, 1 is pink, as rooms and fans are.
    """
    spectrum = np.fft.rfft(generator.normal(size=num_samples))
    frequency = np.fft.rfftfreq(num_samples, 1 / types.SAMPLE_RATE_HZ)
    spectrum *= np.maximum(frequency, 40.0) ** (-colour / 2)
    noise = np.fft.irfft(spectrum, num_samples)
    return noise / (noise.std() + 1e-9)


def music(num_samples: int, generator: np.random.Generator) -> np.ndarray:
    """Make music of unit level: a chord a bar, struck on each beat, and a drum.

    Ours: its harmonics and onsets lie where a voice's do, which noise lacks; and it
    belongs to nobody.

    Args:
        num_samples: S.
        generator: source of chance.

    Returns:
        float64 `[S]`.
    """
    rate = types.SAMPLE_RATE_HZ
    beat = round(rate * 60 / generator.uniform(80, 140))
    root = generator.uniform(110, 220)
    first = int(generator.integers(4 * beat))
    played = np.zeros(num_samples + first + beat)
    times = np.arange(beat) / rate
    drum = 3 * generator.normal(size=beat) * np.exp(-60 * times)
    for number, start in enumerate(range(0, num_samples + first, beat)):
        if number % 4 == 0:
            chord = _CHORDS[generator.integers(len(_CHORDS))]
        note = sum(
            np.sin(2 * np.pi * harmonic * root * _SEMITONE**tone * times) / harmonic
            for tone in chord
            for harmonic in (1, 2, 3, 4, 5)
        )
        struck = note * np.exp(-3 * times) * np.clip(times / 0.005, 0, 1)
        played[start : start + beat] += struck + (number % 2) * drum
    played = played[first : first + num_samples]
    return played / (played.std() + 1e-9)


def reverberate(
    waveform: np.ndarray, decay_seconds: float, generator: np.random.Generator
) -> np.ndarray:
    """Put a voice into a room.

    Ours: a synthetic impulse response: the direct sound, a few early echoes and a
    decaying noise tail; nothing is delayed, so that lips and voice stay together.

    Args:
        waveform: float `[S]`.
        decay_seconds: in which the tail falls by 60 dB.
        generator: source of chance.

    Returns:
        float64 `[S]`.
    """
    rate = types.SAMPLE_RATE_HZ
    length = int(decay_seconds * rate)
    times = np.arange(length) / rate
    tail = generator.normal(size=length) * np.exp(-6.9 * times / decay_seconds)
    tail *= np.clip(times / 0.01, 0, 1)
    response = tail / np.sqrt(np.sum(np.square(tail))) * generator.uniform(0.1, 0.6)
    for _ in range(4):
        index = int(generator.uniform(0.002, 0.03) * rate)
        response[index] += generator.uniform(-0.35, 0.35)
    response[0] = 1.0
    size = len(waveform) + length
    heard = np.fft.irfft(
        np.fft.rfft(waveform, size) * np.fft.rfft(response, size), size
    )
    return heard[: len(waveform)]


def _padded_length(waveform: np.ndarray) -> int:
    """Return an even length with room for a filter to ring in."""
    return 2 * (len(waveform) // 2) + types.SAMPLE_RATE_HZ // 10


def _mixed(waveform: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Lay a sound of unit level below the voice, measured where the voice is loud."""
    step = round(_LEVEL_SECONDS * types.SAMPLE_RATE_HZ)
    rows = waveform[: len(waveform) // step * step].reshape(-1, step)
    power = np.square(rows).mean(axis=1) if len(rows) else np.zeros(1)
    voiced = power >= 0.01 * power.max()
    level = max(float(np.sqrt(power[voiced].mean())), _NEVER_SILENT)
    return waveform + other * level * 10 ** (-_BELOW_VOICE_DECIBELS / 20)


def _limited(waveform: np.ndarray) -> np.ndarray:
    return np.clip(waveform, -_LIMIT, _LIMIT).astype(np.float32)

"""Real voices: recordings of a folder, with phonemes found by PocketSphinx.

Ours: models trained on synthetic voices alone would not know people's. Recordings need
no text; where there is one, phonemes are aligned with it, which is more exact. The
English model lies in the PyPI package `pocketsphinx`; on other languages it finds the
nearest English sounds, whose lip shapes are mostly right.
"""

import dataclasses
import functools
import pathlib
import re

import numpy as np

from vasa_jax import audio, errors, types
from vasa_jax.audio import resampling
from vasa_jax.speech import speech

_EXTENSIONS = (".flac", ".wav")
_VALIDATION_INDEX, _TEST_INDEX, _CYCLE = 3, 7, 10
"""Of ten speakers in order of name the fourth is for validation, the eighth for tests.
Ours: as few as eight speakers fill all splits."""

_FRAMES_A_SECOND = 100

_ARPABET = dict(
    pair.split(":")
    for pair in (
        "AA:ɑ AE:æ AH:ʌ AO:ɔ AW:aʊ AY:aɪ B:b CH:tʃ D:d DH:ð EH:ɛ ER:ɚ EY:eɪ F:f G:ɡ "
        "HH:h IH:ɪ IY:i JH:dʒ K:k L:l M:m N:n NG:ŋ OW:oʊ OY:ɔɪ P:p R:ɹ S:s SH:ʃ T:t "
        "TH:θ UH:ʊ UW:u V:v W:w Y:j Z:z ZH:ʒ"
    ).split()
)
"""IPA of PocketSphinx' phones; what is not here (SIL, +NSN+) is silence."""

_REDUCED_SECONDS = 0.075
"""AH shorter than this is taken for schwa. Ours: the phone set does not tell them."""


@dataclasses.dataclass(frozen=True)
class Recording:
    """A file in which one person speaks.

    Attributes:
        path: of the sound.
        speaker: who speaks, told from the file's name.
        transcript: what is said, None if it is not known.
    """

    path: str
    speaker: str
    transcript: str | None

    @property
    def name(self) -> str:
        """Return the speaker's name as records carry it."""
        return f"recording/{self.speaker}"


@functools.lru_cache(maxsize=4)
def find(folder: str) -> tuple[Recording, ...]:
    """Find all recordings of a folder and the folders in it.

    Ours: the layout of LibriSpeech (`84-121123-0000.flac`, words in `*.trans.txt`) and
    plain folders; the speaker is the name up to the first hyphen, or the folder's name
    where names have none. `a.txt` beside `a.wav` is its transcript.

    Args:
        folder: path.

    Returns:
        Recordings in order of path.

    Raises:
        UserError: if there is no such folder, or no recording in it.
    """
    root = pathlib.Path(folder).expanduser()
    if not root.is_dir():
        raise errors.UserError(f"There is no folder {folder}; mend --speech_dir.")
    texts = {}
    for listing in root.rglob("*.trans.txt"):
        for line in listing.read_text(encoding="utf8").splitlines():
            name, _, words = line.partition(" ")
            texts[name] = words
    found = []
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in _EXTENSIONS):
        beside = path.with_suffix(".txt")
        text = texts.get(path.stem)
        if text is None and beside.exists():
            text = beside.read_text(encoding="utf8")
        speaker = path.stem.split("-")[0] if "-" in path.stem else path.parent.name
        found.append(Recording(str(path), speaker, text))
    if not found:
        raise errors.UserError(
            f"{folder} holds no .flac or .wav file; name a folder of recordings."
        )
    return tuple(found)


def of_split(found: tuple[Recording, ...], split: str) -> tuple[Recording, ...]:
    """Return the recordings whose speaker belongs to a split.

    Ours: speakers are dealt by their place in the sorted list, see `_TEST_INDEX`.
    """
    speakers = sorted({recording.speaker for recording in found})
    splits = {_VALIDATION_INDEX: "validation", _TEST_INDEX: "test"}
    owners = {
        speaker: splits.get(index % _CYCLE, "train")
        for index, speaker in enumerate(speakers)
    }
    return tuple(r for r in found if owners[r.speaker] == split)


def excerpt(
    recording: Recording,
    seconds: float,
    playback_rate: float,
    generator: np.random.Generator,
) -> speech.Speech:
    """Cut a part of a recording at random and find its phonemes.

    Ours: aligned with the transcript if there is one and it fits, else recognised.
    Played a little faster or slower, one speaker becomes many.

    Args:
        recording: which file.
        seconds: length wanted.
        playback_rate: speed at which it is played; moves pitch and formants.
        generator: source of chance.

    Returns:
        At most `seconds` of speech; shorter if the file is.

    Raises:
        UserError: if the file cannot be read.
    """
    waveform = _load(recording.path)
    length = len(waveform) / types.SAMPLE_RATE_HZ
    taken = min(seconds * playback_rate, length)
    start = float(generator.uniform(0, length - taken))
    aligned = _align(recording) if recording.transcript else None
    whole = speech.Speech(waveform, aligned or (), recording.transcript or "")
    part = speech.cut(whole, start, taken)
    phonemes = part.phonemes if aligned else recognize(part.waveform)
    return speech.Speech(
        resampling.resample(part.waveform, playback_rate),
        speech.stretch(phonemes, 1 / playback_rate),
        part.text,
    )


def recognize(waveform: np.ndarray) -> tuple[speech.Phoneme, ...]:
    """Find the phonemes of a voice without a text.

    Follows: PocketSphinx' `allphone` search with its phone language model.

    Args:
        waveform: float32 `[S]` at 16 kHz.

    Returns:
        Phonemes in order of time; silence is left out.
    """
    # Imported late, here and below, because what is carried needs no recogniser.
    import pocketsphinx

    decoder = pocketsphinx.Decoder(
        allphone=pocketsphinx.get_model_path("en-us/en-us-phone.lm.bin"),
        lm=None,
        dict=None,
        lw=2.0,
        beam=1e-20,
        pbeam=1e-20,
        cmn="batch",
        loglevel="FATAL",
    )
    _decode(decoder, waveform)
    segments = decoder.seg() or ()
    return _phonemes((s.word, s.start_frame, s.end_frame + 1) for s in segments)


def align(waveform: np.ndarray, text: str) -> tuple[speech.Phoneme, ...] | None:
    """Find the phonemes of a voice whose text is known.

    Follows: PocketSphinx' forced alignment in two passes, words then phones.

    Args:
        waveform: float32 `[S]` at 16 kHz.
        text: what is said, in English.

    Returns:
        Phonemes in order of time, or None if a word is not in the dictionary or the
        text does not fit.
    """
    import pocketsphinx

    decoder = pocketsphinx.Decoder(
        lm=None,
        bestpath=False,
        beam=1e-80,
        wbeam=1e-60,
        pbeam=1e-80,
        cmn="batch",
        loglevel="FATAL",
    )
    words = re.findall(r"[a-z']+", text.lower())
    if not words or any(decoder.lookup_word(word) is None for word in words):
        return None
    try:
        decoder.set_align_text(" ".join(words))
        _decode(decoder, waveform)
        decoder.set_alignment()
        _decode(decoder, waveform)
    except RuntimeError:
        return None
    return _phonemes(
        (phone.name, phone.start, phone.start + phone.duration)
        for word in decoder.get_alignment()
        for phone in word
    )


@functools.lru_cache(maxsize=8)
def _load(path: str) -> np.ndarray:
    return audio.load_waveform(path)


@functools.lru_cache(maxsize=256)
def _align(recording: Recording) -> tuple[speech.Phoneme, ...] | None:
    return align(_load(recording.path), recording.transcript)


def _decode(decoder, waveform: np.ndarray) -> None:
    samples = np.clip(waveform * 32767, -32768, 32767).astype(np.int16)
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()


def _phonemes(segments) -> tuple[speech.Phoneme, ...]:
    """Turn (phone, first frame, end frame) into phonemes without silence."""
    phonemes = []
    for phone, start, end in segments:
        if phone not in _ARPABET:
            continue
        first, last = start / _FRAMES_A_SECOND, end / _FRAMES_A_SECOND
        is_reduced = phone == "AH" and last - first < _REDUCED_SECONDS
        symbol = "ə" if is_reduced else _ARPABET[phone]
        phonemes.append(speech.Phoneme(first, last, symbol))
    return tuple(phonemes)

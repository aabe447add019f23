"""A whole performance: voice, face, gaze and head of a clip, drawn from a seed."""

import dataclasses

import numpy as np

from datasets.synthetic_heads.performance import (
    blinks,
    emotions,
    exercises,
    expressions,
    gaze,
    head_motion,
    phrasing,
    prosody,
    recordings,
    sound,
    texts,
    visemes,
    voices,
)
from datasets.synthetic_heads.rendering import scene
from vasa_jax import types
from vasa_jax.speech import speech
from vasa_jax.speech.natural_voices import speaking, spelling
from vasa_jax.speech.natural_voices import voice as natural_voice

REST_AFTER_SECONDS = 0.12
"""Silence after which the mouth has shut. Ours: shorter gaps belong to words."""

_VOICE_MANNER = {
    # rate, pitch, pitch range
    "neutral": (1.0, 0, 0),
    "happiness": (1.08, 8, 15),
    "sadness": (0.85, -6, -18),
    "anger": (1.10, 3, 12),
    "surprise": (1.05, 12, 22),
    "disgust": (0.93, -4, 0),
    "fear": (1.14, 10, 8),
    "contempt": (0.92, -3, -6),
}
"""How an emotion at full strength changes a voice.

Follows: Murray and Arnott 1993 (emotion in synthetic speech), in espeak-ng's units."""

_OUTSHOUTED = 0.7
"""Share of brows and smiles of conversation that a full emotion leaves out. Ours: who
is sad does not smile at the listener."""

_LISTENED_SHARE, _TURN_SHARES = 0.12, (0.1, 0.35)
"""Share of pauses in which somebody else speaks, and how much of the clip they take.
Ours: faces that listen are seen in most clips of 20 s, and few clips are silent."""

_UNITS_OF_AN_OCTAVE = 50
"""Of `_VOICE_MANNER`'s pitch. Follows: espeak-ng's table."""

_EMPHATIC_SHARE, _CONTRASTED_SHARE = 0.6, 0.3
"""Shares of a natural voice's sentences in which a word is emphasised, and of those
that are said again with the emphasis on another word. Ours: the contrast teaches what
emphasis does to a face, whatever the words."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What a performance is to be; the same request gives the same performance.

    Attributes:
        seed: of all chance.
        num_frames: T.
        emotion: one of `types.EMOTIONS`.
        emotion_strength: 0 to 1.
        voice: who speaks, or the recording to perform.
        head_distance: of the head at rest, 1 at the reference framing.
        bares_teeth: smiles with parted lips, in silences too.
        liveliness: how much head, brows and smiles move, 1 as in conversation, 0.4 as
            somebody who reads calmly; None draws it.
        colours_voice: whether the emotion is heard, too.
        exercises: whether single expression weights come and go besides, in a head
            that is held still.
    """

    seed: int
    num_frames: int
    emotion: str
    emotion_strength: float
    voice: voices.Voice | natural_voice.Voice | recordings.Recording
    head_distance: float
    bares_teeth: bool = False
    liveliness: float | None = None
    colours_voice: bool = True
    exercises: bool = False


@dataclasses.dataclass(frozen=True)
class Performance:
    """What is heard and done in a clip, whoever does it.

    Attributes:
        seed, emotion, emotion_strength: as asked for.
        voice: name of the speaker; text: what is said.
        waveform: float32 `[640 T]` at 16 kHz, clean.
        audio: int16 `[640 T]` as a microphone in some room has it.
        phonemes: in order of time.
        viseme: int32 `[T]` index into `visemes.VISEMES`.
        arkit: float32 `[T, 52]`, without the eyeLook weights that gaze causes.
        blink: float32 `[T]`.
        rotation: float32 `[T, 3]`; translation: float32 `[T, 3]`, mesh units.
        gaze: float32 `[T, 2]` in the camera frame; gaze_in_head: float32 `[T, 2]`.
        main_gaze: float32 `[2]` about which the gaze moves.
        camera: through which the clip is seen.
        energy: float32 `[T]` loudness of the clean voice.
    """

    seed: int
    emotion: str
    emotion_strength: float
    voice: str
    text: str
    waveform: np.ndarray
    audio: np.ndarray
    phonemes: tuple[speech.Phoneme, ...]
    viseme: np.ndarray
    arkit: np.ndarray
    blink: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    gaze: np.ndarray
    gaze_in_head: np.ndarray
    main_gaze: np.ndarray
    camera: scene.Camera
    energy: np.ndarray


def perform(request: Request) -> Performance:
    """Perform a request.

    Ours: streams of chance are separate for voice, sound, face, head, bared smile,
    emotion and exercises, so that a change to one leaves the others.

    Args:
        request: what to perform.

    Returns:
        The performance; equal arrays for equal requests.
    """
    streams = [np.random.default_rng([request.seed, stream]) for stream in range(7)]
    said = _speak(request, streams[0])
    curves = prosody.of_speech(said)
    phrases = phrasing.of_speech(said, curves)
    main_gaze = gaze.random_main_gaze(streams[3])
    camera = _camera(request.head_distance, streams[3])
    liveliness = head_motion.random_liveliness(streams[3])
    if request.liveliness is not None:
        liveliness = request.liveliness
    wanted = gaze.look(main_gaze, request.num_frames, phrases, streams[3])
    motion = head_motion.move(
        curves,
        phrases,
        head_motion.random_base_turn(main_gaze, streams[3]),
        wanted - main_gaze,
        request.emotion,
        request.emotion_strength,
        liveliness,
        streams[3],
    )
    if request.exercises:
        motion = head_motion.still(request.num_frames)
    eyes = gaze.in_head(wanted, motion.rotation, camera.axes.T)
    lids = blinks.blink(wanted, phrases, streams[2])
    emotion = _emotion(request, streams[5], streams[4])
    arkit = _face(request, said, curves, phrases, emotion, lids, liveliness, streams[2])
    if request.exercises:
        times = visemes.frame_times(request.num_frames)
        arkit = (arkit + exercises.exercise(times, streams[6])).clip(0, 1)
    return Performance(
        seed=request.seed,
        emotion=request.emotion,
        emotion_strength=request.emotion_strength,
        voice=request.voice.name,
        text=said.text,
        waveform=said.waveform,
        audio=sound.vary(said.waveform, streams[1]),
        phonemes=said.phonemes,
        viseme=visemes.per_frame(said.phonemes, request.num_frames),
        arkit=arkit,
        blink=lids,
        rotation=motion.rotation,
        translation=motion.translation,
        gaze=gaze.in_camera(eyes, motion.rotation, camera.axes.T),
        gaze_in_head=eyes,
        main_gaze=main_gaze.astype(np.float32),
        camera=camera,
        energy=curves.energy,
    )


def contrast(request: Request, emotion: str, strength: float) -> Request:
    """Ask for the same performance with another emotion on the face.

    Ours: the sound, words, lips, blinks, aim of the gaze and all chance stay, so that
    what differs between the two performances is what the emotion does.

    Args:
        request: the performance to be contrasted.
        emotion: one of `types.EMOTIONS`.
        strength: 0 to 1.

    Returns:
        A request whose voice is that of `request`, whatever it shows.
    """
    voice = _coloured(request) if request.colours_voice else request.voice
    return dataclasses.replace(
        request,
        voice=voice,
        emotion=emotion,
        emotion_strength=strength,
        bares_teeth=request.bares_teeth and emotion == "happiness",
        colours_voice=False,
    )


def colour_voice(voice: voices.Voice, emotion: str, strength: float) -> voices.Voice:
    """Let an emotion change rate, pitch and liveliness of a voice.

    Follows: Murray and Arnott 1993.
    """
    rate, pitch, pitch_range = _VOICE_MANNER[emotion]
    return dataclasses.replace(
        voice,
        words_per_minute=int(voice.words_per_minute * (1 + strength * (rate - 1))),
        pitch=int(np.clip(voice.pitch + strength * pitch, 0, 99)),
        pitch_range=int(np.clip(voice.pitch_range + strength * pitch_range, 0, 99)),
    )


def colour_natural_voice(
    voice: natural_voice.Voice, emotion: str, strength: float
) -> natural_voice.Voice:
    """Let an emotion change pace and pitch of a natural voice.

    Follows: Murray and Arnott 1993. Ours: its liveliness is the network's.
    """
    rate, pitch, _ = _VOICE_MANNER[emotion]
    return dataclasses.replace(
        voice,
        pace=voice.pace * (1 + strength * (rate - 1)),
        height=voice.height * 2 ** (strength * pitch / _UNITS_OF_AN_OCTAVE),
    )


def _camera(head_distance: float, generator: np.random.Generator) -> scene.Camera:
    """Place a camera nearly in front, the head nearly in the middle.

    How near it stands decides the perspective, the focal length then the framing.
    """
    return scene.camera(
        distance=float(generator.uniform(scene.NEAREST, scene.FARTHEST)),
        scale=1.0 / head_distance,
        offset=tuple(np.clip(generator.normal(0, 0.05, 2), -0.12, 0.12)),
        yaw=float(np.clip(generator.normal(0, 0.04), -0.1, 0.1)),
        pitch=float(np.clip(generator.normal(0, 0.05), -0.12, 0.12)),
    )


def _speak(request: Request, generator: np.random.Generator) -> speech.Speech:
    """Say sentences with pauses until the clip is full, and cut it out.

    Two clips in five start within a sentence. Some speak with long pauses, some with
    hardly any, and some pauses are somebody else's turn, in which they listen.
    """
    seconds = request.num_frames / types.FRAME_RATE_HZ
    start_within = generator.random() < 0.4
    playback_rate = float(np.exp(generator.uniform(-0.09, 0.09)))
    longest_pause = generator.uniform(0.5, 2.0)
    parts = [_utterance(request, seconds, playback_rate, generator)]
    skipped = generator.uniform(0, 0.5 * parts[0].seconds) if start_within else 0.0
    pauses = [0.0 if start_within else _pause(0.7, seconds, generator)]
    while sum(pauses) + sum(part.seconds for part in parts) < skipped + seconds:
        pauses.append(_pause(longest_pause, seconds, generator))
        parts.append(_utterance(request, seconds, playback_rate, generator))
    pauses.append(0.0)
    return speech.cut(speech.join(parts, pauses), skipped, seconds)


def _pause(longest: float, seconds: float, generator: np.random.Generator) -> float:
    """Draw a pause, seconds: a breath, or the turn of somebody else."""
    if generator.random() < _LISTENED_SHARE:
        return float(generator.uniform(*_TURN_SHARES) * seconds)
    return float(generator.uniform(0.2, longest))


def _utterance(
    request: Request,
    seconds: float,
    playback_rate: float,
    generator: np.random.Generator,
) -> speech.Speech:
    """Say one sentence, or play a part of a recording at some speed."""
    voice = _coloured(request) if request.colours_voice else request.voice
    if isinstance(voice, recordings.Recording):
        length = max(float(generator.uniform(0.3, 1.1) * seconds), 1.0)
        return recordings.excerpt(voice, length, playback_rate, generator)
    if isinstance(voice, natural_voice.Voice):
        return _natural_utterance(voice, generator)
    return voices.say_something(voice, generator)


def _coloured(request: Request):
    """Return the voice of a request as its emotion makes it; recordings stay."""
    colours = {voices.Voice: colour_voice, natural_voice.Voice: colour_natural_voice}
    colour = colours.get(type(request.voice))
    if colour is None:
        return request.voice
    return colour(request.voice, request.emotion, request.emotion_strength)


def _natural_utterance(
    voice: natural_voice.Voice, generator: np.random.Generator
) -> speech.Speech:
    """Say one sentence, with emphasis or without, or twice with other emphasis."""
    text = texts.sentence(spelling.LANGUAGES[voice.language], generator)
    if generator.random() >= _EMPHATIC_SHARE:
        return speaking.say(voice, text)
    emphatic = texts.emphasize(text, generator)
    first = speaking.say(voice, emphatic)
    if generator.random() >= _CONTRASTED_SHARE:
        return first
    again = speaking.say(voice, texts.emphasize(text, generator, but=emphatic))
    return speech.join([first, again], [0.0, generator.uniform(0.25, 0.8), 0.0])


def _emotion(request, generator, smile_generator) -> np.ndarray:
    """Show the emotion of a request, perhaps with bared teeth, `[T, 52]`."""
    weights = emotions.show(
        request.emotion, request.emotion_strength, request.num_frames, generator
    )
    if not request.bares_teeth:
        return weights
    smile = emotions.bared_smile(request.num_frames, smile_generator)
    return np.maximum(weights, smile)


def _face(
    request, said, curves, phrases, emotion, lids, liveliness, generator
) -> np.ndarray:
    """Put together the ARKit weights of all frames, `[T, 52]`."""
    num_frames = request.num_frames
    times = visemes.frame_times(num_frames)
    liveliness = liveliness * generator.uniform(0.7, 1.3)
    clarity = generator.uniform(0.85, 1.15)
    loudness = prosody.smooth(curves.energy, 0.7).clip(0, 1.2)
    openness = clarity * (0.5 + 0.6 * loudness)
    signals = expressions.brows(times, phrases, liveliness, generator)
    signals += expressions.smiles(times, liveliness, generator)
    signals *= 1 - _OUTSHOUTED * request.emotion_strength
    idle = expressions.gestures(curves, liveliness, generator)
    rest = visemes.rest(said.phonemes, num_frames, REST_AFTER_SECONDS)
    return expressions.combine(
        visemes.articulate(said.phonemes, num_frames, openness),
        emotion + signals + idle,
        visemes.closures(said.phonemes, num_frames, visemes.CLOSED_LIPS),
        visemes.closures(said.phonemes, num_frames, visemes.LIP_TEETH),
        rest * (1 - emotions.parted_lips(emotion)),
        lids,
    )

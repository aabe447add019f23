"""The checkpoint in the repository opens, fits the presets, and makes a face talk."""

import dataclasses
import pathlib

import numpy as np
import pytest

from vasa_jax import audio, media, types
from vasa_jax.face import config as face_config
from vasa_jax.motion import config as motion_config
from vasa_jax.pipeline import speech, talking_face, trained
from vasa_jax.pipeline.controls import Controls
from vasa_jax.portrait import locate

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def models():
    return trained.load()


@pytest.fixture(scope="module")
def voice():
    return audio.load_waveform(EXAMPLES / "voice.wav")[: 2 * types.SAMPLE_RATE_HZ]


def test_it_has_the_sizes_of_the_demo_presets(models):
    sizes = dataclasses.replace(models.face_config, dynamics_gain=1.0)
    assert sizes == face_config.demo()
    assert models.motion_config == motion_config.demo()
    assert models.animation.audio_encoder == "whisper_tiny"


@pytest.mark.slow
def test_its_motion_follows_the_voice(models, voice):
    def motion(waveform):
        stream = speech.SpeechModel(models).stream(Controls(seed=1))
        return np.concatenate([*stream.push(waveform), *stream.finish()])

    heard, silent = motion(voice), motion(np.zeros_like(voice))
    assert heard.shape == (50, models.motion_config.num_motion_channels)
    lips = slice(types.POSE_CHANNELS, None)
    assert heard[:, lips].std(0).mean() > 1.2 * silent[:, lips].std(0).mean()


@pytest.mark.slow
def test_it_animates_the_example_portrait(models, voice):
    face = talking_face.TalkingFace(models)
    portrait = face.locate(media.read_image(EXAMPLES / "portrait.png"))
    frames = np.concatenate(list(face.animate(portrait, voice)))
    assert frames.shape == (50, 256, 256, 3)
    for frame in (frames[0], frames[-1]):
        locate.locate_face(frame)
        away = np.abs(frame.astype(float) - portrait.image).mean()
        assert away < 40
    assert np.abs(frames[0].astype(float) - frames[-1]).mean() > 1

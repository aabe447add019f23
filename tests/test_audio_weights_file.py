"""A checkpoint says which file of audio weights it needs, and takes no other."""

import dataclasses
import hashlib
import json

import pytest

from experiments.configs import motion as motion_experiment
from vasa_jax.animate import trained
from vasa_jax.animate.talking_face import TalkingFace
from vasa_jax.audio import encoders, weights_file
from vasa_jax.encode import encoding
from vasa_jax.errors import UserError
from vasa_jax.motion import config as motion_config

CONTENT = b"weights of a voice"
NEEDED = weights_file.WeightsFile(
    name="voice.safetensors", sha256=hashlib.sha256(CONTENT).hexdigest()
)


@pytest.fixture(scope="module")
def checkpoint(tiny_models, tmp_path_factory):
    """A folder of models that hear by wav2vec 2.0."""
    from experiments.tools import untrained

    models = untrained.make(
        tiny_models.face_config,
        motion_config.tiny(num_audio_channels=770),
        trained.AnimationConfig(audio_encoder="wav2vec2", audio_weights=NEEDED),
    )
    folder = tmp_path_factory.mktemp("checkpoint") / "hearing"
    trained.save(folder, models, card="# Hearing, untrained")
    return folder


def test_a_file_is_described_by_its_name_and_hash(tmp_path):
    (tmp_path / NEEDED.name).write_bytes(CONTENT)
    assert weights_file.describe(tmp_path / NEEDED.name) == NEEDED
    weights_file.check(tmp_path / NEEDED.name, NEEDED, "some", "somewhere")
    weights_file.check(tmp_path / NEEDED.name, None, "some", "somewhere")


def test_a_checkpoint_without_its_audio_weights_is_refused(checkpoint):
    assert trained.load(checkpoint).animation.audio_weights == NEEDED
    sentence = rf"'{NEEDED.name}' \(sha256 {NEEDED.sha256[:12]}.*--audio_weights"
    with pytest.raises(UserError, match=sentence):
        TalkingFace.from_checkpoint(checkpoint)


def test_a_checkpoint_refuses_other_audio_weights(checkpoint, tmp_path):
    other = tmp_path / NEEDED.name
    other.write_bytes(CONTENT + b"!")
    with pytest.raises(UserError, match="not those that the checkpoint was trained"):
        TalkingFace.from_checkpoint(checkpoint, other)


def test_audio_weights_in_the_checkpoints_folder_are_found(checkpoint, tmp_path):
    beside = checkpoint / NEEDED.name
    beside.write_bytes(CONTENT)
    try:
        models = trained.load(checkpoint)
        assert models.audio_encoder() == encoders.make("wav2vec2", beside, NEEDED)
        # The right file by its hash, and no weights by its content.
        with pytest.raises(UserError, match="cannot be read"):
            models.audio_encoder().load_variables()
        named = trained.load(checkpoint, tmp_path / "named")
        assert named.audio_weights == tmp_path / "named"
    finally:
        beside.unlink()


def test_encoded_clips_tell_the_motion_model_which_weights_they_heard_by(tmp_path):
    file = tmp_path / NEEDED.name
    file.write_bytes(CONTENT)
    settings = encoding.audio_settings("wav2vec2", file)
    assert settings == {
        "audio_encoder": "wav2vec2",
        "audio_weights": dataclasses.asdict(NEEDED),
    }
    assert encoding.audio_settings("mel") == {"audio_encoder": "mel"}
    written = {"face_export": "0123", **settings}
    (tmp_path / encoding.SETTINGS_NAME).write_text(json.dumps(written))
    sampling = motion_config.SamplingConfig(num_steps=7)
    found = motion_experiment.read_animation([str(tmp_path)], sampling, None)
    animation = found["animation"]
    assert (animation.sampling, animation.shaping) == (sampling, None)
    assert animation.audio_encoder == "wav2vec2"
    assert animation.audio_weights == NEEDED


def test_the_papers_denoiser_takes_the_features_of_wav2vec2():
    channels = encoders.make("wav2vec2").num_channels
    assert motion_config.vasa1().num_audio_channels == channels

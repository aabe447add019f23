"""A sound has one set of features: in training, offline, in a stream, beside others.

wav2vec 2.0's first norm spans all that it is given, its extractor normalises over what
fills a batch, and Whisper's levels hang on the loudest place; here all three look at
windows alone.
"""

import numpy as np
import pytest

from tests import published_wav2vec2
from vasa_jax.audio import encoders, streaming, wav2vec2_encoder, weights_file, windows
from vasa_jax.encode import encoding

NUM_FRAMES = 40


@pytest.fixture(scope="module", params=["group norm", "layer norm", "Whisper"])
def encoder(request, tmp_path_factory):
    if request.param == "Whisper":
        return encoders.make("whisper_tiny")
    networks = {
        "group norm": published_wav2vec2.SMALL,
        "layer norm": published_wav2vec2.LAYER_NORMS,
    }
    network = networks[request.param]
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    published_wav2vec2.save(path, published_wav2vec2.tensors(network))
    return wav2vec2_encoder.Wav2Vec2Encoder(
        grid=windows.WindowGrid(hop_frames=2, frames_before=2, frames_after=2),
        network=network,
        weights=str(path),
        needed=weights_file.describe(path),
    )


@pytest.fixture(scope="module")
def variables(encoder):
    return encoder.load_variables()


def voice(seed=0):
    """Return int16 `[S]`, noise whose loudness comes and goes."""
    count = NUM_FRAMES * 640
    noise = np.random.default_rng(seed).normal(size=count)
    loudness = 2_000 * (1.2 + np.sin(np.arange(count) / 3_000))
    return np.clip(loudness * noise, -32_768, 32_767).astype(np.int16)


def heard(samples):
    return samples.astype(np.float32) / 32_768


def test_training_offline_and_a_stream_hear_the_same(encoder, variables, tiny_models):
    samples = voice()
    offline = encoder.features(variables, heard(samples)[None])[0]
    stream = streaming.StreamingFeatures(encoder, variables)
    pieces = [stream.push(p) for p in np.split(heard(samples), [100, 9_000, 9_001])]
    streamed = np.concatenate([*pieces, stream.finish()])
    np.testing.assert_allclose(streamed, offline, atol=1e-4)
    clips = encoding.ClipEncoder(
        tiny_models.face_config, tiny_models.face_params, encoder
    )
    pose = np.tile(np.float32([0, 0, 0, 0, 0, 1]), (NUM_FRAMES, 1))
    record = {"audio": samples, "head_pose": pose, "main_gaze": np.zeros(2)}
    frames = np.zeros((NUM_FRAMES, 32, 32, 3), np.uint8)
    trained = clips.encode(record, frames, "train")["audio_features"]
    np.testing.assert_array_equal(trained, offline.astype(np.float16))


def test_what_shares_a_batch_or_follows_in_a_file_changes_nothing(encoder, variables):
    one, loud = heard(voice()), 4 * heard(voice(1))
    alone = encoder.features(variables, one[None])[0]
    beside = encoder.features(variables, np.stack([loud, one]))[1]
    np.testing.assert_array_equal(beside, alone)
    longer = encoder.features(variables, np.concatenate([one, loud])[None])[0]
    grid = encoder.grid
    count = (NUM_FRAMES - grid.frames_after) // grid.hop_frames * grid.hop_frames
    np.testing.assert_allclose(longer[:count], alone[:count], atol=2e-5)
    # A window that sees what follows does change, or nothing was compared.
    assert np.abs(longer[count:NUM_FRAMES] - alone[count:]).max() > 1e-2

"""The wav2vec 2.0 encoder computes what wav2vec 2.0 does, from the published file."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import published_wav2vec2
from vasa_jax import errors
from vasa_jax.audio import encoders, streaming, wav2vec2_weights, weights_file, windows
from vasa_jax.audio import wav2vec2 as wav2vec2_lib
from vasa_jax.audio import wav2vec2_encoder as encoder_lib


def _gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def _normal(x, axis):
    away = x - x.mean(axis=axis, keepdims=True)
    return away / np.sqrt((away**2).mean(axis=axis, keepdims=True) + 1e-5)


def _numpy_model(network, tensors, samples):
    """Run wav2vec 2.0 base on one clip `[S]`, sum by sum; return `[L, C]`."""
    get = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def norm(x, name):
        return _normal(x, -1) * get[f"{name}.weight"] + get[f"{name}.bias"]

    def dense(x, name):
        return x @ get[f"{name}.weight"].T + get[f"{name}.bias"]

    x = samples.astype(np.float64)[:, None]
    for layer, stride in enumerate(network.conv_strides):
        name = f"feature_extractor.conv_layers.{layer}"
        weight = get[f"{name}.conv.weight"]
        kernel = weight.shape[-1]
        starts = range(0, len(x) - kernel + 1, stride)
        x = np.stack(
            [np.einsum("kc,ock->o", x[s : s + kernel], weight) for s in starts]
        )
        if layer == 0:
            x = _normal(x, 0) * get[f"{name}.layer_norm.weight"]
            x = x + get[f"{name}.layer_norm.bias"]
        x = _gelu(x)
    x = norm(x, "feature_projection.layer_norm")
    x = dense(x, "feature_projection.projection")
    direction, size = (
        get[f"{published_wav2vec2.POSITION}.weight_v"],
        get[f"{published_wav2vec2.POSITION}.weight_g"],
    )
    weight = np.stack(
        [
            size[0, 0, k] * direction[..., k] / np.linalg.norm(direction[..., k])
            for k in range(network.position_kernel)
        ],
        axis=-1,
    )
    half, group = network.position_kernel // 2, weight.shape[1]
    padded = np.pad(x, ((half, half), (0, 0)))
    told = np.zeros_like(x)
    for step in range(len(x)):
        for out in range(network.width):
            first = out // (network.width // network.position_groups) * group
            seen = padded[step : step + 2 * half, first : first + group]
            told[step, out] = (seen * weight[out].T).sum()
    x = norm(
        x + _gelu(told + get[f"{published_wav2vec2.POSITION}.bias"]),
        "encoder.layer_norm",
    )
    size = network.width // network.num_heads
    for layer in range(network.num_layers):
        name = f"encoder.layers.{layer}"
        query, key, value = (
            dense(x, f"{name}.attention.{part}_proj") for part in ("q", "k", "v")
        )
        heads = []
        for start in range(0, network.width, size):
            part = slice(start, start + size)
            scores = np.exp(query[:, part] @ key[:, part].T / math.sqrt(size))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, part])
        seen = dense(np.concatenate(heads, axis=1), f"{name}.attention.out_proj")
        x = norm(x + seen, f"{name}.layer_norm")
        hidden = _gelu(dense(x, f"{name}.feed_forward.intermediate_dense"))
        x = x + dense(hidden, f"{name}.feed_forward.output_dense")
        x = norm(x, f"{name}.final_layer_norm")
    return x


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return small random tensors and the file that holds them."""
    tensors = published_wav2vec2.tensors(published_wav2vec2.SMALL)
    return tensors, published_wav2vec2.save(
        tmp_path_factory.mktemp("weights") / "model.st", tensors
    )


@pytest.fixture(scope="module")
def encoder(published):
    """An encoder of the small file."""
    return encoder_lib.Wav2Vec2Encoder(
        grid=windows.WindowGrid(hop_frames=2, frames_before=2, frames_after=2),
        network=published_wav2vec2.SMALL,
        weights=str(published[1]),
        needed=weights_file.describe(published[1]),
    )


@pytest.fixture(scope="module")
def variables(encoder):
    return encoder.load_variables()


def _voice(num_samples):
    """Return noise whose loudness comes and goes."""
    noise = np.random.default_rng(0).normal(size=num_samples)
    return (noise * (0.1 + 0.1 * np.sin(np.arange(num_samples) / 900))).astype("f4")


def test_the_network_equals_a_plain_numpy_model(published, variables):
    samples = np.random.default_rng(1).normal(size=(2, 1_600)).astype(np.float32)
    encoded = np.asarray(jax.jit(published_wav2vec2.SMALL.apply)(variables, samples))
    assert encoded.shape == (2, 4, 8)
    for row in range(2):
        expected = _numpy_model(published_wav2vec2.SMALL, published[0], samples[row])
        np.testing.assert_allclose(encoded[row], expected, atol=1e-4)


@pytest.mark.parametrize(
    "network",
    [published_wav2vec2.SMALL, published_wav2vec2.LAYER_NORMS],
    ids=["base", "large"],
)
def test_the_network_equals_that_of_transformers(network, tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        hidden_size=network.width,
        num_hidden_layers=network.num_layers,
        num_attention_heads=network.num_heads,
        intermediate_size=network.mlp_width,
        feat_extract_norm=network.conv_norm,
        conv_dim=network.conv_channels,
        conv_kernel=network.conv_kernels,
        conv_stride=network.conv_strides,
        conv_bias=network.use_conv_bias,
        num_conv_pos_embeddings=network.position_kernel,
        num_conv_pos_embedding_groups=network.position_groups,
        do_stable_layer_norm=network.is_norm_first,
    )
    model = transformers.Wav2Vec2Model(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(0.1 + 0.5 * noise)
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    params = wav2vec2_weights.read(
        published_wav2vec2.save(tmp_path / "torch.st", tensors), network
    )
    samples = np.random.default_rng(1).normal(size=(2, 8_000)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(samples)).last_hidden_state.numpy()
    encoded = np.asarray(jax.jit(network.apply)({"params": params}, samples))
    print(f"largest difference {np.abs(encoded - expected).max():.2e}")
    np.testing.assert_allclose(encoded, expected, atol=1e-4)


@pytest.mark.parametrize(
    "network",
    [published_wav2vec2.SMALL, published_wav2vec2.LAYER_NORMS],
    ids=["base", "large"],
)
def test_read_weights_have_the_shapes_that_the_network_makes(network, tmp_path):
    path = published_wav2vec2.save(
        tmp_path / "model.st", published_wav2vec2.tensors(network)
    )
    params = wav2vec2_weights.read(path, network)
    made = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 800)))
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, made["params"])


def test_heads_prefix_and_torchs_new_names_change_nothing(published, tmp_path):
    renamed = {f"wav2vec2.{name}": value for name, value in published[0].items()}
    for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
        name = f"wav2vec2.{published_wav2vec2.POSITION}"
        value = renamed.pop(f"{name}.{old}")
        renamed[f"{name}.parametrizations.weight.{new}"] = value
    renamed["lm_head.weight"] = np.zeros((3, 8), np.float32)
    renamed["wav2vec2.masked_spec_embed"] = np.zeros(8, np.float32)
    one = wav2vec2_weights.read(published[1], published_wav2vec2.SMALL)
    other = wav2vec2_weights.read(
        published_wav2vec2.save(tmp_path / "head.st", renamed), published_wav2vec2.SMALL
    )
    jax.tree.map(np.testing.assert_array_equal, one, other)


def _without(tensors, name):
    return {key: value for key, value in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda t: _without(t, "encoder.layers.1.layer_norm.bias"),
            r"lack 1 of 50 arrays, such as 'encoder\.layers\.1\.layer_norm\.bias'",
        ),
        (
            lambda t: (
                t | {f"{published_wav2vec2.POSITION}.bias": np.zeros(9, np.float32)}
            ),
            r"pos_conv_embed\.conv\.bias' as F32 \[9\] instead of F32 \[8\]",
        ),
        (
            lambda t: t | {f"{published_wav2vec2.POSITION}.bias": np.zeros(8, np.int8)},
            r"as I8 \[8\] instead of F32",
        ),
        (
            lambda t: t | {"encoder.layers.2.layer_norm.bias": np.zeros(8, np.float32)},
            "of another architecture",
        ),
        (lambda t: {"weight": np.zeros(3, np.float32)}, r"holds no wav2vec 2\.0 model"),
    ],
    ids=["lacking", "other shape", "no floats", "deeper", "something else"],
)
def test_files_of_other_models_are_refused(published, tmp_path, change, sentence):
    path = published_wav2vec2.save(tmp_path / "other.st", change(published[0]))
    with pytest.raises(errors.UserError, match=sentence):
        wav2vec2_weights.read(path, published_wav2vec2.SMALL)


def test_missing_and_damaged_files_are_refused(published, tmp_path):
    (tmp_path / "cut").write_bytes(published[1].read_bytes()[:-100])
    (tmp_path / "text").write_text("no weights")
    for name in ("cut", "text", "missing"):
        with pytest.raises(errors.UserError, match="cannot be read"):
            wav2vec2_weights.read(tmp_path / name, published_wav2vec2.SMALL)


def test_a_stream_gives_the_features_of_the_whole(encoder, variables):
    voice = _voice(11 * 640 + 100)
    whole = encoder.features(variables, voice[None])[0]
    assert whole.shape == (11, 10)
    stream = streaming.StreamingFeatures(encoder, variables)
    pieces = [stream.push(piece) for piece in np.split(voice, [100, 3_000, 3_001])]
    streamed = np.concatenate([*pieces, stream.finish()])
    np.testing.assert_allclose(streamed, whole, atol=1e-5)


def test_features_hear_their_window_and_no_more(encoder, variables):
    voice = _voice(12 * 640)
    whole = encoder.features(variables, voice[None])[0]
    louder = voice.copy()
    louder[8 * 640 :] *= 5
    changed = encoder.features(variables, louder[None])[0]
    np.testing.assert_allclose(changed[:6], whole[:6], atol=1e-6)
    assert np.abs(changed[6:8] - whole[6:8]).max() > 1e-2


def test_gain_changes_the_two_channels_of_loudness_alone(encoder, variables):
    voice = _voice(6 * 640)
    whole = encoder.features(variables, voice[None])[0]
    halved = encoder.features(variables, 0.5 * voice[None])[0]
    np.testing.assert_allclose(halved[:, :8], whole[:, :8], atol=2e-3)
    np.testing.assert_allclose(whole[:, 8:] - halved[:, 8:], 0.301, atol=1e-3)


def test_many_windows_are_encoded_as_one_is(encoder, variables):
    cut = windows.cut_windows(_voice(64 * 640), encoder.grid, 0, 32)
    many = windows.encode_windows(encoder, variables, cut)
    for place in (0, 17, 31):
        one = windows.encode_windows(encoder, variables, cut[place : place + 1])
        np.testing.assert_allclose(many[place], one[0], atol=1e-5)


def test_two_tokens_meet_in_the_middle_of_a_frame():
    network = wav2vec2_lib.Wav2Vec2Network()
    margin = (network.seen_samples - network.token_samples) // 2
    first = np.arange(2) * network.token_samples - margin
    middles = first + network.seen_samples / 2
    assert middles.mean() == 640 / 2


def test_the_base_encoder_is_known_by_name_and_needs_its_file(published):
    encoder = encoders.make("wav2vec2")
    assert encoder.num_channels == 770
    assert encoder.grid.window_samples == 2 * 16_000
    with pytest.raises(errors.UserError, match=r"base-960h.*--audio_weights"):
        encoder.load_variables()
    wanted = weights_file.WeightsFile(name="model.safetensors", sha256="ab" * 32)
    with pytest.raises(errors.UserError, match=r"'model\.safetensors' \(sha256 abab"):
        encoders.make("wav2vec2", needed=wanted).load_variables()
    given = encoders.make("wav2vec2", published[1], wanted)
    with pytest.raises(errors.UserError, match="not those that the checkpoint was"):
        given.load_variables()
    with pytest.raises(errors.UserError, match="cannot be read"):
        dataclasses.replace(given, weights="missing").load_variables()
    with pytest.raises(errors.UserError, match="'mel' brings its own weights"):
        encoders.make("mel", weights=published[1])

"""The Whisper encoder computes what Whisper does, with weights in 8 bits."""

import math
import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import audio, errors
from vasa_jax.audio import whisper, whisper_weights

SMALL = whisper.WhisperNetwork(width=8, num_heads=2, num_layers=2)
_FROZEN = os.environ.get("VASA_FROZEN_WEIGHTS")
_REAL = os.environ.get("VASA_REAL_DATA")


def _published(rng, width, num_layers, num_mels):
    """Return random tensors under CTranslate2's names."""
    shapes = {
        "conv1/weight": (width, num_mels, 3),
        "conv1/bias": (width,),
        "conv2/weight": (width, width, 3),
        "conv2/bias": (width,),
        "layer_norm/gamma": (width,),
        "layer_norm/beta": (width,),
        "position_encodings/encodings": (20, width),
    }
    for layer in range(num_layers):
        for name, inputs, outputs in (
            ("self_attention/linear_0", width, 3 * width),
            ("self_attention/linear_1", width, width),
            ("ffn/linear_0", width, 4 * width),
            ("ffn/linear_1", 4 * width, width),
        ):
            shapes[f"layer_{layer}/{name}/weight"] = outputs, inputs
            shapes[f"layer_{layer}/{name}/bias"] = (outputs,)
        for name in ("self_attention", "ffn"):
            shapes[f"layer_{layer}/{name}/layer_norm/gamma"] = (width,)
            shapes[f"layer_{layer}/{name}/layer_norm/beta"] = (width,)
    return {
        f"encoder/{name}": rng.normal(size=shape).astype(np.float16) * np.float16(0.5)
        for name, shape in shapes.items()
    }


def _gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def _norm(x, gamma, beta):
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return centred / deviation * gamma + beta


def _convolve(x, weight, bias, stride):
    padded = np.pad(x, ((1, 1), (0, 0)))
    patches = [padded[start : start + 3] for start in range(0, len(x), stride)]
    return np.einsum("lkc,ock->lo", patches, weight) + bias


def _numpy_encoder(tensors, log_mel, num_heads, num_layers):
    """Run Whisper's encoder on one clip `[2 L, mels]`, head by head."""
    get = {
        name.removeprefix("encoder/"): t.astype(float) for name, t in tensors.items()
    }
    x = _gelu(_convolve(log_mel, get["conv1/weight"], get["conv1/bias"], 1))
    x = _gelu(_convolve(x, get["conv2/weight"], get["conv2/bias"], 2))
    length, width = x.shape
    for position in range(length):
        for i in range(width // 2):
            angle = position / 10_000 ** (i / (width // 2 - 1))
            x[position, i] += math.sin(angle)
            x[position, width // 2 + i] += math.cos(angle)
    size = width // num_heads
    for layer in range(num_layers):
        here = f"layer_{layer}/self_attention"
        norm = f"{here}/layer_norm"
        h = _norm(x, get[f"{norm}/gamma"], get[f"{norm}/beta"])
        h = h @ get[f"{here}/linear_0/weight"].T + get[f"{here}/linear_0/bias"]
        query, key, value = h[:, :width], h[:, width : 2 * width], h[:, 2 * width :]
        heads = []
        for head in range(num_heads):
            part = slice(head * size, (head + 1) * size)
            scores = query[:, part] @ key[:, part].T / math.sqrt(size)
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, part])
        h = np.concatenate(heads, axis=1)
        x = x + h @ get[f"{here}/linear_1/weight"].T + get[f"{here}/linear_1/bias"]
        here = f"layer_{layer}/ffn"
        norm = f"{here}/layer_norm"
        h = _norm(x, get[f"{norm}/gamma"], get[f"{norm}/beta"])
        h = _gelu(h @ get[f"{here}/linear_0/weight"].T + get[f"{here}/linear_0/bias"])
        x = x + h @ get[f"{here}/linear_1/weight"].T + get[f"{here}/linear_1/bias"]
    return _norm(x, get["layer_norm/gamma"], get["layer_norm/beta"])


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return small random tensors and the npz that holds them."""
    tensors = _published(np.random.default_rng(0), 8, 2, 5)
    path = tmp_path_factory.mktemp("weights") / "encoder.npz"
    np.savez(path, **tensors)
    return tensors, path


def test_the_network_equals_a_plain_numpy_encoder(published):
    tensors, path = published
    params = whisper_weights.read_ctranslate2(path)
    log_mel = np.random.default_rng(1).normal(size=(2, 14, 5)).astype(np.float32)
    encoded = np.asarray(jax.jit(SMALL.apply)({"params": params}, log_mel))
    assert encoded.shape == (2, 7, 8)
    for row in range(2):
        expected = _numpy_encoder(tensors, log_mel[row], 2, 2)
        np.testing.assert_allclose(encoded[row], expected, atol=2e-4)


def test_read_weights_have_the_shapes_that_the_network_makes(published):
    params = whisper_weights.read_ctranslate2(published[1])
    made = jax.eval_shape(SMALL.init, jax.random.key(0), jnp.zeros((1, 4, 5)))
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, made["params"])


def test_quantised_kernels_are_within_half_a_step():
    kernel = np.random.default_rng(0).normal(size=(3, 50, 6)).astype(np.float32)
    codes, scale = whisper_weights.quantise(kernel)
    assert codes.dtype == np.int8
    assert scale.shape == (6,)
    error = np.abs(codes * scale - kernel)
    inside = np.abs(kernel) <= 127 * scale
    assert (
        error[inside] <= np.broadcast_to(scale / 2, kernel.shape)[inside] * 1.001
    ).all()
    plain_scale = np.abs(kernel).max(axis=(0, 1)) / 127
    plain = np.round(kernel / plain_scale) * plain_scale
    assert np.square(error).sum() <= np.square(plain - kernel).sum() * 1.0001


def test_packed_weights_come_back_close_and_packing_is_deterministic(
    published, tmp_path
):
    params = whisper_weights.read_ctranslate2(published[1])
    packed = whisper_weights.pack(params)
    assert packed == whisper_weights.pack(params)
    path = tmp_path / "packed.safetensors"
    path.write_bytes(packed)
    read = whisper_weights.read_packed(path)
    assert jax.tree.structure(read) == jax.tree.structure(params)
    for one, other in zip(jax.tree.leaves(read), jax.tree.leaves(params), strict=True):
        assert np.abs(one - other).max() <= np.abs(other).max() * 0.02


def test_bad_weight_files_are_refused(published, tmp_path):
    tensors = dict(published[0])
    del tensors["encoder/conv2/bias"]
    np.savez(tmp_path / "lacking.npz", **tensors)
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(errors.UserError, match="conv2/bias"):
        whisper_weights.read_ctranslate2(tmp_path / "lacking.npz")
    for name in ("text", "missing"):
        with pytest.raises(errors.UserError, match="cannot be read"):
            whisper_weights.read_ctranslate2(tmp_path / name)
        with pytest.raises(errors.UserError, match="cannot be read"):
            whisper_weights.read_packed(tmp_path / name)


def test_packed_weights_do_not_depend_on_how_arrays_lie_in_memory(published):
    params = jax.tree.map(
        np.ascontiguousarray, whisper_weights.read_ctranslate2(published[1])
    )
    turned = jax.tree.map(np.asfortranarray, params)
    assert whisper_weights.pack(turned) == whisper_weights.pack(params)


def test_the_packing_program_writes_what_the_package_reads(published, tmp_path):
    program = [sys.executable, "-m", "experiments.tools.pack_whisper"]
    output = tmp_path / "packed.safetensors"
    flags = [f"--source={published[1]}", f"--output={output}"]
    subprocess.run([*program, *flags], check=True, capture_output=True)
    assert "block_1" in whisper_weights.read_packed(output)
    flags = [f"--source={tmp_path}/missing.npz", f"--output={output}"]
    failed = subprocess.run([*program, *flags], capture_output=True, text=True)
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: The weights")


def _voice(seconds):
    """Return a buzz whose pitch and formant move, as of a talking throat."""
    time = np.arange(round(16_000 * seconds)) / 16_000
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(5 * time)) / 16_000
    buzz = sum(np.sin(n * phase) / n for n in range(1, 20))
    return (0.1 * buzz * (0.6 + 0.4 * np.sin(9 * time))).astype(np.float32)


def _cosines(one, other):
    product = (one * other).sum(axis=-1)
    return product / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)


def test_shipped_weights_hear_sound_and_not_its_gain():
    encoder = audio.make("whisper_tiny")
    variables = encoder.load_variables()
    voice = _voice(1.6)
    loud = encoder.features(variables, voice[None])[0]
    soft = encoder.features(variables, 0.5 * voice[None])[0]
    silent = encoder.features(variables, 0 * voice[None])[0]
    assert loud.shape == (40, 770)
    assert np.abs(loud).max() < 30
    assert _cosines(loud[:, :768], soft[:, :768]).min() > 0.999
    assert _cosines(loud[:, :768], silent[:, :768]).max() < 0.9
    assert loud[:, :768].std(axis=0).mean() > 0.1


def test_shipped_weights_keep_the_features_that_the_original_gave_the_example():
    """The reference holds every fourth frame of seconds 1 to 5, by Whisper's own."""
    folder = pathlib.Path(__file__).parent
    voice = audio.load_waveform(folder.parent / "examples/voice.wav")[16_000:80_000]
    with np.load(folder / "whisper_tiny_features.npz") as file:
        original = file["features"].astype(np.float32)
    encoder = audio.make("whisper_tiny")
    shipped = encoder.features(encoder.load_variables(), voice[None])[0, ::4, :768]
    cosines = _cosines(original, np.asarray(shipped))
    assert cosines.mean() > 0.999 and cosines.min() > 0.998


@pytest.mark.skipif(
    _FROZEN is None or _REAL is None, reason="needs Whisper's own weights and speech"
)
def test_shipped_weights_keep_the_features_of_the_original():
    encoder = audio.make("whisper_tiny")
    source = pathlib.Path(_FROZEN) / "whisper_tiny_en/encoder_fp16.npz"
    original = {"params": whisper_weights.read_ctranslate2(source)}
    shipped = encoder.load_variables()
    cosines = []
    for path in sorted((pathlib.Path(_REAL) / "speech").glob("*.flac"))[:3]:
        waveform = audio.load_waveform(path)[None, : 4 * 16_000]
        one = encoder.features(original, waveform)[0, :, :768]
        other = encoder.features(shipped, waveform)[0, :, :768]
        cosines.append(_cosines(one, other))
    cosines = np.concatenate(cosines)
    print(f"cosine: mean {cosines.mean():.5f}, least {cosines.min():.5f}")
    assert cosines.mean() > 0.9995
    assert np.percentile(cosines, 5) > 0.999

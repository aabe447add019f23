"""Features of a frame depend on its window alone, offline and in a stream."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax import audio, errors
from vasa_jax.audio import encoders, mel, streaming, whisper, windows

SMALL_WHISPER = whisper.WhisperEncoder(
    network=whisper.WhisperNetwork(width=8, num_heads=2, num_layers=1)
)


@functools.cache
def _small_variables():
    init = jax.jit(SMALL_WHISPER.network.init)
    return init(jax.random.key(0), jnp.zeros((1, 8, mel.NUM_MELS)))


def _variables(encoder):
    if isinstance(encoder, mel.MelEncoder):
        return encoder.load_variables()
    return _small_variables()


def _voice(num_samples, seed=0):
    """Return noise whose loudness comes and goes."""
    noise = np.random.default_rng(seed).normal(size=num_samples)
    swell = 0.1 * (1.2 + np.sin(np.arange(num_samples) / 3_000))
    return (noise * swell).astype(np.float32)


both_encoders = pytest.mark.parametrize(
    "encoder", [mel.MelEncoder(), SMALL_WHISPER], ids=["mel", "whisper"]
)


def test_windows_hold_their_frames_and_zeros_outside_the_clip():
    grid = windows.WindowGrid(hop_frames=2, frames_before=1, frames_after=2)
    samples = np.arange(1, 5 * 640 + 101, dtype=np.float32)
    cut = windows.cut_windows(samples, grid, 0, 4)
    assert cut.shape == (4, 5 * 640)
    for number, window in enumerate(cut):
        for place in (0, 639, 640, 1_000, 3_199):
            time = number * 1280 - 640 + place
            expected = samples[time] if 0 <= time < len(samples) else 0.0
            assert window[place] == expected
    np.testing.assert_array_equal(windows.cut_windows(samples, grid, 2, 1)[0], cut[2])


def test_grids_that_a_stream_could_not_follow_are_refused():
    for hop, before, after in ((0, 1, 0), (2, -1, 2), (2, 1, 3), (2, 1, -2)):
        with pytest.raises(ValueError, match="hop_frames"):
            windows.WindowGrid(hop_frames=hop, frames_before=before, frames_after=after)


@both_encoders
@pytest.mark.parametrize("num_samples", [3_200, 6_399, 16_000, 20_500])
def test_every_whole_frame_gets_its_features(encoder, num_samples):
    waveform = np.stack([_voice(num_samples, 0), _voice(num_samples, 1)])
    encoded = encoder.features(_variables(encoder), waveform)
    assert encoded.shape == (2, num_samples // 640, encoder.num_channels)
    assert encoded.dtype == np.float32
    assert np.isfinite(encoded).all()


@both_encoders
def test_rows_of_a_batch_do_not_touch_each_other(encoder):
    variables = _variables(encoder)
    waveform = np.stack([_voice(9_000, 0), _voice(9_000, 1)])
    both = encoder.features(variables, waveform)
    one = encoder.features(variables, waveform[1:])
    np.testing.assert_array_equal(both[1:], one)


@both_encoders
def test_features_do_not_change_when_the_clip_goes_on(encoder):
    variables = _variables(encoder)
    waveform = _voice(45_000)[None]
    long = encoder.features(variables, waveform)
    short = encoder.features(variables, waveform[:, :30_000])
    grid = encoder.grid
    seen_whole = (30_000 // 640 - grid.frames_after) // grid.hop_frames
    count = seen_whole * grid.hop_frames
    assert count > 20
    np.testing.assert_allclose(short[:, :count], long[:, :count], atol=1e-6)


def test_long_clips_are_encoded_in_batches_of_bounded_size():
    encoder = mel.MelEncoder()
    hop = encoder.grid.hop_samples
    num_windows = 2 * windows.BATCH_SIZES[-1] + 5
    waveform = _voice(num_windows * hop)
    whole = encoder.features({}, waveform[None])[0]
    for number in (0, 63, 64, 127, 128, num_windows - 1):
        window = windows.cut_windows(waveform, encoder.grid, number, 1)
        alone = np.asarray(windows.encode_windows(encoder, {}, window))[0]
        start = number * encoder.grid.hop_frames
        np.testing.assert_allclose(whole[start : start + 5], alone, atol=1e-5)


@both_encoders
@pytest.mark.parametrize("num_samples", [3_200, 23_456, 32_000])
@pytest.mark.parametrize("piece", [700, 6_400])
def test_a_stream_equals_the_whole_clip(encoder, num_samples, piece):
    variables = _variables(encoder)
    waveform = _voice(num_samples)
    stream = audio.StreamingFeatures(encoder, variables)
    parts = [
        stream.push(waveform[start : start + piece])
        for start in range(0, num_samples, piece)
    ]
    streamed = np.concatenate([*parts, stream.finish()])
    offline = encoder.features(variables, waveform[None])[0]
    assert streamed.shape == offline.shape
    np.testing.assert_allclose(streamed, offline, atol=2e-6)


@both_encoders
def test_a_stream_gives_frames_as_soon_as_their_window_is_complete(encoder):
    stream = audio.StreamingFeatures(encoder, _variables(encoder))
    grid = encoder.grid
    waveform = _voice(2 * grid.window_samples)
    first = grid.hop_samples + grid.frames_after * 640
    assert len(stream.push(waveform[: first - 1])) == 0
    assert len(stream.push(waveform[first - 1 : first])) == grid.hop_frames


@both_encoders
def test_the_pure_push_runs_inside_a_scan(encoder):
    variables = _variables(encoder)
    grid = encoder.grid
    hops = _voice(4 * grid.hop_samples).reshape(4, 1, grid.hop_samples)

    def step(carry, samples):
        return streaming.push(encoder, variables, carry, samples)

    _, encoded = jax.lax.scan(step, streaming.start(encoder), hops)
    late = grid.frames_after // grid.hop_frames
    scanned = np.asarray(encoded)[late:, 0].reshape(-1, encoder.num_channels)
    offline = encoder.features(variables, hops.reshape(1, -1))[0]
    np.testing.assert_allclose(scanned, offline[: len(scanned)], atol=1e-5)


def test_encoders_are_made_by_name():
    assert encoders.make("mel").num_channels == 322
    assert encoders.make("whisper_tiny").num_channels == 770
    assert audio.make("mel") == mel.MelEncoder()
    with pytest.raises(errors.UserError, match="mel, whisper_tiny"):
        encoders.make("wav2vec")


def test_a_waveform_without_batch_is_refused():
    with pytest.raises(ValueError, match=r"\[B, S\]"):
        mel.MelEncoder().features({}, np.zeros(6_400, np.float32))

"""Faces and cepstra as SyncNet was taught on them."""

import math

import numpy as np
import pytest

from vasa_jax.evaluation.networks import syncnet_inputs

# Of `_voice(720)`, by `_slow_mfcc` below, steps 0 and 2, coefficients 0 to 4 and 12.
FIXED = {
    0: (17.60860, -5.49991, 4.07309, -3.99080, 10.63761, -6.78436),
    2: (17.63664, -5.33925, 6.79140, 0.03409, 20.25700, -1.94214),
}


def _ramp(height, width):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows + columns], axis=-1).astype(np.uint8)


def _published(image, boxes):
    """Cut by the published rule, written with scipy and a picture that has a margin."""
    signal = pytest.importorskip("scipy.signal")
    cv2 = pytest.importorskip("cv2")
    x, y, s = (signal.medfilt(column, kernel_size=13) for column in boxes.T)
    cut = []
    for t in range(len(boxes)):
        margin = int(s[t] * 1.8)
        around = ((margin, margin), (margin, margin), (0, 0))
        padded = np.pad(image, around, constant_values=110)
        middle_y, middle_x = y[t] + margin, x[t] + margin
        rows = slice(int(middle_y - s[t]), int(middle_y + s[t] * 1.8))
        columns = slice(int(middle_x - s[t] * 1.4), int(middle_x + s[t] * 1.4))
        cut.append(cv2.resize(padded[rows, columns], (224, 224)))
    return np.stack(cut)


def _boxes(num_frames):
    generator = np.random.default_rng(0)
    about = np.array([70.0, 60.0, 40.0])
    return about + generator.normal(0, 3, (num_frames, 3))


def test_crops_equal_those_of_the_published_pipeline():
    image = np.random.default_rng(1).integers(0, 256, (120, 130, 3), np.uint8)
    expected = _published(image, _boxes(20)).astype(int)
    found = syncnet_inputs.cut_faces([image] * 20, _boxes(20))
    assert found.shape == (20, 224, 224, 3)
    assert np.abs(found - expected).max() <= 1


def test_the_crop_reaches_from_the_box_to_beneath_the_chin():
    boxes = np.repeat([[64.0, 50.0, 40.0]], 30, axis=0)
    face = syncnet_inputs.cut_faces([_ramp(128, 128)] * 30, boxes)[15]
    # 112 pixels a side, from row 10 and column 8 on: two pixels for each.
    np.testing.assert_allclose(face[1::2, 0, 0], 10 + np.arange(112), atol=1)
    np.testing.assert_allclose(face[0, 1::2, 1], 8 + np.arange(112), atol=1)


def test_grey_stands_beyond_the_picture():
    boxes = np.repeat([[10.0, 120.0, 30.0]], 13, axis=0)
    face = syncnet_inputs.cut_faces([_ramp(128, 128)] * 13, boxes)[6]
    assert (face[:, :70] == syncnet_inputs.OUTSIDE).all()
    assert (face[-100:] == syncnet_inputs.OUTSIDE).all()
    assert (face[:80, 100:] != syncnet_inputs.OUTSIDE).any()


def test_a_box_follows_the_head_and_grows_with_it():
    pose = np.zeros((2, 6))
    pose[:, 5] = 0.5, 1.0
    pose[1, 3:5] = 0.2, -0.1
    small, large = syncnet_inputs.face_boxes(pose, 100, 200)
    np.testing.assert_allclose(small, [100, 50 + 5, 30.5])
    np.testing.assert_allclose(large, [120, 50 - 10 + 10, 61])


def _voice(num_samples):
    """Return two tones and a hiss, in units of 16-bit samples."""
    time = np.arange(num_samples) / 16_000
    hiss = np.sin(np.arange(num_samples) ** 2 * 0.7)
    return 3_000 * np.sin(2_000 * time) + 900 * np.sin(9_000 * time) + 200 * hiss


def _slow_mfcc(samples):
    """Compute cepstra sum by sum, without Fourier transforms or matrices."""

    def edge(j):
        top = 2595 * math.log10(1 + 8_000 / 700)
        hertz = 700 * (10 ** (top * j / 27 / 2595) - 1)
        return math.floor(513 * hertz / 16_000)

    before = [0, *samples[:-1]]
    emphasised = [s - 0.97 * b for s, b in zip(samples, before, strict=True)]
    emphasised += [0.0] * 400
    steps = max(0, math.ceil((len(samples) - 400) / 160)) + 1
    rows = []
    for step in range(steps):
        frame = np.array(emphasised[160 * step : 160 * step + 400])
        frame = np.pad(frame, (0, 400 - len(frame)))
        power = []
        for k in range(257):
            turns = 2 * np.pi * k * np.arange(400) / 512
            real, imaginary = frame @ np.cos(turns), frame @ np.sin(turns)
            power.append((real**2 + imaginary**2) / 512)
        bands = []
        for j in range(26):
            low, middle, high = edge(j), edge(j + 1), edge(j + 2)
            rising = [power[i] * (i - low) / (middle - low) for i in range(low, middle)]
            falling = [
                power[i] * (high - i) / (high - middle) for i in range(middle, high)
            ]
            bands.append(math.log(sum(rising) + sum(falling)))
        row = [math.log(sum(power))]
        for order in range(1, 13):
            wave = [
                band * math.cos(math.pi * order * (2 * j + 1) / 52)
                for j, band in enumerate(bands)
            ]
            lift = 1 + 11 * math.sin(math.pi * order / 22)
            row.append(lift * math.sqrt(2 / 26) * sum(wave))
        rows.append(row)
    return np.array(rows)


def test_cepstra_equal_sums_written_out():
    samples = _voice(720)
    found = syncnet_inputs.mfcc(samples)
    assert found.shape == (3, 13)
    np.testing.assert_allclose(found, _slow_mfcc(samples), atol=1e-8)


def test_cepstra_have_their_fixed_values():
    found = syncnet_inputs.mfcc(_voice(720))
    for step, values in FIXED.items():
        np.testing.assert_allclose(
            found[step, [0, 1, 2, 3, 4, 12]], values, atol=1e-5, err_msg=f"{step}"
        )


def test_cepstra_equal_those_of_the_published_package():
    package = pytest.importorskip("python_speech_features")
    samples = np.rint(_voice(16_000 + 77)).astype(np.int16)
    for part in (samples, samples[:100], 0 * samples[:1_000]):
        expected = package.mfcc(part, 16_000)
        found = syncnet_inputs.mfcc(part)
        assert found.shape == expected.shape
        print(f"largest difference {np.abs(found - expected).max():.2e}")
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_a_hundred_steps_last_a_second_and_silence_is_finite():
    assert len(syncnet_inputs.mfcc(np.zeros(16_000))) == 99
    assert len(syncnet_inputs.mfcc(np.zeros(10))) == 1
    assert np.isfinite(syncnet_inputs.mfcc(np.zeros(16_000))).all()


def test_each_filter_peaks_at_one_and_ends_where_its_neighbours_peak():
    filters = syncnet_inputs.mel_filters()
    assert filters.shape == (257, 26)
    np.testing.assert_array_equal(filters.max(axis=0), 1)
    peaks = filters.argmax(axis=0)
    assert (np.diff(peaks) > 0).all()
    for j in range(1, 25):
        assert filters[peaks[j - 1], j] == filters[peaks[j + 1], j] == 0

"""Performances that travel: their size, their rounding, and the clips made of them."""

import dataclasses
import time

import numpy as np
import pytest

from datasets.building import processes
from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.records import plan, record
from datasets.synthetic_heads.rendering import renderer
from experiments.short_lease import performance_files, plain_clips, voice_codec
from vasa_jax import errors, media
from vasa_jax.data import clips, records

SMALL = plan.Settings(seconds=0.4, size=32, seed=5)

HALF_PRECISION = 2.0**-11
"""Relative rounding of float16."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The performances of one pair, as `perform` writes them."""
    folder = tmp_path_factory.mktemp("carried")
    performance_files.write_settings(folder, SMALL)
    performance_files.pair_path(folder, 0).write_bytes(
        performance_files.perform_pair(SMALL, 0)
    )
    return folder


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """The first two clips of an identity, rendered from what was performance_files."""
    output = tmp_path_factory.mktemp("rendered")
    settings = performance_files.read_settings(
        folder, SMALL.size, SMALL.randomization_strength
    )
    first, second = plain_clips.unrendered(folder, output, settings)
    assert len(first) == len(second) == SMALL.num_takes
    later = time.time() + 600
    count = plain_clips.render_identity(folder, output, settings, later, first[:2])
    assert count == 2
    return output


def test_a_voice_in_four_bits_stands_20_decibels_over_its_error():
    time_seconds = np.arange(8001) / 16000
    loudness = np.sin(2 * np.pi * 3 * time_seconds) ** 2
    voice = loudness * sum(
        np.sin(2 * np.pi * 120 * k * time_seconds + k) / k for k in range(1, 20)
    )
    voice = (0.3 * voice).astype(np.float32)
    packed = voice_codec.encode(voice)
    assert (packed.dtype, len(packed)) == (np.uint8, 4001)
    heard = voice_codec.decode(packed, len(voice))
    assert heard.shape == voice.shape and heard.dtype == np.float32
    error = np.square(heard - voice).mean()
    assert 10 * np.log10(np.square(voice).mean() / error) > 20


def test_silence_stays_silent():
    heard = voice_codec.decode(voice_codec.encode(np.zeros(640, np.float32)), 640)
    assert np.abs(heard).max() < 1e-4


def test_a_carried_performance_is_the_performance_but_for_rounding(folder):
    (clip, *_) = plan.clips_of(SMALL, 0)
    done = performance.perform(clip.request)
    packed = performance_files.pair_path(folder, 0).read_bytes()
    names = [c.performance for i in (0, 1) for c in plan.clips_of(SMALL, i)]
    held = performance_files.unpack(packed)
    assert set(held) == set(names) and len(held) == 6
    # Sound takes half a byte a sample; 60 curves of 2 bytes compress to less.
    seconds = len(held) * SMALL.seconds
    assert len(packed) < seconds * (8000 + 25 * 60 * 2)
    again = held[clip.performance]
    for field in dataclasses.fields(performance.Performance):
        found, truth = getattr(again, field.name), getattr(done, field.name)
        if field.name in ("waveform", "audio", "energy", "camera", "phonemes"):
            continue
        if isinstance(truth, np.ndarray):
            assert (found.shape, found.dtype) == (truth.shape, truth.dtype), field.name
            np.testing.assert_allclose(
                found, truth, rtol=HALF_PRECISION, atol=1e-6, err_msg=field.name
            )
        else:
            assert found == truth, field.name
    np.testing.assert_array_equal(again.camera.to_vector(), done.camera.to_vector())
    assert [p.symbol for p in again.phonemes] == [p.symbol for p in done.phonemes]
    assert again.audio.dtype == np.int16 and again.audio.shape == done.audio.shape


def test_a_clip_rendered_from_a_carried_performance_is_the_ordinary_record(made):
    (clip, *_) = plan.clips_of(SMALL, 0)
    person = record.build_person(clip, SMALL)
    truth = record.make(clip, SMALL, person, renderer.Renderer(SMALL.size))
    found = records.open_folder(made, "train").read(0)
    assert set(found) == set(truth)
    for name in ("clip_id", "identity", "performance", "take", "seed", "voice", "text"):
        assert found[name] == truth[name], name
    for name in ("viseme", "emotion", "emotion_strength", "main_gaze", "num_frames"):
        np.testing.assert_array_equal(found[name], truth[name], err_msg=name)
    # A curve's rounding moves the head by less than a thousandth of half an image.
    for name in ("head_pose", "head_distance", "gaze", "gaze_in_head", "keypoints"):
        np.testing.assert_allclose(found[name], truth[name], atol=1e-3, err_msg=name)
    for name in ("arkit", "blink", "mouth_opening"):
        np.testing.assert_allclose(found[name], truth[name], atol=2e-3, err_msg=name)
    differing = record.read_masks(found) != record.read_masks(truth)
    assert differing.mean() < 0.01
    frames = media.decode_video(truth["video"])
    shown = clips.read_frames(found)
    assert shown.dtype == np.uint8 and shown.shape == frames.shape
    # Film grain differs with the rounding, and H.264 loses some; means stay.
    gap = np.abs(shown.astype(float) - frames)
    means = np.subtract(shown, frames, dtype=float).mean(0).reshape(8, 4, 8, 4, 3)
    assert gap.mean() < 20 and np.abs(means.mean((1, 3))).mean() < 4


def test_a_rendered_clip_is_kept_and_others_wait_for_their_time(folder, made):
    settings = performance_files.read_settings(folder, SMALL.size, 0.5)
    first, second = plain_clips.unrendered(folder, made, settings)
    assert (len(first), len(second)) == (2, 4)
    assert plain_clips.render_identity(folder, made, settings, 0.0, first) == 0


def test_some_frames_of_an_array_are_read_without_the_others(made):
    read = records.open_folder(made, "train").read(0, ["video"])
    np.testing.assert_array_equal(
        clips.read_frames(read, [3, 0]), read["video"][[3, 0]]
    )
    assert clips.read_frames(read, [3]).flags.writeable


def test_large_arrays_of_npz_records_are_mapped(tmp_path):
    video = np.random.default_rng(0).integers(0, 256, (8, 256, 256, 3), np.uint8)
    records.write_npz_record(tmp_path / "a.npz", {"clip_id": "a", "video": video})
    opened = records.NpzRecords(tmp_path)
    read = opened.read(0)
    assert isinstance(read["video"], np.memmap) and read["clip_id"] == "a"
    np.testing.assert_array_equal(read["video"], video)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(records.CorruptRecordError, match="a.npz"):
        opened.read(0)


def test_performances_of_another_plan_are_refused(folder, tmp_path):
    with pytest.raises(errors.UserError, match="other settings"):
        performance_files.write_settings(folder, dataclasses.replace(SMALL, seed=6))
    with pytest.raises(errors.UserError, match="no performances"):
        performance_files.read_settings(tmp_path, 32, 0.5)


def test_no_task_starts_no_process():
    assert processes.call_each(len, [], num_workers=2, total=0, unit="tasks") == 0

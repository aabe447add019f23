"""Clips become records of motion, voice and conditions that stage two can read."""

import functools

import jax
import numpy as np
import pytest

from experiments.running import encoded_shards
from vasa_jax import media
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.encode import clip_conditions, encoding
from vasa_jax.face import model as face_model
from vasa_jax.motion import normalization, windows

NUM_FRAMES = 7


def _record(number, generator):
    frames = generator.integers(0, 256, (NUM_FRAMES, 32, 32, 3), np.uint8)
    pose = generator.normal(0, 0.1, (NUM_FRAMES, 6)).astype(np.float32)
    pose[:, 5] += 1
    return {
        "clip_id": f"clip_{number}",
        "identity": "somebody",
        "voice": "a voice",
        "video": media.encode_video(frames),
        "audio": generator.integers(-9000, 9000, NUM_FRAMES * 640).astype(np.int16),
        "head_pose": pose,
        "gaze": generator.normal(0, 0.1, (NUM_FRAMES, 2)).astype(np.float32),
        "arkit": generator.random((NUM_FRAMES, 52), np.float32),
        "mouth_opening": generator.random(NUM_FRAMES, np.float32),
        "emotion": 4,
        "emotion_strength": np.float32(0.5),
    }


@pytest.fixture(scope="module")
def clips(tiny_models):
    return encoding.ClipEncoder(
        tiny_models.face_config,
        tiny_models.face_params,
        encoders.make("mel"),
        batch_frames=4,
    )


@pytest.fixture(scope="module")
def record():
    return _record(0, np.random.default_rng(0))


def _apply(models, frames, **given):
    image = frames.astype(np.float32) / 127.5 - 1
    model = face_model.FaceModel(models.face_config)
    encode = jax.jit(functools.partial(model.apply, method="encode_motion"))
    return encode({"params": models.face_params}, image, **given)


def test_motion_is_the_known_pose_and_what_the_dynamics_encoder_sees_by_it(
    clips, tiny_models, record
):
    frames = encoding.decode_clip(record)
    encoded = clips.encode(record, frames, "train")
    pose = face_model.types.HeadPose.from_vector(record["head_pose"])
    _, dynamics = _apply(tiny_models, frames, head_pose=pose)
    np.testing.assert_array_equal(encoded["motion"][:, :6], record["head_pose"])
    np.testing.assert_allclose(encoded["motion"][:, 6:], dynamics, atol=1e-4)


def test_without_a_known_pose_the_pose_encoder_tells(clips, tiny_models, record):
    frames = encoding.decode_clip(record)
    rest = {name: value for name, value in record.items() if name != "head_pose"}
    encoded = clips.encode(rest, frames, "train")
    pose, _ = _apply(tiny_models, frames)
    np.testing.assert_allclose(encoded["motion"][:, :6], pose.to_vector(), atol=1e-4)


def test_an_encoded_clip_carries_its_conditions(clips, record):
    encoded = clips.encode(record, encoding.decode_clip(record), "train")
    encoder = encoders.make("mel")
    features = encoder.features({}, record["audio"][None] / np.float32(32768))[0]
    assert encoded["audio_features"].dtype == np.float16
    np.testing.assert_allclose(encoded["audio_features"], features, atol=1e-2)
    np.testing.assert_allclose(
        encoded["head_distance"], [(1 / record["head_pose"][:, 5]).mean()], rtol=1e-5
    )
    np.testing.assert_array_equal(encoded["emotion"], [0, 0, 0, 0, 0.5, 0, 0, 0])
    np.testing.assert_array_equal(encoded["arkit"], record["arkit"])
    assert (encoded["voice"], encoded["split"]) == ("a voice", "train")


def test_rows_that_do_not_fit_the_video_are_corrupt(clips, record):
    frames = encoding.decode_clip(record)
    with pytest.raises(records.CorruptRecordError, match="head_pose has 7 rows"):
        clips.encode(record, frames[:-1], "train")


def test_the_main_gaze_is_the_direction_held_longest():
    held = np.tile(np.radians([[12.0, -3.0]]), (20, 1))
    elsewhere = np.radians(np.linspace([-40, 20], [-20, 0], 15))
    gaze = clip_conditions.main_direction(np.concatenate([elsewhere, held]))
    np.testing.assert_allclose(np.degrees(gaze), [12, -3], atol=1e-4)


def test_a_waveform_is_cut_or_filled_to_the_length_of_the_video():
    audio = np.full(1300, 16384, np.int16)
    short = encoding.to_waveform(audio, 3)
    np.testing.assert_array_equal(short[:1300], np.full(1300, 0.5, np.float32))
    np.testing.assert_array_equal(short[1300:], np.zeros(620))
    assert encoding.to_waveform(audio, 2).shape == (1280,)
    with pytest.raises(records.CorruptRecordError, match="1300 samples for 25"):
        encoding.to_waveform(audio, 25)


_OF_A_SECOND_RUN = ["kept", "corrupt", "encoded"]


def test_an_encoded_set_resumes_counts_corrupt_clips_and_feeds_stage_two(
    clips, tmp_path
):
    generator = np.random.default_rng(1)
    made = [_record(number, generator) for number in range(3)]
    made[1]["video"] = b"no video"
    opened = records.ListRecords(made)
    for count, expected in ((2, ["encoded", "corrupt"]), (3, _OF_A_SECOND_RUN)):
        done = encoded_shards.encode_clips(
            clips, opened, "train", tmp_path, range(count)
        )
        assert [outcome.split(":")[0] for _, outcome in done] == expected
    encoded = records.open_folder(tmp_path, "train")
    assert [encoded.read(i)["clip_id"] for i in range(2)] == ["clip_0", "clip_2"]
    normalization.measure((encoded.read(i) for i in range(2)), 4)
    window = windows.cut(
        encoded.read(1),
        np.random.default_rng(0),
        window_frames=4,
        previous_frames=2,
    )
    assert window["motion"].shape == (4, 14)


def test_clips_without_pictures_are_encoded_by_the_map(clips, tiny_models, record):
    known = {name: value for name, value in record.items() if name != "video"}
    known["gaze_in_head"] = record["gaze"] / 2
    encoded = clips.encode_known(known, "train")
    written = face_model.FaceModel(tiny_models.face_config).apply(
        {"params": tiny_models.face_params},
        known["arkit"],
        known["gaze_in_head"],
        method="write_dynamics",
    )
    np.testing.assert_allclose(encoded["motion"][:, 6:], written, atol=1e-6)
    np.testing.assert_array_equal(encoded["motion"][:, :6], record["head_pose"])
    seen = clips.encode(record, encoding.decode_clip(record), "train")
    assert set(encoded) == set(seen)
    for name in ("audio_features", "gaze", "emotion"):
        np.testing.assert_array_equal(encoded[name], seen[name])

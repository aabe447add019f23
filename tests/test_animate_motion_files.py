"""Files of motion: equal when read back, and one sentence for each fault."""

import io
import json

import numpy as np
import pytest

from vasa_jax import types
from vasa_jax.animate import motion_files
from vasa_jax.errors import UserError


@pytest.fixture
def recorded():
    generator = np.random.default_rng(0)
    pose = generator.normal(0, 0.1, (5, types.POSE_CHANNELS)).astype(np.float32)
    pose[:, 5] += 1
    dynamics = generator.normal(0, 1e-3, (5, 8)).astype(np.float32)
    return motion_files.RecordedMotion(
        head_pose=pose, facial_dynamics=dynamics, code="ab12"
    )


@pytest.mark.parametrize("name", ["a.npz", "a.json"])
def test_motion_is_read_back_bit_for_bit_and_files_repeat(tmp_path, recorded, name):
    motion_files.check_path(tmp_path / name)
    motion_files.save(tmp_path / name, recorded)
    found = motion_files.load(tmp_path / name)
    np.testing.assert_array_equal(found.motion, recorded.motion)
    assert found.motion.dtype == np.float32 and found.code == "ab12"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert found.turns_about == "camera"
    again = motion_files.RecordedMotion.of_motion(found.motion, found.code)
    np.testing.assert_array_equal(again.head_pose, recorded.head_pose)


def test_json_has_a_line_for_each_frame_and_may_be_edited(tmp_path, recorded):
    path = tmp_path / "a.json"
    motion_files.save(path, recorded)
    lines = path.read_text().splitlines()
    assert len(lines) == 2 + 5 + 2 * (2 + 5)
    values = json.loads(path.read_text())
    values["head_pose"][2] = [0, 0.5, 0, 0, 0, 1]
    path.write_text(json.dumps(values))
    found = motion_files.load(path)
    np.testing.assert_array_equal(found.head_pose[2], [0, 0.5, 0, 0, 0, 1])
    np.testing.assert_array_equal(found.head_pose[:2], recorded.head_pose[:2])


def test_turns_are_told_about_a_portrait_or_the_camera(tmp_path, recorded):
    own = np.array([0.3, -0.2, 0.1])
    told = recorded.told_about("portrait", own)
    assert told.turns_about == "portrait"
    found = recorded.head_pose - told.head_pose
    np.testing.assert_allclose(found, np.tile([*own, 0, 0, 0], (5, 1)), atol=1e-6)
    np.testing.assert_array_equal(told.facial_dynamics, recorded.facial_dynamics)
    motion_files.save(tmp_path / "a.npz", told)
    read = motion_files.load(tmp_path / "a.npz")
    assert read.turns_about == "portrait"
    assert read.told_about("portrait", own) is read
    back = read.told_about("camera", own).head_pose
    np.testing.assert_allclose(back, recorded.head_pose, atol=1e-6)


def test_poses_are_told_about_their_mean_for_any_portrait(recorded):
    told = recorded.about_mean()
    assert told.turns_about == "portrait" and told.about_mean() is told
    np.testing.assert_allclose(
        told.head_pose.mean(axis=0), [0, 0, 0, 0, 0, 1], atol=1e-6
    )
    turns, scales = recorded.head_pose[:, :5], recorded.head_pose[:, 5]
    found = told.head_pose[1:, :5] - told.head_pose[:-1, :5]
    np.testing.assert_allclose(found, turns[1:] - turns[:-1], atol=1e-6)
    np.testing.assert_allclose(
        told.head_pose[1:, 5] / told.head_pose[:-1, 5], scales[1:] / scales[:-1], 1e-5
    )
    np.testing.assert_array_equal(told.facial_dynamics, recorded.facial_dynamics)


def test_files_of_before_tell_turns_of_the_camera(tmp_path, recorded):
    path = tmp_path / "a.json"
    motion_files.save(path, recorded)
    values = json.loads(path.read_text())
    del values["turns_about"]
    path.write_text(json.dumps(values))
    assert motion_files.load(path).turns_about == "camera"


NOTHING = object()


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("format", "a song", "its format is not 'vasa_jax motion'"),
        ("format", NOTHING, "its format is not"),
        ("version", 2, "its version is 2, and only 1 is read"),
        ("frame_rate_hz", 30, "its frame_rate_hz is 30, and only 25 is read"),
        ("code", NOTHING, "does not name the code"),
        ("turns_about", "the sun", "turns_about is 'the sun'; give camera or portrait"),
        ("head_pose", NOTHING, "head_pose is float64 [0]; give a row"),
        ("head_pose", [[0, 0, 0, 0, 0, 1]] * 4, "has 4 frames and facial_dynamics 5"),
        ("head_pose", [[0, 0, 0, 0, 1]] * 5, "head_pose has 5 numbers a frame; give 6"),
        ("head_pose", [[0, 0, 0, 0, 0, 0]] * 5, "The scale of head_pose in frame 0 is"),
        ("head_pose", [], "head_pose is float64 [0]; give a row of numbers"),
        ("facial_dynamics", [1, 2], "facial_dynamics is"),
        ("facial_dynamics", [[1.0]] * 4 + [[np.nan]], "of frame 4 is not finite"),
        ("facial_dynamics", [[1e300]] * 5, "of frame 0 is not finite"),
    ],
)
@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_fault_is_told_in_one_sentence(
    tmp_path, recorded, suffix, name, value, words
):
    values = {
        "format": motion_files.FORMAT,
        "version": 1,
        "frame_rate_hz": 25,
        "code": "ab12",
        "head_pose": recorded.head_pose.tolist(),
        "facial_dynamics": recorded.facial_dynamics.tolist(),
        name: value,
    }
    values = {key: one for key, one in values.items() if one is not NOTHING}
    path = tmp_path / f"a{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps(values))
    else:
        np.savez(path, **values)
    with pytest.raises(UserError) as caught:
        motion_files.load(path)
    assert words in str(caught.value) and path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def _pickled():
    buffer = io.BytesIO()
    np.savez(buffer, format=np.array([{}], dtype=object))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("a.npz", b"", "no npz file"),
        ("a.npz", b"PK\x03\x04 no zip", "no npz file"),
        ("a.npz", _pickled(), "no npz file of plain arrays"),
        ("a.json", b"{", "it is no JSON"),
        ("a.json", b"[]", "it is no JSON object"),
        ("a.json", b"\xff", "it is no JSON"),
        ("a.json", b'{"head_pose": [[1], [1, 2]]}', "head_pose is no table"),
        ("a.json", b'{"head_pose": [["a"]]}', "head_pose is no table"),
        ("a.json", b'{"head_pose": {"a": 1}}', "head_pose is no table"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        motion_files.load(tmp_path / name)


def test_a_truncated_file_is_refused(tmp_path, recorded):
    path = tmp_path / "a.npz"
    motion_files.save(path, recorded)
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match="no npz file"):
            motion_files.load(path)


def test_other_names_and_places_are_refused(tmp_path, recorded):
    with pytest.raises(UserError, match="ends neither in .npz nor in .json"):
        motion_files.check_path(tmp_path / "a.txt")
    with pytest.raises(UserError, match="does not exist"):
        motion_files.check_path(tmp_path / "missing" / "a.npz")
    with pytest.raises(UserError, match="Cannot read the motion .*: No such file"):
        motion_files.load(tmp_path / "a.npz")

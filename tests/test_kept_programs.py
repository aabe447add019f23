"""Kept programs: a second start traces nothing, and no wrong file is ever used."""

import functools

import flax
import jax
import numpy as np
import pytest

from vasa_jax import kept_programs, types
from vasa_jax.animate import controls, talking_face
from vasa_jax.portrait import crop

TRACED = []


def turned(factor, head_pose, *, offset=0.0):
    """Return a head pose and an array; remember that it was traced."""
    TRACED.append(factor)
    turned = head_pose.replace(rotation=factor * head_pose.rotation + offset)
    return turned, {"vector": turned.to_vector()}


@pytest.fixture
def folder(tmp_path):
    """A compilation cache of the test's own."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "cache"))
    kept_programs.kept.cache_clear()
    TRACED.clear()
    yield tmp_path / "cache"
    jax.config.update("jax_compilation_cache_dir", before)
    kept_programs.kept.cache_clear()


def _start(factor=2.0, batch=3, **settings):
    """Call as a new process would; return the result and how often it was traced."""
    kept_programs.kept.cache_clear()
    TRACED.clear()
    vector = np.arange(6.0 * batch, dtype=np.float32).reshape(batch, 6)
    head_pose = types.HeadPose.from_vector(vector)
    found = kept_programs.kept(turned, factor, **settings)(head_pose)
    num_traced = len(TRACED)
    expected = turned(factor, head_pose, **settings)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    jax.tree.map(np.testing.assert_array_equal, found, expected)
    return num_traced


def _programs(folder):
    return sorted(folder.glob("*.program"))


def test_a_second_start_traces_nothing_and_gives_the_same_tree(folder):
    assert _start() == 1
    assert [path.name.split("-")[0] for path in _programs(folder)] == ["turned"]
    assert list(folder.iterdir()) == _programs(folder)
    assert _start() == 0


def test_other_arguments_settings_and_shapes_are_other_programs(folder):
    assert [_start(), _start(factor=3.0), _start(batch=1), _start(offset=1.0)] == [
        1
    ] * 4
    assert len(_programs(folder)) == 4
    assert [_start(), _start(factor=3.0), _start(batch=1), _start(offset=1.0)] == [
        0
    ] * 4


def test_one_start_traces_each_shape_once(folder):
    function = kept_programs.kept(turned, 2.0)
    for batch in (1, 2, 1, 2):
        function(types.HeadPose.from_vector(np.ones((batch, 6), np.float32)))
    assert len(TRACED) == 2
    assert kept_programs.kept(turned, 2.0) is function


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: content[:99] + bytes([content[99] ^ 1]) + content[100:],
        lambda content: b"\x80\x04N." * 100,
    ],
    ids=["empty", "short", "truncated", "one bit", "foreign"],
)
def test_a_damaged_file_is_made_anew(folder, damage):
    _start()
    (path,) = _programs(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert _start() == 1
    assert _programs(folder) == [path]
    assert _start() == 0


def test_the_file_of_another_program_is_not_used(folder):
    _start()
    (path,) = _programs(folder)
    _start(factor=3.0)
    (other,) = set(_programs(folder)) - {path}
    path.write_bytes(other.read_bytes())
    assert _start() == 1


def test_another_version_of_a_library_is_another_program(folder, monkeypatch):
    _start()
    monkeypatch.setattr(flax, "__version__", "0.0.1")
    assert [_start(), _start()] == [1, 0]
    monkeypatch.undo()
    assert _start() == 0


def test_a_setting_that_changes_results_makes_another_program(folder):
    _start()
    with jax.default_matmul_precision("highest"):
        assert _start() == 1


def test_a_changed_source_is_another_program(folder, monkeypatch, tmp_path):
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    source = package / "inner" / "module.py"
    source.write_text("width = 1\n")
    monkeypatch.setattr(kept_programs, "__file__", str(package / "kept_programs.py"))
    try:
        kept_programs._source_hash.cache_clear()
        assert [_start(), _start()] == [1, 0]
        source.write_text("width = 2\n")
        kept_programs._source_hash.cache_clear()
        assert _start() == 1
    finally:
        kept_programs._source_hash.cache_clear()


def test_a_folder_that_cannot_be_made_changes_nothing(folder):
    folder.write_text("a file stands here")
    assert [_start(), _start()] == [1, 1]
    assert folder.read_text() == "a file stands here"


def test_a_folder_that_is_not_ours_to_write_changes_nothing(folder, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(kept_programs.os, "replace", refuse)
    assert [_start(), _start()] == [1, 1]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("chosen", [None, "gs://bucket/cache"])
def test_without_a_folder_of_this_machine_nothing_is_kept(
    folder, chosen, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    jax.config.update("jax_compilation_cache_dir", chosen)
    assert [_start(), _start()] == [1, 1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_frames_are_the_same_bits_with_and_without_kept_programs(
    folder, tiny_models, voice
):
    face = talking_face.TalkingFace(tiny_models)
    size = face.image_size
    portrait = talking_face.Portrait(
        image=np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8),
        head_pose=types.HeadPose.from_vector(np.array([[0, 0, 0, 0, 0, 1]], "f4")),
        box=crop.CropBox.of_whole(size, size),
    )
    asked = functools.partial(controls.Controls, seed=3)

    def frames():
        kept_programs.kept.cache_clear()
        whole = face.animate(portrait, voice, asked())
        stream = face.stream(portrait, asked(step_frames=4))
        short = [*stream.push(voice), *stream.finish()]
        return np.concatenate([*whole, *short])

    jax.config.update("jax_compilation_cache_dir", None)
    plain = frames()
    assert not folder.exists()
    jax.config.update("jax_compilation_cache_dir", str(folder))
    np.testing.assert_array_equal(frames(), plain)
    names = {path.name.split("-")[0] for path in _programs(folder)}
    assert names == {"encode_portrait", "encode_windows", "next_window", "render"}
    written = {path: path.stat().st_mtime_ns for path in _programs(folder)}
    np.testing.assert_array_equal(frames(), plain)
    assert written == {path: path.stat().st_mtime_ns for path in _programs(folder)}

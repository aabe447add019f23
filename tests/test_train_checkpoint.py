"""Checkpoints of a run: what is kept, what is refused."""

import errno
import os
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import linear_regression
from vasa_jax.errors import UserError
from vasa_jax.train import checkpoint

# Orbax leaves a read behind that it gave up.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


def _state(value=1.0):
    return {
        "params": {"kernel": jnp.full((4, 2), value), "empty": {}},
        "ema": {"kernel": jnp.full((4, 2), value / 2)},
        "key": jax.random.key(3),
        "step": jnp.int32(7),
    }


def _data(position=0):
    batches = linear_regression.NumberedBatches(lambda number: {"number": number})
    batches.set_state({"next": position})
    return batches


def _abstract(state):
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(
            leaf.shape, leaf.dtype, sharding=leaf.sharding
        ),
        state,
    )


def test_state_position_and_metadata_come_back(tmp_path):
    saved = checkpoint.RunCheckpoints(tmp_path)
    saved.save(7, _state(), _data(5), {"note": [1, 2]})
    saved.close()
    found = checkpoint.RunCheckpoints(tmp_path)
    data = _data()
    state = found.restore(7, _abstract(_state()), data)
    assert next(data) == {"number": 5}
    assert found.metadata(7) == {"note": [1, 2]}
    assert jax.random.key_data(state["key"]).tolist() == [0, 3]
    np.testing.assert_array_equal(state["params"]["kernel"], np.ones((4, 2)))
    found.close()


@pytest.mark.parametrize("name", ["run[1]", "run[", "run*", "run?", "[1]/run"])
def test_a_folder_named_like_a_glob_pattern_keeps_its_checkpoints(tmp_path, name):
    folder = tmp_path / name / "checkpoints"
    # What the patterns match, if they are taken for patterns.
    for other in ("run1", "1/run"):
        neighbour = checkpoint.RunCheckpoints(tmp_path / other / "checkpoints")
        neighbour.save(7, _state(9.0), _data(), {})
        neighbour.close()
    saved = checkpoint.RunCheckpoints(folder)
    for step in (5, 6):
        saved.save(step, _state(2.0), _data(), {})
    saved.save(7, _state(3.0), _data(5), {"note": 1})
    saved.close()
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"6", "7"}
    # As another process and as another machine would find it.
    for place in (folder, tmp_path / "moved" / "checkpoints"):
        if place != folder:
            shutil.copytree(folder, place)
        found = checkpoint.RunCheckpoints(place, is_read_only=True)
        data = _data()
        state = found.restore(7, _abstract(_state()), data)
        parts = found.restore_part(7, ("ema",))
        assert found.latest_step() == 7 and found.metadata(7) == {"note": 1}
        found.close()
        assert next(data) == {"number": 5}
        np.testing.assert_array_equal(state["params"]["kernel"], np.full((4, 2), 3.0))
        np.testing.assert_array_equal(parts["ema"]["kernel"], np.full((4, 2), 1.5))


def test_the_newest_two_are_kept(tmp_path):
    with checkpoint.RunCheckpoints(tmp_path) as saved:
        for step in range(1, 5):
            saved.save(step, _state(step), _data(), {})
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["3", "4"]


def test_a_saved_state_may_be_donated_at_once(tmp_path):
    saved = checkpoint.RunCheckpoints(tmp_path)
    state = {"x": jnp.arange(200_000.0)}
    saved.save(1, state, _data(), {})
    jax.jit(lambda s: {"x": s["x"] * 0 - 1}, donate_argnums=0)(state)
    saved.wait()
    read = saved.restore_part(1, ("x",))
    saved.close()
    np.testing.assert_array_equal(read["x"], np.arange(200_000.0))


def test_parts_of_a_state_are_read_alone(tmp_path):
    saved = checkpoint.RunCheckpoints(tmp_path)
    saved.save(7, _state(), _data(), {})
    saved.close()
    reader = checkpoint.RunCheckpoints(tmp_path, is_read_only=True)
    parts = reader.restore_part(7, ("ema", "missing"))
    reader.close()
    assert list(parts) == ["ema"]
    assert isinstance(parts["ema"]["kernel"], np.ndarray)
    assert parts["ema"]["kernel"][0, 0] == 0.5


def test_another_shape_or_name_is_refused(tmp_path):
    saved = checkpoint.RunCheckpoints(tmp_path)
    saved.save(7, _state(), _data(), {})
    for other in (
        {**_state(), "step": jnp.zeros(3, jnp.int32)},
        {**_state(), "more": jnp.zeros(1)},
    ):
        with pytest.raises(UserError, match="does not fit these settings"):
            saved.restore(7, _abstract(other), _data())
    saved.close()


def test_a_position_of_another_number_of_processes_is_refused(tmp_path):
    saved = checkpoint.RunCheckpoints(tmp_path)
    saved.save(7, _state(), _data(), {})
    saved.wait()
    position = pathlib.Path(tmp_path / "7" / "position")
    (position / "0-of-1.json").rename(position / "0-of-2.json")
    with pytest.raises(UserError, match="as many processes"):
        saved.restore(7, _abstract(_state()), _data())
    saved.close()


def test_reading_where_nothing_is_says_so_and_makes_nothing(tmp_path):
    with pytest.raises(UserError, match="no checkpoints at"):
        checkpoint.RunCheckpoints(tmp_path / "none", is_read_only=True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        ValueError("RESOURCE_EXHAUSTED: Error writing: No space left on device [28]"),
    ],
)
def test_a_full_disk_is_one_sentence(tmp_path, error):
    with pytest.raises(UserError, match="is full; make room"):
        with checkpoint.full_disk_reported(tmp_path):
            raise error


def test_other_errors_of_writing_stay_as_they_are(tmp_path):
    with pytest.raises(PermissionError):
        with checkpoint.full_disk_reported(tmp_path):
            raise PermissionError("no")

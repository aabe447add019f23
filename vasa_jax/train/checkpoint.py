"""Saves and resumes a run; the only file that names Orbax.

A checkpoint holds the whole training state, the position in the data, and the
settings. What is published is an export (`vasa_jax.export`).
"""

import contextlib
import glob
import json
import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from vasa_jax.errors import UserError

FOLDER = "checkpoints"
"""Folder of the checkpoints in a run's work folder."""

NUM_KEPT = 2
"""Newest checkpoints that are kept. Ours: the one before is there if a disk spoils the
last; a state of the paper's size takes gigabytes."""

# What the operating system says, inside the errors of whichever library wrote.
_FULL_DISK_WORDS = ("No space left on device", "Disk quota exceeded")


class _PositionHandler(ocp.CheckpointHandler):
    """Writes each process's position in its data as JSON.

    Ours: Grain has a handler for its own iterators; this one serves any iterator with
    `get_state` and `set_state`, so that plain arrays train without Grain.
    """

    def _file(self, directory: Any) -> Any:
        return directory / f"{jax.process_index()}-of-{jax.process_count()}.json"

    def save(self, directory: Any, args: "_PositionSave") -> None:
        self._file(directory).write_text(args.text)

    def restore(self, directory: Any, args: "_PositionRestore") -> Any:
        del args
        file = self._file(directory)
        if not file.exists():
            raise UserError(
                "The checkpoint has no data position for process "
                f"{jax.process_index()} of {jax.process_count()}; resume with as many "
                "processes as it was saved with."
            )
        return json.loads(file.read_text())


@ocp.args.register_with_handler(_PositionHandler, for_save=True)
class _PositionSave(ocp.args.CheckpointArgs):
    def __init__(self, text: str):
        self.text = text


@ocp.args.register_with_handler(_PositionHandler, for_restore=True)
class _PositionRestore(ocp.args.CheckpointArgs):
    pass


class RunCheckpoints:
    """The checkpoints of one run, in one folder, newest last.

    A checkpoint becomes visible by a rename after all of it is written; what a killed
    process left half-written is never chosen, and removed by the next run.

    Args:
        folder: made when it is missing.
        is_read_only: promise not to save; nothing in the folder is touched.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        is_read_only: bool = False,
    ):
        self._folder = pathlib.Path(folder).absolute()
        if is_read_only and not self._folder.is_dir():
            raise UserError(f"There are no checkpoints at {os.fspath(folder)!r}.")
        if not is_read_only:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._open_names = contextlib.ExitStack()
        self._plain_name = self._open_names.enter_context(_plain_name(self._folder))
        self._manager = ocp.CheckpointManager(
            self._plain_name,
            options=ocp.CheckpointManagerOptions(
                preservation_policy=ocp.checkpoint_managers.LatestN(NUM_KEPT),
                cleanup_tmp_directories=not is_read_only,
                create=False,
                read_only=is_read_only,
            ),
            item_handlers={
                "state": ocp.StandardCheckpointHandler(),
                "position": _PositionHandler(),
                "metadata": ocp.JsonCheckpointHandler(),
            },
        )

    def latest_step(self) -> int | None:
        """Return the step of the newest whole checkpoint, or None."""
        return self._manager.latest_step()

    def save(
        self, step: int, state: Any, data: Any, metadata: Mapping[str, Any]
    ) -> None:
        """Start to write a checkpoint; it is written while the run goes on.

        Args:
            step: number of steps done.
            state: tree of arrays; may be donated once this returns.
            data: iterator with `get_state`, whose position is saved.
            metadata: what JSON can hold: settings, where the run comes from.

        Raises:
            UserError: the disk is full.
        """
        position = json.dumps(data.get_state(), default=_plain)
        with full_disk_reported(self._folder):
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    position=_PositionSave(position),
                    metadata=ocp.args.JsonSave(dict(metadata)),
                ),
                force=True,
            )

    def restore(self, step: int, abstract_state: Any, data: Any) -> Any:
        """Read a checkpoint and put the data iterator where it was.

        Args:
            step: which one.
            abstract_state: tree of `ShapeDtypeStruct` with the shardings of this run,
                which may differ from those of the run that saved.
            data: iterator with `set_state`.

        Returns:
            The state.

        Raises:
            UserError: the checkpoint's arrays are not those of this state.
        """
        try:
            read = self._manager.restore(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(abstract_state),
                    position=_PositionRestore(),
                ),
            )
        except UserError:
            raise
        except ValueError as error:
            raise UserError(
                f"The checkpoint of step {step} in {self._folder} does not fit these "
                "settings; use the settings of config.json beside it, or another work "
                "folder, in which a run of an older vasa_jax goes on by --init_from. "
                f"({str(error).splitlines()[0][:200]})"
            ) from error
        data.set_state(read["position"])
        return read["state"]

    def metadata(self, step: int) -> dict[str, Any]:
        """Return the metadata that `save` was given."""
        read = self._manager.restore(
            step, args=ocp.args.Composite(metadata=ocp.args.JsonRestore())
        )
        return read["metadata"]

    def restore_part(self, step: int, names: Iterable[str]) -> dict[str, Any]:
        """Read parts of a state to the host, without knowing the rest.

        Args:
            step: which checkpoint.
            names: top-level fields of the state, such as `params` and `ema`.

        Returns:
            Trees of numpy arrays by field.
        """
        folder = self._plain_name / str(step) / "state"
        with ocp.PyTreeCheckpointer() as reader:
            tree = reader.metadata(folder).item_metadata.tree
            wanted = {name: tree[name] for name in names if name in tree}
            return reader.restore(
                folder,
                args=ocp.args.PyTreeRestore(
                    item=jax.tree.map(lambda leaf: 0, wanted),
                    restore_args=jax.tree.map(
                        lambda leaf: ocp.RestoreArgs(restore_type=np.ndarray), wanted
                    ),
                    partial_restore=True,
                ),
            )

    def wait(self) -> None:
        """Return when all started writing has ended.

        Raises:
            UserError: the disk is full.
        """
        with full_disk_reported(self._folder):
            self._manager.wait_until_finished()

    def __enter__(self) -> "RunCheckpoints":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Wait for writing to end and give back the threads."""
        self.wait()
        self._manager.close()
        self._open_names.close()


@contextlib.contextmanager
def _plain_name(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Give a name of a folder that holds no character of glob patterns.

    Ours: Orbax finds the parts of a checkpoint by a glob of its folder's name, so that
    below a folder `run[1]` it finds none and says nothing. Such a folder is reached
    through a link in the system's temporary folder.
    """
    if glob.escape(os.fspath(folder)) == os.fspath(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="vasa_jax_") as home:
        link = pathlib.Path(home) / FOLDER
        link.symlink_to(folder, target_is_directory=True)
        yield link


@contextlib.contextmanager
def full_disk_reported(folder: str | os.PathLike) -> Iterator[None]:
    """Turn the many faces of a full disk into one sentence.

    Args:
        folder: where the writing goes.

    Raises:
        UserError: in place of an error whose text tells of a full disk or quota.
    """
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        text = f"{error!r} {error.__cause__!r}"
        if not any(words in text for words in _FULL_DISK_WORDS):
            raise
        raise UserError(
            f"The disk of {os.fspath(folder)} is full; make room and start again: the "
            "run resumes from the last whole checkpoint."
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"A data position cannot hold {type(value).__name__}.")

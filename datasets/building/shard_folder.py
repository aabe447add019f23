"""What sets of shards share: their settings file, and the TFDS folder they become."""

import dataclasses
import json
import os
import pathlib
import shutil
import traceback
import uuid
from collections.abc import Sequence
from typing import Any

from vasa_jax import errors

FOLDER = "shards"
"""Name of the folder of finished shards inside the set's."""

MANIFEST_FILE = "manifest.json"
"""File in `FOLDER` that tells which shards a set was put together of. Ours: written
last, so that a run that finds nothing missing changes nothing."""

_SETTINGS_FILE = "settings.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetInfo:
    """What TFDS writes about a set: name, version, description, splits in order."""

    name: str
    version: str
    description: str
    splits: Sequence[str]


def check_settings(folder: pathlib.Path, settings: Any) -> None:
    """Refuse to mix records of other settings into a folder; keep those of a new one.

    Args:
        folder: of the set.
        settings: a dataclass that JSON can hold.

    Raises:
        UserError: if the folder was begun with other settings, or cannot be written.
    """
    path = folder / FOLDER / _SETTINGS_FILE
    wanted = json.dumps(dataclasses.asdict(settings), indent=2)
    try:
        if path.exists():
            if json.loads(path.read_text(encoding="utf-8")) != json.loads(wanted):
                raise errors.UserError(
                    f"{folder} was begun with other settings ({FOLDER}/{path.name} "
                    "there tells them); use the same ones or another --output_dir."
                )
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_beside(path, wanted)
    except OSError as error:
        raise errors.UserError(
            f"{folder} cannot be written ({error.strerror}); choose another "
            "--output_dir."
        ) from error


def beside(path: pathlib.Path) -> pathlib.Path:
    """Return a path beside a file that no other attempt to write it has.

    Ours: by chance, because numbers of processes repeat from machine to machine.
    """
    return path.with_suffix(f".beside_{uuid.uuid4().hex}")


def sweep(folder: pathlib.Path) -> None:
    """Remove what killed attempts have left beside the files of a set.

    Ours: an attempt that lives on elsewhere, since only its main program was killed,
    then fails where it renames; its shard is made by others.

    Args:
        folder: of the set.
    """
    for room in (folder, folder / FOLDER):
        for torn in room.glob("*.beside_*"):
            torn.unlink(missing_ok=True)


def write_beside(path: pathlib.Path, text: str) -> None:
    """Write a text beside its file, then rename; leave it alone if it stands there."""
    if _read(path) == text:
        return
    written = beside(path)
    written.write_text(text, encoding="utf-8")
    os.replace(written, path)


def error_line(error: Exception) -> str:
    """Return an error in one line, with the line where it arose."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    file = pathlib.Path(last.filename).name
    return f"{type(error).__name__} {error} ({file}:{last.lineno})"


def record_path(folder: pathlib.Path, name: str, split: str) -> pathlib.Path:
    """Return the file of the records of one split that a shard of this name made."""
    return folder / FOLDER / f"{name}_{split}.array_record"


def assemble(
    folder: pathlib.Path,
    info: SetInfo,
    features: Any,
    finished: Sequence[tuple[str, Any]],
) -> dict[str, int]:
    """Make a TFDS folder of finished shards.

    Ours: hard links, so that nothing is copied and a larger set can reuse the shards.
    Nothing is touched where the same shards were put together before.

    Args:
        folder: of the set; holds `FOLDER`.
        info: of the set.
        features: of its records, as TFDS has them.
        finished: names of shards in order, with their reports, which have
            `num_examples` and `num_bytes` by split.

    Returns:
        Number of records of each split; without any, nothing is written.
    """
    # Imported late: TFDS takes a second, which listing files can do without.
    import tensorflow_datasets as tfds

    parts = {
        split: [(n, r) for n, r in finished if r.num_examples.get(split)]
        for split in info.splits
    }
    parts = {split: held for split, held in parts.items() if held}
    targets, splits = {}, []
    for split, held in parts.items():
        template = tfds.core.ShardedFileTemplate(
            data_dir=folder,
            dataset_name=info.name,
            split=split,
            filetype_suffix="array_record",
        )
        for index, (name, _) in enumerate(held):
            target = template.sharded_filepath(shard_index=index, num_shards=len(held))
            targets[pathlib.Path(target)] = record_path(folder, name, split)
        splits.append(
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[report.num_examples[split] for _, report in held],
                num_bytes=sum(report.num_bytes[split] for _, report in held),
                filename_template=template,
            )
        )
    manifest = _manifest(info, parts)
    is_there = _read(folder / FOLDER / MANIFEST_FILE) == manifest
    if not (is_there and all(target.exists() for target in targets)):
        for old in folder.glob(f"{info.name}-*.array_record-*"):
            old.unlink()
        for target, source in targets.items():
            _link(source, target)
        if splits:
            tfds.folder_dataset.write_metadata(
                data_dir=folder,
                features=features,
                split_infos=splits,
                version=info.version,
                description=info.description,
                check_data=False,
            )
        write_beside(folder / FOLDER / MANIFEST_FILE, manifest)
    sweep(folder)
    return {split.name: sum(split.shard_lengths) for split in splits}


def _manifest(info, parts) -> str:
    """Describe what a set was put together of, by the reports."""
    splits = {
        split: [[n, r.num_examples[split], r.num_bytes[split]] for n, r in held]
        for split, held in parts.items()
    }
    contents = {"name": info.name, "version": info.version, "splits": splits}
    return json.dumps(contents, indent=0)


def _read(path: pathlib.Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _link(source: pathlib.Path, target: pathlib.Path) -> None:
    """Give a file a second name; copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

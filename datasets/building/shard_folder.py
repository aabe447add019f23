"""What sets of shards share: their settings file, and the TFDS folder they become."""

import dataclasses
import json
import os
import pathlib
import shutil
import traceback
from collections.abc import Sequence
from typing import Any

from vasa_jax import errors

FOLDER = "shards"
"""Name of the folder of finished shards inside the set's."""

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


def write_beside(path: pathlib.Path, text: str) -> None:
    """Write a text beside its place, then rename."""
    beside = path.with_suffix(f".beside{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def tell_error(error: Exception) -> str:
    """Return an error in one line, with the place where it arose."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = pathlib.Path(place.filename).name
    return f"{type(error).__name__} {error} ({file}:{place.lineno})"


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

    for old in folder.glob(f"{info.name}-*.array_record-*"):
        old.unlink()
    for torn in (folder / FOLDER).glob("*.beside*"):
        torn.unlink()
    splits, counts = [], {}
    for split in info.splits:
        parts = [(n, r) for n, r in finished if r.num_examples.get(split)]
        if not parts:
            continue
        template = tfds.core.ShardedFileTemplate(
            data_dir=folder,
            dataset_name=info.name,
            split=split,
            filetype_suffix="array_record",
        )
        for index, (name, _) in enumerate(parts):
            target = template.sharded_filepath(shard_index=index, num_shards=len(parts))
            _link(record_path(folder, name, split), pathlib.Path(target))
        lengths = [report.num_examples[split] for _, report in parts]
        counts[split] = sum(lengths)
        splits.append(
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=lengths,
                num_bytes=sum(report.num_bytes[split] for _, report in parts),
                filename_template=template,
            )
        )
    if splits:
        tfds.folder_dataset.write_metadata(
            data_dir=folder,
            features=features,
            split_infos=splits,
            version=info.version,
            description=info.description,
            check_data=False,
        )
    return counts


def _link(source: pathlib.Path, target: pathlib.Path) -> None:
    """Give a file a second name; copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

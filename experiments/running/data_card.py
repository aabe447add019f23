"""Describes a data set in a sentence, for model cards, from files it already has."""

import json
import pathlib


def describe(data_dir: str) -> str:
    """Say how many records each split of a set holds.

    Args:
        data_dir: of a TFDS set (its version's folder, or up to two above), or with a
            folder of npz files for each split.

    Returns:
        A sentence, or nothing where the folder does not tell.
    """
    folder = pathlib.Path(data_dir)
    for pattern in ("", "*/", "*/*/"):
        for file in sorted(folder.glob(f"{pattern}dataset_info.json")):
            info = json.loads(file.read_text(encoding="utf-8"))
            counts = {
                split["name"]: sum(map(int, split.get("shardLengths", [])))
                for split in info.get("splits", [])
            }
            return _sentence(f"`{info['name']}` {info.get('version', '')}", counts)
    counts = {
        part.name: len(list(part.glob("*.npz")))
        for part in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if part.is_dir()
    }
    return _sentence(f"npz records `{folder.name}`", counts)


def _sentence(name: str, counts: dict[str, int]) -> str:
    parts = [f"{count:,} in {split}" for split, count in counts.items() if count]
    return f"Data: {name.strip()}, {', '.join(parts)}." if parts else ""

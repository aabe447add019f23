"""The published sets by name, each with its reader."""

from collections.abc import Mapping

from datasets.published_sets import celebv_hq, clips, hdtf, mead, voxceleb
from vasa_jax import config

READERS: Mapping[str, clips.Reader] = {
    "celebv_hq": celebv_hq.read,
    "hdtf": hdtf.read,
    "mead": mead.read,
    "voxceleb2": voxceleb.read_2,
}


def by_name(name: str) -> clips.Reader:
    """Return the reader of a set.

    Args:
        name: of `READERS`.

    Raises:
        UserError: there is none.
    """
    if name not in READERS:
        raise config.unknown_name(name, READERS, "published set")
    return READERS[name]

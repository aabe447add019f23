"""The published sets by name, each with its reader."""

from collections.abc import Mapping

from datasets.published_sets import (
    celebv_hq,
    celebv_text,
    clips,
    crema_d,
    grid,
    hdtf,
    lrs,
    mead,
    ravdess,
    talkinghead_1kh,
    voxceleb,
    voxceleb_table,
)
from vasa_jax import config

READERS: Mapping[str, clips.Reader] = {
    "celebv_hq": celebv_hq.read,
    "celebv_text": celebv_text.read,
    "crema_d": crema_d.read,
    "grid": grid.read,
    "hdtf": hdtf.read,
    "lrs2": lrs.read_2,
    "lrs3": lrs.read_3,
    "mead": mead.read,
    "ravdess": ravdess.read,
    "talkinghead_1kh": talkinghead_1kh.read,
    "voxceleb1": voxceleb.read_1,
    "voxceleb1_crops": voxceleb_table.read,
    "voxceleb2": voxceleb.read_2,
}


def by_name(name: str) -> clips.Reader:
    """Return the reader of a set.

    Args:
        name: of `READERS`, in either case.

    Raises:
        UserError: there is none.
    """
    if name.lower() not in READERS:
        raise config.unknown_name(name, READERS, "published set")
    return READERS[name.lower()]

"""The TFDS data set `photo_heads`: shards made in processes and then put together."""

import functools
import pathlib

from datasets.building import engines, set_builder, shard_folder
from datasets.photo_heads.records import plan, portraits, record, shards

INFO = shard_folder.SetInfo(
    name="photo_heads",
    version="1.1.3",
    description="""Portraits that are moved: one picture a person, fitted by a mesh, who
performs with a synthesised voice, with the truth of pose, gaze, expression and geometry
in every frame; the first take of each shows the untouched picture.""",
    splits=plan.SPLITS,
)


def build(
    portraits_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: plan.Settings,
    engine: engines.Engine,
    most: int | None = None,
) -> set_builder.Outcome:
    """Build, complete or enlarge a set.

    Args:
        portraits_folder: searched for pictures.
        folder: where the set lies or will lie.
        settings: of its records.
        engine: where its shards are made.
        most: how many pictures to take; None takes all.

    Returns:
        The outcome.

    Raises:
        UserError: there are no pictures, or as `set_builder.build`.
    """
    return set_builder.build(
        folder,
        settings,
        INFO,
        record.features(),
        portraits.divide(portraits.find(portraits_folder, most)),
        functools.partial(shards.make, portraits_folder, folder, settings),
        engine,
        "picture",
    )

"""The TFDS data set `synthetic_heads`, written and read without TensorFlow.

`assemble` turns finished shards into a TFDS folder: shards are linked under the names
that TFDS expects, and TFDS' own `write_metadata` describes them. This replaces
`download_and_prepare`, which writes from one process and starts anew after a kill.
`SyntheticHeads` is the ordinary builder of the same records, for
`download_and_prepare` (one process, or Apache Beam's runners through TFDS).
"""

import pathlib

import tensorflow_datasets as tfds

from datasets.building import shard_folder
from datasets.synthetic_heads.records import plan, record, shards
from datasets.synthetic_heads.rendering import renderer
from vasa_jax import errors

NAME = "synthetic_heads"
VERSION = "1.0.0"

DESCRIPTION = """Talking heads made by a program: rendered people who speak with
synthesised or recorded voices, with the truth of pose, gaze, expression and geometry in
every frame."""


class SyntheticHeadsConfig(tfds.core.BuilderConfig):
    """How many clips of what settings."""

    def __init__(self, *, settings: plan.Settings, num_clips: int, **kwargs):
        super().__init__(**kwargs)
        self.settings = settings
        self.num_clips = num_clips


class SyntheticHeads(tfds.core.GeneratorBasedBuilder):
    """TFDS builder of rendered talking heads.

    Ours: `python -m datasets.synthetic_heads.build` makes the same records on all
    cores and goes on after a kill.
    """

    VERSION = tfds.core.Version(VERSION)
    BUILDER_CONFIGS = [
        SyntheticHeadsConfig(
            name="small", settings=plan.Settings(), num_clips=64, description="A try."
        )
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=record.features(), description=DESCRIPTION
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        places = range(plan.num_identities(config.settings, config.num_clips))
        identities = [plan.identity_at(config.settings, place) for place in places]
        present = {plan.split_of(identity) for identity in identities}
        return {split: self._generate_examples(split) for split in sorted(present)}

    def _generate_examples(self, split: str):
        settings = self.builder_config.settings
        view = renderer.Renderer(settings.size)
        for shard in shards.divide(settings, self.builder_config.num_clips):
            for clip, person in shards.clips(shard, settings):
                if clip.split == split:
                    made = record.make(clip, settings, person(), view)
                    yield clip.clip_id, made


def assemble(
    folder: pathlib.Path, finished: list[tuple[shards.Shard, shards.Report]]
) -> dict[str, int]:
    """Make a TFDS folder of finished shards.

    Ours: hard links, so that nothing is copied and a larger set can reuse the shards.

    Args:
        folder: of the set; holds `shard_folder.FOLDER`.
        finished: shards in order, with their reports.

    Returns:
        Number of clips of each split.

    Raises:
        UserError: if there is no clip at all.
    """
    counts = shard_folder.assemble(
        folder,
        shard_folder.SetInfo(
            name=NAME, version=VERSION, description=DESCRIPTION, splits=plan.SPLITS
        ),
        record.features(),
        [(shard.name, report) for shard, report in finished],
    )
    if not counts:
        raise errors.UserError(
            f"No clip in {folder} could be made; the failures above tell why."
        )
    return counts

"""The TFDS data set `synthetic_heads`, written and read without TensorFlow.

`build` makes shards and puts them together. This replaces `download_and_prepare`, which
writes from one process and starts anew after a kill. `SyntheticHeads` is the ordinary
builder of the same records, for `download_and_prepare`.
"""

import functools
import pathlib

import tensorflow_datasets as tfds

from datasets.building import engines, set_builder, shard_folder
from datasets.synthetic_heads.records import plan, record, shards
from datasets.synthetic_heads.rendering import renderer

INFO = shard_folder.SetInfo(
    name="synthetic_heads",
    version="1.0.0",
    description="""Talking heads made by a program: rendered people who speak with
synthesised or recorded voices, with the truth of pose, gaze, expression and geometry in
every frame.""",
    splits=plan.SPLITS,
)


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

    VERSION = tfds.core.Version(INFO.version)
    BUILDER_CONFIGS = [
        SyntheticHeadsConfig(
            name="small", settings=plan.Settings(), num_clips=64, description="A try."
        )
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=record.features(), description=INFO.description
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        indices = range(plan.num_identities(config.settings, config.num_clips))
        identities = [plan.identity_at(config.settings, index) for index in indices]
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


def build(
    folder: pathlib.Path,
    settings: plan.Settings,
    num_clips: int,
    engine: engines.Engine,
) -> set_builder.Outcome:
    """Build, complete or enlarge a set.

    Args:
        folder: where the set lies or will lie.
        settings: of its records.
        num_clips: how many.
        engine: where its shards are made.

    Returns:
        The outcome.

    Raises:
        UserError: as `set_builder.build`.
    """
    return set_builder.build(
        folder,
        settings,
        INFO,
        record.features(),
        shards.divide(settings, num_clips),
        functools.partial(shards.make, folder, settings),
        engine,
        "clip",
    )

"""The TFDS data set `synthetic_heads`, written and read without TensorFlow.

`assemble` turns finished shards into a TFDS folder: shards are linked under the names
that TFDS expects, and TFDS' own `write_metadata` describes them. This replaces
`download_and_prepare`, which writes from one process and starts anew after a kill.
`SyntheticHeads` is the ordinary builder of the same records, for
`download_and_prepare` (one process, or Apache Beam's runners through TFDS).
"""

import os
import pathlib
import shutil

import tensorflow_datasets as tfds

from datasets.synthetic_heads import plan, record, renderer, shards
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
        identities = range(plan.num_identities(config.settings, config.num_clips))
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
        folder: of the set; holds `shards.FOLDER`.
        finished: shards in order, with their reports.

    Returns:
        Number of clips of each split.

    Raises:
        UserError: if there is no clip at all.
    """
    for old in folder.glob(f"{NAME}-*.array_record-*"):
        old.unlink()
    for torn in (folder / shards.FOLDER).glob("*.beside*"):
        torn.unlink()
    splits, counts = [], {}
    for split in plan.SPLITS:
        parts = [(s, r) for s, r in finished if r.num_examples.get(split)]
        if not parts:
            continue
        template = tfds.core.ShardedFileTemplate(
            data_dir=folder,
            dataset_name=NAME,
            split=split,
            filetype_suffix="array_record",
        )
        for index, (shard, _) in enumerate(parts):
            target = template.sharded_filepath(shard_index=index, num_shards=len(parts))
            _link(shards.record_path(folder, shard, split), pathlib.Path(target))
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
    if not splits:
        raise errors.UserError(
            f"No clip in {folder} could be made; the failures above tell why."
        )
    tfds.folder_dataset.write_metadata(
        data_dir=folder,
        features=record.features(),
        split_infos=splits,
        version=VERSION,
        description=DESCRIPTION,
        check_data=False,
    )
    return counts


def _link(source: pathlib.Path, target: pathlib.Path) -> None:
    """Give a file a second name; copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

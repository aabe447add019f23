"""Shards: files of whole identities, made one by one, kept when a build is killed.

Ours: which clips lie in a shard depends only on the shard's number, so that a set may
grow.
"""

import dataclasses
import pathlib

from datasets.building import shard_files
from datasets.synthetic_heads.records import plan, record
from datasets.synthetic_heads.rendering import renderer

IDENTITIES_PER_SHARD = 8
"""Ours: four pairs, 32 clips; about a minute of one core at 128 pixels."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """A range of identities of the set.

    Attributes:
        number: of the shard, from 0.
        first_clip, end_clip: range of clip numbers; the i-th identity of the set has
            the clips from i times `num_takes` on.
    """

    number: int
    first_clip: int
    end_clip: int

    @property
    def name(self) -> str:
        """Return the stem of its files; a shard cut short has another name."""
        return f"{self.number:05d}_{self.first_clip:07d}_{self.end_clip:07d}"

    @property
    def num_sources(self) -> int:
        """Return how many clips they are."""
        return self.end_clip - self.first_clip


def divide(settings: plan.Settings, num_clips: int) -> list[Shard]:
    """Divide a set into shards."""
    step = IDENTITIES_PER_SHARD * settings.num_takes
    return [
        Shard(number, start, min(start + step, num_clips))
        for number, start in enumerate(range(0, num_clips, step))
    ]


def make(folder: pathlib.Path, settings: plan.Settings, shard: Shard) -> None:
    """Make the clips of a shard, and its report.

    Args:
        folder: of the set.
        settings: of the set.
        shard: which clips.
    """
    view = renderer.Renderer(settings.size)
    with shard_files.ShardWriter(folder, shard.name, record.features()) as writer:
        for clip, person in clips(shard, settings):

            def made(clip=clip, person=person):
                return [record.make(clip, settings, person(), view)]

            writer.add(clip.clip_id, clip.split, made)


def clips(shard: Shard, settings: plan.Settings):
    """Yield each clip with a function that gives its avatar, built once."""
    for index in range(
        shard.first_clip // settings.num_takes,
        -(-shard.end_clip // settings.num_takes),
    ):
        built = []
        for clip in plan.clips_of(settings, plan.identity_at(settings, index)):
            if index * settings.num_takes + clip.take >= shard.end_clip:
                return

            def person(clip=clip, built=built):
                if not built:
                    built.append(record.build_person(clip, settings))
                return built[0]

            yield clip, person

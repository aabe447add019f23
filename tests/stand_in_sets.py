"""Makes a set of noise by FnApiRunner, and prints the most memory that this took.

python tests/stand_in_sets.py FOLDER NUM_SHARDS
"""

import dataclasses
import functools
import pathlib
import resource
import sys

import numpy as np
import tensorflow_datasets as tfds

from datasets.building import beam, set_builder, shard_files, shard_folder

NUM_CLIPS, CLIP_BYTES = 8, 2**21
INFO = shard_folder.SetInfo(
    name="noise", version="1.0.0", description="Noise.", splits=("train",)
)


@dataclasses.dataclass(frozen=True)
class Shard:
    """Clips of noise."""

    number: int
    num_sources: int = NUM_CLIPS

    @property
    def name(self) -> str:
        """Return the stem of its files."""
        return f"{self.number:05d}"


def features():
    """Describe a record to TFDS."""
    text, data = tfds.features.Text, tfds.features.Scalar
    return tfds.features.FeaturesDict({"identity": text(), "video": data(np.object_)})


def make(folder: pathlib.Path, shard: Shard) -> None:
    """Make a shard, one clip after the other."""
    generator = np.random.default_rng(shard.number)
    with shard_files.ShardWriter(folder, shard.name, features()) as writer:
        for number in range(shard.num_sources):

            def made():
                yield {"identity": "nobody", "video": generator.bytes(CLIP_BYTES)}

            writer.add(f"{shard.name} {number}", "train", made)


def main(folder: str, num_shards: str) -> None:
    """Make the set."""
    place = pathlib.Path(folder)
    outcome = set_builder.build(
        place,
        Shard(0),
        INFO,
        features(),
        [Shard(number) for number in range(int(num_shards))],
        functools.partial(make, place),
        beam.Beam("FnApiRunner"),
        "clip",
    )
    num_bytes = outcome.num_clips["train"] * CLIP_BYTES
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{num_bytes} bytes, {megabytes:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])

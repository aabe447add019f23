"""List a folder's validation portraits with the kinds that pixels tell.

    python -m experiments.tools.tag_portraits --portraits_dir=FOLDER \
        --list=portraits.tsv

Kinds that a person saw (age, skin, beard, glasses, hat, ...) are kept where the list
has them already, and are empty for new pictures.
"""

import pathlib
import sys

import tqdm
from absl import flags

from datasets import portrait_split
from experiments.running import program
from vasa_jax import config, errors, media
from vasa_jax.evaluation.benchmark import portrait_list
from vasa_jax.portrait import locate

PORTRAITS_DIR = flags.DEFINE_string(
    "portraits_dir", None, "Folder of pictures.", required=True
)
LIST = flags.DEFINE_string("list", None, "The .tsv to write.", required=True)


def main(_) -> int:
    """Write the list; return the exit code."""
    folder = pathlib.Path(PORTRAITS_DIR.value)
    config.require(folder.is_dir(), f"There is no folder {str(folder)!r}; create it.")
    names = [
        path.name
        for path in sorted(folder.iterdir())
        if path.is_file()
        and portrait_split.split_of(path.name) == portrait_split.VALIDATION
    ]
    path = pathlib.Path(LIST.value)
    before = portrait_list.read(path) if path.exists() else []
    looked_at = {one.name: one.looked_at for one in before}
    listed = []
    for name in tqdm.tqdm(names, desc="tag", unit="picture", delay=0.5):
        try:
            image = media.read_image(folder / name)
            kinds = portrait_list.measure_kinds(image, locate.locate_face(image))
        except errors.UserError as error:
            print(f"warning: {name} is left out: {error}", file=sys.stderr)
            continue
        listed.append(
            portrait_list.Listed(
                name=name, looked_at=looked_at.get(name, ()), measured=kinds
            )
        )
    config.require(bool(listed), f"No picture of {str(folder)!r} shows a face.")
    portrait_list.write(path, listed)
    for kind in portrait_list.KINDS:
        print(f"{kind}: {sum(kind in one.kinds for one in listed)}")
    return 0


if __name__ == "__main__":
    program.run(main)

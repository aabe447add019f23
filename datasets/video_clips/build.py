"""Cut clips of talking heads out of any folder of videos; run again to go on.

    python -m datasets.video_clips.build --input_dir=VIDEOS --output_dir=CLIPS \
        --size=256

makes a folder that stage one and `experiments.encode` read like the synthetic heads.
VIDEOS is searched to any depth. The first folder of a path names the person, as in
VoxCeleb2 (`idXXXXX/video/clip.mp4`, so give `.../dev/mp4`); a video in no folder is a
person of its own. `--identities=file` makes every video a person of its own. A person
lies in one split only, drawn by a hash of the name: sets of few persons need a larger
`--held_out_share`. Whatever makes no clip is named in CLIPS/skipped.txt.

A published set is cut by its own lists:

    python -m datasets.video_clips.build --published_set=hdtf \
        --annotations_dir=HDTF_dataset --input_dir=VIDEOS --output_dir=CLIPS

`docs/published_sets.md` says what each set's lists are and what is made of them; what
they name and is not cut stands in CLIPS/skipped.txt, too.

Only what a video shows is in the records (`record.features`): no flow, and estimates of
gaze, lids, expression, emotion, voice and quality (`docs/labels.md`). The renderer is
tuned on such clips with motion encoders that synthetic heads have taught:

    python -m experiments.train --config=experiments/configs/face.py \
        --preset=demo_videos --workdir=runs/real --set=data_dir=CLIPS \
        --init_from=runs/face/export

The preset leaves out the losses that need more, and takes both frames of a pair from
one clip, because a person's other videos show other clothes and places. Following a
face costs most: three to seven tenths of the length of the video on one core.
"""

import functools
import sys

from absl import flags

from datasets.building import build_program, engine_flags
from datasets.published_sets import readers
from datasets.video_clips import builder
from datasets.video_clips import settings as settings_lib
from vasa_jax import errors

_DEFAULT = settings_lib.Settings()

_INPUT_DIR = flags.DEFINE_string("input_dir", None, "Folder of videos.")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder of the set.")
_PUBLISHED_SET = flags.DEFINE_string(
    "published_set",
    None,
    f"Cut what the lists of a set say: {', '.join(readers.READERS)}.",
)
_ANNOTATIONS_DIR = flags.DEFINE_string(
    "annotations_dir", None, "Folder of the lists of --published_set."
)
_SIZE = flags.DEFINE_integer("size", _DEFAULT.size, "Pixels of a side.")
_SECONDS = flags.DEFINE_float(
    "seconds", _DEFAULT.seconds, "Most of a clip; shorter ones are kept, too."
)
_IDENTITIES = flags.DEFINE_string(
    "identities", _DEFAULT.identities, "Who is who: by first `folder`, or by `file`."
)
_MIN_PIXELS = flags.DEFINE_integer(
    "min_pixels", _DEFAULT.min_pixels, "Least side of the crop in the video."
)
_MAX_OUTSIDE = flags.DEFINE_float(
    "max_outside", _DEFAULT.max_outside, "Most of the crop beyond the picture, 0 to 1."
)
_HELD_OUT_SHARE = flags.DEFINE_float(
    "held_out_share",
    _DEFAULT.held_out_share,
    "Share of persons in validation, and again in test.",
)
_L2CS_WEIGHTS = flags.DEFINE_string(
    "l2cs_weights", None, "File of L2CS-Net, which estimates the gaze (docs/labels.md)."
)
_HSEMOTION_WEIGHTS = flags.DEFINE_string(
    "hsemotion_weights", None, "ONNX file of HSEmotion, which recognises the emotion."
)
_MIN_LIP_MATCH = flags.DEFINE_float(
    "min_lip_match",
    None,
    "Leave out clips whose lips and voice belong together less surely; 0.07 refuses "
    "nine of ten that do not (docs/labels.md).",
)

LEAST_IDENTITIES = 2
"""Persons that a split needs. Follows: training's pairs, which show two."""


def main() -> None:
    """Build the set that the flags ask for."""
    read = _reader()
    outcome = builder.build(
        build_program.folder(_INPUT_DIR, "of the videos"),
        build_program.folder(_OUTPUT_DIR, "to fill"),
        settings_lib.Settings(
            size=_SIZE.value,
            seconds=_SECONDS.value,
            identities=_IDENTITIES.value,
            min_pixels=_MIN_PIXELS.value,
            max_outside=_MAX_OUTSIDE.value,
            held_out_share=_HELD_OUT_SHARE.value,
            l2cs_weights=_L2CS_WEIGHTS.value,
            hsemotion_weights=_HSEMOTION_WEIGHTS.value,
            min_lip_match=_MIN_LIP_MATCH.value,
        ),
        engine_flags.engine(),
        read,
    )
    build_program.print_outcome(outcome, _OUTPUT_DIR.value, "video", "person")
    for split in settings_lib.SPLITS[:2]:
        count = outcome.num_identities.get(split, 0)
        if count < LEAST_IDENTITIES:
            print(
                f"note: {split} has {count} persons and training needs "
                f"{LEAST_IDENTITIES}; give more videos or another --held_out_share, "
                "with another --output_dir.",
                file=sys.stderr,
            )


def _reader():
    """Return the reader of the set that is asked for; None for any folder of videos.

    Raises:
        UserError: the flags do not fit together.
    """
    if _PUBLISHED_SET.value is None:
        if _ANNOTATIONS_DIR.value is not None:
            raise errors.UserError(
                "--annotations_dir holds the lists of a published set; say which by "
                f"--published_set, one of {', '.join(readers.READERS)}."
            )
        return None
    if _IDENTITIES.present:
        raise errors.UserError(
            "--identities is for any folder of videos; leave it out, because "
            "--published_set says who is who."
        )
    annotations = None
    if _ANNOTATIONS_DIR.value is not None:
        annotations = build_program.folder(_ANNOTATIONS_DIR, "of the set's lists")
    return functools.partial(readers.by_name(_PUBLISHED_SET.value), annotations)


if __name__ == "__main__":
    build_program.run(main)

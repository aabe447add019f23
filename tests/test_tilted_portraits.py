"""Crops of turned pictures, turned back, are the crop of the upright one."""

import dataclasses
import pathlib

import numpy as np
import pytest

from experiments.tools import tilted_portraits
from vasa_jax import media
from vasa_jax.portrait import crop

PORTRAIT = pathlib.Path(__file__).parent.parent / "examples" / "portrait.png"
SIZE = 128


@pytest.mark.parametrize("degrees", [15, -30, 45])
def test_a_turned_picture_turns_back(degrees):
    image = media.read_image(PORTRAIT)
    height, width = image.shape[:2]
    box = crop.CropBox(
        center_x=width / 2 + 10, center_y=height / 2 - 5, half_size=height / 5
    )
    upright, first = tilted_portraits.turned_picture(image, box, 0)
    turned, second = tilted_portraits.turned_picture(image, box, degrees)
    middle = len(upright) / 2
    wanted = crop.CropBox(
        center_x=middle + 7, center_y=middle - 3, half_size=box.half_size
    )
    # Where a crop that does not turn with the head would be, a little larger.
    seen = crop.CropBox(center_x=middle, center_y=middle, half_size=1.5 * box.half_size)
    frames = crop.extract(turned, seen, 2 * SIZE)[None]
    side = len(upright)
    around = dataclasses.replace(
        crop.CropBox.of_whole(side, side), angle=second.angle - first.angle
    )
    back = tilted_portraits.turned_back(frames, seen, around, wanted)
    expected = crop.extract(upright, wanted, 2 * SIZE)
    error = np.square(back[0].astype(float) - expected)
    assert 10 * np.log10(255**2 / error.mean()) > 30
    apart = np.square(crop.extract(turned, wanted, 2 * SIZE) - expected.astype(float))
    assert apart.mean() > 10 * error.mean()

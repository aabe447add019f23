"""Videos of the example portrait, moved and enlarged, for what cuts clips of videos."""

import numpy as np

from vasa_jax import media
from vasa_jax.portrait import resample

HEIGHT, WIDTH = 240, 320
SPAN = 860.0
CUT_AT = 22


def view(frame, jump):
    """Return centre x, y and width, in portrait pixels, of what a frame shows."""
    x = 256 + 0.8 * frame + (jump if frame >= CUT_AT else 0)
    return x, 256 + 6 * np.sin(frame / 5), SPAN / (1 + 0.004 * frame)


def frames(portrait, count, jump=0.0):
    """Return uint8 `[count, HEIGHT, WIDTH, 3]`; after a cut the portrait jumps."""
    shown = []
    for frame in range(count):
        x, y, width = view(frame, jump)
        height = width * HEIGHT / WIDTH
        window = (x - width / 2, y - height / 2, width, height)
        shown.append(resample.sample_window(portrait, *window, HEIGHT, WIDTH))
    return np.clip(np.rint(np.stack(shown)), 0, 255).astype(np.uint8)


def write(path, shown, waveform):
    """Write a video at 25 frames a second, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with media.VideoWriter(path, *shown.shape[1:3], waveform) as writer:
        writer.write(shown)

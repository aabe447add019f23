"""What happens to videos on their way: encoding, scaling, cropping.

No flags are here, so that tests use it as well as `mark_errors`.
"""

import io

import av
import numpy as np
from PIL import Image

from vasa_jax import types


def encoded(
    frames: np.ndarray, codec: str = "libx264", **options: str | int
) -> np.ndarray:
    """Send frames uint8 `[T, H, W, 3]` through a codec and back."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as out:
        stream = out.add_stream(codec, rate=types.FRAME_RATE_HZ)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        if "bit_rate" in options:
            stream.bit_rate = options.pop("bit_rate")
        stream.options = {name: str(value) for name, value in options.items()}
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as file:
        return np.stack([f.to_ndarray(format="rgb24") for f in file.decode(video=0)])


def scaled(frames: np.ndarray, scale: float) -> np.ndarray:
    """Scale frames to an even size."""
    size = [int(side * scale) // 2 * 2 for side in frames.shape[2:0:-1]]
    pictures = (Image.fromarray(frame).resize(size, Image.BICUBIC) for frame in frames)
    return np.stack([np.asarray(picture) for picture in pictures])


def cropped(frames: np.ndarray) -> np.ndarray:
    """Cut 80 % of both sides out, at a place on no grid."""
    height, width = frames.shape[1:3]
    top, left = height * 7 // 100, width * 13 // 100
    rows, columns = (side * 4 // 5 // 2 * 2 for side in (height, width))
    cut = frames[:, top : top + rows, left : left + columns]
    return np.ascontiguousarray(cut)

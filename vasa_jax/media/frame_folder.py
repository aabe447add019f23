"""Write frames as pictures of their own, for programs that take no video."""

import contextlib
import os
import pathlib
import re
import tempfile

import numpy as np
import PIL.Image

from vasa_jax import errors
from vasa_jax.media import image

_NUMBER = re.compile(r"%(0?\d*)d")


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Return whether a path asks for pictures, such as `frames/%05d.png`."""
    name = os.path.basename(os.fspath(path))
    is_picture = name.lower().endswith(".png")
    return is_picture and len(_NUMBER.findall(name)) == 1 and name.count("%") == 1


class FrameWriter:
    """Write each frame as a PNG; as `VideoWriter`, but without sound.

    Ours: the pictures take their names only when all are there (at a clean exit of the
    `with` block); numbers begin with 1, as FFmpeg's do.
    """

    def __init__(
        self,
        pattern: str | os.PathLike[str],
        height: int,
        width: int,
        has_alpha: bool = False,
    ):
        """Remember what to write; nothing is opened before the `with` block.

        Args:
            pattern: such as `frames/%05d.png`; its folder must be there.
            height: rows of each frame.
            width: pixels a row.
            has_alpha: whether frames have an alpha channel.
        """
        self.num_frames = 0
        self._folder = pathlib.Path(pattern).parent
        self._name = pathlib.Path(pattern).name
        self._shape = height, width, 4 if has_alpha else 3

    def __enter__(self) -> "FrameWriter":
        with contextlib.ExitStack() as stack:
            try:
                partial = tempfile.TemporaryDirectory(
                    prefix=".partial_", dir=self._folder, ignore_cleanup_errors=True
                )
            except OSError as error:
                raise errors.UserError(
                    f"Cannot write into {self._folder}: {error.strerror}; make the "
                    "folder, or name another."
                ) from error
            self._partial = pathlib.Path(stack.enter_context(partial))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception) -> None:
        with self._stack:
            if exception[0] is None:
                if not self.num_frames:
                    raise ValueError("no frame was written")
                for path in sorted(self._partial.iterdir()):
                    os.replace(path, self._folder / path.name)

    def write(self, frames: np.ndarray) -> None:
        """Append frames.

        Args:
            frames: uint8 `[T, H, W, 3]`, RGB, of the size given at the start;
                `[T, H, W, 4]` with alpha.

        Raises:
            ValueError: another dtype or size.
        """
        image.check_frames(frames, *self._shape)
        for frame in frames:
            self.num_frames += 1
            path = self._partial / (self._name % self.num_frames)
            try:
                PIL.Image.fromarray(frame).save(path, compress_level=1)
            except OSError as error:
                raise errors.UserError(
                    f"Cannot write {path.name}: {error.strerror}; make room or name "
                    "another place."
                ) from error

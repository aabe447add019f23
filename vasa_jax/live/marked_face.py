"""A face whose frames carry the watermark, whoever gets them."""

from collections.abc import Iterable, Iterator

import numpy as np

from vasa_jax.live import performance
from vasa_jax.provenance import sealing


class MarkedFace:
    """Marks what another face renders; see `performance.Face`.

    Attributes:
        motion: the other's.
    """

    def __init__(self, face: performance.Face, seal: sealing.Seal | None):
        """Wrap a face at time 0.

        Args:
            face: that renders.
            seal: None marks nothing.
        """
        self.motion = face.motion
        self._face, self._mark = face, sealing.marker(seal)

    def render(self, motion: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Render motion as frames uint8 `[n, H, W, 3]`, or 4 with alpha."""
        return map(self._mark, self._face.render(motion))

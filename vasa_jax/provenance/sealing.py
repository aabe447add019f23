"""What writers of videos do so that a file tells that it is generated.

Ours: the EU's AI Act, article 50, asks for it since 2 August 2026, of open source too.
"""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable

import numpy as np

from vasa_jax.provenance import certificate as certificate_lib
from vasa_jax.provenance import manifest, watermark

WITHOUT_MANIFEST = (".webm",)
"""Ends of files that are written and that c2pa-python 0.38 cannot sign."""


@dataclasses.dataclass(frozen=True)
class Seal:
    """How a video is marked and signed.

    Attributes:
        number: that the watermark holds, 0 to 65535.
        certificate: that signs the manifest; None takes this machine's test one.
        is_voice_generated: see `manifest.Claim`.
    """

    number: int = 0
    certificate: certificate_lib.Certificate | None = None
    is_voice_generated: bool = False

    def sign(
        self,
        path: str | os.PathLike[str],
        is_composite: bool = False,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """Put the manifest into a whole file.

        Args:
            path: of the file.
            is_composite: see `manifest.Claim`.
            warn: called with a sentence where manifests cannot be written here.

        Raises:
            UserError: the certificate does not sign.
        """
        missing = None
        if pathlib.Path(path).suffix.lower() in WITHOUT_MANIFEST:
            missing = "is not held by this format; write .mp4 to have one"
        elif not manifest.is_available():
            missing = f"needs {manifest.INSTALL}"
        if missing is not None:
            warn(f"The video carries the watermark and no manifest, which {missing}.")
            return
        claim = manifest.Claim(is_composite, self.is_voice_generated)
        manifest.sign(path, claim, self.certificate or certificate_lib.of_test())


def marker(seal: Seal | None) -> Callable[[np.ndarray], np.ndarray]:
    """Return what marks the frames of one video, in their order; None marks none.

    Frames are uint8 `[n, H, W, 3]`, or `[n, H, W, 4]`, whose alpha is left alone.
    """
    if seal is None:
        return lambda frames: frames
    mark = watermark.Marker(seal.number)

    def marked(frames: np.ndarray) -> np.ndarray:
        if frames.shape[-1] == 3:
            return mark(frames)
        return np.concatenate([mark(frames[..., :3]), frames[..., 3:]], axis=-1)

    return marked


def finisher(
    seal: Seal | None, is_composite: bool, warn: Callable[[str], None]
) -> Callable[[pathlib.Path], None] | None:
    """Return what signs a file once it is whole, for `media.VideoWriter`.

    Args:
        seal: None signs nothing.
        is_composite, warn: see `Seal.sign`.
    """
    if seal is None:
        return None
    return functools.partial(seal.sign, is_composite=is_composite, warn=warn)

"""Which models animate, and the face that they make, loaded when it is first needed."""

import dataclasses
import functools
import os

from vasa_jax.animate import motion_stream, talking_face, trained
from vasa_jax.animate.controls import Controls

Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """The files of both models.

    Ours: the face is loaded once and kept, so that many videos may share it, and not
    before it is needed, so that mistakes in other files are found first.

    Attributes:
        checkpoint: folder of both models; None is the one of the package.
        audio_weights: file of the audio encoder's weights, where the checkpoint asks
            for one; None takes the one in its folder, if any.
        image_size: side of the face's frames, pixels; None is the checkpoint's.
    """

    checkpoint: Path | None = None
    audio_weights: Path | None = None
    image_size: int | None = None

    def check(self, controls: Controls) -> None:
        """Refuse controls that the models cannot follow; reads no weights.

        Raises:
            UserError: as of `motion_stream.check_controls` and
                `trained.load_motion_configs`.
        """
        configs = trained.load_motion_configs(self.checkpoint)
        motion_stream.check_controls(controls, *configs)

    def load(self) -> talking_face.TalkingFace:
        """Load what animates portraits, or return it where it was loaded before.

        Raises:
            UserError: as of `TalkingFace.from_checkpoint`.
        """
        return self._face

    @functools.cached_property
    def _face(self) -> talking_face.TalkingFace:
        return talking_face.TalkingFace.from_checkpoint(
            self.checkpoint, self.audio_weights, self.image_size
        )

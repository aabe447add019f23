"""Show one person with the expression of one record in the head pose of another.

Ours: a record holds what each of its frames was posed with, and looks follow from the
identity's seed, so that frames which no clip holds can be rendered as truth: another
pose with the same face, another face in the same pose, another person doing both.
"""

from collections.abc import Mapping

import numpy as np

from datasets.synthetic_heads.person import avatar, geometry, randomization
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import correspondence, renderer, scene

MIN_LIKENESS = 30.0
"""PSNR in dB with the record's own frame from which a person counts as rebuilt.

Ours: compression leaves 40 and more; other settings of randomisation, hardly 20.
"""


class Person:
    """The person of a record, who can be shown again.

    Args:
        record: of which `geometry` is read.
        size: of the images, pixels.
        strength: of the set's randomisation, which records do not hold.
    """

    def __init__(
        self,
        record: Mapping[str, bytes],
        size: int,
        strength: float = plan.Settings.randomization_strength,
    ):
        self._clip = correspondence.unpack_geometry(record["geometry"])
        domain = randomization.Randomization(strength=strength)
        self._avatar = avatar.build_avatar(self._clip.identity_seed, domain)
        self._scene = scene.random_scene(self._clip.identity_seed, domain)
        self._view = renderer.Renderer(size)

    def is_in(self, image: np.ndarray, frame: int) -> bool:
        """Tell whether a frame of the own record looks as it is rendered here.

        Args:
            image: uint8 `[size, size, 3]`, decoded.
            frame: its place in the record.
        """
        made = self.show(self._clip, frame, self._clip, frame)
        away = made.astype(np.float64) - image.astype(np.float64)
        return (away**2).mean() < 255.0**2 / 10 ** (MIN_LIKENESS / 10)

    def show(
        self,
        expression: correspondence.ClipGeometry,
        expression_frame: int,
        pose: correspondence.ClipGeometry,
        pose_frame: int,
    ) -> np.ndarray:
        """Render the person, uint8 `[size, size, 3]`.

        Args:
            expression, expression_frame: whose face, eyes included, and when.
            pose, pose_frame: whose head pose, before whose camera, and when.
        """
        face, head = expression.state(expression_frame), pose.state(pose_frame)
        state = geometry.FrameState(
            arkit=face.arkit,
            gaze_in_head=face.gaze_in_head,
            rotation=head.rotation,
            translation=head.translation,
        )
        return self._view.render(self._avatar, self._scene, pose.camera, state).image

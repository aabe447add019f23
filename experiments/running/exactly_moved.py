"""Photographs that are moved by the truth in place of a checkpoint's renderer."""

import numpy as np

from datasets.photo_heads.fit import fitting, photo_head
from datasets.photo_heads.records import takes
from datasets.photo_heads.rendering import rendering
from vasa_jax import types
from vasa_jax.animate import talking_face
from vasa_jax.evaluation.benchmark import driven_videos


class ExactPerformer(driven_videos.Performer):
    """A checkpoint whose motion moves the photograph itself, as `photo_heads` does.

    Ours: what no renderer can be asked to surpass, measured by the same rows. Trackers
    see less of a pucker than there is, identity networks see another person in a smile;
    both hold for these frames, too.
    """

    def drive(
        self,
        portrait: talking_face.Portrait,
        motion: np.ndarray,
        is_driven: bool = False,
    ) -> np.ndarray:
        """Move a portrait by motion `[n, M]`; uint8 `[n, size, size, 3]`."""
        head = fitting.fit(portrait.image, self.image_size)
        asked = self.requested_expression(motion)
        pose, gaze = motion[:, : types.POSE_CHANNELS].copy(), asked.gaze_in_head
        if self.is_shaped and not is_driven:
            pose[:, :3] += portrait.head_pose.rotation
            gaze = gaze + takes.rest_gaze(head.shape)
        states = takes.states_at(head, pose, asked.arkit, gaze)
        renderer = rendering.Renderer(self.image_size)
        view = photo_head.View()
        return np.stack([renderer.render(head, one, view).image for one in states])

"""A trained checkpoint drives and speaks; what it shows is read back as video."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from vasa_jax import arkit, errors, export, media, types
from vasa_jax.animate import (
    backdrop,
    driving_motion,
    motion_files,
    motion_stream,
    rendering,
    talking_face,
    trained,
)
from vasa_jax.animate.controls import Controls
from vasa_jax.encode import encoding
from vasa_jax.face import config as face_config
from vasa_jax.face import dynamics_code
from vasa_jax.motion.shaping.config import ShapingConfig
from vasa_jax.portrait import crop, locate, track
from vasa_jax.portrait import marks as portrait_marks

BATCH_FRAMES = 15
"""Frames computed at once. Ours: nobody waits for the first."""

JAW_OPEN, MOUTH_CLOSE = arkit.indices(("jawOpen", "mouthClose"))


class FacePerformer:
    """A face model, with what measuring asks of it.

    Args:
        config: of the face model.
        params: its parameters.
        shaping: whose gain overdoes motion; None renders it as it is.
    """

    def __init__(
        self,
        config: face_config.FaceConfig,
        params: Mapping[str, Any],
        shaping: ShapingConfig | None = None,
    ):
        self._config = config
        self._params = jax.device_put(params)
        self.is_shaped = shaping is not None
        self._renderer = rendering.Renderer(config, self._params, shaping, BATCH_FRAMES)

    @property
    def image_size(self) -> int:
        """Side of the frames, pixels."""
        return self._renderer.image_size

    def fit_frames(self, frames: np.ndarray) -> np.ndarray:
        """Bring square frames uint8 `[n, H, H, 3]` to the size of the model's."""
        height, width = frames.shape[1:3]
        if height == self.image_size:
            return frames
        box = crop.CropBox.of_whole(height, width)
        return np.stack([crop.extract(f, box, self.image_size) for f in frames])

    def portrait(self, image: np.ndarray, head_pose: np.ndarray):
        """Make a portrait of an image that is cut already, with its pose `[6]`."""
        image = self.fit_frames(image[None])[0]
        return talking_face.Portrait(
            image=image,
            head_pose=types.HeadPose.from_vector(np.float32(head_pose)[None]),
            box=crop.CropBox.of_whole(*image.shape[:2]),
            marks=portrait_marks.find_in_cut(image),
            scene=self._scene(image),
        )

    def locate(self, image: np.ndarray) -> talking_face.Portrait:
        """Find the face of a picture, as `TalkingFace.locate` does."""
        found = locate.locate_face(image)
        face = crop.extract(image, found.box, self.image_size)
        return talking_face.Portrait(
            image=face,
            head_pose=jax.tree.map(lambda x: np.asarray(x)[None], found.head_pose),
            box=found.box,
            marks=portrait_marks.find_marks(face, found.landmarks, found.box),
            scene=self._scene(face),
        )

    def _scene(self, image: np.ndarray) -> backdrop.Scene | None:
        """Let the portrait's own background stand, as `TalkingFace.locate` does."""
        separates_person = self._config.shortcut is not None
        return backdrop.set_scene(image, backdrop.Background(), separates_person)

    def encode(
        self, frames: np.ndarray, head_pose: np.ndarray | None = None
    ) -> np.ndarray:
        """Encode frames `[n, H, H, 3]` as motion `[n, M]`, as reenactment does.

        Args:
            frames: uint8, of any size.
            head_pose: vectors `[n, 6]`; None asks the pose encoder.
        """
        known = None if head_pose is None else np.float32(head_pose)
        motion = encoding.encode_clip_motion(
            self._config, self._params, self.fit_frames(frames), known, BATCH_FRAMES
        )
        if not self.is_shaped:
            return motion
        pose, codes = np.split(motion, [types.POSE_CHANNELS], axis=-1)
        codes = dynamics_code.as_read(self._config, self._params, codes)
        return np.concatenate([pose, codes], axis=-1)

    def drive(
        self,
        portrait: talking_face.Portrait,
        motion: np.ndarray,
        is_driven: bool = False,
    ) -> np.ndarray:
        """Render a portrait in motion `[n, M]` as uint8 `[n, size, size, 3]`.

        Args:
            portrait: who is shown.
            motion: of `Performer.speak`, or of `encode`.
            is_driven: whether it is of `encode`.
        """
        latents = self._encode(portrait, is_driven)
        return np.concatenate(list(self._renderer.render(latents, [motion])))

    def requested_expression(self, motion: np.ndarray) -> dynamics_code.Expression:
        """Return what motion `[T, M]` asks the face to show, by its own read-out."""
        codes = motion[:, types.POSE_CHANNELS :]
        found = dynamics_code.read(self._config, self._params, codes)
        return jax.tree.map(np.asarray, found)

    def requested_aperture(self, motion: np.ndarray) -> np.ndarray:
        """Return how far motion `[T, M]` opens the mouth, by its own read-out, `[T]`.

        Ours: jawOpen less mouthClose; on synthetic heads it has a correlation of 0.98
        with the gap of the lips.
        """
        arkit = self.requested_expression(motion).arkit
        return arkit[:, JAW_OPEN] - arkit[:, MOUTH_CLOSE]

    def own_motion(self, portrait: talking_face.Portrait) -> np.ndarray:
        """Return the portrait's own motion `[M]`, as `TalkingFace.own_motion` does."""
        before_nothing = dataclasses.replace(portrait, scene=None)
        return rendering.own_motion(self._encode(before_nothing))

    def _encode(self, portrait, is_driven=False):
        shown = portrait.image, portrait.head_pose, portrait.scene, portrait.marks
        return self._renderer.encode_portrait(*shown, is_driven)


class Performer(FacePerformer):
    """Both models of a checkpoint, with what measuring asks of them.

    Args:
        models: as from `trained.load`.
    """

    def __init__(self, models: trained.TrainedModels):
        super().__init__(
            models.face_config, models.face_params, models.animation.shaping
        )
        self._speech = motion_stream.SpeechModel(models)

    def edit(self, motion: np.ndarray, controls: Controls) -> np.ndarray:
        """Edit motion `[T, M]` as controls ask, where none of them steers."""
        recorded = motion_files.RecordedMotion.of_motion(motion, self._speech.face.code)
        driving = driving_motion.DrivingMotion(
            parts=frozenset(driving_motion.PARTS), recorded=recorded
        )
        driver = driving_motion.Driver(driving, controls, self._speech.face)
        return np.concatenate(list(driver.whole()))

    def speak(self, waveform: np.ndarray, controls: Controls) -> np.ndarray:
        """Return the motion `[T, M]` for a voice `[S]`."""
        stream = self._speech.stream(controls)
        pieces = [*stream.push(np.float32(waveform)), *stream.finish()]
        return np.concatenate(pieces)


def load_face(
    folder: str | os.PathLike[str] | None = None,
) -> tuple[FacePerformer, dict[str, Any]]:
    """Load the face model of an export, whether or not it holds a denoiser too.

    Args:
        folder: the export; None is the checkpoint that comes with the package.

    Returns:
        The face model, and what the export says of itself.

    Raises:
        UserError: missing, damaged, of another version, or without a face model.
    """
    folder = trained.SHIPPED_FOLDER if folder is None else folder
    params, configs, metadata = export.load_export(folder)
    sizes, face_params = encoding.take_face(params, configs, os.fspath(folder))
    shaping = trained.read_shaping(configs)
    return FacePerformer(sizes, face_params, shaping), metadata


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """What can be measured in a video.

    Attributes:
        frames: uint8 `[T, H, W, 3]`, encoded as a video and decoded again.
        face: its track, poses in image units of the frame; None where no frame shows
            a face.
        share: of the frames that show a face.
    """

    frames: np.ndarray
    face: track.FaceTrack | None
    share: float

    @property
    def rotation(self) -> np.ndarray:
        """Yaw, pitch and roll of the frames, `[T, 3]`; zeros without a face."""
        return self._curve("head_pose", 6)[:, :3]

    @property
    def mouth_aperture(self) -> np.ndarray:
        """How far the mouth is open in the frames, `[T]`; zeros without a face."""
        return self._curve("mouth_aperture")

    def _curve(self, name: str, *channels: int) -> np.ndarray:
        if self.face is None:
            return np.zeros((len(self.frames), *channels), np.float32)
        return getattr(self.face, name)


def encode_and_track(frames: np.ndarray) -> Seen:
    """Encode frames as a video, decode it, and follow the face in it.

    Ours: what is measured is what a viewer gets, compressed.

    Args:
        frames: uint8 `[T, H, W, 3]`.
    """
    return track_face(media.decode_video(media.encode_video(frames)))


def track_face(frames: np.ndarray) -> Seen:
    """Follow the face in frames as they are."""
    box = crop.CropBox.of_whole(*frames.shape[1:3])
    try:
        face = track.track_face(frames, box)
    except errors.UserError:
        return Seen(frames=frames, face=None, share=0.0)
    return Seen(frames=frames, face=face, share=float(face.present.mean()))

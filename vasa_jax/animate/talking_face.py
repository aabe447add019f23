"""A portrait that talks: by a voice, by a voice as it comes, or by another's video."""

import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator

import jax
import numpy as np

from vasa_jax import types
from vasa_jax.animate import (
    backdrop,
    driving_video,
    frame_rate,
    input_checks,
    motion_edits,
    motion_files,
    motion_stream,
    rendering,
    trained,
)
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError
from vasa_jax.portrait import crop, locate
from vasa_jax.portrait import marks as portrait_marks

PUSH_SAMPLES = types.SAMPLE_RATE_HZ
"""Samples encoded at once. Ours: so that frames come before the whole voice is read."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Portrait:
    """A face that was found in a picture and cut out by the one crop definition.

    Attributes:
        image: uint8 `[size, size, 3]`.
        head_pose: fitted to landmarks, leading shape `[1]`.
        box: where it was cut.
        marks: what lets eyes and the inside of the mouth be drawn; None leaves them to
            the decoder.
        scene: what stands behind the person; None leaves the background to the model.
        warning: one sentence, such as that there were several faces, or None.
    """

    image: np.ndarray
    head_pose: types.HeadPose
    box: crop.CropBox
    marks: types.Marks | None = None
    scene: backdrop.Scene | None = None
    warning: str | None = None


class TalkingFace:
    """Both trained models, ready to animate portraits.

    Paper: VASA-1 section 3: a portrait's appearance and identity, motion by diffusion
    from the voice, frames by the decoder.
    """

    def __init__(
        self,
        models: trained.TrainedModels,
        batch_frames: int = rendering.BATCH_FRAMES,
    ):
        """Prepare; nothing is computed yet.

        Args:
            models: as from `trained.load`.
            batch_frames: frames decoded at once.
        """
        self._renderer = rendering.Renderer(
            models.face_config,
            models.face_params,
            models.animation.shaping,
            batch_frames,
        )
        self._speech = motion_stream.SpeechModel(models)
        self._separates_person = models.face_config.shortcut is not None

    @classmethod
    def from_checkpoint(
        cls,
        folder: str | os.PathLike[str] | None = None,
        audio_weights: str | os.PathLike[str] | None = None,
        image_size: int | None = None,
    ) -> "TalkingFace":
        """Load a checkpoint; None is the one that comes with the package.

        Args:
            folder: the checkpoint.
            audio_weights, image_size: as of `trained.load`.

        Raises:
            UserError: missing, damaged, of another version, without the weights that
                its audio encoder needs, or not made for frames of this size.
        """
        return cls(trained.load(folder, audio_weights, image_size))

    @property
    def image_size(self) -> int:
        """Side of the frames, pixels."""
        return self._renderer.image_size

    @property
    def editor(self) -> motion_edits.FaceEditor:
        """What reads, writes and changes facial dynamics as expression."""
        return self._speech.face

    def locate(
        self, image: np.ndarray, background: backdrop.Background | None = None
    ) -> Portrait:
        """Find the largest face of a picture and cut it out.

        The crop of a head that leans turns with it (`box.angle`), and so do its frames.

        Args:
            image: uint8 `[H, W, 3]`, any size.
            background: what is to stand behind the person; None is the picture's own.

        Returns:
            The portrait, with a warning where there were several faces.

        Raises:
            UserError: no face is found, or it leans by more than 50 degrees; or another
                background is asked for than the picture's own, and the person cannot be
                separated from it.
        """
        background = background or backdrop.Background()
        found = locate.locate_face(input_checks.check_image(image), counts_small=True)
        found = locate.turn_crop(found)
        face = crop.extract(image, found.box, self.image_size)
        around = backdrop.around(image, found.box, self.image_size)
        return Portrait(
            image=face,
            head_pose=jax.tree.map(lambda x: np.asarray(x)[None], found.head_pose),
            box=found.box,
            marks=portrait_marks.find_marks(face, found.landmarks, found.box),
            scene=backdrop.set_scene(face, background, self._separates_person, around),
            warning=found.warning,
        )

    def animate(
        self,
        image: np.ndarray | Portrait,
        waveform: np.ndarray,
        controls: Controls | None = None,
        frame_rate_hz: int = types.FRAME_RATE_HZ,
    ) -> Iterator[np.ndarray]:
        """Let a portrait say what a voice says.

        Memory does not grow with the length of the voice. The same seed gives the same
        frames on a machine.

        Args:
            image: uint8 `[H, W, 3]` with a face, or what `locate` gave.
            waveform: float `[S]`, 16 kHz, full scale at 1.
            controls: what is asked of the performance; None is the paper's defaults.
            frame_rate_hz: frames a second, 24 to 60; other than 25 by `frame_rate`.

        Returns:
            An iterator of frames uint8 `[n, size, size, 3]`; at 25 a second S // 640 in
            all.

        Raises:
            UserError: no face, no sound, a frame rate out of range, or controls that
                the checkpoint cannot follow.
        """
        waveform = input_checks.check_samples(waveform)
        if len(waveform) < types.SAMPLES_PER_FRAME:
            raise UserError(
                f"The waveform has {len(waveform)} samples at 16 kHz; give at least "
                f"{types.SAMPLES_PER_FRAME}, one frame."
            )
        return self.animate_pieces(image, [waveform], controls, frame_rate_hz)

    def animate_pieces(
        self,
        image: np.ndarray | Portrait,
        waveform: Iterable[np.ndarray],
        controls: Controls | None = None,
        frame_rate_hz: int = types.FRAME_RATE_HZ,
    ) -> Iterator[np.ndarray]:
        """Let a portrait say what a voice says that is read piece by piece.

        Args:
            image: uint8 `[H, W, 3]` with a face, or what `locate` gave.
            waveform: pieces float `[S]` of any length, 16 kHz, full scale at 1; each is
                taken when its frames are asked for.
            controls, frame_rate_hz: as in `animate`.

        Returns:
            The frames that `animate` gives for the whole, exactly.

        Raises:
            UserError: as of `animate`.
        """
        return self.render(image, self.speak(waveform, controls), frame_rate_hz)

    def speak(
        self, waveform: Iterable[np.ndarray], controls: Controls | None = None
    ) -> Iterator[np.ndarray]:
        """Make motion for a voice that is read piece by piece, without rendering it.

        Args:
            waveform, controls: as of `animate_pieces`.

        Returns:
            An iterator of motion float32 `[n, M]`, 25 frames a second: head pose
            vector, then facial dynamics.

        Raises:
            UserError: controls that the checkpoint cannot follow.
        """
        stream = self._speech.stream(controls or Controls())

        def pieces():
            for piece in waveform:
                for start in range(0, len(piece), PUSH_SAMPLES):
                    yield from stream.push(piece[start : start + PUSH_SAMPLES])
            yield from stream.finish()

        return pieces()

    def render(
        self,
        image: np.ndarray | Portrait,
        motion: Iterable[np.ndarray],
        frame_rate_hz: int = types.FRAME_RATE_HZ,
        is_driven: bool = False,
        turns_about: str | None = None,
    ) -> Iterator[np.ndarray]:
        """Show a portrait in motion that is there already.

        Args:
            image: uint8 `[H, W, 3]` with a face, or what `locate` gave.
            motion: pieces float32 `[n, M]`, 25 frames a second, such as `speak` gives.
            frame_rate_hz: as of `animate`.
            is_driven: whether the motion is of `encode_motion`.
            turns_about: what it turns the head about, of `motion_files`; None is the
                portrait's own turn for a voice's motion with shaping, else the camera.

        Returns:
            An iterator of frames uint8 `[n, size, size, 3]`, or `[n, size, size, 4]`
            with alpha where the portrait's background is transparent.

        Raises:
            UserError: no face, or a frame rate out of range.
        """
        frame_rate.check(frame_rate_hz)
        latents = self._encode(image, is_driven, turns_about)
        motion = frame_rate.resample(motion, frame_rate_hz)
        return self._renderer.render(latents, motion)

    @property
    def turns_about(self) -> str:
        """What a voice's motion turns heads about, of `motion_files`; see `render`."""
        is_shaped = self._renderer.is_shaped
        return motion_files.PORTRAIT if is_shaped else motion_files.CAMERA

    def own_motion(self, image: np.ndarray | Portrait) -> np.ndarray:
        """Return what a portrait itself shows: motion float32 `[M]`.

        Args:
            image: uint8 `[H, W, 3]` with a face, or what `locate` gave.

        Raises:
            UserError: no face.
        """
        return rendering.own_motion(self._encode(image))

    def stream(
        self, image: np.ndarray | Portrait, controls: Controls | None = None
    ) -> "TalkingStream":
        """Let a portrait say what a voice is still saying; see `TalkingStream`.

        Args:
            image: uint8 `[H, W, 3]` with a face, or what `locate` gave.
            controls: as in `animate`.

        Raises:
            UserError: no face, or controls that the checkpoint cannot follow.
        """
        motion = self._speech.stream(controls or Controls())
        return TalkingStream(self._renderer, self._encode(image), motion)

    def reenact(
        self,
        image: np.ndarray | Portrait,
        frames: Iterable[np.ndarray],
        turns_about: str = motion_files.PORTRAIT,
    ) -> Iterator[np.ndarray]:
        """Let a video of someone drive a portrait.

        Paper: VASA-1 section 3.1: motion is encoded apart from identity, so that one
        person's drives another's face. Ours: the driver's crop is that of the first
        face throughout, so that the head moves in it; and the portrait's head moves
        about its own pose as the driver's does about its mean, of the whole video.

        Args:
            image: uint8 `[H, W, 3]` with a face, or what `locate` gave.
            frames: uint8 `[H, W, 3]` each, of one size, with a face in the first 20 s.
            turns_about: of `motion_files`; `CAMERA` takes the driver's poses as they
                are, and each frame as it comes.

        Returns:
            An iterator of frames uint8 `[n, size, size, 3]`, one for each given.

        Raises:
            UserError: no face in the portrait or at the beginning of the frames, or no
                frame; or, with `CAMERA` while iterating, the frames' size changes.
        """
        motion = self.encode_motion(frames)
        if turns_about == motion_files.PORTRAIT:
            whole, code = np.concatenate(list(motion)), self.editor.code
            recorded = motion_files.RecordedMotion.of_motion(whole, code)
            motion = [recorded.about_mean().motion]
        return self.render(image, motion, is_driven=True, turns_about=turns_about)

    def encode_motion(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Read the motion of a video of someone.

        Args:
            frames: as of `reenact`.

        Returns:
            An iterator of motion float32 `[n, M]`, as many frames as were given.

        Raises:
            UserError: as of `reenact`.
        """
        checked = map(input_checks.check_image, frames)
        driver = driving_video.cut_faces(checked, self.image_size)

        def pieces():
            while batch := list(itertools.islice(driver, self._renderer.batch_frames)):
                yield self._renderer.encode_motion(np.stack(batch))

        return pieces()

    def _encode(self, image, is_driven=False, turns_about=None):
        portrait = image if isinstance(image, Portrait) else self.locate(image)
        shown = portrait.image, portrait.head_pose, portrait.scene, portrait.marks
        about_own = turns_about and turns_about == motion_files.PORTRAIT
        return self._renderer.encode_portrait(*shown, is_driven, about_own)


class TalkingStream:
    """Frames of a talking face while the voice still comes.

    The frames are those that `TalkingFace.animate` gives for the whole, exactly; they
    are ready when the samples of their window have come, or of the shorter step that
    the controls ask for.

    Attributes:
        motion: the stream of motion behind it, whose controls may change on the way.
    """

    def __init__(
        self,
        renderer: rendering.Renderer,
        latents: types.FaceLatents,
        motion: motion_stream.MotionStream,
    ):
        """Begin at time 0; use `TalkingFace.stream`."""
        self._renderer = renderer
        self._latents = latents
        self.motion = motion

    def push(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Take samples, any number, and render the frames that became ready.

        Args:
            samples: float `[S]`, 16 kHz, full scale at 1.

        Returns:
            An iterator of frames uint8 `[n, size, size, 3]`, maybe empty; read it to
            its end before the next push.
        """
        return self.render(self.motion.push(input_checks.check_samples(samples)))

    def finish(self) -> Iterator[np.ndarray]:
        """End the voice and render what is missing, S // 640 frames over all calls."""
        return self.render(self.motion.finish())

    def render(self, motion: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Render motion of one's own choice.

        Ours: a live page that is short of time leaves frames out, and leads the motion
        back to silence where it is interrupted.

        Args:
            motion: pieces float32 `[n, M]`, such as `motion.push` gives.

        Returns:
            An iterator of frames uint8 `[n, size, size, 3]`.
        """
        return self._renderer.render(self._latents, motion)

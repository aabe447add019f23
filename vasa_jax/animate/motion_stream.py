"""Motion out of a voice, a window at a time, as the samples come."""

import copy
import dataclasses
from collections.abc import Collection, Iterator

import jax
import numpy as np

from vasa_jax import arkit, kept_programs, types
from vasa_jax import config as config_lib
from vasa_jax.animate import blinks, curves, motion_edits, trained
from vasa_jax.animate.controls import Controls
from vasa_jax.audio import streaming
from vasa_jax.motion import config as motion_config
from vasa_jax.motion import controls as motion_controls
from vasa_jax.motion import model as motion_model
from vasa_jax.motion import sampler
from vasa_jax.motion.shaping import homing, liveliness, starting_noise

CURVE_STEP_FRAMES = 25
"""Frames of a step where a curve steers windows and no step is asked for. Ours: a
second, within which a main gaze or an emotion hardly changes."""

kept_programs.register(motion_model.MotionCarry, homing.WindowMeans)


def check_controls(
    controls: Controls,
    config: motion_config.MotionConfig,
    animation: trained.AnimationConfig,
) -> None:
    """Refuse what a checkpoint cannot do; `SpeechModel.stream` would refuse it later.

    Args:
        controls: what is asked of a performance.
        config: of the denoiser, whose weights need not be read yet.
        animation: how the checkpoint is used.

    Raises:
        UserError: more steps than the model has, a stream's step that training did not
            meet, or another liveliness of a checkpoint that does not shape motion.
    """
    num_steps = controls.num_steps
    if num_steps is None:
        num_steps = animation.sampling.num_steps
    sampler.check_num_steps(config.num_diffusion_steps, num_steps)
    config_lib.require(
        animation.shaping is not None or controls.liveliness == 1.0,
        f"liveliness is {_named(controls.liveliness)}, and this checkpoint animates as "
        "the paper does, without that condition; leave it out.",
    )
    _step_frames(controls, config)


class SpeechModel:
    """The audio encoder and the motion denoiser, with their parameters."""

    def __init__(self, models: trained.TrainedModels):
        """Put the parameters on the device.

        Args:
            models: as from `trained.load`.

        Raises:
            UserError: the audio encoder's weights are missing or not the right ones.
        """
        self.config = models.motion_config
        self.animation = models.animation
        self.encoder = models.audio_encoder()
        self.audio_variables = self.encoder.load_variables()
        self.params = jax.device_put(models.motion_params)
        self.statistics = jax.device_put(models.statistics)
        self.voice_relation = models.statistics.voice
        self.noise_mixing = _noise_mixing(models)
        self.face = motion_edits.FaceEditor(models.face_config, models.face_params)

    def check(self, controls: Controls) -> None:
        """Refuse what the checkpoint cannot do.

        Raises:
            UserError: as of `check_controls`, or the face is to be edited and the face
                model's map from expression was never trained.
        """
        check_controls(controls, self.config, self.animation)
        if controls.edits_face:
            self.face.require_map()

    def window_config(self, num_steps: int | None = None) -> motion_model.WindowConfig:
        """Return how windows are made.

        Args:
            num_steps: of the sampler; None is the checkpoint's.
        """
        sampling = self.animation.sampling
        if num_steps is not None:
            sampling = dataclasses.replace(sampling, num_steps=num_steps)
        return motion_model.WindowConfig(
            denoiser=self.config, sampling=sampling, shaping=self.animation.shaping
        )

    def stream(self, controls: Controls) -> "MotionStream":
        """Begin a performance.

        Args:
            controls: what is asked of it.

        Returns:
            A stream at time 0.

        Raises:
            UserError: as of `check`.
        """
        return MotionStream(self, controls)


def _noise_mixing(models: trained.TrainedModels) -> jax.Array | None:
    """Return how shaping mixes the sampler's noise, `[M, M]`; None without."""
    shaping = models.animation.shaping
    if shaping is None:
        return None
    readout = models.face_params["dynamics_heads"]["linear"]["kernel"]
    mixing = starting_noise.mixing(
        readout,
        models.statistics.motion.deviation,
        lip_noise=shaping.lip_noise,
        blink_noise=shaping.blink_noise,
        chance_columns=range(arkit.NUM_UNITS, readout.shape[1]),
    )
    return jax.device_put(mixing)


class MotionStream:
    """Motion of one performance, from samples pushed in pieces of any length.

    Paper: VASA-1 section 3.2: windows that continue one another. Ours: a whole voice is
    pushed through the same stream, so that both give the same motion, exactly.
    """

    def __init__(self, speech: SpeechModel, controls: Controls):
        """Begin at time 0.

        Args:
            speech: encoder and denoiser.
            controls: what is asked of the performance.

        Raises:
            UserError: as of `SpeechModel.check`.
        """
        speech.check(controls)
        windows = speech.window_config(controls.num_steps)
        self._next_window = kept_programs.kept(motion_model.next_window, config=windows)
        self._step_frames = _step_frames(controls, speech.config)
        self._speech = speech
        self._controls = controls
        self._num_frames = 0  # Of the windows so far.
        self._controls_start = 0  # The frame from which on curves count.
        self._blink_clock = blinks.BlinkClock(controls.seed)
        # Another set of guided conditions is another program.
        self._guided = _guided(controls)
        self._key = jax.random.key(controls.seed)
        self._carry = motion_model.start_carry(windows)
        self._liveliness = None
        # A curve begins anywhere, and then counts over 1.
        first = controls.liveliness
        self._first_liveliness = 1.0 if isinstance(first, curves.Curve) else first
        if windows.shaping is not None:
            self._liveliness = liveliness.VoiceLiveliness(
                speech.voice_relation,
                speech.config.window_frames,
                windows.shaping.liveliness * self._first_liveliness,
            )
        self._features = streaming.StreamingFeatures(
            speech.encoder, speech.audio_variables
        )
        self._pending = np.zeros((0, speech.encoder.num_channels), np.float32)

    def push(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Take samples, and generate the windows that became complete.

        Args:
            samples: float `[S]`, any length.

        Returns:
            An iterator of motion float32 `[n, M]`, n = W or the step that was asked
            for: head pose vector, then facial dynamics; what is not read comes with
            the next push.
        """
        self._take(self._features.push(samples))
        return self._windows()

    def finish(self) -> Iterator[np.ndarray]:
        """End the voice, and generate what is missing.

        Returns:
            An iterator of motion float32 `[n, M]`, the last piece cut to the voice's
            length: S // 640 frames over all calls.
        """
        self._take(self._features.finish())
        return self._windows(is_last=True)

    def check(self, controls: Controls) -> None:
        """Refuse what `set_controls` would refuse.

        Raises:
            UserError: as of `SpeechModel.check`.
        """
        self._speech.check(self._kept_beginning(controls))

    def set_controls(self, controls: Controls) -> None:
        """Ask for something else from the next window on.

        Args:
            controls: whose seed, number of steps and step are left aside: a stream
                keeps those it began with. Curves count from the next window on.

        Raises:
            UserError: as of `SpeechModel.check`.
        """
        controls = self._kept_beginning(controls)
        self._speech.check(controls)
        self._controls = controls
        self._controls_start = self._num_frames
        self._guided = tuple(dict.fromkeys(self._guided + _guided(controls)))

    def _kept_beginning(self, controls: Controls) -> Controls:
        """Return controls with what a stream keeps as it began."""
        began = self._controls
        return dataclasses.replace(
            controls,
            seed=began.seed,
            num_steps=began.num_steps,
            step_frames=began.step_frames,
        )

    def copy(self) -> "MotionStream":
        """Return a stream that goes on from here by itself, to which one can return.

        Ours: nothing that a stream holds is changed in place, so this costs nothing.
        """
        other = copy.copy(self)
        other._features = copy.copy(self._features)
        other._liveliness = copy.copy(self._liveliness)
        return other

    def unhear(self, num_samples: int) -> None:
        """Take the latest samples for silence in all that is still to be generated.

        Ours: who interrupts a voice wants the lips to rest, though what comes next has
        been heard already.

        Args:
            num_samples: how many of those that were pushed.
        """
        self._features.unhear(num_samples)

    def _take(self, features: np.ndarray) -> None:
        self._pending = np.concatenate([self._pending, features])

    def _windows(self, is_last: bool = False) -> Iterator[np.ndarray]:
        step_frames = self._step_frames
        least = 1 if is_last else step_frames
        while len(self._pending) >= least:
            features = self._pending[:step_frames]
            self._pending = self._pending[step_frames:]
            yield self._window(features)

    def _window(self, features: np.ndarray) -> np.ndarray:
        speech = self._speech
        seconds = self._next_seconds()
        controls = to_motion_controls(self._controls, seconds, self._guided)
        if self._liveliness is not None:
            asked = curves.mean_over(self._controls.liveliness, seconds)
            more = np.float32(np.log(asked / self._first_liveliness))
            lively = self._liveliness.next(features) + more
            controls = controls.replace(liveliness=lively)
        self._carry, motion = self._next_window(
            speech.params,
            speech.statistics,
            self._carry,
            motion_model.pad_window(features[None], self._step_frames),
            controls,
            self._key,
            np.int32(len(features)),
            speech.noise_mixing,
        )
        motion, self._blink_clock = motion_edits.edit(
            np.asarray(motion)[0],
            self._controls,
            seconds,
            self._rest_pose(seconds),
            self._blink_clock,
            speech.face,
        )
        return motion[: len(features)]

    def _next_seconds(self) -> np.ndarray:
        """Return the middle of each frame of the next window since the controls."""
        start = self._num_frames - self._controls_start
        self._num_frames += self._step_frames
        frames = np.arange(start, start + self._step_frames)
        return (frames + 0.5) / types.FRAME_RATE_HZ

    def _rest_pose(self, seconds: np.ndarray) -> np.ndarray:
        """Return the pose about which the head's movement is scaled, `[n, 6]`.

        Ours: a head that faces ahead, which where motion is shaped is the portrait's
        own turn, at the distance asked for.
        """
        rest = np.zeros((len(seconds), types.POSE_CHANNELS), np.float32)
        distance = curves.values_at(self._controls.head_distance, seconds)
        rest[:, -1] = 1.0 / distance
        return rest


def _step_frames(controls: Controls, config: motion_config.MotionConfig) -> int:
    """Return how many frames a window contributes, K to W."""
    step_frames = controls.step_frames
    if step_frames is None and controls.has_steering_curve:
        least, most = config.previous_frames, config.window_frames
        return min(max(least, CURVE_STEP_FRAMES), most)
    if step_frames is None:
        return config.window_frames
    config_lib.require(
        config.previous_frames <= step_frames <= config.window_frames,
        f"step_frames is {step_frames}; give {config.previous_frames} to "
        f"{config.window_frames}, the steps that this checkpoint was trained for.",
    )
    return step_frames


def to_motion_controls(
    controls: Controls, seconds: np.ndarray, guided: Collection[str]
) -> motion_controls.MotionControls:
    """Return what is asked of a window, in the denoiser's units.

    Ours: shaping adds liveliness.

    Args:
        controls: what is asked of the performance.
        seconds: `[n]` of the window's frames since then.
        guided: the conditions that are guided, with a scale of 0 or more.
    """
    scales = _guidance_scales(controls)
    emotion = controls.emotion_vector(seconds) if controls.emotion else None
    return motion_controls.MotionControls(
        gaze=controls.gaze_vector(seconds),
        head_distance=controls.distance_vector(seconds),
        emotion=emotion,
        guidance={
            name: np.float32(curves.mean_over(scales[name], seconds)) for name in guided
        },
    )


def _guided(controls: Controls) -> tuple[str, ...]:
    """Return the conditions that are guided. Ours: guidance of zero costs nothing."""
    return tuple(name for name, scale in _guidance_scales(controls).items() if scale)


def _guidance_scales(controls: Controls) -> dict[str, curves.Control]:
    return {"audio": controls.audio_guidance, "gaze": controls.gaze_guidance}


def _named(control: curves.Control) -> str:
    return "a curve" if isinstance(control, curves.Curve) else f"{control:g}"

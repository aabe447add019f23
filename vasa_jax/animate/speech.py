"""Motion out of a voice, a window at a time, as the samples come."""

import dataclasses
from collections.abc import Iterator

import jax
import numpy as np

from vasa_jax import arkit, kept_programs, types
from vasa_jax import config as config_lib
from vasa_jax.animate import trained
from vasa_jax.animate.controls import Controls
from vasa_jax.audio import mel, streaming
from vasa_jax.motion import config as motion_config
from vasa_jax.motion import model as motion_model
from vasa_jax.motion import sampler
from vasa_jax.motion.shaping import liveliness, starting_noise

kept_programs.register(motion_model.MotionCarry)


def check_controls(controls: Controls, config: motion_config.MotionConfig) -> None:
    """Refuse what a denoiser cannot do; `SpeechModel.stream` would refuse it later.

    Args:
        controls: what is asked of a performance.
        config: of the denoiser, whose weights need not be read yet.

    Raises:
        UserError: more steps than the model has, or a stream's step that its windows
            cannot take.
    """
    if controls.num_steps is not None:
        sampler.make_schedule(config.num_diffusion_steps, controls.num_steps)
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
        self.sampling = models.animation.sampling
        self.encoder = models.audio_encoder()
        self.audio_variables = self.encoder.load_variables()
        self.params = jax.device_put(models.motion_params)
        self.statistics = jax.device_put(models.statistics)
        self.voice_relation = models.statistics.voice
        readout = models.face_params["dynamics_heads"]["linear"]["kernel"]
        self.noise_mixing = jax.device_put(
            starting_noise.mixing(
                readout,
                models.statistics.motion.deviation,
                lip_noise=self.sampling.lip_noise,
                blink_noise=self.sampling.blink_noise,
                chance_columns=range(arkit.NUM_UNITS, readout.shape[1]),
            )
        )

    def stream(self, controls: Controls) -> "MotionStream":
        """Begin a performance.

        Args:
            controls: what is asked of it.

        Returns:
            A stream at time 0.

        Raises:
            UserError: more steps than the model has.
        """
        return MotionStream(self, controls)


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
            UserError: more steps than the model has, or a stream's step that its
                windows cannot take.
        """
        sampling = speech.sampling
        if controls.num_steps is not None:
            sampling = dataclasses.replace(sampling, num_steps=controls.num_steps)
        sampler.make_schedule(speech.config.num_diffusion_steps, sampling.num_steps)
        self._sampling = sampling
        self._step_frames = _step_frames(controls, speech.config)
        self._speech = speech
        self._controls = controls
        self._motion_controls = _motion_controls(controls)
        self._key = jax.random.key(controls.seed)
        self._carry = motion_model.start_carry(speech.config)
        self._features = streaming.StreamingFeatures(
            speech.encoder, speech.audio_variables
        )
        self._pending = np.zeros((0, speech.encoder.num_channels), np.float32)
        self._heard, self._loudest = np.zeros(0, np.float32), -np.inf

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

    def _take(self, features: np.ndarray) -> None:
        self._pending = np.concatenate([self._pending, features])

    def _windows(self, is_last: bool = False) -> Iterator[np.ndarray]:
        step_frames = self._step_frames
        least = 1 if is_last else step_frames
        while len(self._pending) >= least:
            heard = self._pending[:step_frames]
            self._pending = self._pending[step_frames:]
            yield self._window(heard)

    def _window(self, features: np.ndarray) -> np.ndarray:
        speech = self._speech
        window_frames = speech.config.window_frames
        next_window = kept_programs.kept(
            motion_model.next_window, config=speech.config, sampling=self._sampling
        )
        self._carry, motion = next_window(
            speech.params,
            speech.statistics,
            self._carry,
            motion_model.pad_window(features[None], window_frames),
            self._motion_controls.replace(liveliness=self._liveliness(features)),
            self._key,
            np.int32(self._step_frames),
            speech.noise_mixing,
        )
        return self._scale_pose(np.asarray(motion)[0, : len(features)])

    def _liveliness(self, features: np.ndarray) -> np.ndarray:
        """Return how lively the head shall be in a window, `[1, 1]`.

        Ours: it is told by the last W frames heard, so that steps shorter than a window
        do not start and stop the head with every word.
        """
        heard = np.append(self._heard, features[:, mel.OWN_LOUDNESS])
        self._loudest = max(self._loudest, float(heard.max()))
        self._heard = heard[-self._speech.config.window_frames :]
        share = liveliness.spoken_share(self._heard, self._loudest)
        usual = self._speech.voice_relation.expect(share)
        asked = self._sampling.liveliness * self._controls.liveliness
        return np.reshape(usual + np.float32(np.log(asked)), (1, 1))

    def _scale_pose(self, motion: np.ndarray) -> np.ndarray:
        """Scale the head's movement about its rest.

        Ours: the rest is the mean pose of the training heads at the distance asked for;
        about the portrait's own pose, a turned portrait would turn away further.
        """
        scale = np.float32(self._controls.pose_scale)
        if scale == 1:
            return motion
        rest = np.array(self._speech.statistics.motion.mean)[: types.POSE_CHANNELS]
        rest[-1] = 1.0 / self._controls.head_distance
        pose, facial_dynamics = np.split(motion, [types.POSE_CHANNELS], axis=-1)
        pose = rest + scale * (pose - rest)
        return np.concatenate([pose, facial_dynamics], axis=-1)


def _step_frames(controls: Controls, config: motion_config.MotionConfig) -> int:
    """Return how many frames a window contributes, K to W."""
    step_frames = controls.step_frames
    if step_frames is None:
        return config.window_frames
    config_lib.require(
        config.previous_frames <= step_frames <= config.window_frames,
        f"step_frames is {step_frames}; give {config.previous_frames} to "
        f"{config.window_frames}, which is what this checkpoint's windows can do.",
    )
    return step_frames


def _motion_controls(controls: Controls) -> motion_model.MotionControls:
    """Hand on what is asked for; guidance of zero costs nothing."""
    guidance = {
        "audio": controls.audio_guidance,
        "gaze": controls.gaze_guidance,
    }
    return motion_model.MotionControls(
        gaze=controls.gaze_vector(),
        head_distance=controls.distance_vector(),
        emotion=controls.emotion_vector() if controls.emotion else None,
        guidance={name: np.float32(scale) for name, scale in guidance.items() if scale},
    )

"""Encode clips for stage two: motion by the face model, features of the voice."""

import collections
import dataclasses
import functools
import hashlib
import os
from collections.abc import Mapping
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax import config as config_lib
from vasa_jax import types
from vasa_jax.animate import rendering
from vasa_jax.audio import encoders, weights_file
from vasa_jax.data import clips, records
from vasa_jax.encode import clip_conditions
from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.face import dynamics_code
from vasa_jax.face import model as face_model

SETTINGS_NAME = "encoded.json"
"""File that says what encoded a folder."""

BATCH_FRAMES = 75
"""Frames encoded at once. Ours: a clip of three seconds is one batch."""

KEPT_FIELDS = ("arkit", "mouth_opening")
"""Truth of every frame that goes along where a record has it. Ours: for evaluation."""

KEPT_TEXTS = ("clip_id", "identity", "performance", "voice")
"""Names that go along where a record has them. Ours."""

KEPT_FEATURES = 16
"""Voices whose features are kept. Ours: takes that share a voice lie near each other
in a set, and features of speech cost more than those of frames."""


class ClipEncoder:
    """Encode clip after clip with one face model and one audio encoder.

    Paper: VASA-1 section 3.2: motion is the sequence of z_pose and z_dyn of a clip,
    its conditions are audio features, main gaze, head distance and emotion.

    Args:
        config: of the face model.
        params: its parameters.
        encoder: of the voice.
        batch_frames: frames encoded at once.
    """

    def __init__(
        self,
        config: face_config.FaceConfig,
        params: Mapping[str, Any],
        encoder: encoders.AudioEncoder,
        batch_frames: int = BATCH_FRAMES,
    ):
        self._config = config
        self._params = jax.device_put(params)
        self._batch_frames = batch_frames
        self._encoder = encoder
        self._audio_variables = encoder.load_variables()
        self._known: collections.OrderedDict[bytes, np.ndarray] = (
            collections.OrderedDict()
        )

    def encode(
        self, record: records.Record, frames: np.ndarray, split: str
    ) -> dict[str, Any]:
        """Encode one clip.

        The face is cut out by the record's own head pose where there is one (truth, or
        a fit to landmarks), and that pose is the motion's; else the pose encoder tells.

        Args:
            record: `audio` int16 or float `[S]` at 16 kHz; where known `main_gaze`
                `[2]` or `gaze` `[T, 2]`, radians, camera frame, `head_pose`
                `[T, 6]`, `emotion` (index, with `emotion_strength`, or a score for each
                class `[8]`), and what `KEPT_FIELDS` and `KEPT_TEXTS` name.
            frames: uint8 `[T, H, W, 3]`, its decoded video.
            split: its split.

        Returns:
            The encoded record: float32 `motion` `[T, M]`, `gaze` `[2]`,
            `head_distance` `[1]`, `emotion` `[8]`; float16 `audio_features` `[T, A]`;
            `split`; what is kept.

        Raises:
            CorruptRecordError: fields do not fit one another.
        """
        num_frames = len(frames)
        head_pose = record.get("head_pose")
        for name in ("head_pose", "gaze", *KEPT_FIELDS):
            if name in record and len(record[name]) != num_frames:
                raise records.CorruptRecordError(
                    f"{name} has {len(record[name])} rows and the video {num_frames} "
                    "frames"
                )
        return self._with_conditions(
            record, self.encode_motion(frames, head_pose), split
        )

    def encode_known(self, record: records.Record, split: str) -> dict[str, Any]:
        """Encode a clip that has no pictures, by what it knows of the face.

        Ours: facial dynamics come from the model's own map; see `dynamics_map`.

        Args:
            record: as for `encode`, with `head_pose`, `arkit` `[T, 52]` and
                `gaze_in_head` `[T, 2]`.
            split: its split.

        Returns:
            The encoded record, as `encode` gives it.
        """
        known = dynamics_code.Expression(
            arkit=record["arkit"], gaze_in_head=record["gaze_in_head"]
        )
        facial_dynamics = dynamics_code.write(self._config, self._params, known)
        motion = np.concatenate([record["head_pose"], facial_dynamics], axis=-1)
        return self._with_conditions(record, motion.astype(np.float32), split)

    def _with_conditions(self, record, motion, split):
        """Return the encoded record of a motion `[T, M]`."""
        if not np.isfinite(motion).all():
            raise records.CorruptRecordError("the motion is not finite")
        num_frames = len(motion)
        scale = motion[:, types.POSE_CHANNELS - 1]
        encoded = {
            "motion": motion,
            "audio_features": self._features(record["audio"], num_frames),
            "gaze": clip_conditions.gaze(record),
            "head_distance": np.mean(1 / scale, keepdims=True, dtype=np.float32),
            "emotion": clip_conditions.emotion(record),
            "split": split,
        }
        kept = {
            name: np.float32(record[name]) for name in KEPT_FIELDS if name in record
        }
        texts = {name: record[name] for name in KEPT_TEXTS if name in record}
        return encoded | kept | texts

    def encode_motion(
        self, frames: np.ndarray, head_pose: np.ndarray | None
    ) -> np.ndarray:
        """Encode frames; see `encode_clip_motion`.

        Args:
            frames: uint8 `[T, H, W, 3]`.
            head_pose: vectors `[T, 6]`, or None, which the pose encoder fills.

        Returns:
            float32 `[T, M]`.
        """
        return encode_clip_motion(
            self._config, self._params, frames, head_pose, self._batch_frames
        )

    def _features(self, audio: np.ndarray, num_frames: int) -> np.ndarray:
        """Return float16 features `[T, A]` of a voice, kept if it came before."""
        waveform = to_waveform(audio, num_frames)
        name = hashlib.sha256(waveform.tobytes()).digest()
        if name not in self._known:
            features = self._encoder.features(self._audio_variables, waveform[None])
            self._known[name] = features[0].astype(np.float16)
        self._known.move_to_end(name)
        if len(self._known) > KEPT_FEATURES:
            self._known.popitem(last=False)
        return self._known[name]


def encode_clip_motion(
    config: face_config.FaceConfig,
    params: Mapping[str, Any],
    frames: np.ndarray,
    head_pose: np.ndarray | None,
    batch_frames: int,
) -> np.ndarray:
    """Encode a clip as motion, in batches of one size, the last filled by repeating.

    Ours: one compiled program encodes clips of any length.

    Args:
        config: of the face model.
        params: its parameters.
        frames: uint8 `[T, H, W, 3]`.
        head_pose: vectors `[T, 6]`, or None, which the pose encoder fills.
        batch_frames: frames encoded at once.

    Returns:
        float32 `[T, M]`.
    """

    def filled(values):
        missing = batch_frames - len(values)
        last = einops.repeat(values[-1], "... -> n ...", n=missing)
        return np.concatenate([values, last])

    pieces = []
    for start in range(0, len(frames), batch_frames):
        batch = slice(start, start + batch_frames)
        pose = None if head_pose is None else filled(head_pose[batch])
        motion = encode_frames(config, params, filled(frames[batch]), pose)
        pieces.append(np.asarray(motion))
    return np.concatenate(pieces)[: len(frames)]


@functools.partial(jax.jit, static_argnums=0)
def encode_frames(
    config: face_config.FaceConfig,
    params: Mapping[str, Any],
    frames: jax.Array,
    head_pose: jax.Array | None,
) -> jax.Array:
    """Encode frames as motion; only the encoders that are needed run.

    Args:
        config: of the face model.
        params: its parameters.
        frames: uint8 `[n, H, W, 3]`.
        head_pose: vectors `[n, 6]`, or None, which the pose encoder fills.

    Returns:
        float32 `[n, M]`: head pose and facial dynamics.
    """
    known = None if head_pose is None else types.HeadPose.from_vector(head_pose)
    pose, facial_dynamics = face_model.FaceModel(config).apply(
        {"params": params},
        rendering.to_model_range(frames),
        known,
        method="encode_motion",
    )
    motion = jnp.concatenate([pose.to_vector(), facial_dynamics], axis=-1)
    return motion.astype(jnp.float32)


def decode_clip(record: records.Record) -> np.ndarray:
    """Decode the video of a record.

    Args:
        record: with `video`, a file as bytes or an array.

    Returns:
        uint8 `[T, H, W, 3]`.

    Raises:
        CorruptRecordError: the video is broken or not square.
    """
    try:
        frames = clips.read_frames(record)
    except UserError as error:
        raise records.CorruptRecordError(str(error)) from error
    if frames.shape[1] != frames.shape[2]:
        raise records.CorruptRecordError(
            f"frames are {frames.shape[2]} x {frames.shape[1]} pixels, not square"
        )
    return frames


def to_waveform(audio: np.ndarray, num_frames: int) -> np.ndarray:
    """Turn the sound of a clip into a waveform as long as its video.

    Ours: recordings end some samples before or after their video; up to a fifth of a
    second is cut or filled with silence.

    Args:
        audio: int16 `[S]`, or float with full scale at 1; 16 kHz.
        num_frames: T.

    Returns:
        float32 `[640 T]`.

    Raises:
        CorruptRecordError: sound and video differ by more.
    """
    audio = np.asarray(audio)
    if audio.dtype == np.int16:
        audio = audio.astype(np.float32) / 32768
    missing = num_frames * types.SAMPLES_PER_FRAME - len(audio)
    if abs(missing) > types.SAMPLE_RATE_HZ // 5:
        raise records.CorruptRecordError(
            f"the sound has {len(audio)} samples for {num_frames} frames"
        )
    filled = np.pad(audio.astype(np.float32), (0, max(0, missing)))
    return filled[: num_frames * types.SAMPLES_PER_FRAME]


def audio_settings(
    name: str, weights: str | os.PathLike[str] | None = None
) -> dict[str, Any]:
    """Say what encodes the voices of a folder, as an animation must know it.

    Args:
        name: of the audio encoder.
        weights: file of its weights, where they do not come with the package.

    Returns:
        `audio_encoder`, and `audio_weights` where there is such a file: settings of
        `trained.AnimationConfig`, fit for JSON.

    Raises:
        UserError: the file is missing.
    """
    settings: dict[str, Any] = {"audio_encoder": name}
    if name in encoders.WITH_WEIGHTS_FILE and weights is not None:
        described = weights_file.describe(weights)
        settings["audio_weights"] = dataclasses.asdict(described)
    return settings


def take_face(
    params: Mapping[str, Any], configs: Mapping[str, str], name: str
) -> tuple[face_config.FaceConfig, Mapping[str, Any]]:
    """Take the face model out of what `export.load_export` read.

    Args:
        params, configs: as read.
        name: of the folder, for the sentence.

    Returns:
        Its `FaceConfig` and its parameters.

    Raises:
        UserError: there is none.
    """
    if "face" not in configs or "face" not in params:
        raise UserError(
            f"The export {name!r} holds no face model; give one of stage one."
        )
    sizes = config_lib.from_json(face_config.FaceConfig, configs["face"])
    return sizes, params["face"]

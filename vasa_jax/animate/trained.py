"""The two trained models as one checkpoint: what an animation needs, and no more."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from flax import serialization

from vasa_jax import config as config_lib
from vasa_jax import export, types
from vasa_jax.audio import encoders, weights_file
from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.motion import config as motion_config
from vasa_jax.motion import normalization
from vasa_jax.motion.shaping.config import ShapingConfig

SHIPPED_FOLDER = pathlib.Path(__file__).parent.parent / "weights" / "demo"
"""The checkpoint that comes with the package."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnimationConfig:
    """How a checkpoint wants to be used.

    Attributes:
        audio_encoder: name of `audio.encoders`.
        audio_weights: file of its weights, where they do not come with the package.
        sampling: steps, unless the user asks for another number, and method.
        shaping: what is done to motion beyond the paper; None is the paper.
    """

    audio_encoder: str
    audio_weights: weights_file.WeightsFile | None = None
    sampling: motion_config.SamplingConfig = motion_config.SamplingConfig()
    shaping: ShapingConfig | None = None


def vasa1() -> AnimationConfig:
    """Return the paper's: wav2vec 2.0, 50 steps of DDPM, and motion as it is sampled.

    Paper: VASA-1 section 3.2 and appendix.
    """
    return AnimationConfig(audio_encoder="wav2vec2")


def vasa1_quarter() -> AnimationConfig:
    """Return the paper's, with the voice by the encoder that ships."""
    return dataclasses.replace(vasa1(), audio_encoder="whisper_tiny")


def demo() -> AnimationConfig:
    """Return the shipped checkpoint's, but for its gains (see `experiments.export`)."""
    return AnimationConfig(
        audio_encoder="whisper_tiny",
        sampling=motion_config.DEMO_SAMPLING,
        shaping=ShapingConfig(),
    )


def tiny() -> AnimationConfig:
    """Return the tests'. Ours: mel spectra, which need no weights."""
    return dataclasses.replace(demo(), audio_encoder="mel")


PRESETS = {"vasa1": vasa1, "vasa1_quarter": vasa1_quarter, "demo": demo, "tiny": tiny}
"""The presets by name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedModels:
    """Both models with their parameters.

    Attributes:
        face_config, face_params: of `face.model.FaceModel`.
        motion_config, motion_params: of `motion.denoiser.MotionDenoiser`.
        statistics: that motion and conditions are scaled by.
        animation: how the checkpoint wants to be used.
        metadata: where it comes from and what was measured.
        audio_weights: where the file lies that `animation.audio_weights` describes;
            None where the audio encoder brings its own weights.
    """

    face_config: face_config.FaceConfig
    face_params: dict[str, Any]
    motion_config: motion_config.MotionConfig
    motion_params: dict[str, Any]
    statistics: normalization.MotionStatistics
    animation: AnimationConfig
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    audio_weights: str | os.PathLike[str] | None = None

    def __post_init__(self):
        """Refuse parts that do not fit together."""
        face_channels = types.POSE_CHANNELS + self.face_config.dynamics_channels
        if face_channels != self.motion_config.num_motion_channels:
            raise UserError(
                f"The face model has {face_channels} channels of motion and the "
                f"denoiser {self.motion_config.num_motion_channels}; train the "
                "denoiser on clips encoded by this face model."
            )
        name = self.animation.audio_encoder
        audio_channels = encoders.make(name).num_channels
        if audio_channels != self.motion_config.num_audio_channels:
            raise UserError(
                f"The audio encoder '{name}' has {audio_channels} channels and the "
                f"denoiser takes {self.motion_config.num_audio_channels}; name the "
                "encoder that the denoiser was trained with."
            )

    def audio_encoder(self) -> encoders.AudioEncoder:
        """Make the audio encoder; its `load_variables` refuses other weights."""
        return encoders.make(
            self.animation.audio_encoder,
            self.audio_weights,
            self.animation.audio_weights,
        )


def load(
    folder: str | os.PathLike[str] | None = None,
    audio_weights: str | os.PathLike[str] | None = None,
    image_size: int | None = None,
) -> TrainedModels:
    """Load both models from a folder that `save` wrote.

    Args:
        folder: the checkpoint; None is the one that comes with the package.
        audio_weights: file of the audio encoder's weights, where they do not come with
            the package; None takes the file of the right name in the folder, if any.
        image_size: side of the frames, pixels; None is the checkpoint's.

    Returns:
        The models, parameters as numpy arrays.

    Raises:
        UserError: missing, damaged, of another version, only one of two models, or not
            made for frames of this size.
    """
    folder = SHIPPED_FOLDER if folder is None else folder
    params, configs, metadata = export.load_export(folder)
    _require_both(folder, configs)
    loaded_face = config_lib.from_json(face_config.FaceConfig, configs["face"])
    if image_size is not None:
        loaded_face = face_config.resized(loaded_face, image_size)
    loaded_motion = config_lib.from_json(motion_config.MotionConfig, configs["motion"])
    animation = config_lib.from_json(AnimationConfig, configs["animation"])
    if audio_weights is None and animation.audio_weights is not None:
        beside = pathlib.Path(folder) / animation.audio_weights.name
        audio_weights = beside if beside.is_file() else None
    return TrainedModels(
        face_config=loaded_face,
        face_params=params["face"],
        motion_config=loaded_motion,
        motion_params=params["motion"],
        statistics=normalization.from_state_dict(params["statistics"]),
        animation=animation,
        metadata=metadata,
        audio_weights=audio_weights,
    )


def load_motion_configs(
    folder: str | os.PathLike[str] | None = None,
) -> tuple[motion_config.MotionConfig, AnimationConfig]:
    """Read only what the denoiser of a checkpoint is and how it is used, in no time.

    Args:
        folder: as of `load`.

    Raises:
        UserError: as of `load`, but for what only the weights can tell.
    """
    folder = SHIPPED_FOLDER if folder is None else folder
    configs = export.load_configs(folder)
    _require_both(folder, configs)
    return (
        config_lib.from_json(motion_config.MotionConfig, configs["motion"]),
        config_lib.from_json(AnimationConfig, configs["animation"]),
    )


def read_shaping(configs: Mapping[str, str]) -> ShapingConfig | None:
    """Take how motion is shaped out of what `export.load_export` read.

    Args:
        configs: as read; those of a face model alone shape nothing.
    """
    if "animation" not in configs:
        return None
    return config_lib.from_json(AnimationConfig, configs["animation"]).shaping


def _require_both(folder: str | os.PathLike[str], configs: Mapping[str, str]) -> None:
    """Refuse a checkpoint of one model."""
    for name in ("face", "motion", "animation"):
        if name not in configs:
            raise UserError(
                f"The checkpoint {os.fspath(folder)!r} has no settings of '{name}'; "
                "name one that holds both models."
            )


def save(
    folder: str | os.PathLike[str],
    models: TrainedModels,
    card: str,
    dtype: str = "float32",
) -> str:
    """Write both models as one folder that `load` reads.

    Args:
        folder: written beside and then renamed.
        models: what to write.
        card: the model card, Markdown.
        dtype: of the weights in the files: "float32", "bfloat16" or "float16".

    Returns:
        The hash over all that the folder holds.

    Raises:
        UserError: an unknown dtype, or the folder holds something else.
    """
    return export.save_export(
        folder,
        params={
            "face": models.face_params,
            "motion": models.motion_params,
            "statistics": serialization.to_state_dict(models.statistics),
        },
        configs={
            "face": config_lib.to_json(models.face_config),
            "motion": config_lib.to_json(models.motion_config),
            "animation": config_lib.to_json(models.animation),
        },
        metadata=models.metadata,
        card=card,
        dtype=dtype,
    )

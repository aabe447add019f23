"""How a checkpoint wants to be used, changed before it is published."""

import dataclasses
from collections.abc import Mapping

from vasa_jax import config, export
from vasa_jax.animate import trained
from vasa_jax.face import config as face_config


def with_gain(configs: Mapping[str, str], dynamics_gain: float) -> str:
    """Return how the checkpoint wants to be used, JSON, with another gain.

    Raises:
        UserError: there is no denoiser, or its preset does not shape motion.
    """
    config.require(
        "animation" in configs,
        "A gain shapes motion; give the --workdir of a stage-two run as well.",
    )
    animation = config.from_json(trained.AnimationConfig, configs["animation"])
    config.require(
        animation.shaping is not None,
        "A gain shapes motion, which the paper's preset does not; leave out "
        "--dynamics_gain.",
    )
    shaping = dataclasses.replace(animation.shaping, dynamics_gain=dynamics_gain)
    return config.to_json(dataclasses.replace(animation, shaping=shaping))


def gain_of(folder: str) -> float | None:
    """Return the gain of an export; none where it shapes nothing.

    Raises:
        UserError: the folder cannot be read.
    """
    shaping = trained.read_shaping(export.load_configs(folder))
    return None if shaping is None else shaping.dynamics_gain


def with_sampling(
    configs: Mapping[str, str], num_steps: int | None, method: str | None
) -> str:
    """Return how the checkpoint wants to be used, JSON, with another sampler.

    Raises:
        UserError: there is no denoiser, or the number is below 1.
    """
    config.require(
        "animation" in configs,
        "--num_steps and --sampler are of the denoiser; give the --workdir of a "
        "stage-two run.",
    )
    animation = config.from_json(trained.AnimationConfig, configs["animation"])
    changes = {"num_steps": num_steps, "method": method}
    given = {name: value for name, value in changes.items() if value is not None}
    sampling = dataclasses.replace(animation.sampling, **given)
    return config.to_json(dataclasses.replace(animation, sampling=sampling))


def with_image_size(configs: Mapping[str, str], image_size: int) -> str:
    """Return the sizes of the face model, JSON, for frames of another side.

    Raises:
        UserError: there is no face model, or it has no frames of this side.
    """
    config.require(
        "face" in configs,
        "--image_size is of the renderer; give the --workdir of a stage-one run.",
    )
    sizes = config.from_json(face_config.FaceConfig, configs["face"])
    return config.to_json(face_config.resized(sizes, image_size))

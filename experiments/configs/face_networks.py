"""The frozen networks that stage one's losses compare by, read from files.

Ours: they are part of neither this package nor a checkpoint; a loss without its network
is refused rather than computed by random features in silence.
"""

import functools
from typing import Any

import jax

from vasa_jax import config, export
from vasa_jax.encode import encoding
from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.face.losses import mobilefacenet, perceptual

RANDOM = "random"
"""In place of a file: random weights, for tests and for measuring speed and memory."""

VGG16_BLOCKS = 3
"""Blocks whose features are compared. Ours: edges, textures and parts; deeper ones see
whole objects, of which crops of 64 pixels show little."""

NEEDED = {
    "perceptual": (
        "perceptual_weights",
        "VGG16.npz",
        "from experiments.tools.pack_lpips",
    ),
    "cross_identity": (
        "identity_weights",
        "MobileFaceNet.onnx",
        "of foamliu/MobileFaceNet",
    ),
}
"""By the loss: the setting that names its network's file, such a file, and whence."""


def load(settings: Any) -> dict[str, perceptual.FrozenNetwork]:
    """Read the networks that the settings' losses need.

    Args:
        settings: `experiments.configs.face.FaceExperiment`.

    Returns:
        Arguments of `FaceTask`.

    Raises:
        UserError: a loss has a weight and no network; a file does not fit.
    """
    wanted = [term for term in NEEDED if getattr(settings.face_loss, term)]
    lacking = [t for t in wanted if getattr(settings, NEEDED[t][0]) is None]
    if lacking:
        flags = [
            f"--set={setting}={example} ({whence})"
            for setting, example, whence in map(NEEDED.get, lacking)
        ]
        terms = [f"face_loss.{term}" for term in lacking]
        zeros = [f"--set={term}=0" for term in terms]
        raise UserError(
            f"No frozen network is given for {' and '.join(terms)} to compare by; give "
            f"{' and '.join(flags)}, or leave that out by {' '.join(zeros)}."
        )
    networks: dict[str, perceptual.FrozenNetwork] = {}
    if "perceptual" in wanted:
        networks["perceptual_network"] = functools.partial(
            perceptual.vgg16_features, _vgg16(settings.perceptual_weights)
        )
    if "cross_identity" in wanted:
        networks["identity_network"] = functools.partial(
            mobilefacenet.features, _mobilefacenet(settings.identity_weights)
        )
    return networks


def load_teacher(folder: str | None) -> tuple[face_config.FaceConfig, dict[str, Any]]:
    """Read the face model of an export whose frames teach.

    Args:
        folder: the export.

    Returns:
        Its settings and parameters.

    Raises:
        UserError: none is named, or it has no face model.
    """
    config.require(
        folder is not None,
        "No export is named whose frames teach the decoder; give "
        "--set=teacher=vasa_jax/weights/demo, or another.",
    )
    params, configs, _ = export.load_export(folder)
    return encoding.take_face(params, configs, folder)


def _vgg16(path: str):
    if path == RANDOM:
        return perceptual.random_vgg16(jax.random.key(0), VGG16_BLOCKS)
    return perceptual.load_vgg16(path, VGG16_BLOCKS)


def _mobilefacenet(path: str):
    if path == RANDOM:
        return mobilefacenet.random(jax.random.key(1))
    return mobilefacenet.load(path)

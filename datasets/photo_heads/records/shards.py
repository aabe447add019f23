"""Shards: files of some portraits, made one by one, kept when a build is killed."""

import pathlib

import numpy as np

from datasets.building import shard_files
from datasets.photo_heads.fit import fitting, photo_head
from datasets.photo_heads.records import plan, portraits, record
from datasets.photo_heads.rendering import rendering
from vasa_jax import errors, media


def make(
    portraits_folder: pathlib.Path,
    folder: pathlib.Path,
    settings: plan.Settings,
    shard: portraits.Shard,
) -> None:
    """Make the clips of a shard's portraits, and its report.

    Args:
        portraits_folder: of the pictures.
        folder: of the set.
        settings: of the set.
        shard: which portraits.
    """
    renderer = rendering.Renderer(settings.size)
    with shard_files.ShardWriter(folder, shard.name, record.features()) as writer:
        for portrait in shard.portraits:

            def clips(portrait=portrait):
                image = media.read_image(portraits_folder / portrait.path)
                head = fit(image, settings, portrait.split)
                takes = plan.takes_of(settings, portrait)
                return [record.make(take, settings, head, renderer) for take in takes]

            writer.add(portrait.path, portrait.split, clips)


def fit(image: np.ndarray, settings: plan.Settings, split: str) -> photo_head.PhotoHead:
    """Fit a portrait, or say why it is not to be trained on.

    Args:
        image: uint8 `[H, W, 3]`.
        settings: of the set.
        split: the filters are for "train" alone.

    Raises:
        shard_files.UnfitError: no face, or the portrait is not fit for training.
    """
    try:
        head = fitting.fit(image, settings.size)
    except errors.UserError as error:
        raise shard_files.UnfitError("without a face", str(error)) from error
    if split == "train":
        check(head, settings)
    return head


def check(head: photo_head.PhotoHead, settings: plan.Settings) -> None:
    """Refuse portraits that would teach what is not so.

    Raises:
        shard_files.UnfitError: says which limit of the settings is passed.
    """
    if head.pixels < settings.min_pixels:
        raise shard_files.UnfitError(
            "too small",
            f"the crop has {head.pixels:.0f} pixels a side and min_pixels is "
            f"{settings.min_pixels}",
        )
    yaw = float(np.rad2deg(abs(head.shape.rotation[0])))
    if yaw > settings.largest_yaw_degrees:
        raise shard_files.UnfitError(
            "turned",
            f"it is turned by {yaw:.0f} degrees and largest_yaw_degrees is "
            f"{settings.largest_yaw_degrees:g}",
        )
    if head.cut > settings.largest_cut:
        raise shard_files.UnfitError(
            "cut",
            f"the picture's edge cuts the head over {head.cut:.2f} of the crop's side "
            f"and largest_cut is {settings.largest_cut:g}",
        )

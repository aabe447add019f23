"""The same face model at half the resolution, with parameters of the same shapes.

Follows: MegaPortraits, which trains at 256 px first and then at 512 px.
"""

import dataclasses

from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config


def halved(config: face_config.FaceConfig) -> face_config.FaceConfig:
    """Return a configuration at half the size, whose parameters fit the given one.

    Ours: all parts are convolutions but the seeds of the warp generators, which keep
    their cells: the last upsampling that grows height and width no longer does.

    Args:
        config: of the full size.

    Returns:
        The configuration to train first.

    Raises:
        UserError: a size is odd, or no upsampling can be left out.
    """
    sizes = {name: getattr(config, name) for name in ("image_size", "volume_size")}
    growing = [
        index
        for index, (_, height, width) in enumerate(config.warp_upsampling)
        if height == width == 2
    ]
    if not growing or any(size % 2 for size in sizes.values()):
        raise UserError(
            f"The face model of {config.image_size} px cannot be halved; its sizes "
            "must be even, and one entry of warp_upsampling must double both sides."
        )
    upsampling = list(config.warp_upsampling)
    upsampling[growing[-1]] = (upsampling[growing[-1]][0], 1, 1)
    return dataclasses.replace(
        config,
        **{name: size // 2 for name, size in sizes.items()},
        warp_upsampling=tuple(upsampling),
    )

"""What requests ask for, read and checked."""

from aiohttp import web

from vasa_jax.errors import UserError
from vasa_jax.live import socket_formats


async def json_object(request: web.Request) -> dict:
    """Read a body that is a JSON object.

    Raises:
        UserError: it is none.
    """
    try:
        asked = await request.json()
    except (ValueError, RecursionError) as error:
        raise UserError("The body is no JSON; send an object.") from error
    if not isinstance(asked, dict):
        raise UserError("The body is no JSON object; send one.")
    return asked


def is_whole(request: web.Request) -> bool:
    """Return whether an address asks for the whole picture.

    Raises:
        UserError: it asks for neither 0 nor 1.
    """
    asked = request.query.get("whole_picture", "0")
    if asked not in ("0", "1"):
        raise UserError(f"whole_picture is {asked[:40]!r}; give 0 or 1.")
    return asked == "1"


def media_format(request: web.Request) -> type[socket_formats.Format]:
    """Return how an address asks for picture and sound.

    Raises:
        UserError: there is no such format, or it cannot show the background asked for.
    """
    formats = socket_formats.FORMATS
    name = request.query.get("format", next(iter(formats)))
    if name not in formats:
        raise UserError(f"format is {name[:40]!r}; give {' or '.join(formats)}.")
    if name == "mp4" and request.query.get("background") == "transparent":
        raise UserError(
            "Video of less data has no transparency; choose the plain connection "
            "without it, or another background."
        )
    return formats[name]

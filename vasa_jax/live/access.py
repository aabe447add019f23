"""Who may speak to the server, and how refusals read."""

import hmac
import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from vasa_jax.errors import UserError
from vasa_jax.live import sessions

OPEN_PATHS = ("/health",)
"""Those that a load balancer asks without a token. Everything else wants it."""

COOKIE = "vasa_token"

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def make_guard(token: str | None, prefix: str) -> Callable:
    """Return a middleware that lets in who may come, and turns errors to sentences.

    Ours: without a token only pages of this machine's own names are served, or any web
    site that the user visits could reach the server by a name that points here; and
    requests out of other sites' pages are refused. Who opens the address with the
    token gets a cookie, which the page's own files, uploads and sockets carry.

    Args:
        token: that requests carry; None asks for none.
        prefix: of every path.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Callable) -> web.StreamResponse:
        try:
            path = request.path.removeprefix(prefix)
            _check_origin(request)
            if token is None:
                _check_host(request)
            elif path not in OPEN_PATHS and not _has_token(request, token):
                return refusal(
                    401,
                    "The token is missing or wrong; use the address "
                    "that the server printed when it started.",
                )
            response = await handler(request)
            if token is not None and "token" in request.query:
                response.set_cookie(
                    COOKIE, token, httponly=True, samesite="Strict", path=prefix or "/"
                )
        except sessions.ServerFull as error:
            return refusal(503, str(error))
        except UserError as error:
            return refusal(400, str(error))
        except web.HTTPRequestEntityTooLarge:
            return refusal(413, "The file is too large; give a smaller one.")
        except web.HTTPBadRequest:
            return refusal(400, "This address is for WebSockets alone.")
        except web.HTTPNotFound:
            return refusal(404, "There is no such page.")
        return response

    return guard


def refusal(status: int, sentence: str) -> web.Response:
    """Return a refusal in one sentence."""
    return web.json_response({"error": sentence}, status=status)


def _has_token(request: web.Request, token: str) -> bool:
    header = request.headers.get("Authorization", "").removeprefix("Bearer ")
    given = header or request.query.get("token") or request.cookies.get(COOKIE, "")
    return hmac.compare_digest(given.encode(), token.encode())


def _check_host(request: web.Request) -> None:
    name = urlsplit(f"//{request.host}").hostname
    if name not in _LOCAL_NAMES and not is_loopback(name or ""):
        raise UserError(
            "This server answers to localhost alone; start it with --host and --token "
            "to let others in."
        )


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise UserError("Requests out of another site's page are refused.")

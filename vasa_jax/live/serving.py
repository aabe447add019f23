"""From the settings of `vasa serve` to a server that runs until it is stopped."""

import asyncio
import contextlib
import dataclasses
import logging
import signal
import ssl
from collections.abc import Callable

import aiortc
from aiohttp import web
from aiortc import rtcicetransport

from vasa_jax.errors import UserError
from vasa_jax.live import access, limits, loading, server, sessions
from vasa_jax.live import voices as voices_lib
from vasa_jax.provenance import sealing


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """What a user may ask of a server; see `vasa serve --help`."""

    portrait: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    prefix: str = ""
    tls_cert: str | None = None
    tls_key: str | None = None
    max_sessions: int = limits.Limits.sessions
    idle_minutes: float = limits.Limits.idle_seconds / 60
    image_size: int = 512
    num_steps: int = loading.NUM_STEPS
    codec: str = "vp8"
    voice: str | None = None
    language: str | None = None
    stun: str | None = None
    turn: str | None = None
    turn_user: str | None = None
    turn_password: str | None = None
    checkpoint: str | None = None
    audio_weights: str | None = None
    seal: sealing.Seal | None = None

    def __post_init__(self):
        """Refuse what would let everybody in, or what cannot be."""
        if not access.is_loopback(self.host) and not self.token:
            raise UserError(
                f"--host={self.host} lets other machines in; give a --token that they "
                "must carry, such as one from `python -c 'import secrets; "
                "print(secrets.token_urlsafe())'`."
            )
        if self.prefix and not (
            self.prefix.startswith("/") and self.prefix.strip("/") == self.prefix[1:]
        ):
            raise UserError(
                f"--prefix is {self.prefix!r}; give a path such as /face, without a "
                "slash at its end."
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UserError("TLS needs --tls_cert and --tls_key, both; give the other.")
        for name, url in (("stun", self.stun), ("turn", self.turn)):
            _check_ice_url(name, url)
        if self.max_sessions < 1:
            raise UserError(f"--max_sessions is {self.max_sessions}; give 1 or more.")
        if not self.idle_minutes > 0:
            raise UserError(
                f"--idle_minutes is {self.idle_minutes:g}; give more than 0."
            )

    def limits(self) -> limits.Limits:
        """Return the limits of the server."""
        return limits.Limits(
            sessions=self.max_sessions, idle_seconds=60 * self.idle_minutes
        )

    def ice_servers(self) -> list[aiortc.RTCIceServer]:
        """Return the servers that help to connect; none unless named."""
        servers = []
        if self.stun:
            servers.append(aiortc.RTCIceServer(urls=self.stun))
        if self.turn:
            servers.append(
                aiortc.RTCIceServer(
                    urls=self.turn,
                    username=self.turn_user,
                    credential=self.turn_password,
                )
            )
        return servers

    def voices(self) -> voices_lib.Voices | None:
        """Return who says typed text; None where the extra `voices` is missing.

        Raises:
            UserError: a voice or a language was asked for and cannot be had.
        """
        try:
            return voices_lib.natural(self.voice, self.language)
        except UserError:
            if self.voice is None and self.language is None:
                return None
            raise

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what TLS needs, or None.

        Raises:
            UserError: the files are no certificate and key.
        """
        if self.tls_cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise UserError(
                f"{self.tls_cert} and {self.tls_key} are no certificate with its key "
                f"({error.strerror or error}); give both in PEM."
            ) from error
        return context

    def address(self) -> str:
        """Return what to open in a browser."""
        scheme = "http" if self.tls_cert is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        token = f"?token={self.token}" if self.token else ""
        return f"{scheme}://{host}:{self.port}{self.prefix}/{token}"


def _check_ice_url(name: str, url: str | None) -> None:
    """Refuse what aiortc would refuse once the first page connects."""
    if url is None:
        return
    try:
        is_right = rtcicetransport.parse_stun_turn_uri(url)["scheme"].startswith(name)
    except ValueError:
        is_right = False
    if not is_right:
        raise UserError(f"--{name} is {url!r}; give {name}:example.org:3478.")


def serve(asked: ServeSettings, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        asked: the settings.
        say: called with sentences for who started the server.

    Raises:
        UserError: a file or the address cannot be used, or the checkpoint cannot sample
            in so many steps, or not live.
    """
    logging.basicConfig(level=logging.WARNING)
    context, ice_servers = asked.ssl_context(), asked.ice_servers()
    known_voices = asked.voices()
    say("Loading the models and compiling; the first time takes a few minutes.")
    living = loading.open_sessions(
        asked.portrait,
        checkpoint=asked.checkpoint,
        audio_weights=asked.audio_weights,
        image_size=asked.image_size,
        num_steps=asked.num_steps,
        allowed=asked.limits(),
        seal=asked.seal,
    )
    handlers = server.Server(
        living,
        server.ServerConfig(
            token=asked.token,
            prefix=asked.prefix,
            ice_servers=ice_servers,
            codec=asked.codec,
            voices=known_voices,
        ),
    )
    asyncio.run(
        run(
            handlers,
            living,
            host=asked.host,
            port=asked.port,
            ssl_context=context,
            started=lambda: say(f"Open {asked.address()} (Ctrl-C ends)"),
        )
    )


async def run(
    handlers: server.Server,
    living: sessions.Sessions,
    *,
    host: str,
    port: int,
    ssl_context=None,
    started=lambda: None,
) -> None:
    """Serve until the process is told to stop.

    Args:
        handlers: what is asked for.
        living: warmed up before anybody is let in.
        host, port: to listen at.
        ssl_context: for TLS; None is none.
        started: called once the first page can be opened.

    Raises:
        UserError: the address cannot be used.
    """
    stopped = asyncio.Event()
    await living.warm_up()
    runner = web.AppRunner(handlers.make_app(), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, ssl_context=ssl_context).start()
        except OSError as error:
            raise UserError(
                f"Cannot listen at {host}:{port} ({error.strerror}); name another "
                "--port or --host."
            ) from error
        with contextlib.suppress(NotImplementedError):  # Where there are no signals.
            # Whoever is there is told, as by Ctrl-C.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        started()
        await stopped.wait()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await runner.cleanup()

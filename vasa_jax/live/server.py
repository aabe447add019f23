"""The server: its pages, its offers and uploads, and what each connection holds."""

import asyncio
import dataclasses
import pathlib
import tempfile
from collections.abc import AsyncIterator, Sequence

import aiortc
import numpy as np
from aiohttp import web

from vasa_jax.errors import UserError
from vasa_jax.live import (
    access,
    agents,
    request_parsing,
    session,
    sessions,
    socket_formats,
    uploads,
    webrtc,
    websocket,
)
from vasa_jax.live import voices as voices_lib

PAGE_FOLDER = pathlib.Path(__file__).parent / "page"

_PAGE_FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "controls.js": ("controls.js", "text/javascript; charset=utf-8"),
    "microphone.js": ("microphone.js", "text/javascript; charset=utf-8"),
    "mp4_socket.js": ("mp4_socket.js", "text/javascript; charset=utf-8"),
    "media_socket.js": ("media_socket.js", "text/javascript; charset=utf-8"),
    "sound_worklet.js": ("sound_worklet.js", "text/javascript; charset=utf-8"),
}
LINGER_SECONDS = 60.0
"""That the last words of a session wait for who reads slowly."""

# What the page may load: this server alone.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """How a server is reached.

    Attributes:
        token: that every request carries; None on a loopback address alone.
        prefix: of every path, such as `/face`, behind a proxy; "" is none.
        ice_servers: STUN and TURN, of the server's own side and of the page's.
        codec: of the picture, of `webrtc.CODECS`.
        voices: that say typed text; None are none.
    """

    token: str | None = None
    prefix: str = ""
    ice_servers: Sequence[aiortc.RTCIceServer] = ()
    codec: str = "vp8"
    voices: voices_lib.Voices | None = None


class Server:
    """Handlers over the sessions of one server."""

    def __init__(self, living: sessions.Sessions, config: ServerConfig):
        """Prepare; `make_app` makes it reachable.

        Args:
            living: the sessions.
            config: how the server is reached.
        """
        self._living, self._config = living, config
        self._connections: dict[str, websocket.Connection] = {}
        self._peers: dict[str, webrtc.Peer] = {}
        self._decoders = asyncio.Semaphore(2)
        self._tasks: set[asyncio.Task] = set()
        self._folder = pathlib.Path()

    def make_app(self) -> web.Application:
        """Return the application, with all paths under the prefix."""
        prefix = self._config.prefix
        app = web.Application(
            middlewares=[access.make_guard(self._config.token, prefix)],
            client_max_size=self._living.allowed.upload_bytes,
        )
        for name in _PAGE_FILES:
            app.router.add_get(f"{prefix}/{name}", self._page)
        app.router.add_get(f"{prefix}/portrait.jpg", self._default_portrait)
        app.router.add_get(f"{prefix}/settings", self._settings)
        app.router.add_get(f"{prefix}/health", self._health)
        app.router.add_get(f"{prefix}/metrics", self._metrics)
        app.router.add_get(f"{prefix}/live", self._live)
        app.router.add_get(f"{prefix}/control/{{session_id}}", self._control)
        app.router.add_get(f"{prefix}/ending/{{session_id}}", self._ending)
        app.router.add_get(f"{prefix}/recording/{{session_id}}", self._recording)
        app.router.add_post(f"{prefix}/offer", self._offer)
        app.router.add_post(f"{prefix}/portrait", self._portrait)
        app.router.add_post(f"{prefix}/background", self._background)
        app.router.add_post(f"{prefix}/sound/{{session_id}}", self._sound)
        app.cleanup_ctx.append(self._lifetime)
        app.on_shutdown.append(self._shut_down)
        return app

    async def _lifetime(self, app: web.Application) -> AsyncIterator[None]:
        webrtc.set_bit_rate()
        webrtc.bear_busy_browsers()
        watching = asyncio.create_task(self._living.watch())
        with tempfile.TemporaryDirectory(prefix="vasa_live_") as folder:
            self._folder = pathlib.Path(folder)
            yield
            watching.cancel()
            self._living.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _shut_down(self, app: web.Application) -> None:
        # Before aiohttp waits for all sockets to close.
        self._living.end_all()

    async def _page(self, request: web.Request) -> web.Response:
        # By a table of names, so that no path of a client reaches the file system.
        name = request.path.removeprefix(f"{self._config.prefix}/")
        file, content_type = _PAGE_FILES[name]
        body = (PAGE_FOLDER / file).read_bytes()
        headers = {**_HEADERS, "Content-Type": content_type}
        return web.Response(body=body, headers=headers)

    async def _default_portrait(self, request: web.Request) -> web.Response:
        portrait = self._living.default_portrait()
        picture = portrait.first_frame(request_parsing.is_whole(request))
        return web.Response(
            body=socket_formats.encode_jpeg(picture),
            content_type="image/jpeg",
            headers=_HEADERS,
        )

    async def _settings(self, request: web.Request) -> web.Response:
        """Tell the page what it needs to know before it connects."""
        allowed, known = self._living.allowed, self._config.voices
        return web.json_response(
            {
                "ice_servers": [
                    {
                        "urls": server.urls,
                        "username": server.username,
                        "credential": server.credential,
                    }
                    for server in self._config.ice_servers
                ],
                "agents": list(agents.AGENTS),
                "upload_bytes": allowed.upload_bytes,
                "sound_seconds": allowed.sound_seconds,
                "text_letters": allowed.text_letters,
                "voices": known.listing() if known else None,
                "without_voices": None if known else voices_lib.MISSING,
            }
        )

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "status": "ok",
                "sessions": len(self._living),
                "max_sessions": self._living.allowed.sessions,
            }
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self._living.counts.text())

    async def _portrait(self, request: web.Request) -> web.Response:
        picture = await self._picture(request)
        portrait_id, warning = await self._living.add_portrait(picture)
        return web.json_response({"portrait_id": portrait_id, "warning": warning})

    async def _background(self, request: web.Request) -> web.Response:
        background_id = self._living.add_background(await self._picture(request))
        return web.json_response({"background_id": background_id})

    async def _picture(self, request: web.Request) -> np.ndarray:
        """Read and decode an uploaded picture."""
        data = await self._upload(request)
        async with self._decoders:
            return await uploads.decode_picture(data, self._living.allowed)

    async def _sound(self, request: web.Request) -> web.Response:
        one = self._living.find(request.match_info["session_id"])
        data = await self._upload(request)
        async with self._decoders:
            samples = await uploads.decode_sound(data, self._living.allowed)
        one.clear()
        one.say(samples)
        return web.json_response({"seconds": len(samples) / 16_000})

    async def _upload(self, request: web.Request) -> bytes:
        """Read a body, of at most so many bytes and seconds."""
        try:
            async with asyncio.timeout(self._living.allowed.upload_seconds):
                return await request.read()
        except TimeoutError as error:
            raise UserError("The upload took too long; give a smaller file.") from error

    async def _offer(self, request: web.Request) -> web.Response:
        asked = await request_parsing.json_object(request)
        sdp, portrait_id = asked.get("sdp"), asked.get("portrait_id")
        if not isinstance(sdp, str) or asked.get("type") != "offer":
            raise UserError('The offer needs an "sdp" and the "type" "offer".')
        wanted = asked.get("background", "kept")
        if wanted == "transparent":
            raise UserError(
                "Video by WebRTC has no transparency; choose the plain connection, or "
                "another background."
            )
        one = await self._begin(portrait_id, asked.get("whole_picture", False), wanted)
        peer = webrtc.Peer(one, self._config.ice_servers, self._config.codec)
        self._peers[one.session_id] = peer
        self._when_ended(one, peer.close())
        answer = await self._answer(one, peer, sdp)
        self._keep(self._end_unless_connected(one, peer))
        return web.json_response(
            {
                "sdp": answer.sdp,
                "type": answer.type,
                "session_id": one.session_id,
            }
        )

    async def _answer(
        self, one: session.Session, peer: webrtc.Peer, sdp: str
    ) -> aiortc.RTCSessionDescription:
        """Let a peer answer, unless the session ends meanwhile."""
        answering = asyncio.create_task(peer.answer(sdp))
        await asyncio.wait(
            [answering, one.ended],
            timeout=self._living.allowed.connect_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not answering.done():
            answering.cancel()
            one.end("The server took too long to answer; try again in a minute.")
        elif answering.exception() is None and not one.ended.done():
            return answering.result()
        elif not one.ended.done():
            one.end()
            return answering.result()  # Raises.
        raise UserError(one.ended.result() or sessions.HAS_ENDED)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        socket = self._socket()
        await socket.prepare(request)
        try:
            one = self._living.find(request.match_info["session_id"])
            return await self._hold(request, socket, one, media=None)
        except UserError as error:
            return await _refuse(socket, error)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        socket = self._socket()
        await socket.prepare(request)
        try:
            media = request_parsing.media_format(request)
            portrait_id = request.query.get("portrait_id")
            background = request.query.get("background", "kept")
            one = await self._begin(
                portrait_id, request_parsing.is_whole(request), background
            )
        except UserError as error:
            return await _refuse(socket, error)
        await socket.send_json({"type": "begun", "session_id": one.session_id})
        return await self._hold(request, socket, one, media)

    async def _ending(self, request: web.Request) -> web.Response:
        """Tell why a session ended whose socket broke before it could say so."""
        sentence = self._living.ending(request.match_info["session_id"])
        return web.json_response({"sentence": sentence})

    async def _hold(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        one: session.Session,
        media: type[socket_formats.Format] | None,
    ) -> web.WebSocketResponse:
        """Serve a socket that holds a session."""
        if one.session_id in self._connections:
            raise UserError("This session is held by another page already.")
        connection = websocket.Connection(
            socket,
            one,
            self._folder,
            self._living.allowed.record_seconds,
            self._config.voices,
        )
        self._connections[one.session_id] = connection
        try:
            await connection.serve(media)
        finally:
            one.end()
            del self._connections[one.session_id]
            if request.transport is not None:  # Who never reads would keep it open.
                loop = asyncio.get_running_loop()
                loop.call_later(LINGER_SECONDS, request.transport.abort)
        return socket

    async def _recording(self, request: web.Request) -> web.StreamResponse:
        connection = self._connections.get(request.match_info["session_id"])
        if connection is None or connection.recorded is None:
            raise UserError("There is no finished recording; record first, then stop.")
        name = f"talking_face{connection.recorded.suffix}"
        return web.FileResponse(
            connection.recorded,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _begin(
        self, portrait_id: object, is_whole: object, background: object
    ) -> session.Session:
        if portrait_id is not None and not isinstance(portrait_id, str):
            raise UserError("portrait_id is no text; send what /portrait answered.")
        if not isinstance(is_whole, bool):
            raise UserError("whole_picture is no truth; send true or false.")
        if not isinstance(background, str):
            raise UserError("background is no text; send a name, or an id.")
        behind = self._living.background(background)
        one = await self._living.begin(portrait_id, is_whole, behind)
        one.set_agent(agents.AGENTS["echo"])
        return one

    def _socket(self) -> web.WebSocketResponse:
        return web.WebSocketResponse(
            heartbeat=websocket.HEARTBEAT_SECONDS,
            max_msg_size=self._living.allowed.message_bytes,
        )

    async def _end_unless_connected(
        self, one: session.Session, peer: webrtc.Peer
    ) -> None:
        """End a session whose client never came, or found no way."""
        seconds = self._living.allowed.connect_seconds
        await asyncio.wait([one.ended], timeout=seconds)
        if one.session_id in self._connections:  # Its page is there, and may be slow.
            await asyncio.wait([one.ended], timeout=2 * seconds)
        if peer.state != "connected":
            one.end(
                "No way was found for picture and sound; use the plain connection, or "
                "start the server with --turn."
            )

    def _when_ended(self, one: session.Session, work) -> None:
        async def wait() -> None:
            await asyncio.shield(one.ended)
            self._peers.pop(one.session_id, None)
            await work

        self._keep(wait())

    def _keep(self, work) -> None:
        """Run something beside, and hold on to it, or the loop would forget it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _refuse(
    socket: web.WebSocketResponse, error: UserError
) -> web.WebSocketResponse:
    """Tell a sentence and close.

    Ours: a browser shows a script no more of a refused socket than that it failed.
    """
    await socket.send_json({"type": "ended", "sentence": str(error)})
    await socket.close()
    return socket

"""All sessions of a server: portraits in, faces out, as many as there is room for."""

import asyncio
import collections
import concurrent.futures
import dataclasses
import secrets
from typing import Any

import numpy as np
import PIL.Image

from vasa_jax import types
from vasa_jax.animate import backdrop, canvas, talking_face, whole_picture
from vasa_jax.animate.controls import Controls
from vasa_jax.errors import UserError
from vasa_jax.live import device as device_lib
from vasa_jax.live import limits, metrics, pasted_face, session
from vasa_jax.provenance import sealing

STEP_FRAMES = 10
"""Frames of each step of a stream. Ours: 0.4 s, the least that `demo` was trained
with; every step less is an answer sooner."""

HAS_ENDED = "This session has ended; start again."
"""Where nothing more is known of it."""


class ServerFull(UserError):
    """There is no room for another session."""


@dataclasses.dataclass(frozen=True)
class KeptPortrait:
    """A portrait for sessions to come.

    Attributes:
        face: what was cut out.
        whole: the picture it was cut from, as large as it can be sent.
    """

    face: talking_face.Portrait
    whole: whole_picture.WholePicture

    def first_frame(self, is_whole: bool) -> np.ndarray:
        """Return what is seen before anything moves, uint8 `[H, W, C]`."""
        if is_whole:
            return self.whole.image
        return backdrop.shown(self.face.image, self.face.scene)

    def before(self, background: backdrop.Background, is_whole: bool) -> "KeptPortrait":
        """Return the portrait before another background.

        Raises:
            UserError: the person cannot be told from its own.
        """
        if background.kind == "kept":
            return self
        scene, whole = self.face.scene, self.whole
        scene = backdrop.change(self.face.image, scene, background)
        if is_whole:
            whole, scene = whole_picture.stand_before(whole, scene, background)
        return KeptPortrait(dataclasses.replace(self.face, scene=scene), whole)


class Sessions:
    """Make sessions, count them and end those that nobody uses.

    Attributes:
        allowed: the limits.
        counts: of all sessions.
    """

    def __init__(
        self,
        face: talking_face.TalkingFace,
        default_portrait: np.ndarray,
        allowed: limits.Limits,
        *,
        step_frames: int = STEP_FRAMES,
        num_steps: int | None = None,
        seal: sealing.Seal | None = None,
    ):
        """Prepare; nothing is computed yet.

        Args:
            face: the models.
            default_portrait: uint8 `[H, W, 3]`, for who uploads none.
            allowed: the limits.
            step_frames: frames of each step of a stream.
            num_steps: of the sampler in each; None is the checkpoint's.
            seal: what says in frames and recordings that they are generated; None says
                nothing.
        """
        self.allowed = allowed
        self.counts = metrics.Metrics()
        self._face, self._seal = face, seal
        self._step_frames, self._num_steps = step_frames, num_steps
        self._default_picture = default_portrait
        self._default: KeptPortrait | None = None
        self._device = device_lib.Device()
        # One more than there are faces: a line that nobody waits for any more may
        # still be in the making when the next is asked for.
        self._speech_threads = concurrent.futures.ThreadPoolExecutor(
            max_workers=allowed.sessions + 1, thread_name_prefix="speech"
        )
        self._portraits: collections.OrderedDict[str, KeptPortrait] = (
            collections.OrderedDict()
        )
        self._backgrounds: collections.OrderedDict[str, backdrop.Background] = (
            collections.OrderedDict()
        )
        self._sessions: dict[str, session.Session] = {}
        self._endings: dict[str, str] = {}
        self._num_beginning = 0

    def __len__(self) -> int:
        """Return how many live or begin."""
        return len(self._sessions) + self._num_beginning

    async def warm_up(self) -> None:
        """Compile all that a session needs: plain, with an emotion, with edits."""
        self._default = await self.locate(self._default_picture)
        for asked in ({}, {"emotion": {"happiness": 0.5}}, {"blink_rate": 30.0}):
            await self._device.run(lambda asked=asked: self._try_out(asked))

    def default_portrait(self) -> KeptPortrait:
        """Return the portrait of who uploads none.

        Raises:
            UserError: `warm_up` has not ended.
        """
        if self._default is None:
            raise UserError("The server is still starting; try again in a minute.")
        return self._default

    async def locate(self, picture: np.ndarray) -> KeptPortrait:
        """Find the face of a picture uint8 `[H, W, 3]`.

        Raises:
            UserError: there is none.
        """

        def compute() -> KeptPortrait:
            face = self._face.locate(picture)
            side = self.allowed.whole_side
            return KeptPortrait(face, pasted_face.fit(picture, face.box, side))

        return await self._device.run(compute)

    async def add_portrait(self, picture: np.ndarray) -> tuple[str, str | None]:
        """Keep a portrait for sessions to come; the oldest goes.

        Returns:
            The name under which `begin` finds it, and a warning, if any.

        Raises:
            UserError: there is no face.
        """
        portrait = await self.locate(picture)
        return self._keep(self._portraits, portrait), portrait.face.warning

    def add_background(self, picture: np.ndarray) -> str:
        """Keep a picture to stand behind faces; the oldest goes.

        Args:
            picture: uint8 `[H, W, 3]`.

        Returns:
            Its id.
        """
        small = PIL.Image.fromarray(picture)
        small.thumbnail([self.allowed.whole_side] * 2)
        background = backdrop.Background(kind="picture", picture=np.asarray(small))
        return self._keep(self._backgrounds, background)

    def background(self, name: str) -> backdrop.Background:
        """Return a background by its name, or by the id of `add_background`.

        Raises:
            UserError: it is not known.
        """
        if name in backdrop.NAMES:
            return backdrop.Background(kind=name)
        if name not in self._backgrounds:
            raise UserError("The background is not kept any more; choose it again.")
        self._backgrounds.move_to_end(name)
        return self._backgrounds[name]

    def _keep(self, kept: collections.OrderedDict[str, Any], value: Any) -> str:
        """Keep a value for sessions to come; the oldest goes."""
        name = secrets.token_urlsafe(16)
        kept[name] = value
        while len(kept) > self.allowed.portraits:
            kept.popitem(last=False)
        return name

    async def begin(
        self,
        portrait_id: str | None,
        is_whole: bool = False,
        background: backdrop.Background | None = None,
    ) -> session.Session:
        """Begin a session.

        Args:
            portrait_id: of `add_portrait`; None is the default portrait.
            is_whole: whether the whole picture is shown, not the face alone.
            background: what stands behind the person; None is the picture's own.

        Raises:
            ServerFull: there is no room.
            UserError: the portrait is not known any more.
        """
        if len(self) >= self.allowed.sessions:
            self.counts.add("sessions_refused_total")
            raise ServerFull(
                f"All {self.allowed.sessions} places of this server are taken; try "
                "again in a few minutes."
            )
        portrait = self._find(portrait_id)
        self._num_beginning += 1
        try:
            asked = self._controls(seed=secrets.randbelow(2**32))
            behind = background or backdrop.Background()

            def prepare():
                shown = portrait.before(behind, is_whole)
                return shown, self._face.stream(shown.face, asked)

            portrait, face = await self._device.run(prepare)
        finally:
            self._num_beginning -= 1
        if is_whole:
            face = pasted_face.PastedFace(face, portrait.whole)
        one = session.Session(
            face,
            portrait.first_frame(is_whole),
            self._device,
            self.counts,
            step_samples=self._step_frames * types.SAMPLES_PER_FRAME,
            speech_threads=self._speech_threads,
            max_letters=self.allowed.text_letters,
            seal=self._seal,
            is_composite=canvas.is_composite(background, is_whole),
        )
        self._sessions[one.session_id] = one
        one.ended.add_done_callback(lambda ended: self._forget(one, ended.result()))
        one.start()
        return one

    def find(self, session_id: str) -> session.Session:
        """Return a session that lives.

        Raises:
            UserError: there is none of this name; the sentence says why it ended.
        """
        found = self._sessions.get(session_id)
        if found is None:
            raise UserError(self.ending(session_id))
        return found

    def ending(self, session_id: str) -> str:
        """Return why a session has ended, a sentence for the user."""
        return self._endings.get(session_id, HAS_ENDED)

    async def watch(self) -> None:
        """End sessions that nobody uses, for ever."""
        while True:
            await asyncio.sleep(1.0)
            for one in list(self._sessions.values()):
                if device_lib.now() - one.last_active > self.allowed.idle_seconds:
                    minutes = self.allowed.idle_seconds / 60
                    one.end(
                        f"Nothing was said for {minutes:g} minutes, so the session "
                        "has ended; start again."
                    )

    def end_all(self) -> None:
        """End all sessions."""
        for one in list(self._sessions.values()):
            one.end("The server has been stopped.")

    def close(self) -> None:
        """End all sessions and the device."""
        self.end_all()
        self._device.close()
        self._speech_threads.shutdown(wait=False, cancel_futures=True)

    def _forget(self, one: session.Session, sentence: str | None) -> None:
        """Let a session go, and keep why for whoever comes to hold it too late."""
        self._sessions.pop(one.session_id, None)
        if sentence is not None:
            self._endings[one.session_id] = sentence
        while len(self._endings) > self.allowed.sessions:
            self._endings.pop(next(iter(self._endings)))

    def _find(self, portrait_id: str | None) -> KeptPortrait:
        if portrait_id is None:
            return self.default_portrait()
        if portrait_id not in self._portraits:
            raise UserError("The portrait is not kept any more; choose it again.")
        self._portraits.move_to_end(portrait_id)
        return self._portraits[portrait_id]

    def _controls(self, **asked: Any) -> Controls:
        steps = {"step_frames": self._step_frames, "num_steps": self._num_steps}
        return Controls(**steps, **asked)

    def _try_out(self, asked: dict[str, Any]) -> None:
        try:
            stream = self._face.stream(self._default.face, self._controls(**asked))
        except UserError:
            return  # What this checkpoint cannot do is told to who asks for it.
        silence = np.zeros(self._step_frames * types.SAMPLES_PER_FRAME, np.float32)
        motion: list[np.ndarray] = []
        while not motion:
            motion = list(stream.motion.push(silence))
        for _ in stream.render([motion[0][:1]]):
            pass

"""A face for LiveKit Agents: a `VideoGenerator` for its `AvatarRunner`.

    generator = livekit_video.FaceGenerator(await faces.begin(None))
    voice = QueueAudioOutput(sample_rate=generator.options.audio_sample_rate)
    runner = AvatarRunner(
        room, audio_recv=voice, video_gen=generator, options=generator.options
    )

Ours: it gives 25 frames a second however slow the machine is, the last frame again
where none is ready, for the runner stretches the speech of a generator that is slower.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np

from vasa_jax import types
from vasa_jax.live import session
from vasa_jax.live.adapters import extras, plugged_face

try:
    from livekit import rtc
    from livekit.agents.voice import avatar
except ImportError as error:
    raise extras.missing(error, "livekit") from error

FADE_SECONDS = 0.2
"""That a runner may take to fetch the end of a voice that is cut. Ours: 5 moments; who
does not read must not keep the agent waiting."""


class FaceGenerator(avatar.VideoGenerator):
    """Translate for one face; the session ends by `aclose`.

    Attributes:
        options: what the runner must be given.
    """

    def __init__(self, one: session.Session, sample_rate_hz: int = 24_000):
        """Begin to listen.

        Args:
            one: new, from `Sessions.begin`.
            sample_rate_hz: of the sound that goes out; best as the voice has it.

        Raises:
            UserError: the rate cannot be used.
        """
        height, width = one.frame_shape
        self.options = avatar.AvatarOptions(
            video_width=width,
            video_height=height,
            video_fps=types.FRAME_RATE_HZ,
            audio_sample_rate=sample_rate_hz,
            audio_channels=1,
        )
        self._face = plugged_face.PluggedFace(one, sample_rate_hz)
        self._has_faded = asyncio.Event()

    async def push_audio(self, frame: rtc.AudioFrame | avatar.AudioSegmentEnd) -> None:
        """Say a piece of voice of any rate, or note that it was the last."""
        if isinstance(frame, avatar.AudioSegmentEnd):
            self._face.end_utterance()
            return
        samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)
        await self._face.say(samples, frame.sample_rate)

    async def clear_buffer(self) -> None:
        """Stop speaking at once.

        Ours: it ends when the runner has fetched the sound that fades out, so that the
        runner counts it to the voice that was cut, not to the next.
        """
        self._has_faded.clear()
        self._face.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FADE_SECONDS):
                await self._has_faded.wait()

    def __aiter__(
        self,
    ) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | avatar.AudioSegmentEnd]:
        """Give 25 frames a second, sound while it speaks, and the end of each segment.

        Without the end the agent would wait for ever. Silence is left out, since the
        runner takes any sound for the beginning of a voice.
        """
        return self._play()

    async def aclose(self) -> None:
        """End the session, and the iteration with it."""
        self._face.close()

    async def _play(self):
        rate = self.options.audio_sample_rate
        count = 0
        async for moment in self._face.moments():
            count += 1
            if count == 2 and not moment.has_voice:
                # The runner's clock begins with the first picture, whenever that was
                # published. With one left out it never holds a later one back: before,
                # pictures came up to 40 ms after their sound, for the whole session.
                continue
            height, width = moment.frame.shape[:2]
            yield rtc.VideoFrame(
                width, height, rtc.VideoBufferType.RGB24, moment.frame.tobytes()
            )
            if moment.has_voice:
                sound = moment.sound
                yield rtc.AudioFrame(sound.tobytes(), rate, 1, len(sound))
            if moment.is_cut:
                self._has_faded.set()
            for _ in range(moment.num_ended):
                yield avatar.AudioSegmentEnd()

"""A face for Pipecat: a service between the voice and the transport's output.

    Pipeline([..., tts, pipecat_service.FaceService(session), transport.output()])

The transport's parameters need `video_out_enabled=True` and the size of the frames,
and must leave `video_out_is_live` as it is, off.
"""

import collections

import numpy as np

from vasa_jax import types
from vasa_jax.live import session
from vasa_jax.live.adapters import extras, plugged_face

try:
    from pipecat.frames import frames
    from pipecat.processors.frame_processor import FrameDirection
    from pipecat.services.ai_service import AIService
    from pipecat.services.settings import ServiceSettings
except ImportError as error:
    raise extras.missing(error, "pipecat") from error

_TICK_NANOSECONDS = 10**9 // types.FRAME_RATE_HZ


class FaceService(AIService):
    """Say what a text-to-speech service says; pass everything else on.

    Sound and picture leave 25 times a second, the last picture again where none is
    ready. `TTSStoppedFrame` leaves when its voice has been played.
    """

    def __init__(
        self, one: session.Session, *, sample_rate_hz: int = 24_000, **service
    ):
        """Begin to listen.

        Args:
            one: new, from `Sessions.begin`; it ends with the pipeline.
            sample_rate_hz: of the sound that goes out; best as the transport has it.
            service: what `AIService` takes.

        Raises:
            UserError: the rate cannot be used.
        """
        super().__init__(settings=ServiceSettings(model=None), **service)
        self._rate = sample_rate_hz
        self._face = plugged_face.PluggedFace(one, sample_rate_hz)
        self._stops: collections.deque[frames.TTSStoppedFrame] = collections.deque()
        self._task = None

    async def process_frame(
        self, frame: frames.Frame, direction: FrameDirection
    ) -> None:
        """Take voices out of the stream, and let everything else pass."""
        await super().process_frame(frame, direction)
        if isinstance(frame, frames.TTSAudioRawFrame):
            samples = np.frombuffer(frame.audio, np.int16)
            await self._face.say(
                samples.reshape(-1, frame.num_channels), frame.sample_rate
            )
            return
        if isinstance(frame, frames.TTSStoppedFrame) and self._face.end_utterance():
            self._stops.append(frame)
            return
        if isinstance(frame, frames.InterruptionFrame):
            self._stops.clear()
            self._face.clear()
        await self.push_frame(frame, direction)
        if isinstance(frame, frames.StartFrame):  # Nothing may leave before it.
            self._task = self.create_task(self._play())

    async def stop(self, frame: frames.EndFrame) -> None:
        """Say all that was to be said, and end."""
        await super().stop(frame)
        self._face.end_utterance()
        await self._face.wait_until_said()
        await self._end()

    async def cancel(self, frame: frames.CancelFrame) -> None:
        """End at once."""
        await super().cancel(frame)
        await self._end()

    async def cleanup(self) -> None:
        """End, however the pipeline ended."""
        await super().cleanup()
        await self._end()

    async def _end(self) -> None:
        if self._task is not None:
            await self.cancel_task(self._task)
            self._task = None
        self._face.close()

    async def _play(self) -> None:
        started = None
        try:
            async for moment in self._face.moments():
                if started is None:
                    now = self.get_clock().get_time()
                    started = now - moment.number * _TICK_NANOSECONDS
                await self._send(moment, started + moment.number * _TICK_NANOSECONDS)
        except plugged_face.FaceEnded as error:
            await self.push_error(
                str(error), exception=error, force_treat_as_permanent=True
            )

    async def _send(self, moment: plugged_face.Moment, pts: int) -> None:
        """Send the picture before its sound: it is shown when what is ahead was sent.

        Ours: what fades out after an interruption stays here, for the transport has
        forgotten the rest of it and would take it for a new voice.
        """
        height, width = moment.frame.shape[:2]
        image = frames.OutputImageRawFrame(
            image=moment.frame.tobytes(), size=(width, height), format="RGB"
        )
        image.sync_with_audio, image.pts = True, pts
        await self.push_frame(image)
        if moment.has_voice and not moment.is_cut:
            sound = frames.TTSAudioRawFrame(
                audio=moment.sound.tobytes(), sample_rate=self._rate, num_channels=1
            )
            sound.pts = pts
            await self.push_frame(sound)
        for _ in range(min(moment.num_ended, len(self._stops))):
            await self.push_frame(self._stops.popleft())

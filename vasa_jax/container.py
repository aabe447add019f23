"""Open a file of sound or pictures and decode a stream of it, in time, past damage.

Ours: sound and picture are read by two readers, whose clocks agree only if one place
makes them: time 0 is the file's beginning, and jumps that players take out are taken
out of both streams alike.
"""

import contextlib
import dataclasses
import fractions
import itertools
import os
from collections.abc import Iterator

import av
from av import stream as av_stream

from vasa_jax import errors

LARGEST_HOLE_SECONDS = 3600
"""Ours: an hour of a still picture is a recorded screen; more is a broken stamp, which
would make a reader fill days."""

_LARGEST_STEP_SECONDS = 10
_LARGEST_STEP_BACK_SECONDS = fractions.Fraction(1, 10)
"""Follow FFmpeg's program (`dts_delta_threshold`): in formats that may be joined end to
end, a larger step of a stream's stamps is a join, where time goes on."""

_CUT_SECONDS = 0.5
"""Ours: tracks end up to some tenths of a second before their stated end."""

_FORMATS_THAT_STATE_LENGTH = {"mov", "matroska", "flv", "avi"}
"""Ours: FFmpeg reckons the others' length from what is there, or from the bit rate."""

_FORMATS_WITHOUT_STAMPS = {"mp3", "aac"}
"""Bare streams, whose stamps FFmpeg makes up from the first packet's rate. Where such
streams of two rates are joined, only the first stamp is true."""

_FORMATS_WITH_INDEX = {"mov", "matroska", "avi"}
"""Ours: in the others FFmpeg guesses where a time lies, so they are read from their
beginning."""

_RUN_UP_SECONDS = 1
"""Ours: what a decoder may need of the stream before it gives what it should."""

_MICROSECONDS = 1_000_000


@dataclasses.dataclass
class Recording:
    """An open file, and what has come of it so far.

    Attributes:
        container: of PyAV.
        sound, picture: the first stream of each kind; None where there is none. The
            cover of a song is no picture.
        num_skipped: packets that could not be decoded.
        is_cut: whether the file breaks off; known when all is decoded.
        end_seconds: where the packets end that `decode` has had.
        stated_seconds: where the file says they end; 0 where it says nothing.
    """

    container: av.container.InputContainer
    sound: av.AudioStream | None
    picture: av.VideoStream | None
    num_skipped: int = 0
    is_cut: bool = False
    end_seconds: float = 0.0
    stated_seconds: float = 0.0

    def __post_init__(self):
        self._start = fractions.Fraction(self.container.start_time or 0, _MICROSECONDS)
        self._format = self.container.format.name.split(",")[0]

    def decode(
        self, stream: av_stream.Stream, start_seconds: float = 0.0
    ) -> Iterator[tuple[fractions.Fraction | None, av.frame.Frame]]:
        """Yield a stream's frames in the order in which they are shown.

        Ours: as in players, a packet that cannot be decoded is passed over, and where
        the file breaks off the frames end.

        Args:
            stream: `sound` or `picture`.
            start_seconds: frames before it are not needed; some come all the same.

        Yields:
            Seconds from the file's beginning, None where nothing tells, and the frame.

        Raises:
            UserError: stamps jump by over an hour.
        """
        has_index = self._format in _FORMATS_WITH_INDEX
        if not has_index or start_seconds <= _RUN_UP_SECONDS:
            yield from self._decode(stream)
            return
        # An index may be false: what lands too late is read from the beginning.
        frames = self._decode(stream)
        first = None
        if self._seek(start_seconds - _RUN_UP_SECONDS):
            first = next(frames, None)
        if first is None or first[0] is None or first[0] > start_seconds:
            self._seek(0)
            yield from self._decode(stream)
            return
        yield first
        yield from frames

    def _seek(self, seconds: float) -> bool:
        """Go to the last keyframe before a time; tell whether that was possible."""
        try:
            self.container.seek(round((self._start + seconds) * _MICROSECONDS))
        except (av.error.FFmpegError, OSError):
            return False
        return True

    def _decode(self, stream):
        """Yield as `decode` does, from where the file is read."""
        has_stamps = self._format not in _FORMATS_WITHOUT_STAMPS
        before, is_after_loss = None, True
        for packet in itertools.chain(self._packets(stream), [None]):
            if packet is not None and packet.stream_index != stream.index:
                continue
            try:
                frames = stream.codec_context.decode(packet)
            except av.error.FFmpegError:
                self.num_skipped += 1
                is_after_loss = True
                continue
            for frame in frames:
                if frame.pts is None or not (has_stamps or is_after_loss):
                    yield None, frame
                    continue
                # What a decoder held back until the end bears no time base in PyAV.
                frame.time_base = frame.time_base or stream.time_base
                time = frame.pts * frame.time_base - self._start
                self._check_step(time - (time if before is None else before))
                before, is_after_loss = time, False
                yield time, frame

    def _check_step(self, step: fractions.Fraction) -> None:
        if abs(step) > LARGEST_HOLE_SECONDS:
            hours = float(abs(step)) / 3600
            raise errors.UserError(
                f"The time stamps of {self.container.name} jump by {hours:,.0f} hours; "
                "convert it again, such as with FFmpeg."
            )

    def _packets(self, stream) -> Iterator[av.Packet]:
        """Yield the packets of sound and picture as far as the file goes."""
        own = {s.index for s in (self.sound, self.picture) if s is not None}
        may_be_joined = self.container.format.flags & av.format.Flags.ts_discont.value
        shift, due, is_torn = fractions.Fraction(0), {}, False
        try:
            for packet in self.container.demux():
                if not packet.size:  # PyAV's sign to the decoders that the file ends
                    continue
                is_torn = packet.is_corrupt
                base, index = packet.time_base, packet.stream_index
                if packet.dts is not None:
                    time = packet.dts * base + shift
                    if may_be_joined and index in own:
                        step = time - due.get(index, time)
                        if _is_join(step):
                            shift -= step
                            time -= step
                    due[index] = time + (packet.duration or 0) * base
                    if shift:
                        _move(packet, round(shift / base))
                if index in own:
                    yield packet
        except av.error.FFmpegError:
            is_torn = True
        self._compare_length(stream, due, is_torn)

    def _compare_length(self, stream, due, is_torn):
        """Note whether the file ends before what it says."""
        if stream.duration:
            ends = due.get(stream.index, self._start)
            stated = ((stream.start_time or 0) + stream.duration) * stream.time_base
        else:
            ends = max(due.values(), default=self._start)
            stated = self._start + fractions.Fraction(
                self.container.duration or 0, _MICROSECONDS
            )
        self.end_seconds = float(ends - self._start)
        if self._format in _FORMATS_THAT_STATE_LENGTH:
            self.stated_seconds = float(stated - self._start)
        is_short = self.end_seconds < self.stated_seconds - _CUT_SECONDS
        self.is_cut = is_torn or is_short

    def damage(self) -> str | None:
        """Say in a sentence's end what is missing of what was decoded; or None."""
        told = []
        if self.num_skipped:
            plural = "s" if self.num_skipped > 1 else ""
            told.append(f"{self.num_skipped} packet{plural} cannot be decoded")
        if self.is_cut:
            is_short = self.end_seconds < self.stated_seconds - _CUT_SECONDS
            of = f" of {self.stated_seconds:.2f} s" if is_short else ""
            told.append(f"it breaks off after {self.end_seconds:.2f} s{of}")
        return " and ".join(told) or None


def _move(packet: av.Packet, num_ticks: int) -> None:
    """Move a packet in time."""
    if num_ticks:
        packet.dts += num_ticks
        if packet.pts is not None:
            packet.pts += num_ticks


def _is_join(step: fractions.Fraction) -> bool:
    return step > _LARGEST_STEP_SECONDS or step < -_LARGEST_STEP_BACK_SECONDS


@contextlib.contextmanager
def opened(source, name, kind: str, advice: str, options=None) -> Iterator[Recording]:
    """Open a file.

    Args:
        source: a path, or an open file.
        name: what sentences call it.
        kind: what it is to them, "sound" or "video".
        advice: the end of the sentence that says that it cannot be read.
        options: of FFmpeg's demuxer.

    Yields:
        The `Recording`.

    Raises:
        UserError: it is missing or cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        # Of a whole path FFmpeg takes no part before a colon for a protocol.
        source = os.path.abspath(source)
    with contextlib.ExitStack() as stack:
        try:
            # Titles of songs may be in any encoding, and nobody reads them here.
            container = stack.enter_context(
                av.open(
                    source, container_options=options or {}, metadata_errors="replace"
                )
            )
        except FileNotFoundError as error:
            raise errors.UserError(
                f"The {kind} {name} does not exist; check the path."
            ) from error
        except (av.error.FFmpegError, OSError) as error:
            raise errors.UserError(
                f"The {kind} {name} cannot be read ({error.strerror}); {advice}."
            ) from error
        cover = av_stream.Disposition.attached_pic
        # A stream whose codec FFmpeg does not know has no context.
        known = [s for s in container.streams if s.codec_context is not None]
        sounds = (s for s in known if s.type == "audio")
        pictures = (s for s in known if s.type == "video" and not s.disposition & cover)
        yield Recording(
            container=container,
            sound=next(sounds, None),
            picture=next(pictures, None),
        )

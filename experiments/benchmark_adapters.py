"""Time the LiveKit adapter with the shipped models, by LiveKit's own native tracks.

    python -m experiments.benchmark_adapters

Says the example voice, and reads pictures and sound where LiveKit's encoders would. It
needs `pip install "vasa_jax[livekit]"` and no server.
"""

import asyncio
import itertools
import statistics
import time

import numpy as np
from absl import flags
from livekit import rtc
from livekit.agents.voice import avatar

from experiments.running import program
from vasa_jax import audio
from vasa_jax.live import limits, loading
from vasa_jax.live.adapters import livekit_video

SECONDS = flags.DEFINE_float("seconds", 10.0, "Of speech.")
VOICE = flags.DEFINE_string("voice", "examples/voice.wav", "A sound file.")
PORTRAIT = flags.DEFINE_string("portrait", None, "A picture; the usual one if not set.")
SIZE = flags.DEFINE_integer("size", 512, "Side of the frames, pixels.")

RATE_HZ = 24_000
PIECE = RATE_HZ // 10
MATCHED_FRAMES = 12
"""How far from its turn a picture is looked for. Ours: half a second."""


class Watch:
    """What left the generator, and what came out of the tracks, with times."""

    def __init__(self):
        self.shown, self.said = [], []  # Signature of each picture; its sound or None.
        self.pictures, self.sounds = [], []
        self.ended = asyncio.Event()
        self.first_sound = None

    async def send(self, generator, sync):
        """Do as the runner does."""
        async for one in generator:
            if isinstance(one, avatar.AudioSegmentEnd):
                self.ended.set()
                continue
            if isinstance(one, rtc.VideoFrame):
                self.shown.append(_signature(one))
                self.said.append(None)
            else:
                self.first_sound = self.first_sound or time.monotonic()
                self.said[-1] = np.frombuffer(one.data, np.int16)
            await sync.push(one)

    async def see(self, stream):
        """Note pictures."""
        async for event in stream:
            self.pictures.append((time.monotonic(), _signature(event.frame)))

    async def hear(self, stream):
        """Note sounds."""
        async for event in stream:
            samples = np.frombuffer(event.frame.data, np.int16)
            self.sounds.append((time.monotonic(), samples))


def _signature(frame: rtc.VideoFrame) -> np.ndarray:
    """Return a small grey picture, by which frames are known again."""
    if frame.type != rtc.VideoBufferType.RGB24:
        frame = frame.convert(rtc.VideoBufferType.RGB24)
    rgb = np.frombuffer(frame.data, np.uint8)
    grey = rgb.reshape(frame.height, frame.width, 3)[::4, ::4].mean(axis=2)
    return grey.astype(np.float32)


def _sound_times(watch: Watch) -> dict[int, float]:
    """Return when the sound of each picture came, by its number."""
    times = np.array([when for when, _ in watch.sounds])
    heard = np.concatenate([samples for _, samples in watch.sounds]).astype(float)
    found = {}
    size = len(watch.sounds[0][1])
    start = int(np.flatnonzero(heard)[0])
    for number, said in enumerate(watch.said):
        if said is None or np.abs(said.astype(int)).max() < 1000:
            continue
        stretch = heard[start : start + 4 * RATE_HZ]
        scores = np.correlate(stretch, said.astype(float), "valid")
        energy = np.sqrt(np.convolve(stretch**2, np.ones(len(said)), "valid"))
        likeness = scores / (energy * np.linalg.norm(said.astype(float)) + 1)
        best = int(likeness.argmax())
        if likeness[best] > 0.99:
            index = start + best
            found[number] = times[index // size] + (index % size) / RATE_HZ
            start = max(0, index - RATE_HZ)
    return found


def _picture_times(watch: Watch) -> dict[int, float]:
    """Return when each picture that differs from the last came, by its number."""
    changed = [
        i
        for i in range(1, len(watch.shown))
        if np.abs(watch.shown[i] - watch.shown[i - 1]).mean() > 0.05
    ]
    seen = [
        (when, one)
        for (_, last), (when, one) in itertools.pairwise(watch.pictures)
        if np.abs(one - last).mean() > 0.05
    ]
    found, turn = {}, 0
    for when, one in seen:
        near = changed[max(0, turn - MATCHED_FRAMES) : turn + MATCHED_FRAMES]
        if not near:
            break
        best = min(near, key=lambda i: np.abs(watch.shown[i] - one).mean())
        turn = changed.index(best) + 1
        found.setdefault(best, when)
    return found


async def _measure() -> None:
    faces = loading.open_sessions(
        PORTRAIT.value, image_size=SIZE.value, allowed=limits.Limits(sessions=1)
    )
    await faces.warm_up()
    generator = livekit_video.FaceGenerator(await faces.begin(None), RATE_HZ)
    watch = Watch()
    pictures = rtc.VideoSource(SIZE.value, SIZE.value)
    sounds = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=100)
    sync = rtc.AVSynchronizer(
        audio_source=sounds, video_source=pictures, video_fps=25.0
    )
    seen = rtc.VideoStream(rtc.LocalVideoTrack.create_video_track("face", pictures))
    heard = rtc.AudioStream(
        rtc.LocalAudioTrack.create_audio_track("voice", sounds),
        sample_rate=RATE_HZ,
        num_channels=1,
    )
    tasks = [
        asyncio.create_task(work)
        for work in (watch.send(generator, sync), watch.see(seen), watch.hear(heard))
    ]
    await asyncio.sleep(5)  # The pace settles.
    samples = audio.load_waveform(VOICE.value)
    samples = np.tile(samples, 10)[: int(SECONDS.value * 16_000)]
    levels = np.round(samples * 32767).astype(np.int16)
    began, used = time.monotonic(), time.process_time()
    for start in range(0, len(levels), 1600):
        piece = levels[start : start + 1600]
        await generator.push_audio(
            rtc.AudioFrame(piece.tobytes(), 16_000, 1, len(piece))
        )
    await generator.push_audio(avatar.AudioSegmentEnd())
    ending = asyncio.create_task(watch.ended.wait())
    done, _ = await asyncio.wait([ending, *tasks], return_when="FIRST_COMPLETED")
    done.pop().result()
    await asyncio.sleep(0.5)
    ended, used = time.monotonic(), time.process_time() - used
    for task in tasks:
        task.cancel()
    for stream in (seen, heard):
        await stream.aclose()
    faces.close()
    _report(watch, began, ended, used)


def _report(watch: Watch, began: float, ended: float, used: float) -> None:
    at_sound, at_picture = _sound_times(watch), _picture_times(watch)
    both = sorted(set(at_sound) & set(at_picture))
    late = [1000 * (at_picture[i] - at_sound[i]) for i in both]
    during = [when for when, _ in watch.pictures if when > began]
    new = [when for when in at_picture.values() if when > began]
    voiced = [when for when, one in watch.sounds if np.abs(one.astype(int)).max() > 99]
    print(f"pictures a second: {(len(during) - 1) / (during[-1] - during[0]):.2f}")
    print(f"of which new: {len(new) / (ended - began):.1f}")
    print(f"first piece pushed to first sound out: {watch.first_sound - began:.2f} s")
    print(f"the voice took {voiced[-1] - voiced[0]:.2f} s of {SECONDS.value:g}")
    print(
        f"picture after sound, ms, of {len(late)}: median {statistics.median(late):.0f}"
        f", 5 to 95 %: {np.percentile(late, 5):.0f} to {np.percentile(late, 95):.0f}"
    )
    print(f"processor time: {used / (ended - began):.2f} cores, the readers' included")


def main(arguments: list[str]) -> None:
    """Measure and print."""
    asyncio.run(_measure())


if __name__ == "__main__":
    program.run(main)

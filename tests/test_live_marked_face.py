"""Frames of a live face carry the mark, recordings the manifest; or neither."""

import asyncio

import live_serving
import numpy as np
import pytest

from vasa_jax import media
from vasa_jax.live import marked_face, reading_aloud, recording
from vasa_jax.provenance import manifest, mark_reader, sealing
from vasa_jax.speech import adapters

NUMBER = 4242


class StillFace:
    """A face that shows one textured frame."""

    motion = "its motion"
    frame = np.random.default_rng(0).integers(90, 130, (512, 512, 1), np.uint8)

    def render(self, motion):
        for piece in motion:
            yield np.repeat(self.frame[None], len(piece), axis=0).repeat(3, axis=-1)


def _frames(seal):
    face = marked_face.MarkedFace(StillFace(), seal)
    assert face.motion == "its motion"
    return np.concatenate(list(face.render([np.zeros((3, 1)), np.zeros((4, 1))])))


def test_every_frame_is_marked():
    frames = _frames(sealing.Seal(NUMBER))
    assert len(frames) == 7
    for one in (frames[:1], frames[-1:]):
        assert mark_reader.read(one).number == NUMBER


def test_without_a_seal_frames_stay_as_they_are():
    np.testing.assert_array_equal(
        _frames(None), np.broadcast_to(StillFace.frame, (7, 512, 512, 3))
    )


@pytest.mark.parametrize(
    ("reads_text", "is_whole", "source"),
    [
        (False, False, manifest.GENERATED),
        (True, False, manifest.GENERATED),
        (False, True, manifest.COMPOSITE),
    ],
)
def test_a_recording_is_signed_and_tells_of_typed_text_and_the_whole_picture(
    tmp_path, monkeypatch, reads_text, is_whole, source
):
    pytest.importorskip("c2pa")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def record(client, living):
        del client
        session = await living.begin(None, is_whole)
        if reads_text:
            speaker = adapters.FunctionSpeaker(lambda words: np.zeros(800, np.float32))
            session.read(reading_aloud.Text("a", lambda: speaker, print))
        recorded = recording.Recording(session, tmp_path / "talk.mp4", 5.0)
        await asyncio.sleep(0.5)
        return await recorded.finish()

    path = live_serving.serving(record, seal=sealing.Seal())
    assert len(list(media.iterate_video(path))) > 3
    found = manifest.read(path)
    assert found.is_valid and found.source_type == source
    assert ("from text" in found.description) == reads_text

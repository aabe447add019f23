"""From files to a video file: a whole video out, or one sentence and no file."""

import dataclasses
import os
import pathlib
import threading
import wave
import zlib

import av
import numpy as np
import pytest

from vasa_jax import audio, export, media
from vasa_jax.animate import files, model_files, reenactment, video_files
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.talking_face import TalkingFace
from vasa_jax.audio import waveform as waveform_lib
from vasa_jax.errors import UserError

ROOT = pathlib.Path(__file__).parent.parent


def write_wave(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())


@pytest.fixture
def inputs(tmp_path, rendered_photo, voice, tiny_checkpoint):
    """Arguments of a run that works, in an empty folder."""
    media.write_image(tmp_path / "face.png", rendered_photo)
    write_wave(tmp_path / "voice.wav", voice[:10_000])
    return {
        "image": str(tmp_path / "face.png"),
        "voice": str(tmp_path / "voice.wav"),
        "output": str(tmp_path / "talk.mp4"),
        "models": model_files.ModelFiles(checkpoint=tiny_checkpoint),
    }


def test_a_video_with_sound_comes_out(inputs, tiny_models):
    files.animate_files(**inputs)
    size = tiny_models.face_config.image_size
    with av.open(inputs["output"]) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (size, size, 25)
        assert sum(1 for _ in container.decode(video=0)) == 10_000 // 640


@pytest.mark.slow
def test_frames_have_the_size_that_is_asked_for(inputs):
    models = dataclasses.replace(inputs["models"], image_size=64)
    files.animate_files(**{**inputs, "models": models})
    frames = np.stack(list(media.iterate_video(inputs["output"])))
    assert frames.shape == (15, 64, 64, 3)


def test_the_whole_picture_moves_where_the_face_is_and_nowhere_else(
    inputs, rendered_photo
):
    settings = video_files.VideoSettings(show_whole_picture=True)
    files.animate_files(**inputs, settings=settings)
    frames = np.stack(list(media.iterate_video(inputs["output"])))
    assert frames.shape[1:] == rendered_photo.shape
    away = np.abs(frames.astype(int) - rendered_photo).mean((0, 3))
    # The crop is square and as high as the picture; its sides keep the picture.
    assert away[:, :20].mean() < 4 and away[:, -20:].mean() < 4
    assert away[120:170, 170:210].mean() > 8


def test_a_voice_in_pieces_gives_the_video_that_the_whole_gives(
    inputs, tmp_path, tiny_checkpoint, monkeypatch
):
    face = TalkingFace.from_checkpoint(tiny_checkpoint)
    waveform = audio.load_waveform(inputs["voice"])
    size = face.image_size
    whole = tmp_path / "whole.mp4"
    with media.VideoWriter(whole, size, size, waveform=waveform) as writer:
        for frames in face.animate(media.read_image(inputs["image"]), waveform):
            writer.write(frames)
    monkeypatch.setattr(waveform_lib, "PIECE_SAMPLES", 3_000)
    assert len(list(audio.iterate_waveform(inputs["voice"]))) == 4
    assert files.animate_files(**inputs) == len(waveform) // 640
    for read in (media.iterate_video, audio.iterate_waveform):
        np.testing.assert_array_equal(
            np.concatenate(list(read(inputs["output"]))),
            np.concatenate(list(read(whole))),
        )


def test_a_voice_may_come_through_a_pipe(inputs, tmp_path):
    sound = pathlib.Path(inputs["voice"]).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(sound,))
    writing.start()
    assert files.animate_files(**{**inputs, "voice": pipe}) == 15
    writing.join()


def test_a_voice_in_pieces_gives_the_video_of_its_file(inputs, tmp_path):
    assert files.animate_files(**inputs) == 15
    pieces = np.array_split(audio.load_waveform(inputs["voice"]), 3)
    told = []
    spoken = {**inputs, "voice": iter(pieces), "output": tmp_path / "spoken.mp4"}
    num_frames = files.animate_files(
        **spoken,
        listener=video_files.Listener(progress=lambda done, total: told.append(total)),
    )
    assert num_frames == 15 and set(told) == {0}
    for one, other in zip(
        media.iterate_video(inputs["output"]),
        media.iterate_video(tmp_path / "spoken.mp4"),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_pieces_of_less_than_a_frame_are_refused(inputs):
    with pytest.raises(UserError, match="shorter than 640 samples"):
        files.animate_files(**{**inputs, "voice": [np.zeros(500, np.float32)]})
    assert not pathlib.Path(inputs["output"]).exists()


def test_an_older_output_is_replaced(inputs):
    output = pathlib.Path(inputs["output"])
    output.write_bytes(b"older")
    files.animate_files(**inputs)
    assert len(output.read_bytes()) > 1000


def damage(kind, inputs, tmp_path):
    """Spoil one input; return the arguments and words of the sentence that is due."""
    place = tmp_path / "spoilt"
    changed = dict(inputs)
    if kind == "image missing":
        return {**inputs, "image": str(place)}, "Cannot read the image"
    if kind == "image unreadable":
        place.write_bytes(b"no picture at all")
        return {**inputs, "image": str(place)}, "is not one that can be read"
    if kind == "image cut":
        whole = pathlib.Path(inputs["image"]).read_bytes()
        place.write_bytes(whole[: len(whole) // 2])
        return {**inputs, "image": str(place)}, "is broken"
    if kind == "image huge":
        whole = bytearray(pathlib.Path(inputs["image"]).read_bytes())
        whole[16:24] = (60_000).to_bytes(4, "big") * 2
        whole[29:33] = zlib.crc32(whole[12:29]).to_bytes(4, "big")
        place.write_bytes(whole)
        return {**inputs, "image": str(place)}, "at most 64 megapixels"
    if kind == "no face":
        path = tmp_path / "blank.png"
        media.write_image(path, np.full((80, 80, 3), 90, np.uint8))
        return {**inputs, "image": str(path)}, "o face was found"
    if kind == "audio missing":
        return {**inputs, "voice": str(place)}, "does not exist"
    if kind == "audio empty":
        place.write_bytes(b"")
        return {**inputs, "voice": str(place)}, "cannot be read"
    if kind == "audio corrupt":
        place.write_bytes(bytes(range(256)) * 40)
        return {**inputs, "voice": str(place)}, "cannot be read"
    if kind == "audio too short":
        write_wave(tmp_path / "short.wav", np.zeros(3000, np.float32))
        return {**inputs, "voice": str(tmp_path / "short.wav")}, "at least 0.2 s"
    if kind == "no sound in it":
        return {**inputs, "voice": inputs["image"]}, "holds no sound"
    if kind == "output folder missing":
        return {**inputs, "output": str(place / "talk.mp4")}, "does not exist"
    if kind == "output is a folder":
        (tmp_path / "folder.mp4").mkdir()
        return {**inputs, "output": str(tmp_path / "folder.mp4")}, "it is a folder"
    if kind == "output no mp4":
        return {**inputs, "output": str(tmp_path / "talk.avi")}, "must end in .mp4"
    if kind == "checkpoint missing":
        models = model_files.ModelFiles(checkpoint=place)
        return {**inputs, "models": models}, "There is no checkpoint at"
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in inputs["models"].checkpoint.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    changed["models"] = model_files.ModelFiles(checkpoint=copied)
    if kind == "checkpoint truncated":
        weights = next(copied.glob("*.safetensors"))
        weights.write_bytes(weights.read_bytes()[:-100])
        return changed, "truncated or changed"
    manifest = copied / "manifest.json"
    text = manifest.read_text().replace(
        f'"format_version": {export.VERSION}', '"format_version": 99'
    )
    manifest.write_text(text)
    return changed, "has format version 99"


def test_an_output_that_is_an_input_is_refused_and_kept(inputs, tmp_path, voice):
    spoken = tmp_path / "spoken.mp4"
    with media.VideoWriter(spoken, 16, 16, waveform=voice[:8_000]) as writer:
        writer.write(np.zeros((12, 16, 16, 3), np.uint8))
    before = spoken.read_bytes()
    (tmp_path / "link.mp4").symlink_to(spoken)
    inputs["voice"] = str(spoken)
    for output in (spoken, tmp_path / "link.mp4"):
        with pytest.raises(UserError, match="is one of the inputs"):
            files.animate_files(**{**inputs, "output": str(output)})
        with pytest.raises(UserError, match="is one of the inputs"):
            reenactment.reenact_files(inputs["image"], spoken, output)
    assert spoken.read_bytes() == before


@pytest.mark.parametrize("name", ["o:2.mp4", "\u00e4" * 125 + ".mp4", "a, b.mp4"])
def test_an_output_may_have_any_name(inputs, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    files.animate_files(**{**inputs, "output": name})
    assert media.count_frames(name) == 15
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"face.png", "voice.wav", name}


@pytest.mark.parametrize(
    "kind",
    [
        "image missing",
        "image unreadable",
        "image cut",
        "image huge",
        "no face",
        "audio missing",
        "audio empty",
        "audio corrupt",
        "audio too short",
        "no sound in it",
        "output folder missing",
        "output is a folder",
        "output no mp4",
        "checkpoint missing",
        "checkpoint truncated",
        "checkpoint of another version",
    ],
)
def test_bad_input_gives_one_sentence_and_leaves_no_file(kind, inputs, tmp_path):
    arguments, words = damage(kind, inputs, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as caught:
        files.animate_files(**arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_more_steps_than_the_model_has_give_one_sentence(inputs, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="num_steps is 101"):
        files.animate_files(**inputs, controls=Controls(num_steps=101))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "kind", ["image missing", "audio corrupt", "output no mp4", "output folder missing"]
)
def test_inputs_and_output_are_checked_before_the_weights(kind, inputs, tmp_path):
    spoilt, _ = damage("checkpoint truncated", inputs, tmp_path)
    arguments, words = damage(kind, spoilt, tmp_path)
    with pytest.raises(UserError, match=words):
        files.animate_files(**arguments)


def test_steps_are_checked_before_the_weights(inputs, tmp_path):
    spoilt, _ = damage("checkpoint truncated", inputs, tmp_path)
    with pytest.raises(UserError, match="num_steps is 101"):
        files.animate_files(**spoilt, controls=Controls(num_steps=101))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_gives_one_sentence(inputs, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(UserError, match="Cannot write"):
        files.animate_files(**{**inputs, "output": str(locked / "talk.mp4")})


def test_a_failure_halfway_leaves_the_older_output_alone(inputs, monkeypatch):
    output = pathlib.Path(inputs["output"])
    output.write_bytes(b"older")
    monkeypatch.setattr(media.VideoWriter, "write", _fail)
    with pytest.raises(OSError, match="disk is full"):
        files.animate_files(**inputs)
    assert output.read_bytes() == b"older"
    assert [path.name for path in output.parent.glob(".*")] == []


def _fail(*_):
    raise OSError("the disk is full")


def test_several_faces_give_a_warning_and_a_video(inputs, rendered_photo):
    two = np.concatenate([rendered_photo, rendered_photo], axis=1)
    media.write_image(inputs["image"], two)
    warnings = []
    files.animate_files(**inputs, listener=video_files.Listener(warn=warnings.append))
    assert pathlib.Path(inputs["output"]).exists()
    assert len(warnings) == 1
    assert "2 faces were found" in warnings[0]


def test_a_damaged_voice_gives_one_warning_and_a_video(inputs, tmp_path):
    place = tmp_path / "voice.mp3"
    with av.open(str(place), "w") as container:
        stream = container.add_stream("libmp3lame", rate=16_000, layout="mono")
        samples = audio.load_waveform(inputs["voice"])
        frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = bytearray(place.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    place.write_bytes(data)
    warnings = []
    num_frames = files.animate_files(
        **{**inputs, "voice": place},
        listener=video_files.Listener(warn=warnings.append),
    )
    assert 10 <= num_frames <= 16
    assert len(warnings) == 1
    assert "is damaged" in warnings[0]


def test_progress_counts_up_to_all_frames(inputs):
    calls = []
    listener = video_files.Listener(progress=lambda *call: calls.append(call))
    files.animate_files(**inputs, listener=listener)
    assert calls[0] == (0, 15)
    assert calls[-1] == (15, 15)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})

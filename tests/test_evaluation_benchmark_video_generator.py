"""Benchmarks: which lines they hold, and videos that are made once."""

import json

import numpy as np
import pytest

from vasa_jax import errors, media
from vasa_jax.animate.controls import Controls
from vasa_jax.evaluation.benchmark import video_clip, video_generator
from vasa_jax.portrait import crop


def write_lines(path, *lines):
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_lines_name_portrait_voice_and_reference_beside_the_file(tmp_path):
    for name in ("a.png", "a.wav", "a.mp4"):
        (tmp_path / name).touch()
    path = write_lines(
        tmp_path / "list.jsonl",
        {"image": "a.png", "audio": "a.wav"},
        {"reference": "a.mp4", "name": "second"},
    )
    first, second = video_generator.read_items(path)
    assert first == video_generator.Item(
        name="0001", image=tmp_path / "a.png", audio=tmp_path / "a.wav"
    )
    assert second == video_generator.Item(name="second", reference=tmp_path / "a.mp4")


@pytest.mark.parametrize(
    "line, message",
    [
        ({"image": "a.png"}, "Line 1 of .* must be an object"),
        ({"portrait": "a.png"}, "must be an object"),
        (["a.png"], "must be an object"),
        ({"image": "a.png", "audio": "none.wav"}, "the audio .*none.wav does not"),
    ],
)
def test_a_line_that_is_wrong_is_told_by_its_number(tmp_path, line, message):
    (tmp_path / "a.png").touch()
    path = write_lines(tmp_path / "list.jsonl", line)
    with pytest.raises(errors.UserError, match=message):
        video_generator.read_items(path)


def test_a_file_without_lines_or_without_json_is_refused(tmp_path):
    path = tmp_path / "list.jsonl"
    with pytest.raises(errors.UserError, match="cannot be read"):
        video_generator.read_items(path)
    path.write_text("\n")
    with pytest.raises(errors.UserError, match="holds 0 lines"):
        video_generator.read_items(path)
    path.write_text("image: a.png")
    with pytest.raises(errors.UserError, match="Line 1 of .* is no JSON"):
        video_generator.read_items(path)


def test_samples_differ_fit_their_reference_and_are_made_once(
    tmp_path, tiny_checkpoint, rendered_photo, voice
):
    box = crop.CropBox.of_whole(*rendered_photo.shape[:2])
    photo = crop.extract(rendered_photo, box, 160)
    talk = tmp_path / "talk.mp4"
    with media.VideoWriter(talk, 160, 160, waveform=voice[: 12 * 640]) as out:
        out.write(np.repeat(photo[None], 12, axis=0))
    folder = tmp_path / "videos"
    folder.mkdir()
    item = video_generator.Item(name="talk", reference=talk)
    generator = video_generator.Generator(tiny_checkpoint, folder, Controls(seed=3))
    done = []
    pairs = generator.make(item, 2, done.append)
    assert sum(done) == 2 * 12
    first, second = (video_clip.Clip(pair.video) for pair in pairs)
    reference = video_clip.Clip(pairs[0].reference)
    assert [pair.name for pair in pairs] == ["talk", "talk"]
    assert first.facts == second.facts == reference.facts
    assert first.digest != second.digest
    assert generator.make(item, 2, done.append) == pairs
    assert sum(done) == 2 * 12

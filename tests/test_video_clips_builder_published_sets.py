"""Four published sets go from their lists through clips into both trainings."""

import dataclasses
import fractions
import functools
import json
import pathlib
import subprocess
import sys

import av
import jax
import moving_portrait
import numpy as np
import PIL.Image
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.building import engines, set_builder, shard_files
from datasets.published_sets import clips, readers, video_files
from datasets.video_clips import builder, record
from datasets.video_clips import settings as settings_lib
from experiments.configs import face, motion
from experiments.running import encoded_shards
from vasa_jax import audio, config, media
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.train import batch_names, step
from vasa_jax.train import state as state_lib

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = settings_lib.Settings(
    size=64, seconds=0.8, min_pixels=60, held_out_share=0.0
)
SPLITS = {"voxceleb2": {"train": 1, "test": 1}}
MARK = "\N{BYTE ORDER MARK}"


@pytest.fixture(scope="module")
def pictures():
    portrait = media.read_image(ROOT / "examples" / "portrait.png")
    return moving_portrait.frames(portrait, 60)


@pytest.fixture(scope="module")
def said():
    return audio.load_waveform(ROOT / "examples" / "voice.wav")


@pytest.fixture(scope="module")
def given(pictures, said, tmp_path_factory):
    """Each set's folder of lists and folder of videos, by the name of its reader."""
    folder = tmp_path_factory.mktemp("sets")
    for name, make in MAKERS.items():
        lists, videos = folder / name / "lists", folder / name / "videos"
        lists.mkdir(parents=True)
        make(lists, videos, pictures, said)
    return folder


def _voxceleb2(lists, videos, pictures, said):
    (lists / "vox2_meta.csv").write_text(
        f"{MARK}VoxCeleb2 ID ,Set \nid00134 ,dev \nid00137 ,test \n", "utf-8"
    )
    for person, offset in (("id00134", 3), ("id00137", -2)):
        name = f"{person}/AbCdEf_{person}/00001"
        text = lists / "txt" / f"{name}.txt"
        text.parent.mkdir(parents=True)
        table = "FRAME \tX \tY \tW \tH \n000123\t0.3\t0.1\t0.2\t0.4\n"
        text.write_text(f"Identity  : \t{person}\nOffset    : \t{offset}\n\n{table}")
        moving_portrait.write(videos / f"{name}.mp4", pictures[:30], said)


def _hdtf(lists, videos, pictures, said):
    moving_portrait.write(videos / "RD_Radio1.mp4", pictures, said)
    moving_portrait.write(videos / "RD_Radio2.mp4", pictures[20:], said)
    for kind, rows in {
        "video_url": "Radio1 https://youtu.be/aaa\nRadio2 https://youtu.be/bbb",
        "annotion_time": "Radio1.mp4 00:01-00:02 00:03-00:04\nRadio2.mp4 00:00-00:01",
        "crop_wh": "Radio1_0.mp4 100 440 20 440\nRadio2_0.mp4 100 440 20 440",
        "resolution": "Radio1.mp4 480\nRadio2.mp4 480",
    }.items():
        for subset in ("RD", "WDA", "WRA"):
            text = rows if subset == "RD" else rows.splitlines()[1]
            path = lists / f"{subset}_{kind}.txt"
            path.write_text(MARK + text, encoding="utf-8")


def _celebv_hq(lists, videos, pictures, said):
    """A larger face on the left, and the one of the box on the right."""
    near = PIL.Image.fromarray(pictures[0, 40:200, 80:240]).resize((240, 240))
    large = np.repeat(np.asarray(near)[None], 60, axis=0)
    both = np.concatenate([large, pictures], axis=2)
    moving_portrait.write(videos / "AbCdEfGhIjK.mp4", both, said)
    emotion = {
        "sep_flag": True,
        "labels": [
            {"emotion": "neutral", "start_sec": 0, "end_sec": 0.4},
            {"emotion": "happy", "start_sec": 0.6, "end_sec": 2},
        ],
    }
    entry = {
        "ytb_id": "AbCdEfGhIjK",
        "duration": {"start_sec": 0.4, "end_sec": 1.3},
        "bbox": {"top": 0.1, "bottom": 0.9, "left": 0.55, "right": 0.9},
        "attributes": {"emotion": emotion},
    }
    later = {"duration": {"start_sec": 1.3, "end_sec": 2.2}}
    unlabelled = {"attributes": {"emotion": {"sep_flag": True, "labels": []}}}
    rows = {"a_0": entry, "a_1": {**entry, **later, **unlabelled}}
    (lists / "celebvhq_info.json").write_text(json.dumps({"clips": rows}))


def _mead(lists, videos, pictures, said):
    """Pictures a bit over 30 a second, whose sound lies apart and is 40 ms shorter."""
    del lists
    rate = fractions.Fraction(65521, 2184)
    for place, actor in ((0, "M003"), (30, "W009")):
        take = "angry/level_2/001"
        path = videos / actor / "video" / "front" / f"{take}.mp4"
        path.parent.mkdir(parents=True)
        with av.open(str(path), "w") as file:
            stream = file.add_stream("libx264", rate=rate)
            stream.height, stream.width = pictures.shape[1:3]
            stream.pix_fmt = "yuv420p"
            for picture in pictures[place:][:30]:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        sound = videos / actor / "audio" / f"{take}.m4a"
        sound.parent.mkdir(parents=True)
        heard = said[: 15 * 1024]  # Whole packets, as in the set.
        with av.open(str(sound), "w", format="mp4") as file:
            stream = file.add_stream("aac", rate=16_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(heard[None], "fltp", "mono")
            frame.sample_rate, frame.pts = 16_000, 0
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))


MAKERS = {
    "voxceleb2": _voxceleb2,
    "hdtf": _hdtf,
    "celebv_hq": _celebv_hq,
    "mead": _mead,
}


def _lists(given, name):
    """Return a set's folder of lists; MEAD has none."""
    return None if name == "mead" else given / name / "lists"


def _reading(given, name):
    videos = video_files.find(given / name / "videos")
    return readers.by_name(name)(_lists(given, name), videos)


def _cut(given, name, settings=SETTINGS):
    """Return the records of a set, by the names of its clips."""
    folder = given / name / "videos"
    return {
        clip.name: list(record.make(folder, clip, settings, print))
        for clip in _reading(given, name).clips
    }


def _is_said(made, said, first_sample):
    """Tell whether a record's sound begins at a sample of the voice."""
    heard = made["audio"] / 32768
    expected = said[first_sample:][: len(heard)]
    return np.corrcoef(heard, expected)[0, 1] > 0.95


def test_sound_that_comes_early_is_moved_and_nothing_is_made_up(given, said):
    made = _cut(given, "voxceleb2")
    (early,) = made["id00134/AbCdEf_id00134/00001"]
    # The picture of frame 3 shows what the first sample says.
    assert early["start_frame"] == 3 and _is_said(early, said, 0)
    (late,) = made["id00137/AbCdEf_id00137/00001"]
    assert late["start_frame"] == 0 and _is_said(late, said, 2 * 640)
    assert early["identity"] == "id00134" and early["labels_by"] == "encoder"


def test_a_stretch_is_cut_at_its_times(given, said):
    made = _cut(given, "hdtf")
    assert set(made) == {"RD_Radio1_0", "RD_Radio2_0"}
    (clip,) = made["RD_Radio1_0"]
    assert clip["start_frame"] == 25 and _is_said(clip, said, 16_000)
    assert (clip["source"], clip["identity"]) == ("RD_Radio1.mp4", "RD_Radio1")


def test_the_face_in_the_box_is_taken_and_gaps_have_no_emotion(given):
    made = _cut(given, "celebv_hq")
    (clip,) = made["a_0"]
    assert clip["start_frame"] == 10
    assert 240 + 100 < clip["crop_box"][0] < 240 + 220
    told = clip["frame_emotion"]
    assert np.isnan(told[10:15]).all() and np.isfinite(told[[9, 15]]).all()
    assert told[:10, 0].tolist() == [1] * 10 and told[15:, 1].tolist() == [1] * 5
    np.testing.assert_allclose(clip["emotion"][:2], [2 / 3, 1 / 3], atol=1e-6)
    (without,) = made["a_1"]
    assert without["start_frame"] == 33 and np.isnan(without["emotion"]).all()
    assert without["labels_by"] == "encoder" + record.EMOTION_BY_SET


def test_of_sound_that_lies_apart_and_picture_the_shorter_counts(given, said):
    for one in _cut(given, "mead").values():
        (clip,) = one
        expected = [1 / 3, 0, 0, 2 / 3, 0, 0, 0, 0]
        np.testing.assert_allclose(clip["emotion"], expected, atol=1e-6)
        assert _is_said(clip, said, 0)
    whole = dataclasses.replace(SETTINGS, seconds=1.0)
    with pytest.raises(shard_files.UnfitError, match="0.96 s are less than 1.0 s"):
        _cut(given, "mead", whole)


def test_a_clip_beyond_the_end_of_its_file_is_named(given):
    clip = _reading(given, "hdtf").clips[0]
    late = dataclasses.replace(clip, start_seconds=9.0, end_seconds=10.0)
    with pytest.raises(shard_files.UnfitError, match="lasts 2.40 s, and .* at 9.00 s"):
        list(record.make(given / "hdtf" / "videos", late, SETTINGS, print))


def test_a_clip_that_is_too_short_is_named_without_being_followed(given):
    clip = dataclasses.replace(_reading(given, "hdtf").clips[0], end_seconds=1.5)
    with pytest.raises(shard_files.UnfitError, match="its 0.50 s are less than 0.8 s"):
        list(record.make(given / "hdtf" / "videos", clip, SETTINGS, print))


def test_frames_that_a_set_counts_are_those_of_the_file(given, said):
    clip = dataclasses.replace(
        _reading(given, "mead").clips[0], stored_frames=(3, 28), sound=None
    )
    voiced = given / "hdtf" / "videos"
    at_25 = dataclasses.replace(clip, video="RD_Radio1.mp4", stored_frames=(5, 24))
    (made,) = record.make(voiced, at_25, SETTINGS, print)
    assert made["start_frame"] == 5 and _is_said(made, said, 5 * 640)
    at_30 = dataclasses.replace(clip, sound=_reading(given, "mead").clips[0].sound)
    (made,) = record.make(given / "mead" / "videos", at_30, SETTINGS, print)
    assert made["start_frame"] == 3  # 3 of 30 a second are 2.5 of 25.


def test_a_photograph_that_is_shown_while_somebody_speaks_is_no_clip(
    given, pictures, said, tmp_path
):
    moving_portrait.write(tmp_path / "a.mp4", np.repeat(pictures[:1], 30, 0), said)
    clip = clips.Clip(name="a", video="a.mp4", source_video="a")
    with pytest.raises(shard_files.UnfitError, match="the face is a still picture"):
        list(record.make(tmp_path, clip, SETTINGS, print))


def _run(given, output, *more, name="hdtf"):
    arguments = {
        "published_set": name,
        "annotations_dir": given / name / "lists",
        "input_dir": given / name / "videos",
        "output_dir": output,
        **{"size": 64, "seconds": 0.8, "min_pixels": 60, "num_workers": 1},
    }
    flags = [f"--{flag}={value}" for flag, value in arguments.items()]
    return subprocess.run(
        [sys.executable, "-m", "datasets.video_clips.build", *flags, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_the_program_counts_and_names_what_the_reader_left_out(given, tmp_path):
    done = _run(given, tmp_path, "--held_out_share=0")
    assert done.returncode == 0, done.stderr
    assert "2 clips (2 train of 2 persons)" in done.stdout
    for told in ("1 videos without a crop", "2 videos without a file"):
        assert f"skipped {told}: see skipped.txt" in done.stdout, done.stdout
    listed = (tmp_path / set_builder.SKIPPED_FILE).read_text().splitlines()
    assert "RD_Radio1_1: without a crop: crop_wh has no such clip" in listed
    assert len(listed) + 2 == _reading(given, "hdtf").num_rows


@pytest.mark.parametrize(
    "flag, sentence",
    [
        ("--published_set=hdft", "did you mean 'hdtf'"),
        ("--published_set=", "did you mean"),
        ("--annotations_dir=/none", "There is no folder '/none'"),
        ("--identities=file", "--identities is for any folder of videos"),
    ],
)
def test_flags_that_do_not_fit_end_with_a_sentence(given, tmp_path, flag, sentence):
    done = _run(given, tmp_path / "out", flag)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert done.stderr.startswith("error: ") and sentence in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def built(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    for name in MAKERS:
        read = functools.partial(readers.by_name(name), _lists(given, name))
        videos, output = given / name / "videos", folder / name
        outcome = builder.build(videos, output, SETTINGS, engines.Pool(1), read)
        assert outcome.num_clips == SPLITS.get(name, {"train": 2})
    return folder


@pytest.mark.slow
def test_a_step_of_stage_one_runs_on_published_sets(built):
    folders = ",".join(str(built / name) for name in MAKERS)
    changes = [f"data_dir={folders}", "face_loss.uses_geometry=False"]
    changes.append("train.batch_size=2")
    made = face.build(config.override(face.get_config("tiny"), changes))
    batches = made.train_data()
    batch, _ = batch_names.split_names(next(batches))
    batches.close()
    _check_step(made, batch)


@pytest.mark.slow
def test_a_step_of_stage_two_runs_on_published_sets(built, tiny_models, tmp_path):
    clips = encoding.ClipEncoder(
        tiny_models.face_config,
        tiny_models.face_params,
        encoders.make("mel"),
        batch_frames=20,
    )
    for name in MAKERS:
        for split, count in SPLITS.get(name, {"train": 2}).items():
            opened = records.open_folder(built / name, split)
            done = encoded_shards.encode_clips(
                clips, opened, split, tmp_path / name, range(count)
            )
            assert [outcome for _, outcome in done] == ["encoded"] * count
    encoded = records.open_folder(tmp_path / "celebv_hq", "train")
    known = [np.isfinite(encoded.read(index)["emotion"]).all() for index in range(2)]
    assert sorted(known) == [False, True]
    folders = ",".join(str(tmp_path / name) for name in MAKERS)
    channels = encoded.read(0)["audio_features"].shape[-1]
    changes = [f"data_dir={folders}", f"model.num_audio_channels={channels}"]
    made = motion.build(config.override(motion.get_config("tiny"), changes))
    batches = made.train_data()
    batch, _ = batch_names.split_names(next(batches))
    batches.close()
    _check_step(made, batch)


def _check_step(made, batch):
    state = jax.jit(functools.partial(state_lib.init_state, made))()
    state, metrics = jax.jit(step.make_step(made))(state, batch)
    assert int(state.step) == 1
    assert np.isfinite(list(map(float, metrics.values()))).all()

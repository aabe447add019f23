"""The data set: plans that hold as it grows, shards that outlive a kill, records."""

import collections
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from datasets.building import engines, set_builder, shard_files, shard_folder
from datasets.synthetic_heads import names
from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.records import builder, plan, record, shards
from datasets.synthetic_heads.rendering import correspondence, scene
from vasa_jax import errors, media, types

SMALL = plan.Settings(seconds=0.4, size=32, seed=5)
REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


class InThisProcess:
    """Makes shards one after the other, as an `engines.Engine`."""

    def make_all(self, job, shards, source):
        assert sum(map(job, shards)) == sum(shard.num_sources for shard in shards)


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """A set of 5 clips, made in this process."""
    folder = tmp_path_factory.mktemp("heads")
    outcome = builder.build(folder, SMALL, 5, InThisProcess())
    assert outcome.num_clips == {"train": 5} and not outcome.num_skipped
    assert outcome.num_identities == {"train": 2}
    return folder


def read(folder, split="train"):
    source = tfds.builder_from_directory(folder).as_data_source(split=split)
    return [source[index] for index in range(len(source))]


def assert_equal_records(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def test_no_identity_is_in_two_splits_and_all_splits_are_there():
    splits = collections.Counter(plan.split_of(i) for i in range(400))
    assert splits == {"train": 360, "validation": 20, "test": 20}
    assert {plan.split_of(i) for i in range(16)} == set(plan.SPLITS)


def test_performances_are_shared_within_a_split_only():
    owners = collections.defaultdict(set)
    for identity in range(40):
        for clip in plan.clips_of(SMALL, identity):
            owners[clip.performance].add(clip.split)
    assert all(len(splits) == 1 for splits in owners.values())


def test_a_larger_set_begins_with_the_smaller_one():
    small, large = shards.divide(SMALL, 40), shards.divide(SMALL, 400)
    assert small[0] == large[0]
    assert small[1].name != large[1].name
    assert small[1].first_clip == large[1].first_clip


def test_a_set_of_one_split_holds_its_people_and_no_others():
    settings = dataclasses.replace(SMALL, splits=("test",))
    planned = [
        clip
        for shard in shards.divide(settings, 41)
        for clip, _ in shards.clips(shard, settings)
    ]
    assert len(planned) == 41 and {clip.split for clip in planned} == {"test"}
    everyone = [clip for i in range(240) for clip in plan.clips_of(SMALL, i)]
    assert planned == [clip for clip in everyone if clip.split == "test"][:41]


def test_takes_of_an_identity_differ_in_emotion_and_distance():
    for identity in (0, 1, 17):
        clips = plan.clips_of(SMALL, identity)
        assert len(clips) == 4 and len({c.identity_seed for c in clips}) == 1
        assert len({clip.request.emotion for clip in clips}) == 4
        distances = sorted(clip.request.head_distance for clip in clips)
        assert distances[-1] / distances[0] > 1.15
        assert len({clip.clip_id for clip in clips}) == 4


@pytest.mark.parametrize("identity", [0, 1, 17])
def test_takes_of_an_identity_are_performed_with_other_words_and_gaze(identity):
    settings = plan.Settings(seconds=1.0, seed=5)
    takes = [
        performance.perform(clip.request) for clip in plan.clips_of(settings, identity)
    ]
    assert len({take.text for take in takes}) == 4
    gazes = np.rad2deg([take.main_gaze for take in takes])
    apart = np.linalg.norm(gazes[:, None] - gazes[None], axis=-1)
    assert apart[~np.eye(4, dtype=bool)].min() > 2.0


def test_takes_of_an_identity_are_lit_alike():
    def lights(identity):
        clips = plan.clips_of(SMALL, identity)
        scenes = [scene.random_scene(clip.identity_seed) for clip in clips]
        return [
            np.concatenate([np.ravel(v) for v in vars(s.lights).values()])
            for s in scenes
        ]

    own, other = lights(0), lights(1)
    assert all((one == own[0]).all() for one in own)
    assert np.abs(own[0] - other[0]).max() > 0.1


def test_takes_of_an_identity_are_shown_before_the_same_background(small_set):
    frames, surroundings, owners = [], [], []
    for clip in read(small_set):
        frames.append(media.decode_video(clip["video"]).mean(axis=0))
        is_around = (record.read_masks(clip) == 0).all(axis=0)
        surroundings.append(is_around.reshape(32, 2, 32, 2).all(axis=(1, 3)))
        owners.append(clip["identity"])

    def difference(first, second):
        both = surroundings[first] & surroundings[second]
        return np.median(np.abs(frames[first] - frames[second])[both])

    assert owners.count(owners[0]) == 4
    for number, owner in enumerate(owners[1:], start=1):
        assert (difference(0, number) < 8.0) == (owner == owners[0])


def test_a_pair_shares_half_of_its_performances():
    first, second = plan.clips_of(SMALL, 6), plan.clips_of(SMALL, 7)
    shared = [a.request == b.request for a, b in zip(first, second, strict=True)]
    named = [a.performance == b.performance for a, b in zip(first, second, strict=True)]
    assert shared == named == [True, True, False, False]
    assert first[0].identity_seed != second[0].identity_seed


def test_no_speaker_is_in_two_splits():
    speakers = collections.defaultdict(set)
    for identity in range(200):
        for clip in plan.clips_of(SMALL, identity):
            speakers[clip.split].add(clip.request.voice.variant)
    assert not speakers["train"] & speakers["test"]
    assert not speakers["train"] & speakers["validation"]


@pytest.mark.parametrize(
    "change",
    [dict(size=33), dict(size=4096), dict(seconds=0.1), dict(num_takes=2)]
    + [dict(randomization_strength=2.0), dict(seed=-1), dict(splits=("tset",))],
)
def test_settings_out_of_range_are_named(change):
    with pytest.raises(errors.UserError, match=next(iter(change))):
        plan.Settings(**change)


def test_a_record_holds_all_that_was_promised(small_set):
    (one, *_) = read(small_set)
    expected = dict(
        audio=((10 * types.SAMPLES_PER_FRAME,), np.int16),
        head_pose=((10, 6), np.float32),
        head_distance=((10, 1), np.float32),
        gaze=((10, 2), np.float32),
        gaze_in_head=((10, 2), np.float32),
        main_gaze=((2,), np.float32),
        arkit=((10, 52), np.float32),
        blink=((10,), np.float32),
        viseme=((10,), np.int32),
        mouth_opening=((10,), np.float32),
        keypoints=((10, len(names.KEYPOINT_NAMES), 2), np.float32),
    )
    for key, (shape, dtype) in expected.items():
        assert (one[key].shape, one[key].dtype) == (shape, dtype), key
    for key in ("clip_id", "identity", "performance", "voice", "text", "phonemes"):
        assert isinstance(one[key], bytes), key
    for key in ("video", "masks", "geometry"):
        assert isinstance(one[key], bytes), key
    assert (one["num_frames"], one["size"], one["take"]) == (10, 32, 0)
    assert 0 <= one["emotion"] < len(types.EMOTIONS)
    assert set(one) == set(record.features())
    assert "tensorflow" not in sys.modules


def test_a_record_shows_what_it_says(small_set):
    for one in read(small_set):
        frames = media.decode_video(one["video"])
        assert frames.shape == (10, 32, 32, 3) and frames.std() > 5
        masks = record.read_masks(one)
        assert masks.shape == (10, 64, 64)
        head_class = names.MASK_CLASSES.index("head")
        assert 0.05 < np.mean(masks == head_class) < 0.7
        np.testing.assert_allclose(
            one["head_distance"][:, 0] * one["head_pose"][:, 5], 1.0, rtol=1e-5
        )
        mouth = one["keypoints"][:, names.KEYPOINT_NAMES.index("mouth")]
        eye = one["keypoints"][:, names.KEYPOINT_NAMES.index("left_eye")]
        assert np.all(mouth[:, 1] > eye[:, 1])


def test_two_takes_of_an_identity_correspond(small_set):
    first, second, *_ = read(small_set)
    flow, visible, *_ = correspondence.between(first, 0, second, 4, size=16)
    assert flow.shape == (16, 16, 2) and visible.any()


def test_the_renderer_agrees_with_the_performance_about_gaze(small_set):
    clips = [clip for i in range(2) for clip in plan.clips_of(SMALL, i)][:5]
    for clip, one in zip(clips, read(small_set), strict=True):
        assert one["clip_id"].decode() == clip.clip_id
        off = np.abs(np.median(one["gaze"], axis=0) - one["main_gaze"])
        assert np.rad2deg(off).max() < 20


def test_building_again_gives_the_same_records(small_set, tmp_path):
    builder.build(tmp_path, SMALL, 5, engines.Pool(1))
    made, again = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (small_set, tmp_path)
    )
    assert made == again


def test_finished_shards_are_kept_and_unfinished_ones_made_again(
    small_set, tmp_path, monkeypatch
):
    monkeypatch.setattr(shards, "IDENTITIES_PER_SHARD", 1)
    shard_folder.check_settings(tmp_path, SMALL)
    first, second = shards.divide(SMALL, 5)
    shards.make(tmp_path, SMALL, first)
    kept = shard_folder.record_path(tmp_path, first.name, "train")
    time_written = kept.stat().st_mtime_ns
    torn = shard_folder.record_path(tmp_path, second.name, "train")
    torn.write_bytes(b"cut short by a kill")
    torn.with_suffix(".beside_1").write_bytes(b"left over")
    assert shard_files.read_report(tmp_path, second.name) is None
    builder.build(tmp_path, SMALL, 5, InThisProcess())
    assert kept.stat().st_mtime_ns == time_written
    assert not list(tmp_path.rglob("*.beside_*"))
    assert_equal_records(read(tmp_path), read(small_set))


def test_reports_of_before_count_for_nothing(tmp_path):
    (tmp_path / shard_folder.FOLDER).mkdir()
    told = {"num_examples": {}, "num_bytes": {}, "failures": []}
    path = tmp_path / shard_folder.FOLDER / "one.json"
    path.write_text(json.dumps(told))
    assert shard_files.read_report(tmp_path, "one") is None


def test_a_folder_of_other_settings_is_refused(small_set):
    other = plan.Settings(seconds=0.4, size=32, seed=6)
    with pytest.raises(errors.UserError, match="other settings"):
        shard_folder.check_settings(small_set, other)


def test_a_clip_that_fails_is_reported_and_the_others_are_made(tmp_path):
    speech_dir = tmp_path / "speech"
    speech_dir.mkdir()
    (speech_dir / "broken.wav").write_bytes(b"RIFF but no sound")
    settings = plan.Settings(
        seconds=0.4, size=32, speech_dir=str(speech_dir), recordings_share=0.6
    )
    folder = tmp_path / "set"
    outcome = builder.build(folder, settings, 8, InThisProcess())
    failed = outcome.num_skipped["unreadable"]
    assert 0 < failed < 8
    assert "broken.wav" in (folder / set_builder.SKIPPED_FILE).read_text()
    assert sum(outcome.num_clips.values()) == 8 - failed


def run_build(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "datasets.synthetic_heads.build", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_bad_setting_ends_with_one_sentence_and_code_two(tmp_path):
    process = run_build(f"--output_dir={tmp_path}", "--size=33")
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 2
    assert messages.strip().splitlines()[-1].startswith("error: size is 33")
    assert not any(tmp_path.iterdir())


def wait_for_group_to_end(group, seconds=30):
    """Wait until no process of the group is left; kill them if that takes long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("The workers of a killed build live on.")


def test_the_ordinary_tfds_builder_makes_the_same_records(small_set, tmp_path):
    config = builder.SyntheticHeadsConfig(
        name="two", settings=SMALL, num_clips=2, description="Two clips."
    )
    made = builder.SyntheticHeads(
        data_dir=tmp_path, config=config, file_format="array_record"
    )
    made.download_and_prepare()
    records = made.as_data_source(split="train")
    by_name = {one["clip_id"]: one for one in read(small_set)}
    assert len(records) == 2
    for one in records:
        assert_equal_records([one], [by_name[one["clip_id"]]])


@pytest.mark.slow
def test_a_killed_build_goes_on_where_it_was(tmp_path):
    flags = ["--num_clips=48", "--seconds=0.4", "--size=32", "--num_workers=1"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = run_build(f"--output_dir={killed}", *flags)
    deadline = time.monotonic() + 240
    while not list(killed.glob("shards/00000_*.json")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.communicate()
    wait_for_group_to_end(process.pid)
    assert not (killed / "dataset_info.json").exists()
    for folder in (killed, whole):
        process = run_build(f"--output_dir={folder}", *flags)
        output, messages = process.communicate(timeout=300)
        assert process.returncode == 0, messages
        assert "48 clips" in output and "skipped" not in output
    splits = json.loads((whole / "dataset_info.json").read_text())["splits"]
    for split in splits:
        assert_equal_records(read(killed, split["name"]), read(whole, split["name"]))

"""Who is in which split and shard, and which segments of a track make clips."""

import dataclasses
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.published_sets import clips as published_clips
from datasets.published_sets import video_files
from datasets.video_clips import segments, sources, tracking
from datasets.video_clips import settings as settings_lib
from vasa_jax import errors
from vasa_jax.portrait import pose

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = settings_lib.Settings(size=128, seconds=0.8, min_pixels=100)


def test_identities_are_first_folders_or_files():
    path = pathlib.PurePosixPath("id00012/21Uxsk56VDQ/00001.mp4")
    assert sources.identity_of(path, "folder") == "id00012"
    assert sources.identity_of(path, "file") == "id00012/21Uxsk56VDQ/00001"
    assert sources.identity_of(pathlib.PurePosixPath("a.mp4"), "folder") == "a"


def test_splits_follow_the_hash_of_the_name_and_have_their_shares():
    names = [f"id{number:05d}" for number in range(4000)]
    splits = [settings_lib.split_of(name, 0.1) for name in names]
    assert splits == [settings_lib.split_of(name, 0.1) for name in names]
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        assert abs(splits.count(split) / 4000 - share) < 0.02


def test_shards_keep_their_videos_when_others_come():
    sizes = {f"id{number:06d}/1.mp4": 1000 for number in range(10_000)}
    known = _clips(sizes)
    some = sources.divide(known, sizes)
    assert [one.clip for shard in some for one in shard.sources] == list(known)
    assert 32 < len(known) / len(some) < 128
    sizes["id005000/2.mp4"] = 1000
    grown = sources.divide(_clips(sizes), sizes)
    gone = {shard.name for shard in some} - {shard.name for shard in grown}
    assert len(gone) == 1


def _clips(sizes):
    return sources.read_folder("folder", video_files.VideoFiles(sizes)).clips


def test_shards_of_plain_folders_keep_the_names_that_they_always_had():
    sizes = {"ann/1.mp4": 5, "bob.mp4": 7}
    lines = [
        one.line for s in sources.divide(_clips(sizes), sizes) for one in s.sources
    ]
    assert lines == ["ann/1.mp4\0ann\x005", "bob.mp4\0bob\x007"]


def test_what_a_clip_is_cut_by_is_in_the_name_of_its_shard():
    plain = _clips({"a.mp4": 5})[0]
    changes = [
        {"start_seconds": 1.0},
        {"sound_shift_seconds": 0.04},
        {"split": "test"},
        {"emotions": ()},
        {"sound": "a.wav"},
        {"box": published_clips.Box(left=0, top=0, right=5, bottom=5)},
    ]
    made = [plain, *(dataclasses.replace(plain, **change) for change in changes)]
    names = {sources.divide([clip], {"a.mp4": 5})[0].name for clip in made}
    assert len(names) == 1 + len(changes)


def test_nobody_is_drawn_into_a_part_that_a_set_has_itself():
    sizes = {f"{number}.mp4": 1 for number in range(200)}
    drawn = list(_clips(sizes))
    settings = dataclasses.replace(SETTINGS, held_out_share=0.3)
    before = [sources.split_of(clip, settings) for clip in drawn]
    assert sources.apart_from_own_parts(drawn, 0.3) == drawn
    own = dataclasses.replace(drawn[0], name="own", person="own", split="test")
    placed = sources.apart_from_own_parts([*drawn, own], 0.3)
    after = [sources.split_of(clip, settings) for clip in placed]
    assert after[-1] == "test" and "test" in before
    assert after[:-1] == ["train" if split == "test" else split for split in before]


def _track(count, **changes):
    """A head that rests in the middle of a picture of 400 pixels, changed here."""
    fields = {
        "present": np.ones(count, bool),
        "is_joined": np.arange(count) > 0,
        "unit": np.full(count, 60.0),
        "centre": np.full((count, 2), 200.0),
        "is_still": np.arange(count) % 2 > 0,
    }
    fields |= changes
    fit = pose.HeadFit(
        rotation=np.zeros((count, 3)), centre=fields["centre"], unit=fields["unit"]
    )
    return tracking.Track(
        height=400,
        width=400,
        present=fields["present"],
        is_joined=fields["is_joined"],
        fit=fit,
        mouth_aperture=np.zeros(count, np.float32),
        keypoints=np.zeros((count, 10, 2), np.float32),
        labels=np.zeros((count, 0), np.float32),
        is_still=fields["is_still"],
    )


def _choose(found, num_frames_heard=1000):
    chosen, passed = segments.choose(found, SETTINGS, 640 * num_frames_heard)
    return [segment.start for segment in chosen], passed


def test_stretches_begin_after_the_last_frame_that_breaks_them():
    present, is_joined = np.ones(70, bool), np.arange(70) > 0
    present[[2, 7]] = is_joined[[2, 3, 7, 8]] = False
    is_joined[40] = False
    starts, passed = _choose(_track(70, present=present, is_joined=is_joined))
    assert starts == [8, 40]
    assert passed == {segments.ABSENT: 8, segments.JUMP: 12}


@pytest.mark.parametrize(
    "reason, changes",
    [
        (segments.SMALL, {"unit": np.full(20, 30.0)}),
        (segments.OUTSIDE, {"centre": np.full((20, 2), 20.0)}),
        (segments.WANDERS, {"centre": np.linspace(100, 300, 40).reshape(20, 2)}),
        (segments.WANDERS, {"unit": np.linspace(30, 90, 20)}),
        (segments.STILL, {"is_still": np.arange(20) > 0}),
    ],
)
def test_a_face_too_small_cut_off_wandering_or_still_makes_no_clip(reason, changes):
    starts, passed = _choose(_track(20, **changes))
    assert starts == [] and set(passed) == {reason}


def test_a_clip_ends_with_the_sound():
    assert _choose(_track(40), num_frames_heard=37)[0] == [0, 20]
    assert _choose(_track(40), num_frames_heard=30) == ([0], {segments.SILENT: 20})


def test_what_is_too_short_for_a_whole_clip_makes_a_shorter_one():
    settings = dataclasses.replace(SETTINGS, seconds=2.0)
    is_joined = np.arange(150) > 0
    is_joined[[70, 95, 119]] = False
    found = _track(150, is_joined=is_joined)
    chosen, passed = segments.choose(found, settings, 640 * 1000)
    lengths = [(segment.start, segment.num_frames) for segment in chosen]
    assert lengths == [(0, 50), (70, 25), (119, 31)]
    assert passed == {segments.JUMP: 20 + 24}


def test_a_head_that_leaves_its_crop_makes_shorter_clips():
    settings = dataclasses.replace(SETTINGS, seconds=4.0)
    centre = np.full((100, 2), 200.0)
    centre[50:] -= 100
    chosen, _ = segments.choose(_track(100, centre=centre), settings, 640 * 1000)
    assert [segment.num_frames for segment in chosen] == [50, 50]


def test_clips_whose_lips_must_be_told_are_long_enough_for_it():
    assert settings_lib.Settings().least_frames == 25
    assert settings_lib.Settings(min_lip_match=0.07).least_frames == 50
    assert SETTINGS.least_frames == SETTINGS.num_frames == 20


def test_a_users_mistakes_are_sentences(tmp_path):
    with pytest.raises(errors.UserError, match="no folder"):
        video_files.find(tmp_path / "missing")
    with pytest.raises(errors.UserError, match="no videos"):
        video_files.find(tmp_path)
    with pytest.raises(errors.UserError, match="multiple of 16"):
        settings_lib.Settings(size=100)
    with pytest.raises(errors.UserError, match="folder, file"):
        settings_lib.Settings(identities="name")


def test_the_program_ends_with_code_2_and_one_sentence(tmp_path):
    command = [sys.executable, "-m", "datasets.video_clips.build"]
    done = subprocess.run(
        [*command, f"--input_dir={tmp_path}/none", f"--output_dir={tmp_path}/out"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no folder")
    assert len(done.stderr.splitlines()) == 1

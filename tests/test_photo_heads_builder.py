"""Pictures of a folder become clips that stage one reads; what does not is named."""

import dataclasses
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("espeakng_loader")

from datasets import portrait_split
from datasets.building import engines, set_builder, shard_files
from datasets.photo_heads.fit import photo_head
from datasets.photo_heads.records import builder, plan, portraits, shards
from datasets.synthetic_heads.records import record as synthetic_record
from experiments.configs import face, face_fields
from vasa_jax import config, errors, media
from vasa_jax.data import clips, mixed_sets, records
from vasa_jax.portrait import crop, locate
from vasa_jax.train import batch_names

ROOT = pathlib.Path(__file__).parent.parent
SETTINGS = plan.Settings(size=64, seconds=0.4, min_pixels=100, largest_cut=2.0)


def _name(split, start):
    """Return a name that the split's rule puts into a split."""
    numbers = (f"{start}_{number}" for number in range(1000))
    return next(name for name in numbers if portrait_split.split_of(name) == split)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portraits")
    portrait = media.read_image(ROOT / "examples" / "portrait.png")
    for start, image in (("own", portrait), ("mirrored", portrait[:, ::-1])):
        media.write_image(folder / f"{_name('train', start)}.png", image)
    media.write_image(folder / f"{_name('validation', 'own')}.png", portrait)
    small = portrait[::8, ::8]
    media.write_image(folder / f"{_name('train', 'small')}.png", small)
    grey = np.full((200, 200, 3), 120, np.uint8)
    media.write_image(folder / f"{_name('train', 'grey')}.png", grey)
    (folder / f"{_name('train', 'broken')}.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


@pytest.fixture(scope="module")
def built(folder, tmp_path_factory):
    output = tmp_path_factory.mktemp("clips")
    return output, builder.build(folder, output, SETTINGS, engines.Pool(1))


def _read_all(folder, split="train"):
    opened = records.open_folder(folder, split)
    return [opened.read(index) for index in range(len(opened))]


def test_every_portrait_is_moved_and_every_other_picture_is_named(built):
    output, outcome = built
    assert outcome.num_clips == {"train": 6, "validation": 3}
    assert outcome.num_identities == {"train": 2, "validation": 1}
    assert sum(outcome.num_skipped.values()) == 3
    told = (output / set_builder.SKIPPED_FILE).read_text()
    for name in ("broken", "grey", "small"):
        assert name in told


def test_a_second_build_makes_nothing_anew(built, folder):
    output, outcome = built
    files = {path: path.stat().st_mtime_ns for path in (output / "shards").iterdir()}
    assert builder.build(folder, output, SETTINGS, engines.Pool(1)) == outcome
    again = {path: path.stat().st_mtime_ns for path in (output / "shards").iterdir()}
    assert again == files


def test_other_settings_are_refused_in_the_same_folder(built, folder):
    other = dataclasses.replace(SETTINGS, seed=1)
    with pytest.raises(errors.UserError, match="other settings"):
        builder.build(folder, built[0], other, engines.Pool(1))


def test_records_have_the_features_of_the_synthetic_heads(built):
    expected = set(synthetic_record.features())
    for clip in _read_all(built[0]):
        assert set(clip) == expected
        for name in ("head_pose", "arkit", "gaze_in_head", "keypoints", "blink"):
            assert len(clip[name]) == clip["num_frames"] == SETTINGS.num_frames
        assert synthetic_record.read_masks(clip).shape == (10, 64, 64)


def test_the_first_take_shows_the_untouched_photograph(built, folder):
    for clip in _read_all(built[0]):
        if clip["take"]:
            continue
        picture = media.read_image(folder / f"{clip['identity']}.png")
        box = locate.locate_face(picture).box
        expected = crop.extract(picture, box, SETTINGS.size).astype(float)
        for frame in clips.read_frames(clip):
            error = np.sqrt(np.square(frame - expected).mean())
            assert error < 6  # what H.264 leaves
        np.testing.assert_allclose(
            clip["head_pose"][:, 3:], [[0, 0, 1]] * 10, atol=0.01
        )


def test_performances_speak_and_move_the_head_unless_they_exercise(built):
    for clip in _read_all(built[0]):
        moves = np.ptp(clip["head_pose"], axis=0).max() > 1e-3
        assert moves == (clip["take"] == 1)
        assert bool(np.abs(clip["audio"]).max()) == bool(clip["take"])


def test_no_portrait_lies_in_two_splits(folder):
    found = portraits.find(folder)
    assert {portrait.split for portrait in found} == {"train", "validation"}
    assert len({portrait.identity for portrait in found}) == len(found)


def test_pictures_that_come_later_change_only_their_own_shards():
    before = [portraits.Portrait(f"{number}.png", 9) for number in range(0, 300, 2)]
    more = before + [portraits.Portrait("1.png", 9)]
    made = [
        {shard.name for shard in portraits.divide(sorted(some, key=lambda p: p.path))}
        for some in (before, more)
    ]
    assert len(made[0] - made[1]) <= 1
    assert len(made[0]) > 10


def test_a_portrait_is_refused_for_what_it_would_teach(folder):
    picture = media.read_image(ROOT / "examples" / "portrait.png")
    for changed, kind in (
        ({"min_pixels": 4000}, "too small"),
        ({"largest_yaw_degrees": 0.0}, "turned"),
    ):
        settings = dataclasses.replace(SETTINGS, **changed)
        with pytest.raises(shard_files.UnfitError) as caught:
            shards.fit(picture, settings, "train")
        assert caught.value.kind == kind
        shards.fit(picture, settings, "validation")


def test_a_plan_depends_on_seed_and_path_alone():
    portrait = portraits.Portrait("someone.png", 9)
    takes = plan.takes_of(SETTINGS, portrait)
    assert takes == plan.takes_of(SETTINGS, portrait)
    assert takes[0].request is None
    assert takes != plan.takes_of(dataclasses.replace(SETTINGS, seed=1), portrait)
    assert takes[1] != plan.takes_of(SETTINGS, portraits.Portrait("other.png", 9))[1]


def test_performances_but_the_first_exercise_in_place_of_an_emotion():
    portrait = portraits.Portrait("someone.png", 9)
    settings = dataclasses.replace(SETTINGS, num_takes=4)
    takes = plan.takes_of(settings, portrait)
    asked = [take.request for take in takes[1:]]
    assert [request.exercises for request in asked] == [False, True, True]
    assert all(request.emotion == "neutral" for request in asked[1:])
    assert {take.view for take in takes[2:]} == {photo_head.View()}


@pytest.mark.parametrize(
    "changed", [{"size": 100}, {"num_takes": 1}, {"largest_cut": -1.0}]
)
def test_settings_out_of_range_are_refused(changed):
    with pytest.raises(errors.UserError, match=next(iter(changed))):
        plan.Settings(**changed)


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(errors.UserError, match="no pictures"):
        portraits.find(tmp_path)
    with pytest.raises(errors.UserError, match="no folder"):
        portraits.find(tmp_path / "missing")


def test_moved_photographs_train_a_step_of_stage_one(built, folder):
    settings = config.override(
        face.get_config("tiny"),
        [f"data_dir={built[0]}", "train.batch_size=2", "data.num_workers=0"],
    )
    face_fields.check(mixed_sets.open_folders(settings.data_dir, "train"), settings)
    experiment = face.build(settings)
    assert experiment.card.startswith(face.PHOTO_CARD)
    batch = next(iter(experiment.train_data()))
    arrays, _ = batch_names.split_names(batch)
    assert 0.0 <= arrays["learnable"].min() and arrays["learnable"].max() <= 1.0
    assert arrays["learnable"].mean() > 0.3


@pytest.mark.parametrize(
    "given, told",
    [
        ("--portraits_dir=missing", "There is no folder"),
        ("--size=128", "--portraits_dir is missing"),
        ("--portrait_dir=x", "Unknown command line flag"),
        ("pictures", "is no flag"),
    ],
)
def test_the_program_ends_with_code_2_and_one_sentence(tmp_path, given, told):
    command = [sys.executable, "-m", "datasets.photo_heads.build", given]
    done = subprocess.run(
        [*command, f"--output_dir={tmp_path}/out"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()

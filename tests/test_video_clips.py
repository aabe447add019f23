"""Videos of a moving portrait become clips that both stages of training can read."""

import dataclasses
import functools
import os
import pathlib

import jax
import moving_portrait
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.building import engines, set_builder, shard_folder
from datasets.published_sets import video_files
from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import renderer, scene
from datasets.video_clips import builder, record, sources, tracking
from datasets.video_clips import settings as settings_lib
from experiments.configs import face, face_fields
from experiments.running import encoded_shards
from vasa_jax import audio, config, errors, media
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.encode import clip_conditions, encoding
from vasa_jax.portrait import crop, locate, pose
from vasa_jax.train import batch_names, step
from vasa_jax.train import state as state_lib

ROOT = pathlib.Path(__file__).parent.parent
HEIGHT, WIDTH = moving_portrait.HEIGHT, moving_portrait.WIDTH
CUT_AT = moving_portrait.CUT_AT
SETTINGS = settings_lib.Settings(
    size=128, seconds=0.8, min_pixels=100, held_out_share=0.2
)
WITHOUT_TRUTH = ("face_loss.uses_geometry=False",)


def _cut_off(path, num_bytes):
    path.write_bytes(path.read_bytes()[:-num_bytes])


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Carl's file is torn, Dora's video is cut, and the others make no clips."""
    folder = tmp_path_factory.mktemp("videos")
    portrait = media.read_image(ROOT / "examples" / "portrait.png")
    voice = audio.load_waveform(ROOT / "examples" / "voice.wav")
    moving_portrait.write(
        folder / "carl" / "first" / "1.mp4", moving_portrait.frames(portrait, 23), voice
    )
    _cut_off(folder / "carl" / "first" / "1.mp4", num_bytes=200)
    cut = moving_portrait.frames(portrait[:, ::-1], 2 * CUT_AT, jump=130.0)
    moving_portrait.write(folder / "dora" / "1.mp4", cut, voice)
    moving_portrait.write(
        folder / "fay.mp4", moving_portrait.frames(portrait, 20), None
    )
    grey = np.full((21, HEIGHT, WIDTH, 3), 120, np.uint8)
    moving_portrait.write(folder / "grey.mp4", grey, voice)
    moving_portrait.write(
        folder / "short.mp4", moving_portrait.frames(portrait, 9), voice
    )
    (folder / "broken.mkv").write_bytes(b"no video at all")
    (folder / "notes.txt").write_text("no video either")
    return folder


@pytest.fixture(scope="module")
def built(videos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return folder, builder.build(videos, folder, SETTINGS, engines.Pool(1))


def _read_all(folder, split="train"):
    opened = records.open_folder(folder, split)
    read = [opened.read(index) for index in range(len(opened))]
    return {clip["clip_id"]: clip for clip in read}


def test_each_steady_stretch_is_a_clip_and_every_other_video_is_named(built):
    folder, outcome = built
    assert outcome.num_clips == {"train": 3}
    assert outcome.num_identities == {"train": 2}
    assert outcome.num_skipped == {
        "unreadable": 1,
        "without sound": 1,
        "without a face": 1,
        "too short": 1,
    }
    assert outcome.num_damaged == 1
    told = (folder / set_builder.SKIPPED_FILE).read_text()
    damaged = "carl/first/1.mp4: damaged: "
    for name in (
        "broken.mkv: unreadable",
        "fay.mp4: without sound",
        "grey.mp4",
        damaged,
    ):
        assert name in told
    starts = {
        (clip["source"], int(clip["start_frame"]))
        for clip in _read_all(folder).values()
    }
    assert starts == {
        ("carl/first/1.mp4", 0),
        ("dora/1.mp4", 0),
        ("dora/1.mp4", CUT_AT),
    }


def test_the_pose_tells_how_the_portrait_was_moved_and_enlarged(built):
    clip = next(c for c in _read_all(built[0]).values() if c["identity"] == "carl")
    center_x, center_y, half = clip["crop_box"]
    centre = clip["head_pose"][:, 3:5] * half + [center_x, center_y]
    views = np.array([moving_portrait.view(frame, 0) for frame in range(20)])
    zoom = WIDTH / views[:, 2]
    middle = np.array([WIDTH, HEIGHT]) / 2
    fixed = (centre - middle) / zoom[:, None] + views[:, :2]
    assert np.ptp(fixed, axis=0).max() < 12  # of 512 portrait pixels
    growth = clip["head_pose"][:, 5] / zoom
    np.testing.assert_allclose(growth, growth.mean(), rtol=0.02)
    np.testing.assert_allclose(
        np.median(clip["head_pose"][:, 3:], 0), [0, 0, 1], atol=0.02
    )
    np.testing.assert_allclose(
        clip["head_distance"] * clip["head_pose"][:, 5:], 1, 1e-5
    )


def test_the_clip_shows_what_its_record_says(built):
    clip = next(c for c in _read_all(built[0]).values() if c["identity"] == "carl")
    frames = media.decode_video(clip["video"])
    assert frames.shape == (20, 128, 128, 3)
    assert (clip["num_frames"], clip["size"]) == (20, 128)
    found = locate.locate_face(frames[10])
    whole = crop.CropBox.of_whole(128, 128)
    fit = pose.fit_head(found.landmarks.points)
    seen = pose.head_pose_in_crop(fit, whole)
    np.testing.assert_allclose(seen.rotation, clip["head_pose"][10, :3], atol=0.06)
    np.testing.assert_allclose(seen.scale, clip["head_pose"][10, 5:], atol=0.06)
    keypoints = tracking.place_keypoints(found.landmarks.points, fit.centre)
    np.testing.assert_allclose(keypoints / 64 - 1, clip["keypoints"][10], atol=0.05)
    left_eye, right_eye, mouth = clip["keypoints"][10, :3]
    assert left_eye[0] > right_eye[0] and mouth[1] > left_eye[1]


def test_the_sound_is_that_of_the_frames(built):
    voice = audio.load_waveform(ROOT / "examples" / "voice.wav")
    clip = next(
        c for c in _read_all(built[0]).values() if int(c["start_frame"]) == CUT_AT
    )
    heard = clip["audio"] / 32768
    assert clip["audio"].dtype == np.int16 and len(heard) == 20 * 640
    said = voice[CUT_AT * 640 :][: 20 * 640]
    assert np.corrcoef(heard, said)[0, 1] > 0.95


def test_records_have_no_field_that_a_video_cannot_tell(built):
    clip = next(iter(_read_all(built[0]).values()))
    assert set(clip) == set(record.features())
    assert not set(clip) & {"arkit", "gaze_in_head", "geometry", "voice"}


def test_records_tell_gaze_and_emotion_of_nearly_all_frames(built):
    for clip in _read_all(built[0]).values():
        assert clip["labels_by"] == "encoder"
        _check_labels(clip)
        assert np.rad2deg(np.abs(clip["main_gaze"])).max() < 15  # It looks at us.


def _check_labels(clip):
    """Refuse a clip whose labels are missing, or of another clip's shape."""
    count = int(clip["num_frames"])
    told = np.isfinite(clip["gaze"]).all(axis=1)
    told &= np.isfinite(clip["frame_emotion"]).all(axis=1)
    assert told.shape == (count,) and told.mean() >= 0.9
    assert clip["blink"].shape == (count,) and np.isfinite(clip["blink"]).all()
    known = clip["units_known"]
    assert clip["units"].shape == (count, 52) and 20 < known.sum() < 52
    np.testing.assert_array_equal(
        np.isfinite(clip["units"]), np.broadcast_to(known, (count, 52))
    )
    np.testing.assert_allclose(
        clip["emotion"], clip["frame_emotion"].mean(axis=0), atol=1e-6
    )
    assert clip["mean_distance"][0] == pytest.approx(clip["head_distance"].mean())
    assert clip["sharpness"] > 0.02
    conditions = clip_conditions.gaze(clip), clip_conditions.emotion(clip)
    assert all(np.isfinite(one).all() for one in conditions)
    assert np.abs(conditions[1]).max() > 0.05


def test_a_rendered_persons_clip_carries_its_gaze(rendered):
    folder, truth = rendered
    clip = next(iter(_read_all(folder).values()))
    _check_labels(clip)
    for row, start in ((0, 0), (1, 12)):
        told = np.rad2deg(np.nanmedian(clip["gaze"][start:][:12], axis=0))
        assert abs(told[0] - truth[row]) < 12
    right, left = (np.nanmedian(clip["gaze"][half, 0]) for half in _HALVES)
    assert np.rad2deg(right - left) > 15


_HALVES = slice(12), slice(12, 24)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A rendered person looks right, then left; degrees of yaw."""
    truth = (16.0, -16.0)
    state = geometry.FrameState(
        arkit=np.zeros(52, np.float32),
        gaze_in_head=np.zeros(2),
        rotation=np.zeros(3),
        translation=np.zeros(3),
    )
    person, where = avatar.build_avatar(12), scene.random_scene(12)
    artist, pictures = renderer.Renderer(240), []
    for yaw in truth:
        looking = dataclasses.replace(state, gaze_in_head=np.deg2rad([yaw, 0]))
        picture = artist.render(person, where, scene.camera(), looking).image
        pictures.append(np.pad(picture, ((0, 0), (40, 40), (0, 0)), mode="edge"))
    videos = tmp_path_factory.mktemp("rendered")
    voice = audio.load_waveform(ROOT / "examples" / "voice.wav")
    moving_portrait.write(videos / "eve.mp4", np.repeat(pictures, 12, axis=0), voice)
    settings = dataclasses.replace(SETTINGS, seconds=0.96, held_out_share=0.0)
    folder = tmp_path_factory.mktemp("rendered_clips")
    builder.build(videos, folder, settings, engines.Pool(1))
    return folder, truth


def _shards(folder):
    files = video_files.find(folder)
    return sources.divide(sources.read_folder("folder", files).clips, files.sizes)


def test_a_build_goes_on_where_it_was_killed_and_makes_the_same_records(
    videos, built, tmp_path
):
    folder, outcome = built
    before = _read_all(folder)
    files = {
        path: path.stat().st_mtime_ns
        for path in (folder / shard_folder.FOLDER).glob("*.array_record")
    }
    shard = next(
        shard for shard in _shards(videos) if shard.sources[0].clip.identity == "carl"
    )
    (folder / shard_folder.FOLDER / f"{shard.name}.json").unlink()
    assert builder.build(videos, folder, SETTINGS, engines.Pool(1)) == outcome
    after = _read_all(folder)
    assert {name: clip["video"] for name, clip in before.items()} == {
        name: clip["video"] for name, clip in after.items()
    }
    for path, time in files.items():
        is_made_again = path.name.startswith(shard.name)
        assert (path.stat().st_mtime_ns != time) == is_made_again
    other = dataclasses.replace(SETTINGS, size=64)
    with pytest.raises(errors.UserError, match="other settings"):
        builder.build(videos, folder, other, engines.Pool(1))


def _settings(folder, *changes):
    given = [f"data_dir={folder}", *changes]
    return config.override(face.get_config("tiny"), given)


def test_losses_without_their_truth_are_refused_with_the_settings_to_give(built):
    with pytest.raises(errors.UserError) as caught:
        face.make_examples(_settings(built[0], "face_loss.gaze=1"), "train")
    sentence = str(caught.value)
    for change in (*WITHOUT_TRUTH, "face_loss.gaze=0"):
        assert f"--set={change}" in sentence
    assert "--preset=demo_videos" in sentence
    encoders = config.override(
        face.get_config("tiny_encoders"), [f"data_dir={built[0]}"]
    )
    with pytest.raises(errors.UserError, match="--set=encoder_loss.expression=0"):
        face.make_examples(encoders, "train")


def test_sets_of_videos_are_told_from_rendered_ones(built, tmp_path):
    assert face_fields.set_names(built[0]) == {face_fields.VIDEO_SET}
    assert face_fields.set_names(tmp_path) == set()


def test_a_preset_asks_only_for_what_videos_tell(built):
    changes = [f"data_dir={built[0]}", "model.image_size=64"]
    settings = config.override(face.get_config("demo_videos"), changes)
    pair = face.make_examples(settings, "train").draw(np.random.default_rng(0), 0)
    assert pair["driver"].shape == (64, 64, 3) and "flow" not in pair
    usual = face.get_config("demo").face_loss
    assert settings.face_loss == dataclasses.replace(usual, uses_geometry=False)


def test_clips_smaller_than_the_model_are_refused(built):
    settings = _settings(built[0], *WITHOUT_TRUTH, "model.image_size=256")
    with pytest.raises(errors.UserError, match="128 pixels .* --size=256"):
        face.make_examples(settings, "train")


def test_pairs_are_drawn_without_the_truth_that_is_not_there(built):
    drawn = face.make_examples(_settings(built[0], *WITHOUT_TRUTH), "train")
    pair = drawn.draw(np.random.default_rng(0), 0)
    assert pair["driver"].shape == (32, 32, 3)
    assert pair["driver_regions"].shape == (3, 2)
    assert not any("arkit" in name or "gaze" in name for name in pair)
    assert not {
        "flow",
        "mirrored_flow",
        "source_surroundings",
        "driver_surroundings",
    } & set(pair)


@pytest.mark.slow
def test_a_step_of_stage_one_runs_on_clips_of_videos(built):
    settings = _settings(built[0], *WITHOUT_TRUTH, "train.batch_size=2")
    experiment = face.build(settings)
    assert "real people" in experiment.card
    batches = experiment.train_data()
    batch, _ = batch_names.split_names(next(batches))
    batches.close()
    state = jax.jit(functools.partial(state_lib.init_state, experiment))()
    measured = jax.eval_shape(
        experiment.evaluate, state.params, batch, jax.random.key(0)
    )
    assert "psnr" in measured and "expression" not in measured
    state, metrics = jax.jit(step.make_step(experiment))(state, batch)
    assert int(state.step) == 1
    assert np.isfinite(list(map(float, metrics.values()))).all()
    assert {"face/reconstruction", "face/decoded"} <= set(metrics)
    assert not {"face/flow", "face/visibility", "face/expression"} & set(metrics)


@pytest.mark.slow
def test_clips_of_videos_are_encoded_for_stage_two(built, tiny_models, tmp_path):
    clips = encoding.ClipEncoder(
        tiny_models.face_config,
        tiny_models.face_params,
        encoders.make("mel"),
        batch_frames=20,
    )
    opened = records.open_folder(built[0], "train")
    done = encoded_shards.encode_clips(clips, opened, "train", tmp_path, range(3))
    assert [outcome for _, outcome in done] == ["encoded"] * 3
    encoded = records.open_folder(tmp_path, "train").read(0)
    original = _read_all(built[0])[encoded["clip_id"]]
    np.testing.assert_array_equal(encoded["motion"][:, :6], original["head_pose"])
    assert encoded["mouth_opening"].shape == (20,)
    np.testing.assert_array_equal(encoded["gaze"], original["main_gaze"])
    np.testing.assert_allclose(
        encoded["head_distance"], original["mean_distance"], rtol=1e-6
    )
    np.testing.assert_array_equal(encoded["emotion"][1:], original["emotion"][1:])
    assert encoded["emotion"][0] == 0


@pytest.mark.slow
@pytest.mark.skipif("VASA_REAL_DATA" not in os.environ, reason="needs real videos")
def test_a_real_talking_head_makes_a_clip():
    folder = pathlib.Path(os.environ["VASA_REAL_DATA"]) / "talking_heads"
    clip = sources.read_folder("folder", video_files.find(folder)).clips[0]
    made = list(record.make(folder, clip, settings_lib.Settings(seconds=2.0), print))
    assert made and made[0]["num_frames"] == 50
    head_pose = made[0]["head_pose"]
    assert np.abs(np.diff(head_pose[:, :3], axis=0)).max() < np.deg2rad(8)
    assert np.abs(head_pose[:, 3:5]).max() < 0.3
    assert 0.05 < np.ptp(made[0]["mouth_opening"]) < 1
    _check_labels(made[0])

"""Real talking heads become labelled clips that both trainings take and learn from."""

import dataclasses
import functools
import os
import pathlib

import jax
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.building import engines, shard_files
from datasets.published_sets import video_files
from datasets.video_clips import builder, record, sources
from datasets.video_clips import settings as settings_lib
from experiments.configs import face
from experiments.running import encoded_shards
from vasa_jax import audio, config, media
from vasa_jax.audio import encoders
from vasa_jax.data import records
from vasa_jax.encode import encoding
from vasa_jax.motion import denoiser, normalization, windows
from vasa_jax.motion import training as motion_training
from vasa_jax.train import batch_names, optimizer, step
from vasa_jax.train import experiment as experiment_lib
from vasa_jax.train import state as state_lib

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("VASA_REAL_DATA" not in os.environ, reason="needs real videos"),
]

FOLDER = pathlib.Path(os.environ.get("VASA_REAL_DATA", ""), "talking_heads")
SETTINGS = settings_lib.Settings(
    size=128, seconds=3.0, identities="file", min_pixels=100, held_out_share=0.0
)
LIP_MATCH = 0.07
MOTION_STEPS = 120


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    builder.build(FOLDER, folder, SETTINGS, engines.Pool(1))
    return folder


def _clips(folder):
    opened = records.open_folder(folder, "train")
    return [opened.read(index) for index in range(len(opened))]


def test_every_label_of_the_paper_is_in_the_records(built):
    clips = _clips(built)
    assert len(clips) >= 5 and len({clip["identity"] for clip in clips}) >= 5
    known = [
        np.isfinite(clip["gaze"]).all(axis=1)
        & np.isfinite(clip["frame_emotion"]).all(axis=1)
        for clip in clips
    ]
    assert np.mean(np.concatenate(known)) >= 0.9
    for clip in clips:
        told = ("main_gaze", "mean_distance", "emotion", "sharpness", "covered")
        for name in (*told, "blink", "voiced_share", "lip_match"):
            assert np.isfinite(clip[name]).all(), name
        assert np.max(clip["covered"]) < 0.5
        assert 0.3 < clip["voiced_share"] <= 1
        assert clip["is_voiced"].shape == (clip["num_frames"],)
        assert clip["language"] == "unknown"


def test_another_persons_voice_and_a_late_one_are_refused(built, tmp_path):
    settings = dataclasses.replace(SETTINGS, min_lip_match=LIP_MATCH)
    videos = sorted(FOLDER.glob("*.mpg"))
    voices = [audio.load_waveform(video) for video in videos]
    late = 4800
    refused = []
    for number, video in enumerate(videos):
        frames = np.stack(list(media.iterate_video(video)))
        own = voices[number]
        for voice in (own, voices[number - 1], np.pad(own, (late, 0))[: len(own)]):
            with media.VideoWriter(
                tmp_path / "one.mp4", *frames.shape[1:3], voice
            ) as writer:
                writer.write(frames)
            files = video_files.find(tmp_path)
            clip = sources.read_folder("file", files).clips[0]
            try:
                refused.append(not list(record.make(tmp_path, clip, settings, print)))
            except shard_files.UnfitError as error:
                assert error.kind == "of another voice"
                refused.append(True)
    true, other, shifted = np.mean(np.reshape(refused, (-1, 3)), axis=0)
    assert true <= 0.2 and other >= 0.8 and shifted >= 0.8


def test_a_step_of_stage_one_runs(built):
    changes = [f"data_dir={built}", "face_loss.uses_geometry=False"]
    settings = config.override(
        face.get_config("tiny"), [*changes, "train.batch_size=2"]
    )
    experiment = face.build(settings)
    batches = experiment.train_data()
    batch, _ = batch_names.split_names(next(batches))
    batches.close()
    state = jax.jit(functools.partial(state_lib.init_state, experiment))()
    state, metrics = jax.jit(step.make_step(experiment))(state, batch)
    assert int(state.step) == 1
    assert np.isfinite(list(map(float, metrics.values()))).all()


@pytest.fixture(scope="module")
def encoded(built, tiny_models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded")
    encoder = encoding.ClipEncoder(
        tiny_models.face_config,
        tiny_models.face_params,
        encoders.make("mel"),
        batch_frames=SETTINGS.num_frames,
    )
    opened = records.open_folder(built, "train")
    places = range(len(opened))
    done = encoded_shards.encode_clips(encoder, opened, "train", folder, places)
    assert {outcome for _, outcome in done} == {"encoded"}
    return _clips(folder)


def test_stage_two_learns_what_conditions_tell(encoded, tiny_models):
    sizes = tiny_models.motion_config
    cut = functools.partial(
        windows.cut,
        window_frames=sizes.window_frames,
        previous_frames=sizes.previous_frames,
    )
    statistics = normalization.measure(encoded, sizes.window_frames)
    task = motion_training.MotionTask(sizes, statistics)
    experiment = experiment_lib.Experiment(
        name="motion",
        task=task,
        settings=experiment_lib.TrainConfig(batch_size=10, num_steps=MOTION_STEPS),
        optimizers={"motion": optimizer.for_transformers(3e-3, 5, 0.9)},
        train_data=lambda: iter(()),
    )
    generator = np.random.default_rng(0)

    def draw():
        rows = [cut(clip, generator) for clip in [*encoded, *encoded][:10]]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    batch = draw()
    everything = np.ones(10, bool)
    conditions = motion_training.make_conditions(batch, statistics).replace(
        audio_dropped=everything,
        previous_dropped=everything,
        liveliness_dropped=everything,
    )
    for name in ("gaze", "emotion", "distance"):
        assert not getattr(conditions, f"{name}_dropped").any()
    noise = generator.normal(size=batch["motion"].shape).astype(np.float32)
    steps = np.full(10, sizes.num_diffusion_steps - 1, np.int32)
    target = statistics.motion.normalise(batch["motion"])

    @jax.jit
    def errors(params, conditions):
        """Return how far the mean of each prediction is from that of each truth."""
        network = denoiser.MotionDenoiser(sizes)
        told = network.apply({"params": params}, noise, steps, conditions)
        apart = told.mean(axis=1)[:, None] - target.mean(axis=1)[None]
        return (apart**2).mean(axis=-1)

    def advantage(params, fields):
        """Return the error by others' conditions over that by one's own."""
        others = {
            name: np.roll(getattr(conditions, name), 1, axis=0) for name in fields
        }
        own = np.diagonal(errors(params, conditions)).mean()
        return np.diagonal(errors(params, conditions.replace(**others))).mean() / own

    fields = ("gaze", "emotion", "head_distance")
    state = jax.jit(functools.partial(state_lib.init_state, experiment))()
    advance = jax.jit(step.make_step(experiment))
    before = advantage(state.params["motion"], fields)
    for _ in range(MOTION_STEPS):
        state, _ = advance(state, draw())
    assert before < 1.1
    assert advantage(state.params["motion"], fields) > 1.3
    for name in fields:
        assert advantage(state.params["motion"], [name]) > 1.05, name

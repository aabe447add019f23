"""The task of stage two: it learns, and its loss is a mean over rows."""

import functools

import jax
import jax.numpy as jnp
import motion_windows
import numpy as np
import pytest
from flax import serialization

from experiments.running import experiment_file
from vasa_jax import config as config_lib
from vasa_jax.animate import motion_stream, trained
from vasa_jax.animate.controls import Controls
from vasa_jax.data import records
from vasa_jax.encode import clip_conditions
from vasa_jax.errors import UserError
from vasa_jax.motion import config, losses, windows
from vasa_jax.motion import controls as motion_controls
from vasa_jax.motion import model as motion_model
from vasa_jax.motion import training as motion_training
from vasa_jax.motion.shaping.config import ShapingConfig
from vasa_jax.train import batch_names, optimizer
from vasa_jax.train import experiment as experiment_lib
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib
from vasa_jax.train import task as task_lib

SIZES = config.tiny()


def cut(record, generator):
    return windows.cut(
        record,
        generator,
        window_frames=SIZES.window_frames,
        previous_frames=SIZES.previous_frames,
    )


def some_batch(count=8, seed=0):
    generator = np.random.default_rng(seed)
    clips = [motion_windows.record(generator) for _ in range(count)]
    return motion_windows.batch(cut, clips, seed)


def read_arkit(facial_dynamics):
    """Take the first dynamics for the jaw."""
    jaw = jax.nn.sigmoid(facial_dynamics[..., :1])
    return jnp.pad(jaw, [(0, 0)] * (jaw.ndim - 1) + [(24, 27)])


def make_experiment(task, learning_rate=3e-3, num_steps=200):
    return experiment_lib.Experiment(
        name="motion",
        task=task,
        settings=experiment_lib.TrainConfig(batch_size=8, num_steps=num_steps),
        optimizers={
            "motion": optimizer.OptimizerConfig(
                learning_rate=learning_rate,
                warmup_steps=5,
                beta1=0.9,
                beta2=0.99,
            )
        },
        train_data=lambda: iter(()),
    )


@pytest.mark.slow
def test_the_denoiser_learns_a_batch_by_heart():
    task = motion_training.MotionTask(
        SIZES, motion_windows.some_statistics(), arkit_function=read_arkit
    )
    experiment = make_experiment(task)
    state = jax.jit(functools.partial(state_lib.init_state, experiment))()
    step = jax.jit(step_lib.make_step(experiment), donate_argnums=0)
    batch = some_batch()
    history = []
    for _ in range(200):
        state, metrics = step(state, batch)
        history.append({name: float(value) for name, value in metrics.items()})
    for name in ("loss", "motion", "velocity", "movement", "lips"):
        values = [line[f"motion/{name}"] for line in history]
        assert np.mean(values[-20:]) < 0.7 * np.mean(values[:5]), name
    assert state.params["statistics"]["motion"]["mean"].shape == (14,)
    found = jax.jit(task.evaluate)(state.params, batch, jax.random.key(0))
    values = {name: float(np.mean(metric.compute())) for name, metric in found.items()}
    assert values["dynamics_correlation"] > values["shuffled_correlation"] + 0.2
    assert np.isfinite(list(values.values())).all()


@pytest.fixture(scope="module")
def compiled():
    """A compiled loss of four rows with its terms, and the batch of that size."""
    statistics = motion_windows.some_statistics()
    task = motion_training.MotionTask(SIZES, statistics, arkit_function=read_arkit)
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    params = motion_windows.filled(shapes)
    params["statistics"] = serialization.to_state_dict(statistics)
    batch = some_batch(4)
    batch[task_lib.EXAMPLE_KEY_FIELD] = jax.random.split(jax.random.key(1), 4)
    return jax.jit(lambda rows: task.loss(params, rows, jax.random.key(2), 0)), batch


@pytest.fixture(scope="module")
def plain(compiled):
    """The loss alone, and the batch."""
    compute, batch = compiled
    return lambda rows: compute(rows)[0], batch


GOLDEN = {
    "total": 6.31418,
    "lips": 0.00796168,
    "motion": 2.88915,
    "movement": 1.26468,
    "velocity": 2.71307,
}
"""Loss terms of the tiny preset, of fixed parameters and rows."""

UPDATE = (
    "They change with the mathematics of the denoiser, of the diffusion or of a loss, "
    "and with nothing else: if you meant to change those, write what was found into "
    "GOLDEN; if not, find out what changed them."
)


def test_the_terms_of_a_golden_step_are_as_they_were(compiled):
    compute, batch = compiled
    total, outputs = compute(batch)
    found = {"total": total, **outputs.metrics}
    found = {name: float(value) for name, value in found.items()}
    assert found == pytest.approx(GOLDEN, rel=1e-3), UPDATE


def test_the_loss_of_a_batch_is_the_mean_of_its_rows(plain):
    loss, batch = plain
    alone = [
        loss(jax.tree.map(lambda rows, row=row: rows[np.full(4, row)], batch))
        for row in range(4)
    ]
    np.testing.assert_allclose(loss(batch), np.mean(alone), rtol=1e-5)


def test_padding_and_missing_previous_frames_change_no_loss(plain):
    loss, batch = plain
    mask = np.arange(batch["mask"].shape[1]) < np.array([[3], [9], [12], [16]])
    short, other = ({**batch, "mask": mask} for _ in range(2))
    for name in ("motion", "audio"):
        other[name] = np.where(mask[..., None], batch[name], 7.0)
    np.testing.assert_array_equal(loss(other), loss(short))
    batch = {**batch, "has_previous": np.zeros(4, bool)}
    other = {**batch, "previous_motion": batch["previous_motion"] + 3}
    np.testing.assert_array_equal(loss(other), loss(batch))
    nothing = {**batch, "mask": np.zeros_like(batch["mask"])}
    assert loss(nothing) == 0


def test_an_unknown_emotion_is_trained_as_an_animation_without_a_wish(plain):
    loss, batch = plain
    statistics = motion_windows.some_statistics()
    generator = np.random.default_rng(5)
    told = ({}, {"emotion": 0, "emotion_strength": 0.0}, {"emotion": 3})
    asked = ({}, {"neutral": 1.0}, {"anger": 1.0})
    clips = [
        {**motion_windows.record(generator), "emotion": clip_conditions.emotion(one)}
        for one in told
    ]
    learned = motion_training.make_conditions(
        motion_windows.batch(cut, clips), statistics
    )
    assert learned.emotion_dropped.tolist() == [True, False, False]
    for row, emotion in enumerate(asked):
        carry = motion_model.start_carry(motion_model.WindowConfig(denoiser=SIZES))
        shown = motion_controls.to_conditions(
            motion_stream.to_motion_controls(
                Controls(emotion=emotion), np.zeros(1), ("audio", "gaze")
            ),
            statistics,
            jnp.zeros((1, SIZES.window_frames, SIZES.num_audio_channels)),
            carry.previous_motion,
            carry.previous_audio,
            jnp.array(True),
        )
        assert shown.emotion_dropped[0] == learned.emotion_dropped[row]
        np.testing.assert_array_equal(shown.emotion[0], learned.emotion[row])
    unknown = {**batch, "emotion": np.full_like(batch["emotion"], np.nan)}
    assert np.isfinite(loss(unknown)) and loss(unknown) != loss(batch)


def test_negative_weights_are_refused():
    with pytest.raises(UserError, match="lips is -1"):
        losses.LossConfig(lips=-1.0)


def write_clips(folder):
    generator = np.random.default_rng(3)
    for split in ("train", "validation"):
        (folder / split).mkdir()
        for index in range(8):
            clip = motion_windows.record(generator)
            records.write_npz_record(folder / split / f"{index}.npz", clip)


def test_the_experiment_file_trains_on_a_folder_of_encoded_clips(tmp_path):
    write_clips(tmp_path)
    module = experiment_file.load("experiments/configs/motion.py")
    settings = experiment_file.settings_of(module, "tiny", [f"data_dir={tmp_path}"])
    experiment = experiment_file.build(module, settings)
    batch, names = batch_names.split_names(next(experiment.train_data()))
    assert batch["motion"].shape == (8, 16, 14) and len(names.records) == 8
    state = jax.eval_shape(lambda: state_lib.init_state(experiment))
    state, metrics = jax.eval_shape(step_lib.make_step(experiment), state, batch)
    terms = {"motion/loss", "motion/motion", "motion/velocity", "motion/movement"}
    assert terms <= set(metrics)
    held_out = list(experiment.evaluation_data())
    assert len(held_out) == 1
    text = config_lib.to_json(settings)
    assert config_lib.from_json(type(settings), text) == settings


def test_every_preset_of_the_experiment_file_is_whole():
    module = experiment_file.load("experiments/configs/motion.py")
    for preset in module.PRESETS:
        settings = experiment_file.settings_of(module, preset, [])
        assert settings.optimizer.warmup_steps < settings.train.num_steps


def test_the_papers_preset_is_the_papers():
    module = experiment_file.load("experiments/configs/motion.py")
    paper = experiment_file.settings_of(module, "vasa1", [])
    assert (paper.sampling.num_steps, paper.sampling.method) == (50, "ddpm")
    assert paper.shaping is None
    assert trained.vasa1().shaping is None
    assert trained.vasa1().audio_encoder == "wav2vec2"
    assert paper.loss == losses.LossConfig(velocity=0, movement=0, lips=0)
    # There is no condition on how lively a head is: it is never shown in training.
    assert paper.dropout.liveliness == 1
    demo = experiment_file.settings_of(module, "demo", [])
    assert (demo.sampling.num_steps, demo.sampling.method) == (10, "ddim")
    assert demo.shaping == ShapingConfig()


def test_clips_of_other_channels_are_refused_with_the_setting_to_change(tmp_path):
    write_clips(tmp_path)
    module = experiment_file.load("experiments/configs/motion.py")
    settings = experiment_file.settings_of(
        module, "tiny", [f"data_dir={tmp_path}", "model.num_audio_channels=5"]
    )
    with pytest.raises(UserError, match="--set=model.num_audio_channels=8"):
        experiment_file.build(module, settings)


def test_a_corrupt_first_clip_is_left_out(tmp_path):
    write_clips(tmp_path)
    (tmp_path / "train" / "0.npz").write_bytes(b"no zip")
    module = experiment_file.load("experiments/configs/motion.py")
    settings = experiment_file.settings_of(module, "tiny", [f"data_dir={tmp_path}"])
    experiment = experiment_file.build(module, settings)
    batch, names = batch_names.split_names(next(experiment.train_data()))
    assert np.isfinite(batch["motion"]).all()
    assert "0.npz" in names.skipped
    assert "8 in train, 8 in validation" in experiment.card
    for path in (tmp_path / "train").iterdir():
        path.write_bytes(b"no zip")
    with pytest.raises(UserError, match="No clip in .* can be read"):
        experiment_file.build(module, settings)


def test_several_encoded_sets_are_read_as_one_if_they_were_encoded_alike(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write_clips(folder)
        (folder / "encoded.json").write_text('{"audio_encoder": "mel"}')
    module = experiment_file.load("experiments/configs/motion.py")
    joined = f"data_dir={folders[0]},{folders[1]}"
    settings = experiment_file.settings_of(module, "tiny", [joined])
    experiment = experiment_file.build(module, settings)
    assert experiment.card.count("8 in train, 8 in validation") == 2
    assert experiment.model_configs["animation"].audio_encoder == "mel"
    rows = settings.train.batch_size
    held_out = [len(batch["motion"]) for batch in experiment.evaluation_data()]
    assert sum(held_out) == 16 - 16 % rows
    (folders[1] / "encoded.json").write_text('{"audio_encoder": "whisper_tiny"}')
    with pytest.raises(UserError, match="encoded differently"):
        experiment_file.build(module, settings)

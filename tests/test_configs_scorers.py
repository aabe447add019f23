"""The experiment files of the evaluation networks, on a few clips of noise."""

import jax
import numpy as np
import pytest

from experiments.configs import capp as capp_config
from experiments.configs import sync
from experiments.running import experiment_file
from vasa_jax import errors
from vasa_jax.data import records
from vasa_jax.evaluation.networks import capp, lip_sync
from vasa_jax.train import batch_names
from vasa_jax.train import state as state_lib
from vasa_jax.train import step as step_lib


def _write(folder, split, count, make):
    (folder / split).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for index in range(count):
        record = {"clip_id": f"{split}_{index}", **make(generator)}
        records.write_npz_record(folder / split / f"{index}.npz", record)


@pytest.fixture(scope="module")
def poses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("poses")
    for split, count in (("train", 5), ("validation", 4)):
        _write(
            folder,
            split,
            count,
            lambda generator: {
                "motion": generator.normal(size=(30, 6)).astype(np.float32),
                "audio_features": generator.normal(size=(30, 6)).astype(np.float16),
            },
        )
    return folder


@pytest.fixture(scope="module")
def lips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lips")
    for split, count in (("train", 3), ("validation", 2)):
        _write(
            folder,
            split,
            count,
            lambda generator: {
                "lips": generator.integers(0, 256, (20, 12, 12), np.uint8),
                "audio_features": generator.normal(size=(20, 4)).astype(np.float16),
            },
        )
    return folder


def test_capp_reads_encoded_clips_of_several_folders_and_gives_a_loss(poses, tmp_path):
    _write(
        tmp_path,
        "train",
        40,
        lambda generator: {
            "motion": np.full((30, 6), 7, np.float32),
            "audio_features": generator.normal(size=(30, 6)).astype(np.float16),
        },
    )
    settings = experiment_file.settings_of(
        capp_config, "tiny", [f"data_dir={poses},{tmp_path}"]
    )
    experiment = capp_config.build(settings)
    batches = [next(experiment.train_data()) for _ in range(2)]
    # Of 45 clips most are of the second folder, whose heads are turned by 7.
    assert any((batch["rotation"] == 7).any() for batch in batches)
    batch, _ = batch_names.split_names(next(experiment.train_data()))
    assert batch["rotation"].shape == (4, 4, 12, 3)
    assert batch["audio"].shape == (4, 4, 12, 6)
    (held_out,) = list(experiment.evaluation_data())
    assert held_out["rotation"].shape == (4, 4, 12, 3)
    state = jax.eval_shape(lambda: state_lib.init_state(experiment))
    step = step_lib.make_step(experiment)
    _, metrics = jax.eval_shape(step, state, batch)
    group = capp.GROUP
    assert {f"{group}/loss", f"{group}/accuracy", f"{group}/cosine_scaled"} <= set(
        metrics
    )


def test_sync_reads_several_folders_of_lips_and_evaluates_on_the_first(lips, tmp_path):
    _write(
        tmp_path,
        "train",
        2,
        lambda generator: {
            "lips": generator.integers(0, 256, (20, 12, 12), np.uint8),
            "audio_features": generator.normal(size=(20, 4)).astype(np.float16),
        },
    )
    settings = experiment_file.settings_of(
        sync, "tiny", [f"data_dir={lips},{tmp_path}"]
    )
    experiment = sync.build(settings)
    batch, _ = batch_names.split_names(next(experiment.train_data()))
    assert batch["lips"].shape == (2, 4, 5, 8, 8)
    assert batch["audio"].shape == (2, 4, 5, 4)
    assert len(list(experiment.evaluation_data())) == 1
    state = jax.eval_shape(lambda: state_lib.init_state(experiment))
    _, metrics = jax.eval_shape(step_lib.make_step(experiment), state, batch)
    assert f"{lip_sync.GROUP}/accuracy" in metrics


@pytest.mark.parametrize(
    ("module", "fixture"), [(capp_config, "poses"), (sync, "lips")]
)
def test_clips_of_another_audio_encoder_are_refused_with_the_setting(
    module, fixture, request
):
    folder = request.getfixturevalue(fixture)
    settings = experiment_file.settings_of(
        module, "tiny", [f"data_dir={folder}", "model.num_audio_channels=9"]
    )
    with pytest.raises(errors.UserError, match="--set=model.num_audio_channels="):
        module.build(settings)


@pytest.mark.parametrize("module", [capp_config, sync])
def test_every_preset_has_settings(module):
    for preset in module.PRESETS:
        assert module.get_config(preset).train.num_steps > 0

"""Trained models as a folder, saved and opened."""

import dataclasses

import jax
import numpy as np
import pytest

from vasa_jax import export
from vasa_jax.animate import trained
from vasa_jax.errors import UserError


def test_a_checkpoint_gives_back_what_was_saved(tiny_models, tiny_checkpoint):
    loaded = trained.load(tiny_checkpoint)
    for name in ("face_config", "motion_config", "animation", "metadata"):
        assert getattr(loaded, name) == getattr(tiny_models, name)
    for name in ("face_params", "motion_params", "statistics"):
        saved = getattr(tiny_models, name)
        jax.tree.map(np.testing.assert_array_equal, saved, getattr(loaded, name))


def test_what_the_denoiser_is_can_be_read_without_the_weights(
    tiny_models, tiny_checkpoint, tmp_path
):
    for name in ("manifest.json", "config.json"):
        (tmp_path / name).write_bytes((tiny_checkpoint / name).read_bytes())
    assert trained.load_motion_configs(tmp_path) == (
        tiny_models.motion_config,
        tiny_models.animation,
    )
    with pytest.raises(UserError, match="lacks the file"):
        trained.load(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="truncated or changed"):
        trained.load_motion_configs(tmp_path)


def test_models_that_do_not_fit_together_are_refused(tiny_models):
    other = dataclasses.replace(tiny_models.motion_config, num_motion_channels=20)
    with pytest.raises(UserError, match="14 channels of motion and the denoiser 20"):
        dataclasses.replace(tiny_models, motion_config=other)
    whisper = dataclasses.replace(tiny_models.animation, audio_encoder="whisper_tiny")
    with pytest.raises(UserError, match="The audio encoder 'whisper_tiny' has"):
        dataclasses.replace(tiny_models, animation=whisper)


def test_a_checkpoint_with_one_model_is_refused(tmp_path, tiny_models):
    export.save_export(
        tmp_path / "half", {"face": {"bias": np.zeros(3)}}, {"face": "{}"}, {}, "# Half"
    )
    with pytest.raises(UserError, match="no settings of 'motion'"):
        trained.load(tmp_path / "half")

"""Presets and settings of stage one's experiment file."""

import dataclasses

import numpy as np
import pytest

from experiments.configs import face, face_fields, face_presets
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import optimizer


def test_rates_of_parts_are_a_setting():
    changed = config.override(
        face.get_config("tiny"),
        [
            'optimizer.rates=[{"path": "pose_encoder", "learning_rate": null}]',
        ],
    )
    assert changed.optimizer.rates == (
        optimizer.PathRate(path="pose_encoder", learning_rate=None),
    )
    assert config.from_json(type(changed), config.to_json(changed)) == changed
    emptied = config.override(changed, ["optimizer.rates=[]"])
    assert emptied.optimizer.rates == ()
    for text, sentence in (
        ('[{"pth": "a"}]', "did you mean 'path'"),
        ("stem", "give JSON"),
    ):
        with pytest.raises(UserError, match=sentence):
            config.override(changed, [f"optimizer.rates={text}"])


def test_every_preset_of_the_experiment_file_is_whole():
    for preset in face.PRESETS:
        settings = face.get_config(preset)
        for schedule in (settings.optimizer, face.discriminator_optimizer(settings)):
            assert schedule.warmup_steps < settings.train.num_steps


def test_the_paper_is_trained_at_256_pixels_and_then_at_512():
    half, full = face.get_config(face_presets.HALF_SIZE), face.get_config("vasa1")
    assert (half.model.image_size, full.model.image_size) == (256, 512)
    assert (half.train.batch_size, full.train.batch_size) == (24, 16)
    assert (half.train.num_steps, full.train.num_steps) == (200_000, 300_000)
    for settings in (half, full):
        # The decoder alone, whose whole frames the networks see.
        assert settings.model.shortcut is None
        assert settings.face_loss.num_random_crops is None


def test_a_quarter_of_the_paper_has_its_graph_and_its_losses():
    small, full = face.get_config("vasa1_quarter"), face.get_config("vasa1")
    for name in ("decoder_channels", "canonical_channels", "appearance_channels"):
        widths = [getattr(settings.model, name) for settings in (small, full)]
        assert np.multiply(widths[0], 4).tolist() == list(widths[1])
    for name in ("volume_depth", "volume_blocks", "decoder_blocks", "shortcut"):
        assert getattr(small.model, name) == getattr(full.model, name)
    assert small.model.image_size == 128
    assert (
        dataclasses.replace(
            small.face_loss, adversarial_start=full.face_loss.adversarial_start
        )
        == full.face_loss
    )


class _Clips:
    """One record of a set that knows no more than a video tells."""

    def __len__(self):
        return 1

    def read(self, index):
        del index
        return {name: None for name in (*face_fields.ALWAYS, "keypoints")}


@pytest.mark.parametrize(
    ("preset", "sentence"),
    [
        ("tiny", "have no performance; make them by .* or datasets.video_clips"),
        (
            "tiny_distillation",
            "have no arkit, gaze_in_head; make them by .* datasets.photo_heads",
        ),
        (
            "tiny_drawing",
            "have no geometry, arkit.*; make them by .* datasets.photo_heads",
        ),
    ],
)
def test_clips_that_cannot_teach_a_part_are_refused(preset, sentence):
    with pytest.raises(UserError, match=sentence):
        face_fields.check(_Clips(), face.get_config(preset))

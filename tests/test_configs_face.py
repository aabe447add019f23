"""Presets and settings of stage one's experiment file."""

import pytest

from experiments.configs import face, face_fields, face_presets
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.train import loss_schedule, optimizer


def test_schedules_and_rates_are_settings():
    changed = config.override(
        face.get_config("tiny"),
        [
            'face_loss.schedule=[{"term": "flow", "last_step": 5, "last": 0.1}]',
            'optimizer.rates=[{"path": "pose_encoder", "learning_rate": null}]',
        ],
    )
    assert changed.face_loss.schedule[0] == loss_schedule.Ramp(
        term="flow", last_step=5, last=0.1
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

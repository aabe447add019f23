"""Settings that version 0.1 wrote, in today's names."""

import pytest

from vasa_jax import older_settings
from vasa_jax.errors import UserError

SAMPLING = {"num_steps": 10, "method": "ddim"}
OLD = {
    "face": {"image_size": 32, "dynamics_gain": 1.2, "pose_gain": 0.95},
    "motion": {"width": 64, "mlp_ratio": 4},
    "animation": {
        "audio_encoder": "mel",
        "sampling": {
            **SAMPLING,
            "spacing": 1.6,
            "lip_noise": 0.25,
            "blink_noise": 1.25,
            "liveliness": 0.85,
        },
    },
}
NEW = {
    "face": {"image_size": 32},
    "motion": {"width": 64},
    "animation": {
        "audio_encoder": "mel",
        "sampling": SAMPLING,
        "shaping": {
            "step_spacing": 1.6,
            "lip_noise": 0.25,
            "blink_noise": 1.25,
            "liveliness": 0.85,
            "dynamics_gain": 1.2,
        },
    },
}


def test_what_shapes_motion_is_gathered():
    assert older_settings.renew(OLD) == NEW


def test_settings_of_today_stay_as_they_are():
    assert older_settings.renew(NEW) == NEW
    assert older_settings.renew({"sync": {"width": 3}}) == {"sync": {"width": 3}}


def test_a_face_model_alone_may_have_had_no_gains():
    plain = {"image_size": 32, "dynamics_gain": 1.0, "pose_gain": 1.0}
    assert older_settings.renew({"face": plain}) == {"face": {"image_size": 32}}
    with pytest.raises(UserError, match="no denoiser, and it belongs to both"):
        older_settings.renew({"face": OLD["face"]})


def test_a_constant_that_was_set_otherwise_is_refused():
    with pytest.raises(UserError, match="mlp_ratio is not 4"):
        older_settings.renew({"motion": {"mlp_ratio": 2}})

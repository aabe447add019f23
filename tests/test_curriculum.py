"""Weights by schedule, growth of the resolution, and how both are set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.configs import face, face_presets
from vasa_jax import config
from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.face import encoder_training, half_size
from vasa_jax.face import model as face_model
from vasa_jax.face.losses import loss_weights
from vasa_jax.train import loss_schedule, optimizer


def _ramp(**changes):
    given = {"term": "flow", "first_step": 10, "last_step": 30, "last": 0.2}
    return loss_schedule.Ramp(**{**given, **changes})


def test_a_weight_goes_in_a_straight_line_between_two_steps():
    steps = np.array([0, 10, 15, 20, 30, 99])
    found = [float(loss_schedule.factor([_ramp()], "flow", step)) for step in steps]
    np.testing.assert_allclose(found, np.interp(steps, [10, 30], [1.0, 0.2]), rtol=1e-6)
    assert loss_schedule.factor([_ramp()], "other", 5) == 1.0


def test_two_ramps_of_a_term_multiply():
    ramps = [_ramp(first=0.0, last=1.0), _ramp(first_step=20, last_step=40, last=0.5)]
    assert float(loss_schedule.factor(ramps, "flow", 30)) == pytest.approx(1.0 * 0.75)


def test_terms_are_summed_by_their_weight_at_the_step():
    weights = loss_weights.FaceLossConfig(flow=30.0, schedule=(_ramp(),))
    terms = {"flow": jnp.array(2.0), "reconstruction": jnp.array(3.0)}
    total = jax.jit(lambda step: loss_schedule.weighted_sum(weights, terms, step))
    assert float(total(20)) == pytest.approx(30.0 * 0.6 * 2.0 + 4.0 * 3.0)


@pytest.mark.parametrize(
    "ramp, sentence",
    [
        ({"term": "flwo"}, "did you mean 'flow'"),
        ({"term": "perceptual"}, "whose weight is 0"),
        ({"term": "dear_every"}, "Unknown term"),
        ({"last_step": 10}, "a last step after the first"),
        ({"last": -1.0}, "0 or more"),
    ],
)
def test_a_ramp_that_fits_no_term_is_refused(ramp, sentence):
    with pytest.raises(UserError, match=sentence):
        loss_weights.FaceLossConfig(schedule=(_ramp(**ramp),))
    with pytest.raises(UserError, match="did you mean 'gaze'"):
        encoder_training.EncoderLossConfig(schedule=(_ramp(term="gazee"),))


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
        assert settings.example.image_size == settings.model.image_size
        assert settings.optimizer.num_steps == settings.train.num_steps


def _shapes(sizes):
    image = jax.ShapeDtypeStruct((1, sizes.image_size, sizes.image_size, 3), "float32")
    model = face_model.FaceModel(sizes)
    found = jax.eval_shape(model.init, jax.random.key(0), image, image)["params"]
    return {
        jax.tree_util.keystr(path): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(found)
    }


@pytest.mark.parametrize(
    "preset", ["tiny", pytest.param("vasa1", marks=pytest.mark.slow)]
)
def test_half_the_resolution_has_parameters_of_the_same_shapes(preset):
    full = face_config.PRESETS[preset]()
    half = half_size.halved(full)
    assert half.image_size == full.image_size // 2
    assert _shapes(half) == _shapes(full)


def test_the_paper_is_trained_at_256_pixels_and_then_at_512():
    half, full = face.get_config(face_presets.HALF_SIZE), face.get_config("vasa1")
    assert (half.model.image_size, full.model.image_size) == (256, 512)
    assert (half.train.batch_size, full.train.batch_size) == (24, 16)
    assert (half.train.num_steps, full.train.num_steps) == (200_000, 300_000)
    for settings in (half, full):
        for schedule in (settings.optimizer, settings.discriminator_optimizer):
            assert schedule.num_steps == settings.train.num_steps
        # The frame is the painted image, which counts once.
        assert not settings.model.use_shortcut and settings.face_loss.decoded == 0


def test_a_model_without_an_upsampling_to_leave_out_is_not_halved():
    small = half_size.halved(face_config.tiny())
    with pytest.raises(UserError, match="cannot be halved"):
        half_size.halved(small)

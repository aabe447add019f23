"""Which metrics there are, and how they are chosen."""

import json

import pytest

from vasa_jax import errors
from vasa_jax.evaluation.metrics import registry


def test_an_unknown_metric_is_answered_with_the_nearest():
    known = registry.make(registry.Settings())
    assert [m.name for m in registry.select(known, ["ssim", "lips"])] == [
        "lips",
        "ssim",
    ]
    with pytest.raises(errors.UserError, match="did you mean 'psnr'"):
        registry.select(known, ["psrn"])


def test_every_row_belongs_to_its_metric_and_settings_are_json():
    for metric in registry.make(registry.Settings()):
        json.dumps(metric.settings())
        assert all(key.split("/")[0] == metric.name for key in metric.rows)

"""Settings: overrides by name, checks, and JSON."""

import dataclasses
from typing import ClassVar, Literal

import pytest

from vasa_jax import config
from vasa_jax.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    depth: ClassVar[int] = 2

    width: int = 8
    use_bias: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    layers: tuple[Layer, ...] = (Layer(), Layer(width=16))
    sizes: tuple[int, ...] = (4, 8)
    span: tuple[float, float] = (0.0, 1.0)
    kind: Literal["small", "large"] = "small"
    rate: float | None = 1e-3
    extra: Layer | None = None
    name: str = "model"
    low: int = 1
    high: int = 2

    def __post_init__(self):
        config.require(self.low < self.high, "low must be under high.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needy:
    width: int


@pytest.mark.parametrize(
    "setting, field, value",
    [
        ("sizes=64, 32", "sizes", (64, 32)),
        ("sizes=(1,)", "sizes", (1,)),
        ("span=0.5,2", "span", (0.5, 2.0)),
        ("kind=large", "kind", "large"),
        ("rate=none", "rate", None),
        ("rate=3e-4", "rate", 3e-4),
        ("name=a=b", "name", "a=b"),
        ("high=2e3", "high", 2000),
        ("extra.width=3", "extra", Layer(width=3)),
        ("layers.1.use_bias=no", "layers", (Layer(), Layer(width=16, use_bias=False))),
    ],
)
def test_a_setting_is_read_by_the_type_of_its_field(setting, field, value):
    changed = config.override(Model(), [setting])
    assert getattr(changed, field) == value
    assert dataclasses.replace(changed, **{field: getattr(Model(), field)}) == Model()


def test_settings_that_need_one_another_are_checked_together():
    assert config.override(Model(), ["low=5", "high=9"]).low == 5
    with pytest.raises(UserError, match="low must be under high"):
        config.override(Model(), ["low=5"])


def test_the_last_of_two_values_wins():
    assert config.override(Model(), ["name=a", "name=b"]).name == "b"


@pytest.mark.parametrize(
    "setting, sentence",
    [
        ("lawers.0.width=1", "did you mean 'layers'"),
        ("layers.0.widht=1", "did you mean 'width'"),
        ("layers.0.depth=1", "'depth' is a constant of Layer \\(2\\)"),
        ("layers.7.width=1", "Allowed: 0, 1"),
        ("high", "has no '='"),
        ("high=many", "give a whole number"),
        ("high=1.5", "give a whole number"),
        ("kind=medium", "one of 'small', 'large'"),
        ("rate=fast", "give a number or none"),
        ("span=1", "2 values"),
        ("extra=1", "is a group"),
        ("name.first=1", "below a plain value"),
        ("layers.0.use_bias=maybe", "true or false"),
    ],
)
def test_a_wrong_setting_fails_with_what_is_allowed(setting, sentence):
    with pytest.raises(UserError, match=sentence):
        config.override(Model(), [setting])


def test_json_brings_back_an_equal_configuration():
    changed = config.override(Model(), ["extra.width=3", "rate=none", "span=1,2"])
    assert config.from_json(Model, config.to_json(changed)) == changed


def test_json_may_leave_out_what_has_a_default():
    assert config.from_json(Model, '{"sizes": [1]}') == Model(sizes=(1,))


@pytest.mark.parametrize(
    "cls, text, sentence",
    [
        (Model, "{", "not JSON"),
        (Model, '{"siezs": [1]}', "did you mean 'sizes'"),
        (Model, '{"sizes": ["a"]}', "'Model.sizes.0' is 'a'; give a whole number"),
        (Model, '{"rate": "fast"}', "a number or null"),
        (Model, '{"low": true}', "a whole number"),
        (Needy, "{}", "lack width"),
    ],
)
def test_wrong_json_fails_with_the_field(cls, text, sentence):
    with pytest.raises(UserError, match=sentence):
        config.from_json(cls, text)


def test_positive_and_fraction_checks_name_the_field():
    with pytest.raises(UserError, match="Layer.width is 0; give a number above 0"):
        config.require_positive(Layer(width=0), "width")
    with pytest.raises(UserError, match="Model.rate is 2; give a number from 0 to 1"):
        config.require_fraction(Model(rate=2), "rate")
    config.require_positive(Model(rate=None), "rate")

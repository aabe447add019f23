"""What older versions wrote comes by today's names."""

import json
import pathlib

import jax
import numpy as np
import pytest

from vasa_jax import config, export, older_parameters, older_settings
from vasa_jax.errors import UserError
from vasa_jax.face import config as face_config
from vasa_jax.face import dynamics_map
from vasa_jax.face import model as face_model
from vasa_jax.face.shortcut import face_flow
from vasa_jax.train import warm_start

VERSION_3 = pathlib.Path(__file__).parent / "export_version_3.json"


def _shapes(sizes):
    image = jax.ShapeDtypeStruct((1, sizes.image_size, sizes.image_size, 3), "float32")
    model = face_model.FaceModel(sizes)
    found = jax.eval_shape(model.init, jax.random.key(0), image, image)["params"]
    return {name: leaf.shape for name, leaf in export.flatten(found).items()}


def test_an_export_of_version_3_has_every_parameter_of_its_model():
    # Settings, names and shapes of what shipped with version 0.1.
    old = json.loads(VERSION_3.read_text())
    assert any(name.startswith("face/decoder/painter/") for name in old["shapes"])
    read = json.dumps(older_settings.renew(old["configs"])["face"])
    sizes = config.from_json(face_config.FaceConfig, read)
    empty = {name: np.zeros(shape) for name, shape in old["shapes"].items()}
    renewed = older_parameters.renew(empty)
    found = {name.removeprefix("face/"): leaf for name, leaf in renewed.items()}
    wanted = _shapes(sizes)
    assert set(found) == set(wanted)
    # A map that nothing has taught, of which only codes are wanted.
    untaught = {name for name in wanted if name.startswith("dynamics_map/")}
    for name in set(wanted) - untaught:
        assert found[name].shape == wanted[name], name


def test_todays_names_and_settings_stay_as_they_are():
    for sizes in (face_config.tiny(), face_config.vasa1()):
        for name in _shapes(sizes):
            assert older_parameters.new_name(f"face/{name}") == f"face/{name}"
        configs = {"face": json.loads(config.to_json(sizes)), "motion": {"width": 8}}
        assert older_settings.renew(configs) == configs


OLD_PLAIN = {
    "appearance_size": 512,
    "is_decoder_conditioned": False,
    "use_shortcut": False,
}


def test_a_paper_model_of_version_3_loses_what_nothing_used():
    sizes = json.loads(config.to_json(face_config.vasa1()))
    del sizes["shortcut"]
    found = older_settings.renew({"face": {**sizes, **OLD_PLAIN}})
    read = config.from_json(face_config.FaceConfig, json.dumps(found["face"]))
    assert read == face_config.vasa1()
    old = {
        "face/decoder/paint/kernel": np.arange(8.0).reshape(1, 1, 2, 4),
        "face/decoder/narrow_3/bias": np.ones(2),
        "face/decoder_code/bias": np.ones(2),
        "face/appearance_encoder/shortcut_features/bias": np.ones(2),
    }
    new = older_parameters.renew(old)
    assert set(new) == {
        "face/decoder/output/kernel",
        "face/decoder/stages_2/narrow/bias",
    }
    kernel = old["face/decoder/paint/kernel"][..., :3]
    np.testing.assert_array_equal(new["face/decoder/output/kernel"], kernel)


def test_a_model_of_a_kind_that_is_gone_is_refused():
    sizes = json.loads(config.to_json(face_config.demo()))
    del sizes["shortcut"]
    old = {**sizes, **OLD_PLAIN, "use_shortcut": True, "mirrors_face": True}
    with pytest.raises(UserError, match="is_decoder_conditioned, fills_background"):
        older_settings.renew({"face": old})


def test_a_run_of_an_older_version_starts_a_new_one():
    array = np.ones(3)
    old = {
        "face": {
            "face_map": {"seed": {"bias": array}},
            "decoder": {"coarse_flow": {"bias": array}},
        },
        "discriminator": {"x": array},
    }
    new = warm_start.by_todays_names(old)
    assert set(new) == {"face", "discriminator"}
    assert set(new["face"]) == {"shortcut"}
    assert new["face"]["shortcut"]["face_map"]["seed"]["bias"] is array
    assert new["face"]["shortcut"]["coarse_flow"]["bias"] is array


@pytest.mark.parametrize("knows_map", [True, False])
def test_a_shortcut_that_saw_codes_tells_the_same_of_what_changes(knows_map):
    channels = 32
    rng = np.random.default_rng(0)
    network = dynamics_map.DynamicsMap(channels)
    params = network.init(jax.random.key(0), np.zeros((1, 52)), np.zeros((1, 2)))
    old = {
        "face/dynamics_heads/linear/kernel": rng.normal(size=(channels, 54)),
        "face/shortcut/face_map/dynamics/kernel": rng.normal(size=(2 * channels, 9)),
        "face/shortcut/mouth_shape/first/kernel": rng.normal(size=(5 + 64, 9)),
        "face/shortcut/eye_shape/first/kernel": rng.normal(size=(7 + 64, 9)),
    }
    if knows_map:
        flat = export.flatten({"face": {"dynamics_map": params["params"]}})
        old |= {name: np.asarray(leaf) for name, leaf in flat.items()}
    new = older_parameters.renew(old)
    written = export.unflatten(new)["face"]["dynamics_map"]
    own, asked = rng.normal(size=(2, 3, channels)).astype(np.float32)
    change = network.apply({"params": written}, asked - own, method="read_change")
    for name, seen, order in (
        ("face_map/dynamics", 0, (asked, own)),
        ("mouth_shape/first", 5, (own, asked)),
        ("eye_shape/first", 7, (own, asked)),
    ):
        path = f"face/shortcut/{name}/kernel"
        shape = rng.normal(size=(3, seen))
        before = np.concatenate([shape, *order], axis=-1) @ old[path]
        today = (change, own) if not seen else (own, change)
        after = np.concatenate([shape, *today], axis=-1) @ new[path]
        np.testing.assert_allclose(after, before, atol=0.05)
    fields = new["face/shortcut/face_flow/fields/kernel"]
    assert fields.shape == (54, 2 * face_flow.FIELD_SIZE**2)
    assert not fields.any()
    np.testing.assert_array_equal(older_parameters.MAP_STEPS, dynamics_map.STEPS)
    assert older_parameters.renew(new) == new

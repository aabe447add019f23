"""Published folders: what goes in comes out, and damage is refused."""

import dataclasses
import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

from experiments import export as export_program
from experiments.running import data_card, export_settings
from experiments.tools import rounding
from vasa_jax import config, export
from vasa_jax.animate import trained
from vasa_jax.errors import UserError


def _params():
    rng = np.random.default_rng(0)
    return {
        "face": {
            "conv": {
                "kernel": rng.normal(size=(3, 3, 8, 16)).astype(np.float32),
                "bias": rng.normal(size=16).astype(np.float32),
            },
            "scale": np.float32(2.5),
        },
        "motion": {"count": np.arange(3, dtype=np.int32)},
    }


def _save(folder, **changes):
    arguments = {
        "params": _params(),
        "configs": {"face": '{"width": 8}'},
        "metadata": {"step": 3},
        "card": "# Card",
        **changes,
    }
    return export.save_export(folder, **arguments)


@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 0), ("float16", 1e-3), ("bfloat16", 8e-3)]
)
def test_an_export_comes_back_in_float32(tmp_path, dtype, tolerance):
    _save(tmp_path / "out", dtype=dtype)
    params, configs, metadata = export.load_export(tmp_path / "out")
    kernel = params["face"]["conv"]["kernel"]
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(
        kernel, _params()["face"]["conv"]["kernel"], rtol=tolerance
    )
    for name in ("bias",):
        np.testing.assert_array_equal(
            params["face"]["conv"][name], _params()["face"]["conv"][name]
        )
    assert params["face"]["scale"] == 2.5 and params["face"]["scale"].shape == ()
    assert params["motion"]["count"].tolist() == [0, 1, 2]
    assert json.loads(configs["face"]) == {"width": 8}
    assert metadata == {"step": 3}


def test_the_card_ends_with_the_hash_of_the_weights(tmp_path):
    _save(tmp_path / "out")
    content = (tmp_path / "out" / export.WEIGHTS_NAME).read_bytes()
    card = (tmp_path / "out" / "README.md").read_text()
    assert card.startswith("# Card\n\nSHA-256")
    assert f"`{hashlib.sha256(content).hexdigest()}`" in card


def test_an_export_holds_one_file_of_weights_that_others_can_open(tmp_path):
    _save(tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*.safetensors")
    kernel = safetensors.numpy.load_file(file)["face/conv/kernel"]
    np.testing.assert_array_equal(kernel, _params()["face"]["conv"]["kernel"])


def test_an_older_export_with_weights_in_pieces_comes_back(tmp_path):
    _save(tmp_path / "out")
    folder = tmp_path / "out"
    manifest = json.loads((folder / export.MANIFEST_NAME).read_text())
    del manifest["files"][export.WEIGHTS_NAME]
    (folder / export.WEIGHTS_NAME).unlink()
    arrays = export.flatten(_params())
    pieces: list[dict] = [{}, {}]
    tensors = {}
    for name, array in arrays.items():
        parts = np.array_split(np.reshape(array, -1), min(2, np.size(array)))
        tensors[name] = {"shape": list(np.shape(array)), "pieces": len(parts)}
        for index, part in enumerate(parts):
            pieces[index][f"{name}@{index}"] = part
    for index, part in enumerate(pieces, start=1):
        name = f"weights-{index:03d}-of-002.safetensors"
        content = safetensors.numpy.save(part)
        (folder / name).write_bytes(content)
        manifest["files"][name] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    manifest |= {"format_version": 3, "tensors": tensors}
    del manifest["hash"]
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode())
    manifest["hash"] = digest.hexdigest()
    (folder / export.MANIFEST_NAME).write_text(json.dumps(manifest))
    found = export.flatten(export.load_export(folder)[0])
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_the_same_export_has_the_same_hash_and_another_has_not(tmp_path):
    first = _save(tmp_path / "a")
    assert first == _save(tmp_path / "b")
    assert first != _save(tmp_path / "c", configs={"face": '{"width": 9}'})


def test_an_export_replaces_an_older_one_and_leaves_nothing_beside(tmp_path):
    _save(tmp_path / "out")
    _save(tmp_path / "out", metadata={"step": 4})
    assert export.load_export(tmp_path / "out")[2] == {"step": 4}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_never_replaces_something_else(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(UserError, match="not an export"):
        _save(tmp_path)
    assert (tmp_path / "letters.txt").read_text() == "dear"


def _weights(folder):
    return next(folder.glob("*.safetensors"))


def _truncate(folder):
    _weights(folder).write_bytes(_weights(folder).read_bytes()[:-10])


def _flip(folder):
    content = bytearray(_weights(folder).read_bytes())
    content[-5] ^= 1
    _weights(folder).write_bytes(content)


def _edit_manifest(folder, **changes):
    file = folder / export.MANIFEST_NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


DAMAGES = {
    "truncated or changed": _truncate,
    "does not match its hash": _flip,
    "lacks the file": lambda folder: _weights(folder).unlink(),
    "format version 99": lambda folder: _edit_manifest(folder, format_version=99),
    "was changed after": lambda folder: _edit_manifest(folder, metadata={"step": 9}),
    "not the manifest": lambda folder: _edit_manifest(folder, format="other"),
    "truncated or damaged": lambda folder: (folder / export.MANIFEST_NAME).write_text(
        "{"
    ),
    "no checkpoint at": lambda folder: (folder / export.MANIFEST_NAME).unlink(),
    "config.json": lambda folder: (folder / export.CONFIG_NAME).write_text("{}"),
}


@pytest.mark.parametrize("sentence", DAMAGES)
def test_a_damaged_export_is_refused_with_a_sentence(tmp_path, sentence):
    _save(tmp_path / "out")
    DAMAGES[sentence](tmp_path / "out")
    with pytest.raises(UserError, match=sentence):
        export.load_export(tmp_path / "out")


def test_an_unknown_dtype_is_refused(tmp_path):
    with pytest.raises(UserError, match="float32, bfloat16 or float16"):
        _save(tmp_path / "out", dtype="int4")


def test_what_is_published_tells_no_folders():
    metadata = {
        "settings": {"data_dir": "/home/someone/data/heads", "rate": 0.5},
        "parts": ["/a/b", "runs/face", None],
        "outside": ["../weights/vgg16.npz", "~/heads", "a/../b"],
        "sets": "/a/people,../plausible,data/heads",
        "card": "Heads, voices; see /README.",
    }
    assert export.without_folders(metadata) == {
        "settings": {"data_dir": "heads", "rate": 0.5},
        "parts": ["b", "runs/face", None],
        "outside": ["vgg16.npz", "heads", "a/../b"],
        "sets": "people,plausible,data/heads",
        "card": "Heads, voices; see /README.",
    }


def test_a_checkpoint_loads_without_optimizer_code():
    program = (
        "import sys, vasa_jax; vasa_jax.load(); "
        "names = ('optax', 'orbax', 'grain', 'vasa_jax.train.optimizer', "
        "'vasa_jax.train.state', 'vasa_jax.train.checkpoint'); "
        "print([name for name in names if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=pathlib.Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
    )
    assert printed.stdout.strip() == "[]", printed.stderr


def test_the_card_says_how_many_records_a_set_holds(tmp_path):
    info = {
        "name": "heads",
        "version": "1.0.0",
        "splits": [
            {"name": "train", "shardLengths": ["400", "56"]},
            {"name": "test", "shardLengths": []},
        ],
    }
    (tmp_path / "set" / "heads" / "1.0.0").mkdir(parents=True)
    file = tmp_path / "set" / "heads" / "1.0.0" / "dataset_info.json"
    file.write_text(json.dumps(info))
    assert data_card.describe(tmp_path / "set") == "Data: `heads` 1.0.0, 456 in train."
    for name in ("a", "b"):
        (tmp_path / "npz" / "train").mkdir(parents=True, exist_ok=True)
        (tmp_path / "npz" / "train" / f"{name}.npz").touch()
    found = data_card.describe(tmp_path / "npz")
    assert found == "Data: npz records `npz`, 2 in train."
    assert data_card.describe(tmp_path / "nowhere") == ""


def test_rounding_is_told_as_signal_over_noise():
    frames = np.full((2, 4, 4, 3), 100, np.uint8)
    assert rounding.psnr(frames, frames) == 99.0
    assert rounding.psnr(frames, frames + 5) == pytest.approx(
        20 * np.log10(255 / 5), rel=1e-6
    )


@pytest.mark.slow
def test_rounding_is_measured_in_the_frames_of_the_example(tiny_checkpoint):
    params, configs, _ = export.load_export(tiny_checkpoint)
    sentence = rounding.compare(params, configs, "bfloat16")
    assert sentence.startswith("What rounding to bfloat16 costs: 50 frames")
    assert " dB" in sentence


def test_a_gain_is_put_into_the_shaping_of_the_animation_and_nowhere_else():
    kept = trained.tiny()
    text = export_settings.with_gain({"animation": config.to_json(kept)}, 0.9)
    shaping = dataclasses.replace(kept.shaping, dynamics_gain=0.9)
    found = config.from_json(trained.AnimationConfig, text)
    assert found == dataclasses.replace(kept, shaping=shaping)
    with pytest.raises(UserError, match="give the --workdir of a stage-two run"):
        export_settings.with_gain({"face": "{}"}, 1.4)
    paper = {"animation": config.to_json(trained.vasa1())}
    with pytest.raises(UserError, match="which the paper's preset does not"):
        export_settings.with_gain(paper, 1.4)


def test_frames_may_be_larger_than_those_of_training():
    from vasa_jax.face import config as face_config

    sizes = face_config.demo()
    configs = {"face": config.to_json(sizes)}
    text = export_settings.with_image_size(configs, 512)
    read = config.from_json(face_config.FaceConfig, text)
    assert read == dataclasses.replace(sizes, image_size=512)
    assert read.decoder_size == sizes.decoder_size
    with pytest.raises(UserError, match="multiple of 16"):
        export_settings.with_image_size(configs, 500)
    with pytest.raises(UserError, match="stage-one run"):
        export_settings.with_image_size({}, 512)


def test_an_export_gives_the_stages_for_which_no_run_is_named():
    folder = str(trained.SHIPPED_FOLDER)
    params, configs, _ = export.load_export(folder)
    ((groups, metadata),) = export_program.read_rest(folder, ["motion", "statistics"])
    assert (set(groups), metadata["experiment"]) == ({"face"}, "face")
    assert metadata["configs"] == {"face": json.loads(configs["face"])}
    shipped = export.flatten(params["face"])
    for name, array in export.flatten(groups["face"]).items():
        np.testing.assert_array_equal(array, shipped[name])
    # Another renderer begins without a gain.
    ((_, metadata),) = export_program.read_rest(folder, ["face"])
    shaping = metadata["configs"]["animation"]["shaping"]
    assert shaping["dynamics_gain"] == 1.0
    known = ["face", "motion", "statistics"]
    with pytest.raises(UserError, match=r"no stage beside .* \(face, motion, stat"):
        export_program.read_rest(folder, known)


def test_a_runs_weights_are_averaged_with_those_of_an_export(tmp_path):
    _save(tmp_path / "out")
    own = _params()["face"]
    own["conv"]["kernel"] = own["conv"]["kernel"] + 1.0
    mean = export_program.average({"face": own}, str(tmp_path / "out"), share=0.25)
    assert set(mean) == {"face"}
    kernel, bias = (_params()["face"]["conv"][name] for name in ("kernel", "bias"))
    np.testing.assert_allclose(mean["face"]["conv"]["kernel"], kernel + 0.75, rtol=1e-5)
    np.testing.assert_allclose(mean["face"]["conv"]["bias"], bias, rtol=1e-6)
    assert not export_program.same({"face": own}, mean)
    # The mean of a stage with itself is that stage, and no training started from it.
    itself = export_program.average(_params(), str(tmp_path / "out"), share=0.3)
    assert export_program.same(_params(), itself)
    stages = [(groups, {"card": "A run."}) for groups in ({"face": own}, _params())]
    (_, told), (_, kept) = export_program.averaged(stages, str(tmp_path / "out"), 0.25)
    assert told["card"].endswith("started from (0.25 of these).")
    assert kept["card"] == "A run."
    own["conv"]["bias"] = np.zeros(17, np.float32)
    for groups in ({"face": own}, {"statistics": {"mean": np.zeros(3)}}):
        with pytest.raises(UserError, match="same stages and sizes"):
            export_program.average(groups, str(tmp_path / "out"), share=0.5)


def test_stages_are_joined_and_no_group_comes_twice():
    face, motion = (
        ({name: _params()["face"]}, {"configs": {name: {"width": 1}}})
        for name in ("face", "motion")
    )
    params, configs = export_program.join([face, motion])
    assert set(params) == {"face", "motion"}
    assert json.loads(configs["motion"]) == {"width": 1}
    with pytest.raises(UserError, match="Two runs hold a group 'face'"):
        export_program.join([face, face])


def test_an_export_of_nothing_is_refused(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "experiments.export", f"--output={tmp_path / 'new'}"],
        cwd=pathlib.Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: There is nothing to export; give --workdir")
    assert not (tmp_path / "new").exists()


def test_sampling_is_put_into_the_animations_config_and_nothing_else_is_changed():
    kept = trained.AnimationConfig(audio_encoder="mel")
    configs = {"animation": config.to_json(kept)}
    changed = config.from_json(
        trained.AnimationConfig, export_settings.with_sampling(configs, 7, None)
    )
    sampling = dataclasses.replace(kept.sampling, num_steps=7)
    assert changed == dataclasses.replace(kept, sampling=sampling)
    text = export_settings.with_sampling(configs, None, "ddim")
    sampling = config.from_json(trained.AnimationConfig, text).sampling
    assert sampling == dataclasses.replace(kept.sampling, method="ddim")
    with pytest.raises(UserError, match="give the --workdir of a stage-two run"):
        export_settings.with_sampling({"face": "{}"}, 7, None)
    with pytest.raises(UserError, match="num_steps"):
        export_settings.with_sampling(configs, 0, None)

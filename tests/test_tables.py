"""The paper's tables of two published sets, from their lists to what they must say."""

import json
import os
import pathlib
import subprocess
import sys

import moving_portrait
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from datasets.building import engines
from datasets.published_sets import readers
from datasets.video_clips import builder
from datasets.video_clips import settings as settings_lib
from vasa_jax import audio, export, media
from vasa_jax.evaluation.networks import contrastive, lpips

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NUM_FRAMES, IMAGE_SIZE = 60, 192
SEED = 0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures():
    portrait = media.read_image(EXAMPLES / "portrait.png")
    return moving_portrait.frames(portrait, 2 * NUM_FRAMES)


@pytest.fixture(scope="module")
def said():
    return audio.load_waveform(EXAMPLES / "voice.wav")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The shipped models with smaller frames, which cost less."""
    params, configs, metadata = export.load_export(ROOT / "vasa_jax/weights/demo")
    face = {**json.loads(configs["face"]), "image_size": IMAGE_SIZE}
    folder = tmp_path_factory.mktemp("export") / "small"
    export.save_export(
        folder, params, {**configs, "face": json.dumps(face)}, metadata, "Small."
    )
    return folder


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    generator = np.random.default_rng(SEED)
    path = tmp_path_factory.mktemp("weights") / "vgg.npz"
    arrays = {
        name: generator.uniform(0, 2 / max(1, np.prod(shape[:-1])), shape)
        for name, shape in lpips.shapes().items()
    }
    np.savez(path, **{name: value.astype(np.float32) for name, value in arrays.items()})
    return path


def _voxceleb2(folder, pictures, said):
    """Two people of the test part, with offsets of their sound."""
    (folder / "vox2_meta.csv").write_text(
        "VoxCeleb2 ID ,Set \nid00134 ,test \nid00137 ,test \n", "utf-8"
    )
    for person, offset in (("id00134", 0), ("id00137", -2)):
        text = folder / "txt" / person / "AbCdEf" / "00001.txt"
        text.parent.mkdir(parents=True)
        table = "FRAME \tX \tY \tW \tH \n000123\t0.3\t0.1\t0.2\t0.4\n"
        text.write_text(f"Identity  : \t{person}\nOffset    : \t{offset}\n\n{table}")
        first = 0 if offset == 0 else NUM_FRAMES - 4
        shown = pictures[first:][: NUM_FRAMES + 4]
        moving_portrait.write(
            folder / "videos" / person / "AbCdEf" / "00001.mp4", shown, said
        )


def _hdtf(folder, pictures, said):
    """Two videos of speakers, each with one clip by its times and its square."""
    for number in (1, 2):
        shown = pictures if number == 1 else pictures[::-1]
        moving_portrait.write(folder / "videos" / f"RD_Radio{number}.mp4", shown, said)
    for kind, rows in {
        "video_url": "Radio1 https://youtu.be/aaa\nRadio2 https://youtu.be/bbb",
        "annotion_time": "Radio1.mp4 00:01-00:04\nRadio2.mp4 00:01-00:04",
        "crop_wh": "Radio1_0.mp4 100 440 20 440\nRadio2_0.mp4 100 440 20 440",
        "resolution": "Radio1.mp4 480\nRadio2.mp4 480",
    }.items():
        for subset in ("RD", "WDA", "WRA"):
            text = rows if subset == "RD" else rows.splitlines()[0]
            (folder / f"{subset}_{kind}.txt").write_text(text)


def _built(name, make, folder, pictures, said):
    """Cut a set and return its folder of records."""
    folder.mkdir()
    make(folder, pictures, said)
    read = readers.by_name(name)
    settings = settings_lib.Settings(
        size=128,
        seconds=NUM_FRAMES / 25,
        min_pixels=60,
        held_out_share=0.0,
    )

    def reader(videos):
        return read(folder, videos)

    builder.build(
        folder / "videos", folder / "records", settings, engines.Pool(1), reader
    )
    return folder / "records"


def _tables(records, output, checkpoint, *flags):
    """Run the program; return the texts of its tables by number."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "experiments.tables", f"--data_dir={records}"),
            *(f"--output={output}", f"--checkpoint={checkpoint}"),
            *("--num_samples=1", "--num_workers=1", *flags),
        ],
        cwd=ROOT,
        # As users run it, with all of XLA's passes.
        env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    parts = (output / "tables.md").read_text("utf-8").split("### Table ")[1:]
    return {int(part.split(":")[0]): part for part in parts}


def _rows(table):
    """Return the cells of a table's rows by their names, in order."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if "|" in line]
    return {row[0].strip("*"): row[1:] for row in rows[2:]}


def test_the_table_of_voxceleb2_carries_its_conditions(
    pictures, said, checkpoint, tmp_path
):
    records = _built("voxceleb2", _voxceleb2, tmp_path / "vox", pictures, said)
    tables = _tables(records, tmp_path / "out", checkpoint, "--tables=1")
    assert f"of records, 2 clips of {NUM_FRAMES / 25:.1f} s on average" in tables[1]
    assert contrastive.favour(None) in tables[1]
    originals, *others = _rows(tables[1]).items()
    assert originals[0] == "the benchmark's own video, measured alike"
    ours = dict(others)["this checkpoint, default settings"]
    is_known = [cell != "-" for cell in originals[1]]
    assert [cell != "-" for cell in ours] == is_known and any(is_known)
    assert "S_C, S_D: needs --syncnet_weights=FILE" in tables[1]


def test_the_table_of_hdtf_carries_its_conditions(
    pictures, said, checkpoint, vgg_file, tmp_path
):
    records = _built("hdtf", _hdtf, tmp_path / "hdtf", pictures, said)
    flags = "--tables=6", "--split=train", f"--lpips_weights={vgg_file}"
    table = _tables(records, tmp_path / "out", checkpoint, *flags)[6]
    for condition in (
        "2 clips of 2.4 s on average",
        "(not FVD) of 2 clips: real against real has 2 windows against 2",
        "generated against real 4 against 4",
        "divided by their number less 1",
        "neither squeezed nor cropped",
        contrastive.favour(None),
    ):
        assert condition in table
    rows = _rows(table)
    assert list(rows)[:2] == [
        "the benchmark's own video, measured alike",
        "VASA-1's successor (arXiv 2606.01620)",
    ]
    real, ours = (rows[name][-1] for name in (list(rows)[0], list(rows)[-1]))
    # Real against real stands beside the distance of what was generated.
    assert float(real) >= 0 and float(ours) > 0

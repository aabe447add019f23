"""Sets are equal byte for byte, whoever makes them and whoever is killed on the way.

Real programs on a real cluster, which takes minutes. VASA_KILL_SEEDS says how many
seeds to try; each draws anew when who dies.
"""

import os
import pathlib
import random
import signal

import dask_cluster
import moving_portrait
import pytest

from vasa_jax import audio, media

pytest.importorskip("apache_beam")
psutil = pytest.importorskip("psutil")

pytestmark = pytest.mark.slow

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
PROGRAMS = ("synthetic_heads", "video_clips", "encode")
POINTS = ("render", "rename", "report")
NUM_SEEDS = int(os.environ.get("VASA_KILL_SEEDS", "3"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    made = dask_cluster.Cluster(folder, folder / "order.json")
    yield made
    made.close()


@pytest.fixture(scope="module")
def programs(tmp_path_factory, tiny_checkpoint):
    """Module and flags of each program, and the set that processes make by it."""
    folder = tmp_path_factory.mktemp("sets")
    videos = folder / "videos"
    _write_videos(videos)
    heads = ["datasets.synthetic_heads.build", "--size=32", "--seconds=0.4"]
    clips = ["datasets.video_clips.build", f"--input_dir={videos}", "--size=64"]
    photos = ["datasets.photo_heads.build", f"--portraits_dir={EXAMPLES}"]
    encode = ["experiments.encode", f"--checkpoint={tiny_checkpoint}"]
    flags = {
        "synthetic_heads": [*heads, "--num_clips=96"],
        "video_clips": [*clips, "--seconds=0.8", "--min_pixels=100"],
        "photo_heads": [*photos, "--size=64", "--seconds=0.4"],
        "encode": [
            *encode,
            f"--data_dir={folder / 'synthetic_heads'}",
            "--audio_encoder=mel",
            "--splits=train,validation,test",
        ],
    }
    for name in flags:
        command = [*flags[name], f"--output_dir={folder / name}", "--num_workers=2"]
        code, told = dask_cluster.run(command)
        assert code == 0, told
    return {name: (flags[name], dask_cluster.contents(folder / name)) for name in flags}


def _write_videos(folder):
    portrait = media.read_image(EXAMPLES / "portrait.png")
    voice = audio.load_waveform(EXAMPLES / "voice.wav")
    frames = [moving_portrait.frames(portrait[:, ::step], 21) for step in (1, -1)]
    for number in range(6):
        moving_portrait.write(folder / f"{number}.mp4", frames[number % 2], voice)
    (folder / "broken.mkv").write_bytes(b"no video at all")


@pytest.mark.parametrize("num_workers", [0, 1, 2, 3])
def test_sets_are_equal_whoever_makes_them(programs, cluster, num_workers, tmp_path):
    cluster.set_workers(num_workers)
    where = cluster.flags if num_workers else ("--beam_runner=FnApiRunner",)
    for name, (flags, expected) in programs.items():
        output = tmp_path / name
        code, told = dask_cluster.run([*flags, f"--output_dir={output}", *where])
        assert code == 0, told
        made = dask_cluster.contents(output)
        assert dask_cluster.differing(made, expected) == [], name


@pytest.mark.parametrize("seed", range(NUM_SEEDS))
@pytest.mark.parametrize("name", PROGRAMS)
def test_sets_are_equal_whoever_is_killed(programs, cluster, name, seed, tmp_path):
    flags, expected = programs[name]
    command = [*flags, f"--output_dir={tmp_path / 'set'}"]
    at = POINTS[(seed + PROGRAMS.index(name)) % 3]
    chance = random.Random(f"{name} {seed}")

    _kill_main_program_that_renders(command, at, chance, tmp_path / "order.json")
    _kill_main_program_of_the_cluster(command, at, chance, cluster)
    cluster.set_workers(2)
    _order(cluster.order, at, chance, "SIGKILL")
    code, told = dask_cluster.run([*command, *cluster.flags])
    assert code == 0, told
    assert dask_cluster.who_obeyed(cluster.order), "No worker was killed."
    made = dask_cluster.contents(tmp_path / "set")
    assert dask_cluster.differing(made, expected) == []

    before = dask_cluster.times(tmp_path / "set")
    code, told = dask_cluster.run([*command, *cluster.flags])
    assert code == 0, told
    assert dask_cluster.times(tmp_path / "set") == before


def _order(order, at, chance, name):
    # A shard of the smallest set takes three tenths of a second.
    dask_cluster.give_order(order, at, chance.uniform(0, 0.1), name)


def _kill_main_program_that_renders(command, at, chance, order):
    _order(order, at, chance, "SIGKILL")
    code, told = dask_cluster.run([*command, "--beam_runner=FnApiRunner"], order)
    assert code == -signal.SIGKILL and dask_cluster.who_obeyed(order), told


def _kill_main_program_of_the_cluster(command, at, chance, cluster):
    """Kill it while the only worker stands still, which then goes on without it."""
    cluster.set_workers(1)
    _order(cluster.order, at, chance, "SIGSTOP")
    process = dask_cluster.start([*command, *cluster.flags])
    try:
        dask_cluster.wait_until(lambda: dask_cluster.who_obeyed(cluster.order), 300)
        worker = psutil.Process(dask_cluster.who_obeyed(cluster.order))
        dask_cluster.wait_until(lambda: worker.status() == psutil.STATUS_STOPPED, 60)
        assert process.poll() is None, process.communicate()[0]
    finally:
        dask_cluster.end(process)
    worker.send_signal(signal.SIGCONT)

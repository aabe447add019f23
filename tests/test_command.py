"""The command `vasa`: a file comes out, or one sentence and exit code 2; no noise."""

import os
import pathlib
import subprocess
import sys
import wave

import numpy as np
import pytest

from vasa_jax import audio, media
from vasa_jax.animate import controls, curves, motion_files
from vasa_jax.animate.talking_face import TalkingFace
from vasa_jax.command import main
from vasa_jax.speech import adapters, natural_speaker

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUM_FRAMES = 15


@pytest.fixture
def inputs(tmp_path, rendered_photo, voice, tiny_checkpoint):
    """Arguments of a run that works, in an empty folder."""
    media.write_image(tmp_path / "face.png", rendered_photo)
    with wave.open(str(tmp_path / "voice.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", "not compressed"))
        file.writeframes((voice[:10_000] * 32767).astype(np.int16).tobytes())
    driver = np.stack([rendered_photo] * 3)[:, ::2, ::2]
    height, width = driver.shape[1:3]
    with media.VideoWriter(
        tmp_path / "driver.mp4", height, width, waveform=voice[:10_000]
    ) as writer:
        writer.write(np.repeat(driver, 5, axis=0))
    return {
        "image": str(tmp_path / "face.png"),
        "voice": str(tmp_path / "voice.wav"),
        "driver": str(tmp_path / "driver.mp4"),
        "output": str(tmp_path / "talk.mp4"),
        "checkpoint": str(tiny_checkpoint),
    }


def words(command, inputs, *flags):
    """Return the words of a run."""
    return [
        command,
        inputs["image"],
        inputs["driver" if command == "reenact" else "voice"],
        "-o",
        inputs["output"],
        f"--checkpoint={inputs['checkpoint']}",
        *flags,
    ]


def vasa(folder, *words, shell_first="", **environment):
    """Run the command as a user does, elsewhere, after some words of a shell."""
    command = [sys.executable, "-m", "vasa_jax", *words]
    return subprocess.run(
        ["sh", "-c", f'{shell_first} exec "$@"', "sh", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_a_video_comes_out_with_every_control_set(inputs, capsys):
    flags = [
        "--seed=3",
        "--num_steps=2",
        "--audio_guidance=1",
        "--gaze_guidance=2",
        "--gaze=-10,5",
        "--distance=1.2",
        "--emotion=happiness:0.5",
        "--liveliness=2",
        "--pose_scale=0.5",
        "--pose_offset=10,-5,0",
        "--image_size=64",
        "--whole_picture",
    ]
    assert main.main(words("animate", inputs, *flags)) == 0
    assert capsys.readouterr().out == f"{inputs['output']}: {NUM_FRAMES} frames\n"
    frames = list(media.iterate_video(inputs["output"]))
    assert len(frames) == NUM_FRAMES
    assert frames[0].shape == media.read_image(inputs["image"]).shape


def test_a_video_drives_a_portrait_and_keeps_its_sound(inputs, capsys):
    assert main.main(words("reenact", inputs, "--no_mark")) == 0
    assert capsys.readouterr().out == f"{inputs['output']}: {NUM_FRAMES} frames\n"
    face = TalkingFace.from_checkpoint(inputs["checkpoint"])
    driver = media.iterate_video(inputs["driver"])
    frames = np.concatenate(
        list(face.reenact(media.read_image(inputs["image"]), driver))
    )
    shown = np.stack(list(media.iterate_video(inputs["output"])))
    assert shown.shape == frames.shape
    assert np.abs(shown.astype(int) - frames).mean() < 4
    sounds = [audio.load_waveform(inputs[name]) for name in ("output", "driver")]
    count = min(map(len, sounds))
    assert count > 9_000
    assert np.corrcoef(sounds[0][:count], sounds[1][:count])[0, 1] > 0.9


def test_a_drivers_poses_are_taken_as_they_are_where_asked(inputs, tmp_path):
    found = []
    for frame in motion_files.FRAMES:
        path = tmp_path / f"{frame}.npz"
        flags = [f"--turns_about={frame}", f"--motion_output={path}"]
        assert main.main(words("reenact", inputs, "--no_mark", *flags)) == 0
        found.append(motion_files.load(path))
    camera, portrait = found
    assert (camera.turns_about, portrait.turns_about) == motion_files.FRAMES
    np.testing.assert_array_equal(portrait.motion, camera.about_mean().motion)


def test_image_and_video_are_given_by_flags_in_any_order(inputs, capsys):
    assert main.main(words("reenact", inputs)) == 0
    first = _shown(inputs["output"])
    rest = words("reenact", inputs)[3:]
    flags = [f"--video={inputs['driver']}", "--image", inputs["image"]]
    assert main.main(["reenact", *rest, *flags]) == 0
    assert capsys.readouterr().out.count(f"{NUM_FRAMES} frames\n") == 2
    np.testing.assert_array_equal(_shown(inputs["output"]), first)


def test_controls_over_time_are_read_from_a_file(inputs, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("seconds,gaze_yaw,fear\n0,-20,0\n0.4,20,1\n")
    flag = f"--controls={tmp_path / 'a.csv'}"
    flags = [flag, "--seed=3", "--no_mark"]
    assert main.main(words("animate", inputs, *flags)) == 0
    assert capsys.readouterr().out == f"{inputs['output']}: {NUM_FRAMES} frames\n"
    shown = np.stack(list(media.iterate_video(inputs["output"])))
    face = TalkingFace.from_checkpoint(inputs["checkpoint"])
    asked = controls.Controls(
        seed=3,
        gaze=(curves.Curve((0, 0.4), (-20, 20)), 0.0),
        emotion={"fear": curves.Curve((0, 0.4), (0, 1))},
    )
    picture = media.read_image(inputs["image"])
    sound = audio.load_waveform(inputs["voice"])
    frames = np.concatenate(list(face.animate(picture, sound, asked)))
    assert np.abs(shown.astype(int) - frames).mean() < 6
    for words_more, told in (
        ([flag, "--emotion=fear"], "emotion is asked for by an argument and in "),
        ([f"--controls={tmp_path / 'b.csv'}"], "Cannot read the controls"),
        (["--blink_rate=3"], "The checkpoint has no trained map"),
    ):
        assert main.main(words("animate", inputs, *words_more)) == 2
        assert told in capsys.readouterr().err


def test_head_and_face_are_driven_by_two_files(
    inputs, tmp_path, rendered_photo, capsys
):
    other, motion = tmp_path / "other.mp4", tmp_path / "motion.npz"
    turned = np.stack([rendered_photo[:, ::-1]] * 10)
    with media.VideoWriter(other, *turned.shape[1:3]) as writer:
        writer.write(turned)
    flags = [f"--pose_from={other}", f"--motion_output={motion}"]
    assert main.main(words("reenact", inputs, *flags)) == 0
    assert capsys.readouterr().out == f"{inputs['output']}: 10 frames\n"
    face = TalkingFace.from_checkpoint(inputs["checkpoint"])
    theirs, ours = (
        np.concatenate(list(face.encode_motion(media.iterate_video(video))))
        for video in (other, inputs["driver"])
    )
    mixed = motion_files.load(motion)
    theirs = motion_files.RecordedMotion.of_motion(theirs, mixed.code).about_mean()
    np.testing.assert_allclose(mixed.head_pose, theirs.head_pose, atol=1e-5)
    np.testing.assert_allclose(mixed.facial_dynamics, ours[:10, 6:], atol=1e-5)
    first = _shown(inputs["output"])
    flags = [f"--pose_from={motion}", f"--dynamics_from={motion}"]
    assert main.main(words("reenact", inputs, *flags)) == 0
    np.testing.assert_array_equal(_shown(inputs["output"]), first)
    for flag, told in (
        ("--pose_from=missing.mp4", "missing.mp4"),
        ("--dynamics_from=missing.npz", "Cannot read the motion missing.npz"),
        (f"--pose_from={tmp_path / 'a.csv'}", "Cannot read the weights"),
    ):
        assert main.main(words("reenact", inputs, flag)) == 2
        assert told in capsys.readouterr().err


def _shown(path):
    return np.stack(list(media.iterate_video(path)))


def test_motion_is_saved_and_replayed_with_and_without_sound(inputs, tmp_path):
    motion, output = tmp_path / "motion.npz", inputs["output"]
    saving = words("animate", inputs, "--seed=3", f"--motion_output={motion}")
    assert main.main(saving) == 0
    first = _shown(output)
    assert main.main(words("animate", inputs, f"--motion={motion}")) == 0
    np.testing.assert_array_equal(_shown(output), first)
    silent = ["animate", inputs["image"], "-o", output, *saving[5:6]]
    assert main.main([*silent, f"--motion={motion}", "--pose_offset=20,0,0"]) == 0
    assert np.any(_shown(output) != first)
    assert not media.probe_video(output).has_sound
    # With the seed that was saved, the head and what it generates go together again.
    flags = [f"--motion={motion}", "--parts=head", "--seed=3"]
    assert main.main(words("animate", inputs, *flags)) == 0
    np.testing.assert_array_equal(_shown(output), first)


def test_mistakes_with_motion_give_one_sentence(inputs, tmp_path, capsys):
    weights = tmp_path / "take.csv"
    weights.write_text("seconds,jawOpen\n0,1\n")
    saved = tmp_path / "motion.npz"
    assert main.main(words("animate", inputs, f"--motion_output={saved}")) == 0
    pathlib.Path(inputs["output"]).unlink()
    capsys.readouterr()
    for flags, told in (
        (["--parts=head"], "--parts says what of --motion drives; give --motion, too."),
        (["--motion=missing.npz"], "Cannot read the motion missing.npz: No such file"),
        (["--motion=motion.txt"], "ends neither in .npz nor in .json"),
        ([f"--motion={weights}"], "it has no column browDownLeft and lacks 49 more"),
        ([f"--motion={saved}", "--parts=nose"], "Unknown part 'nose'; did you mean"),
        ([f"--motion={saved}", "--gaze=5,0"], "gaze can be asked where a voice makes"),
        ([f"--motion={saved}", "--parts=mouth"], "has no trained map"),
        (["--motion_output=motion.txt"], "ends neither in .npz nor in .json"),
        (["--motion_output=missing/a.npz"], "the folder missing does not exist"),
    ):
        assert main.main(words("animate", inputs, *flags)) == 2
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.startswith("error: ") and told in last
        assert not pathlib.Path(inputs["output"]).exists()
    two = {**inputs, "image": inputs["image"] + ",other.png"}
    assert main.main(words("animate", two, f"--motion={saved}")) == 2
    assert "are of one image and one voice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change, flags, told",
    [
        ({"image": "missing.png"}, [], "Cannot read the image missing.png"),
        ({"voice": "missing.wav"}, [], "missing.wav"),
        ({}, ["--gaze=26,0"], "gaze yaw (degrees) is 26"),
        ({}, ["--distance=2"], "(--distance) is 2; give a number from 0.85 to 1.3"),
        ({}, ["--emotion=joy"], "There is no emotion 'joy'"),
        ({}, ["--seed=x"], "invalid int value: 'x'; see `vasa animate --help`."),
        ({}, ["--see=1"], "unrecognized arguments: --see=1"),
        ({"output": "talk.avi"}, [], "must end in .mp4"),
    ],
)
def test_a_mistake_gives_one_sentence_and_code_2_and_no_file(
    change, flags, told, inputs, tmp_path, capsys
):
    before = sorted(tmp_path.rglob("*"))
    assert main.main(words("animate", {**inputs, **change}, *flags)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.strip().splitlines()[-1]
    assert last.startswith("error: ") and told in last
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "given, told",
    [
        ([], "required: COMMAND; see `vasa --help`."),
        (["animate", "face.png"], "required: SOUND, -o/--output"),
        (["reenact", "face.png", "-o", "a.mp4"], "required: VIDEO"),
        (
            ["reenact", "--image=a", "-o", "a.mp4"],
            "--image and --video belong together",
        ),
        (["reenact", "--image=a", "b", "-o", "a.mp4"], "give both files one way."),
        (["reenact", "a", "b", "--image=a", "--video=b", "-o", "c.mp4"], "one way."),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_missing_and_unknown_words_give_one_sentence(given, told, capsys):
    assert main.main(given) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and told in line


@pytest.fixture
def says_hums(monkeypatch, voice):
    """Let a function speak in the place of the natural voices; return what it is."""
    asked = {}

    def make(**named):
        asked.update(named)
        return adapters.FunctionSpeaker(lambda words: voice[:5000])

    monkeypatch.setattr(natural_speaker, "NaturalSpeaker", make)
    return asked


def test_typed_text_is_said_in_the_place_of_a_sound(inputs, says_hums, capsys):
    arguments = words("animate", inputs)
    text = ["--text=Go. [pause 0.5] *Now*!", "--voice=7", "--language=fr"]
    assert main.main(arguments[:2] + arguments[3:] + text) == 0
    assert says_hums == {"voice": "7", "language": "fr"}
    told = capsys.readouterr().out
    num_frames = len(list(media.iterate_video(inputs["output"])))
    assert told == f"{inputs['output']}: {num_frames} frames\n"
    sound = audio.load_waveform(inputs["output"])
    assert num_frames == pytest.approx(len(sound) / 640, abs=3)


@pytest.mark.parametrize(
    "keep, flags, told",
    [
        (["image"], [], "required: SOUND"),
        (["image"], ["--text="], "nothing to say"),
        (["image", "sound"], ["--text=Go"], "leave one out"),
        (["image", "sound"], ["--voice=7"], "--voice and --language are of --text"),
        (["two", "images"], ["--text=Go"], "said by one image"),
    ],
)
def test_mistakes_with_typed_text_give_one_sentence(
    keep, flags, told, inputs, says_hums, capsys
):
    image = inputs["image"] + (",other.png" if "two" in keep else "")
    sound = [inputs["voice"]] if "sound" in keep else []
    arguments = ["animate", image, *sound, "-o", inputs["output"], *flags]
    assert main.main([*arguments, f"--checkpoint={inputs['checkpoint']}"]) == 2
    printed = capsys.readouterr()
    last = printed.err.strip().splitlines()[-1]
    assert last.startswith("error: ") and told in last
    assert not pathlib.Path(inputs["output"]).exists()


@pytest.mark.parametrize("name", [[], ["animate"], ["reenact"]])
def test_help_answers_without_loading_jax(name, tmp_path):
    program = (
        "import sys; from vasa_jax.command import main\n"
        "try: main.main(sys.argv[1:])\n"
        "finally: print({'jax', 'numpy', 'av'} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *name, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.stderr == ""
    assert ended.stdout.startswith("usage: vasa")
    assert ended.stdout.splitlines()[-1] == "set()"


@pytest.mark.slow
def test_a_run_that_succeeds_elsewhere_prints_its_bar_and_its_file_alone(
    inputs, tmp_path
):
    (tmp_path / "elsewhere").mkdir()
    # As on a machine of a user, where jax looks for every kind of accelerator.
    ended = vasa(tmp_path / "elsewhere", *words("animate", inputs), JAX_PLATFORMS="")
    assert ended.stdout == f"{inputs['output']}: {NUM_FRAMES} frames\n"
    lines = [line for line in ended.stderr.splitlines() if line]
    assert all(line.startswith("animate: ") for line in lines), lines


def test_an_error_after_the_bar_has_its_own_line(inputs, tmp_path):
    # With room for a kilobyte a file, no compiled program must be kept.
    ended = vasa(
        tmp_path,
        *words("animate", inputs),
        shell_first="ulimit -f 1;",
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="1e6",
    )
    assert ended.returncode == 2
    *_, bar, error, _ = ended.stderr.split("\n")
    assert "animate" in bar
    assert error.startswith("error: Cannot write")


def test_several_images_run_one_after_another_and_a_bad_one_ends_with_code_2(
    inputs, tmp_path, capsys
):
    images = f"{inputs['image']},{tmp_path / 'missing.png'}"
    folder = tmp_path / "videos"
    arguments = words(
        "animate", {**inputs, "image": images, "output": str(folder)}, "--frame_rate=30"
    )
    assert main.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == f"{folder / 'face-voice.mp4'}: 18 frames\n"
    assert "missing-voice.mp4 was left out: Cannot read the image" in said.err
    assert said.err.strip().endswith("error: 1 of the videos could not be made.")
    assert [path.name for path in folder.iterdir()] == ["face-voice.mp4"]

"""From a portrait and a voice to frames, with tiny untrained models."""

import dataclasses
import itertools

import numpy as np
import pytest

from vasa_jax import kept_programs, types
from vasa_jax.animate import motion_files, motion_stream, rendering
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.talking_face import Portrait, TalkingFace
from vasa_jax.audio import encoders
from vasa_jax.errors import UserError
from vasa_jax.motion import model as motion_model
from vasa_jax.motion.shaping import liveliness
from vasa_jax.motion.shaping.config import ShapingConfig
from vasa_jax.portrait import crop


@pytest.fixture(scope="module")
def talking_face(tiny_models):
    return TalkingFace(tiny_models)


@pytest.fixture(scope="module")
def portrait(tiny_models):
    size = tiny_models.face_config.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    return Portrait(
        image=pixels,
        head_pose=types.HeadPose.from_vector(np.array([[0, 0, 0, 0, 0, 1]], "f4")),
        box=crop.CropBox.of_whole(size, size),
    )


def joined(frames):
    return np.concatenate(list(frames))


def test_there_is_a_frame_for_every_whole_640_samples(talking_face, portrait, voice):
    for num_samples in (640, 641, 5 * 640 - 1, 20 * 640, len(voice)):
        frames = joined(talking_face.animate(portrait, voice[:num_samples]))
        size = talking_face.image_size
        assert frames.shape == (num_samples // 640, size, size, 3)
        assert frames.dtype == np.uint8


def test_the_same_seed_gives_the_same_frames_and_another_seed_others(
    talking_face, portrait, voice
):
    first, again, other = (
        joined(talking_face.animate(portrait, voice, Controls(seed=seed)))
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_a_stream_in_uneven_pieces_equals_the_whole(talking_face, portrait, voice):
    controls = Controls(seed=5, gaze=(10.0, 0.0))
    whole = joined(talking_face.animate(portrait, voice, controls))
    stream = talking_face.stream(portrait, controls)
    lengths = itertools.cycle([1, 333, 640, 5000])
    pieces, start = [], 0
    while start < len(voice):
        length = next(lengths)
        pieces.append(list(stream.push(voice[start : start + length])))
        start += length
    pieces.append(list(stream.finish()))
    np.testing.assert_array_equal(joined(itertools.chain(*pieces)), whole)
    assert sum(bool(piece) for piece in pieces) > 1


def test_a_stream_gives_a_window_as_soon_as_its_samples_have_come(
    talking_face, portrait, tiny_models
):
    stream = talking_face.stream(portrait)
    window = tiny_models.motion_config.window_frames
    grid = encoders.make("mel").grid
    hops = -(-window // grid.hop_frames)
    due = hops * grid.hop_samples + grid.frames_after * types.SAMPLES_PER_FRAME
    quiet = np.zeros(due, np.float32)
    assert list(stream.push(quiet[:-1])) == []
    assert len(joined(stream.push(quiet[-1:]))) == window


def test_a_stream_of_short_steps_answers_sooner_and_gives_as_many_frames(
    talking_face, portrait, voice, tiny_models
):
    window = tiny_models.motion_config.window_frames
    step = tiny_models.motion_config.previous_frames

    def frames_by_push(controls):
        stream = talking_face.stream(portrait, controls)
        counts = [
            sum(map(len, stream.push(voice[start : start + 640])))
            for start in range(0, len(voice), 640)
        ]
        return [*counts, sum(map(len, stream.finish()))]

    whole = frames_by_push(Controls())
    short = frames_by_push(Controls(step_frames=step))
    assert sum(whole) == sum(short) == len(voice) // 640
    assert np.flatnonzero(short)[0] <= np.flatnonzero(whole)[0] - (window - step) // 2


def test_a_stream_goes_back_to_where_it_was_copied(talking_face, portrait, voice):
    stream = talking_face.stream(portrait, Controls(step_frames=_step(talking_face)))
    list(stream.push(voice[:9000]))
    kept = stream.motion.copy()
    first = list(stream.motion.push(voice[9000:30_000]))
    again = list(kept.copy().push(voice[9000:30_000]))
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))


def test_what_was_unheard_is_as_if_it_had_been_silent(talking_face, portrait, voice):
    asked = Controls(step_frames=_step(talking_face))
    interrupted = talking_face.stream(portrait, asked).motion
    silent = talking_face.stream(portrait, asked).motion
    grid = encoders.make("mel").grid
    heard = 4 * grid.hop_samples + 500
    for motion, num_voiced in ((interrupted, heard), (silent, heard - 300)):
        pushed = np.zeros(heard, np.float32)
        pushed[:num_voiced] = voice[:num_voiced]
        list(motion.push(pushed))
    interrupted.unhear(300)
    nothing = np.zeros(20 * grid.hop_samples, np.float32)
    ours, theirs = (
        np.concatenate(list(motion.push(nothing))) for motion in (interrupted, silent)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_controls_may_change_on_the_way(talking_face, portrait, voice):
    asked = Controls(step_frames=_step(talking_face), seed=5)
    changed = dataclasses.replace(asked, gaze=(20.0, 0.0), liveliness=2.0)
    streams = [talking_face.stream(portrait, asked).motion for _ in range(3)]
    begun = [np.concatenate(list(one.push(voice[:16_000]))) for one in streams]
    streams[0].set_controls(dataclasses.replace(changed, seed=6, step_frames=None))
    streams[1].set_controls(changed)
    streams[1].set_controls(asked)
    first, back, plain = (
        np.concatenate(list(one.push(voice[16_000:]))) for one in streams
    )
    np.testing.assert_array_equal(begun[0], begun[2])
    np.testing.assert_array_equal(back, plain)
    assert first.shape == plain.shape and np.any(first != plain)
    with pytest.raises(UserError, match="step_frames"):
        talking_face.stream(portrait, Controls(step_frames=1000))


def _step(talking_face):
    return talking_face._speech.config.previous_frames


@pytest.mark.parametrize("step_frames", [0, 3, 17])
def test_a_step_that_windows_cannot_take_is_refused(
    talking_face, portrait, step_frames
):
    with pytest.raises(UserError, match="give 4 to 16"):
        talking_face.stream(portrait, Controls(step_frames=step_frames))


def test_frames_before_a_later_sound_do_not_depend_on_it(talking_face, portrait, voice):
    window = 16
    changed = voice.copy()
    changed[(window + 10) * 640 :] = 0.0
    first = joined(talking_face.animate(portrait, voice))
    second = joined(talking_face.animate(portrait, changed))
    np.testing.assert_array_equal(first[:window], second[:window])


def test_silence_is_no_error(talking_face, portrait):
    frames = joined(talking_face.animate(portrait, np.zeros(16_000, np.float32)))
    assert len(frames) == 25


def test_controls_change_the_frames(talking_face, portrait, voice):
    plain = joined(talking_face.animate(portrait, voice))
    for change in (
        {"gaze": (20.0, 0.0)},
        {"head_distance": 1.25},
        {"emotion": {"anger": 1.0}},
        {"liveliness": 3.0},
        {"pose_scale": 0.0},
        {"audio_guidance": 2.0},
        {"gaze_guidance": 0.0},
        {"num_steps": 3},
    ):
        frames = joined(talking_face.animate(portrait, voice, Controls(**change)))
        assert np.any(frames != plain), change


def test_the_voice_says_how_lively_the_head_is_and_the_control_by_how_much(
    tiny_models, voice, monkeypatch
):
    line = liveliness.VoiceRelation(intercept=np.float32(0.5), slope=np.float32(2.0))
    models = dataclasses.replace(
        tiny_models, statistics=tiny_models.statistics.replace(voice=line)
    )
    usual = 0.5 + np.log(models.animation.shaping.liveliness)
    asked = []

    def watched(function, *static, **settings):
        program = kept(function, *static, **settings)

        def watch(params, statistics, carry, audio, controls, *rest):
            asked.append(float(controls.liveliness[0, 0]))
            return program(params, statistics, carry, audio, controls, *rest)

        return watch if function is motion_model.next_window else program

    kept = kept_programs.kept
    monkeypatch.setattr(kept_programs, "kept", watched)

    def perform(waveform, controls):
        asked.clear()
        stream = motion_stream.SpeechModel(models).stream(controls)
        for _ in (*stream.push(waveform), *stream.finish()):
            pass
        return np.array(asked)

    loud = np.full_like(voice, 0.5)
    np.testing.assert_allclose(
        perform(loud, Controls()), usual + 2.0 * np.log(1.05), atol=1e-5
    )
    np.testing.assert_allclose(
        perform(np.zeros_like(voice), Controls()), usual + 2.0 * np.log(0.05), atol=1e-5
    )
    quiet_later = loud.copy()
    quiet_later[24 * types.SAMPLES_PER_FRAME :] *= 1e-3
    first, *_, last = perform(quiet_later, Controls(liveliness=2.0))
    assert first == pytest.approx(usual + 2.0 * np.log(1.05) + np.log(2.0), abs=1e-5)
    assert last == pytest.approx(usual + 2.0 * np.log(0.05) + np.log(2.0), abs=1e-5)

    # Shorter steps are told by as many frames: the last 16, of which 8 are quiet.
    short = perform(quiet_later, Controls(step_frames=4))
    half = usual + 2.0 * np.log(0.5 + liveliness.LEAST_SHARE)
    assert short[32 // 4 - 1] == pytest.approx(half, abs=1e-5)


def test_without_shaping_liveliness_is_left_open_and_another_is_refused(
    tiny_models, voice
):
    paper = dataclasses.replace(tiny_models.animation, shaping=None)
    model = motion_stream.SpeechModel(dataclasses.replace(tiny_models, animation=paper))
    assert model.noise_mixing is None
    stream = model.stream(Controls())
    motion = np.concatenate([*stream.push(voice), *stream.finish()])
    assert len(motion) == 50 and np.isfinite(motion).all()
    with pytest.raises(UserError, match="liveliness is 2, and this checkpoint"):
        model.stream(Controls(liveliness=2.0))


def test_the_default_number_of_steps_is_the_checkpoints(
    talking_face, portrait, voice, tiny_models
):
    steps = tiny_models.animation.sampling.num_steps
    default = joined(talking_face.animate(portrait, voice))
    same = joined(talking_face.animate(portrait, voice, Controls(num_steps=steps)))
    np.testing.assert_array_equal(default, same)


def test_more_steps_than_the_model_has_are_refused_before_anything_runs(
    talking_face, portrait, voice
):
    with pytest.raises(UserError, match="num_steps is 101"):
        talking_face.animate(portrait, voice, Controls(num_steps=101))


@pytest.mark.parametrize(
    "waveform, words",
    [
        (np.zeros(639, np.float32), "has 639 samples"),
        (np.zeros(16_000, np.int16), "give finite floats"),
        (np.full(16_000, np.nan, np.float32), "give finite floats"),
        (np.zeros((2, 16_000), np.float32), "give finite floats"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(
    talking_face, portrait, waveform, words
):
    with pytest.raises(UserError, match=words):
        talking_face.animate(portrait, waveform)


@pytest.mark.slow
def test_the_batch_size_of_decoding_does_not_change_the_frames(
    tiny_models, portrait, voice
):
    few, many = (
        joined(
            TalkingFace(tiny_models, batch_frames=size).animate(portrait, voice)
        ).astype(int)
        for size in (3, 8)
    )
    assert np.abs(few - many).max() <= 1


def test_a_gain_overdoes_the_way_from_the_portraits_own_face(tiny_models, portrait):
    sizes, params = tiny_models.face_config, tiny_models.face_params
    gained, channels = ShapingConfig(dynamics_gain=1.5), slice(6, None)
    plain, strong = (
        rendering.Renderer(sizes, params, shaping) for shaping in (None, gained)
    )
    latents = plain.encode_portrait(portrait.image, portrait.head_pose)
    own = np.concatenate(
        [portrait.head_pose.to_vector(), latents.facial_dynamics], axis=-1
    )
    changes = np.random.default_rng(0).normal(0, 0.5, own.shape).astype("f4")
    asked, beyond = own.copy(), own.copy()
    asked[:, channels] += changes[:, channels]
    beyond[:, channels] += np.float32(1.5) * changes[:, channels]

    def image(renderer, motion):
        return joined(renderer.render(latents, [motion])).astype(int)

    assert np.abs(image(strong, asked) - image(plain, beyond)).max() <= 1
    assert np.abs(image(strong, asked) - image(plain, asked)).max() > 1
    np.testing.assert_array_equal(image(strong, own), image(plain, own))


def test_a_portrait_is_found_cut_and_animated(talking_face, rendered_photo, voice):
    found = talking_face.locate(rendered_photo)
    size = talking_face.image_size
    assert found.image.shape == (size, size, 3)
    np.testing.assert_allclose(found.head_pose.scale, [[1.0]], atol=1e-5)
    assert found.warning is None
    frames = joined(talking_face.animate(rendered_photo, voice[:6400]))
    again = joined(talking_face.animate(found, voice[:6400]))
    np.testing.assert_array_equal(frames, again)


def test_reenacting_gives_one_frame_for_each_of_the_driver(
    talking_face, portrait, rendered_photo
):
    driver = [rendered_photo] * 6 + [rendered_photo[:, ::-1]]
    frames = joined(talking_face.reenact(portrait, iter(driver)))
    assert len(frames) == 7
    away = np.abs(frames.astype(int) - frames[0])
    # The same picture may be rounded otherwise at another place of its batch.
    assert away[:6].max() <= 1 < away[6].max()


def test_heads_move_about_their_own_pose_as_their_driver_about_its_mean(
    talking_face, portrait, rendered_photo
):
    driver = [rendered_photo] * 3 + [rendered_photo[:, ::-1]]
    motion = joined(talking_face.encode_motion(iter(driver)))
    motion[:, :5] -= motion[:, :5].mean(axis=0)
    motion[:, 5] /= motion[:, 5].mean()
    motion[:, :3] += portrait.head_pose.rotation
    told = joined(talking_face.render(portrait, [motion], is_driven=True))
    relative = joined(talking_face.reenact(portrait, iter(driver)))
    absolute = joined(talking_face.reenact(portrait, iter(driver), motion_files.CAMERA))
    assert np.abs(relative.astype(int) - told).max() <= 1
    assert np.abs(relative.astype(int) - absolute).max() > 1


def test_a_picture_without_a_face_is_refused(talking_face, voice):
    blank = np.full((64, 64, 3), 90, np.uint8)
    with pytest.raises(UserError, match="(?i)no face was found"):
        talking_face.animate(blank, voice)
    with pytest.raises(UserError, match="has no frame"):
        talking_face.reenact(blank_portrait(blank), [])


def blank_portrait(pixels):
    return Portrait(
        image=pixels[:32, :32],
        head_pose=types.HeadPose.from_vector(np.array([[0, 0, 0, 0, 0, 1]], "f4")),
        box=crop.CropBox.of_whole(32, 32),
    )


def test_pixels_survive_the_way_to_the_model_and_back():
    pixels = np.arange(256, dtype=np.uint8)[None, :, None]
    there = rendering.to_model_range(pixels)
    np.testing.assert_allclose(
        np.asarray(there).ravel(), np.linspace(-1, 1, 256), atol=1e-6
    )
    np.testing.assert_array_equal(rendering.to_pixels(there), pixels)


def test_a_loaded_checkpoint_animates_as_the_models_that_were_saved(
    talking_face, tiny_checkpoint, portrait, voice
):
    loaded = TalkingFace.from_checkpoint(tiny_checkpoint)
    np.testing.assert_array_equal(
        joined(loaded.animate(portrait, voice)),
        joined(talking_face.animate(portrait, voice)),
    )

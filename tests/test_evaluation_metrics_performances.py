"""Measures against closed forms, and on faces that are known."""

import dataclasses

import numpy as np
import pytest

from vasa_jax import errors
from vasa_jax.animate.controls import Controls
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import driven_videos, held_out_clips
from vasa_jax.evaluation.metrics import (
    reenactment,
    speaking,
)
from vasa_jax.evaluation.networks import face_recognition
from vasa_jax.portrait import track


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("dlib")
    return face_recognition.IdentityNetwork()


@pytest.fixture(scope="module")
def actor(tiny_models):
    return driven_videos.Performer(tiny_models)


@pytest.fixture
def sees_nobody(network, monkeypatch):
    """See no face in an untrained decoder's noise, where one is looked for long."""

    def find(image):
        raise errors.UserError("No face.")

    monkeypatch.setattr(track, "follow", lambda frame, last: None)
    monkeypatch.setattr(face_recognition.locate, "locate_face", find)
    return network


def test_frames_are_picked_from_the_least_turned_to_the_most():
    turns = np.array([30.0, 0.0, 10.0, 20.0, 40.0])
    np.testing.assert_array_equal(reenactment.pick_frames(turns, 3), [1, 3, 4])


def test_cross_driving_finds_the_truth_in_the_shared_performance():
    table = [("a", "p"), ("a", "q"), ("b", "p"), ("b", "r")]
    opened = records.ListRecords(
        {"identity": name, "performance": what} for name, what in table
    )
    known = held_out_clips.Names.of(opened)
    assert held_out_clips.same_identity_clips(known, 9) == [
        (1, 0, 0),
        (0, 1, 1),
        (3, 2, 2),
        (2, 3, 3),
    ]
    assert held_out_clips.cross_identity_clips(known, 9) == [(3, 0, 2), (1, 2, 0)]


def test_a_face_is_near_itself_in_another_light_and_far_from_nothing(
    network, rendered_photo
):
    darker = (rendered_photo * 0.8).astype(np.uint8)
    nobody = np.zeros_like(rendered_photo)
    own, same, missing = network.embed_all([rendered_photo, darker, nobody])
    assert face_recognition.distances(own, same[None])[0] < 0.3
    assert face_recognition.cosines(own, same[None])[0] > 0.95
    assert np.isnan(missing).all()


def test_driving_by_the_source_itself_makes_copying_perfect(
    actor, network, rendered_photo
):
    frame = rendered_photo[:, 48:-48]
    pose = np.array([0, 0, 0, 0, 0, 1], np.float32)
    clip = reenactment.DrivingClip(
        source=frame,
        source_pose=pose,
        driver=frame[None].repeat(3, axis=0),
        driver_pose=np.tile(pose, (3, 1)),
        truth=frame[None].repeat(3, axis=0),
        truth_mouth=np.full((3, 2), 0.3),
        truth_scale=np.ones(3),
    )

    def even(images, others):
        return np.full(len(images), images.shape == others.shape)

    metric = reenactment.Reenactment(name="same", group="Same", is_other_person=False)
    values = metric.measure(clip, actor, network, even).scores
    assert set(values) <= set(metric.rows)
    # The copy went through a video, and nothing else.
    assert values["same/psnr"].floor > 30
    assert values["same/psnr"].value < values["same/psnr"].floor
    assert values["same/pose_seen"].floor < 5
    # Every true frame is alike, so the fit errs by its offset alone.
    assert values["same/pose"].ceiling > values["same/pose_own"].ceiling
    assert values["same/pose_own"].ceiling < 1
    assert np.isnan(values["same/pose_seen"].ceiling)
    assert values["same/lpips"][:2] == (1, 1)
    assert "same/turned_identity" not in values


def test_speech_is_measured_beside_a_truth_that_moves(actor, sees_nobody, voice):
    generator = np.random.default_rng(3)
    image = generator.integers(0, 256, (32, 32, 3), np.uint8)
    portrait = actor.portrait(image, np.array([0, 0, 0, 0, 0, 1], np.float32))
    num_frames = 12
    opening = np.sin(np.arange(num_frames)) + 1
    clip = speaking.SpokenClip(
        portrait=portrait,
        waveform=voice[: 640 * num_frames],
        truth=driven_videos.Seen(
            frames=image[None].repeat(num_frames, axis=0), face=None, share=1.0
        ),
        mouth_aperture=opening,
        is_silent=np.arange(num_frames) < 6,
    )
    metric = speaking.Speech(name="voice", group="Voices")
    values = metric.measure(clip, actor, sees_nobody).scores
    assert set(values) <= set(metric.rows)
    # No face is seen, so nothing follows the truth.
    assert values["voice/face"].value == 0
    assert values["voice/correlation"].value == 0
    # Where the truth's face is lost, no landmarks are compared.
    lost = dataclasses.replace(clip, truth=dataclasses.replace(clip.truth, share=0.4))
    assert set(metric.measure(lost, actor, sees_nobody).scores) == {
        "voice/face",
        "voice/identity",
        "voice/cosine",
    }
    blind = dataclasses.replace(clip, truth=None, mouth_aperture=None, is_silent=None)
    less = metric.measure(blind, actor, sees_nobody).scores
    assert set(less) <= set(dataclasses.replace(metric, has_truth=False).rows)


def test_every_take_has_a_seed_of_its_own(actor, sees_nobody, voice, monkeypatch):
    image = np.zeros((32, 32, 3), np.uint8)
    portrait = actor.portrait(image, np.array([0, 0, 0, 0, 0, 1], np.float32))
    clip = speaking.SpokenClip(
        portrait=portrait, waveform=voice[: 640 * 12], controls=Controls(seed=7)
    )
    speak, heard = actor.speak, []

    def listen(waveform, controls):
        heard.append(controls.seed)
        return speak(waveform, controls)

    monkeypatch.setattr(actor, "speak", listen)
    metric = speaking.Speech(name="voice", group="Voices", num_takes=3)
    metric.measure(clip, actor, sees_nobody)
    assert heard == [7, 7 + speaking.TAKE_SEEDS, 7 + 2 * speaking.TAKE_SEEDS]

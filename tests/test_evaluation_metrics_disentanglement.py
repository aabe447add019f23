"""Swaps of pose and dynamics: closed forms, choices of takes, and rendered truth."""

import dataclasses

import numpy as np
import pytest

from datasets.synthetic_heads.person import avatar, geometry, randomization
from datasets.synthetic_heads.records import recombined
from datasets.synthetic_heads.rendering import correspondence, renderer, scene
from vasa_jax import arkit, errors, media
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import driven_videos, held_out_clips
from vasa_jax.evaluation.metrics import disentanglement
from vasa_jax.evaluation.networks import face_recognition

SIZE = 96


def state(jaw=0.0, yaw=0.0):
    weights = np.zeros(arkit.NUM_UNITS, np.float32)
    weights[arkit.index("jawOpen")] = jaw
    return geometry.FrameState(
        weights, np.zeros(2), np.array([yaw, 0, 0], np.float32), np.zeros(3)
    )


@pytest.fixture(scope="module")
def domain():
    return randomization.Randomization(strength=0.5)


@pytest.fixture(scope="module")
def record(domain):
    """A person at rest, then with an open mouth and turned."""
    person = avatar.build_avatar(46, domain)
    packed = correspondence.pack_geometry(
        person, scene.camera(20.0), [state(), state(jaw=0.7, yaw=0.3)]
    )
    return {"geometry": packed}


@pytest.fixture(scope="module")
def person(record):
    return recombined.Person(record, SIZE)


def test_a_person_rendered_again_is_the_person_of_the_record(person, domain):
    own = avatar.build_avatar(46, domain)
    surroundings = scene.random_scene(46, domain)
    frame = renderer.Renderer(SIZE).render(
        own, surroundings, scene.camera(20.0), state()
    )
    assert person.is_in(frame.image, 0)
    assert not person.is_in(np.roll(frame.image, SIZE // 4, axis=1), 0)


def test_a_recombined_frame_has_the_face_of_one_and_the_pose_of_the_other(
    person, record, domain
):
    clip = correspondence.unpack_geometry(record["geometry"])
    wanted = renderer.Renderer(SIZE).render(
        avatar.build_avatar(46, domain),
        scene.random_scene(46, domain),
        clip.camera,
        state(jaw=0.7),
    )
    np.testing.assert_array_equal(person.show(clip, 1, clip, 0), wanted.image)


def test_gain_is_the_share_of_a_wanted_change_that_was_made():
    wanted = np.random.default_rng(0).normal(size=(5, 3))
    assert disentanglement.gain(0.5 * wanted, wanted) == pytest.approx(0.5)
    across = np.cross(wanted, [1.0, 2.0, 3.0])
    assert disentanglement.gain(across, wanted) == pytest.approx(0, abs=1e-12)
    assert np.isnan(disentanglement.gain(wanted, 0 * wanted))


def test_takes_are_of_one_person_and_the_source_is_the_same_or_another():
    table = ["a", "a", "a", "b", "b", "c"]
    opened = records.ListRecords({"identity": i, "performance": "p"} for i in table)
    known = held_out_clips.Names.of(opened)
    for indices in held_out_clips.same_identity_swaps(known, 9):
        assert table[indices.source] == table[indices.first] == table[indices.second]
    found = held_out_clips.same_identity_swaps(known, 9)
    assert found[0] == held_out_clips.SwapIndices(2, 0, 1)
    assert found[-1] == held_out_clips.SwapIndices(5, 5, 5)
    for indices in held_out_clips.cross_identity_swaps(known, 9):
        assert table[indices.source] != table[indices.first] == table[indices.second]
    assert len(held_out_clips.cross_identity_swaps(known, 2)) == 2
    alone = held_out_clips.Names(identity=["a", "a"], performance=["p", "q"])
    assert held_out_clips.cross_identity_swaps(alone, 9) == []


def test_one_record_gives_its_halves_and_two_give_frames_all_along():
    frames = np.arange(8, dtype=np.uint8)[:, None, None, None]
    rows = [
        {
            "identity": "a",
            "video": frames.repeat(4, axis=1).repeat(4, axis=2).repeat(3, axis=3) + k,
            "head_pose": np.zeros((8, 6), np.float32),
        }
        for k in (0, 100)
    ]
    opened = records.ListRecords(rows)
    alone = held_out_clips.swap_clip(opened, held_out_clips.SwapIndices(1, 0, 0), 2)
    assert alone.first.frames[:, 0, 0, 0].tolist() == [0, 3]
    assert alone.second.frames[:, 0, 0, 0].tolist() == [4, 7]
    assert alone.source[0, 0, 0] == 100
    both = held_out_clips.swap_clip(opened, held_out_clips.SwapIndices(1, 0, 1), 2)
    assert both.second.frames[:, 0, 0, 0].tolist() == [100, 107]
    assert both.truth is None


def test_a_swap_is_measured_beside_a_still_copy_and_the_truth(
    tiny_checkpoint, rendered_photo
):
    pytest.importorskip("dlib")
    actor, metadata = driven_videos.load_face(tiny_checkpoint)
    assert metadata["step"] == 0
    network = face_recognition.IdentityNetwork()
    frames = rendered_photo[None, :, 48:-48].repeat(2, axis=0)
    turned = np.array([[0.3, 0, 0, 0, 0, 1.0]] * 2, np.float32)
    clip = disentanglement.SwapClip(
        source=frames[0],
        source_pose=0 * turned[0] + [0, 0, 0, 0, 0, 1],
        first=disentanglement.Take(frames=frames, head_pose=turned * [0, *[1] * 5]),
        second=disentanglement.Take(frames=frames[:, :, ::-1], head_pose=turned),
        truth=disentanglement.Truth(
            unswapped=frames, pose_swapped=frames, dynamics_swapped=frames
        ),
    )
    metric = disentanglement.Disentanglement(
        name="other", group="other takes", is_other_person=True
    )
    values = metric.measure(clip, actor, network).scores
    assert set(values) == set(metric.rows)
    assert set(dataclasses.replace(metric, is_other_person=False).rows) < set(values)
    for key in ("turn", "kept/dynamics", "kept/pose"):
        assert values[f"other/{key}"].floor == 0
        assert values[f"other/{key}"].ceiling == 0
    # Nobody moved in the truth, so the whole turn is its error.
    assert values["other/pose_error"].ceiling == pytest.approx(17, abs=6)
    assert values["other/identity"].ceiling < 0.3
    # The mouth did nothing between the takes, so nothing can be a share of it.
    assert np.isnan(values["other/gain/mouth"].value)
    blind = dataclasses.replace(clip, truth=None)
    less = metric.measure(blind, actor, network).scores
    assert np.isnan(less["other/turn"].ceiling)


def test_a_video_without_enough_faces_is_refused_by_name(
    tiny_checkpoint, rendered_photo, tmp_path
):
    photo = rendered_photo[:, 48:-48]
    frames = np.concatenate([photo[None].repeat(3, axis=0), 0 * photo[None]])
    path = tmp_path / "talk.mp4"
    with media.VideoWriter(path, 288, 288) as out:
        out.write(frames)
    actor, _ = driven_videos.load_face(tiny_checkpoint)
    clip = held_out_clips.filmed_swap_clip(path, path, actor, 1)
    assert clip.first.frames.shape == (1, actor.image_size, actor.image_size, 3)
    with pytest.raises(errors.UserError, match="3 of the first 4 frames of .*talk.mp4"):
        held_out_clips.filmed_swap_clip(path, path, actor, 2)

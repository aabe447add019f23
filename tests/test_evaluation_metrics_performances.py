"""Measures against closed forms, and on faces that are known."""

import dataclasses
import json

import numpy as np
import pytest

from vasa_jax import geometry
from vasa_jax.animate.controls import Controls
from vasa_jax.audio import voice_activity
from vasa_jax.data import records
from vasa_jax.evaluation.benchmark import driven_videos, held_out_clips
from vasa_jax.evaluation.benchmark.scoring import ClipResult
from vasa_jax.evaluation.metrics import (
    curves,
    definition,
    frame_similarity,
    reenactment,
    speaking,
)
from vasa_jax.evaluation.metrics.definition import Measured, Row, Score
from vasa_jax.evaluation.networks import identity
from vasa_jax.evaluation.report import score_report
from vasa_jax.portrait import track


@pytest.fixture(scope="module")
def curve():
    steps = np.random.default_rng(0).standard_normal(120)
    return np.convolve(steps, np.ones(5) / 5, mode="valid")


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("dlib")
    return identity.IdentityNetwork()


@pytest.fixture(scope="module")
def actor(tiny_models):
    return driven_videos.Performer(tiny_models)


def test_correlation_is_numpys_and_zero_where_nothing_moves(curve):
    other = curve[::-1] + 0.5 * curve
    expected = np.corrcoef(curve, other)[0, 1]
    assert curves.correlation(curve, other) == pytest.approx(expected)
    assert curves.correlation(curve, np.full_like(curve, 3.0)) == 0


def test_shifting_the_truth_lowers_the_correlation(curve):
    assert curves.correlation(curve, 2 * curve + 1) == pytest.approx(1)
    assert abs(curves.shifted_correlation(curve, 2 * curve + 1)) < 0.4


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_the_best_lag_is_by_how_much_a_curve_comes_late(curve, lag):
    assert curves.best_lag(np.roll(curve, lag), curve) == lag


def test_angles_are_those_of_the_turn_between_two_rotations():
    generator = np.random.default_rng(1)
    a, b = generator.uniform(-0.6, 0.6, (2, 5, 3)).astype(np.float32)
    turn = np.einsum(
        "nij,nkj->nik", geometry.rotation_matrix(a), geometry.rotation_matrix(b)
    )
    expected = np.degrees(np.arccos((np.trace(turn, axis1=1, axis2=2) - 1) / 2))
    np.testing.assert_allclose(curves.angles_between(a, b), expected, rtol=1e-3)


def test_change_per_frame_of_an_even_turn_is_its_speed():
    rotation = np.zeros((10, 3), np.float32)
    rotation[:, 0] = np.radians(0.5) * np.arange(10)
    assert curves.delta_pose(rotation) == pytest.approx(0.5, rel=1e-3)


def test_an_offset_of_the_heads_own_frame_is_found_and_taken_out():
    generator = np.random.default_rng(4)
    truth = generator.uniform(-0.5, 0.5, (40, 3)).astype(np.float32)
    own = np.float32([0.01, 0.1, -0.02])
    turned = geometry.rotation_matrix(truth) @ geometry.rotation_matrix(own)
    noise = generator.normal(0, 0.01, (40, 3))
    seen = np.asarray(geometry.rotation_angles(turned)) + noise
    offset = curves.mean_offset(seen, truth)
    np.testing.assert_allclose(offset, geometry.rotation_matrix(own), atol=0.01)
    assert curves.angles_between(seen, truth).mean() > 5
    left = curves.without_offset(seen, offset)
    assert curves.angles_between(left, truth).mean() < 1.5
    mirrored = curves.mean_offset(truth * np.float32([1, -1, 1]), truth)
    assert np.linalg.det(mirrored) == pytest.approx(1)


def test_jitter_counts_fast_movement_and_not_slow():
    time = np.arange(100) / 25
    fast, slow = np.sin(2 * np.pi * 10 * time), np.sin(2 * np.pi * time)
    assert curves.fast_movement((fast + 5 * slow)[:, None]) == pytest.approx(
        0.5**0.5, rel=0.05
    )
    assert curves.fast_movement(slow[:, None]) < 1e-3


def test_the_interval_holds_the_mean_and_is_a_point_for_equal_clips():
    values = np.random.default_rng(2).normal(5, 1, 30)
    low, high = definition.interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 30**0.5, rel=0.2)
    assert definition.interval(np.full(4, 3.0)) == (3.0, 3.0)


@dataclasses.dataclass(frozen=True)
class Known(definition.PerClip):
    """A metric whose rows are given."""

    rows: dict[str, Row]
    name: str = "known"


def report_of(rows, clips):
    results = {
        f"{number:04d}": ClipResult(measured={"known": Measured(scores=scores)})
        for number, scores in enumerate(clips)
    }
    return score_report.summarise([Known(rows)], results, {"split": "test"})


def test_a_ratio_is_of_means_and_does_not_favour_truths_that_hardly_move():
    generator = np.random.default_rng(5)
    model, truth = generator.uniform(0.2, 4, (2, 400))
    row = Row(group="One", title="Deviation", aim="", is_ratio=True)
    clips = [{"a": Score(m, 0.0, t)} for m, t in zip(model, truth, strict=True)]
    found = report_of({"a": row}, [*clips, {"a": Score(9.0, 0.0)}, {}])
    ratio = found.lines["a"].summary
    assert (model / truth).mean() > 1.4
    assert ratio.mean == pytest.approx(model.mean() / truth.mean())
    assert ratio.low < ratio.mean < ratio.high
    assert ratio.high - ratio.low < 0.3
    assert (ratio.floor, ratio.ceiling, ratio.num_clips) == (0, 1, 400)
    nothing = report_of({"a": row}, [{"a": Score(1.0, 0.0, 0.0)}])
    assert nothing.lines["a"].summary.mean is None
    assert "| Deviation | not measured" in score_report.to_markdown(nothing)


def test_a_sentence_names_some_clips_and_counts_the_others():
    rows = {"a": Row(group="One", title="Turn"), "b": Row(group="One", title="Face")}
    clips = [{"b": Score(1.0)}] * 12 + [{"a": Score(1.0), "b": Score(1.0)}]
    report = report_of(rows, clips)
    assert len(report.lines["a"].left_out) == 12
    (sentence,) = score_report.left_out(report)
    assert sentence.startswith("One: Turn: 0000, 0001, ")
    assert sentence.endswith("0007 and 4 more: it does not apply")


def test_takes_of_a_clip_are_averaged_where_they_are_known():
    takes = [
        {"a": Score(1.0, np.nan, 3.0), "b": Score(np.nan)},
        {"a": Score(2.0, 0.0, 5.0), "b": Score(np.nan)},
    ]
    found = definition.average([Measured(scores=take) for take in takes]).scores
    assert found["a"] == Score(1.5, 0.0, 4.0)
    assert np.isnan(found["b"]).all()


def test_psnr_of_the_source_itself_is_infinite_and_else_that_of_its_error():
    image = np.full((2, 8, 8, 3), 100, np.uint8)
    changed = image.copy()
    changed[1] += 10
    found = frame_similarity.psnr(changed, image)
    assert found[0] == np.inf
    assert found[1] == pytest.approx(20 * np.log10(25.5))


def test_the_mouths_psnr_sees_only_the_mouth():
    truth = np.zeros((2, 64, 64, 3), np.uint8)
    image = truth.copy()
    image[0, :8] = 255
    image[1, 40:44, 30:34] = 255
    mouth = np.array([[0.0, 0.3], [0.0, 0.3]])
    found = frame_similarity.mouth_psnr(image, truth, mouth, np.ones(2))
    assert found[0] == np.inf
    assert found[1] < 20


def test_pauses_keep_away_from_speech():
    is_silent = np.ones(12, bool)
    is_silent[6] = False
    kept = np.flatnonzero(voice_activity.pauses(is_silent, margin=2))
    np.testing.assert_array_equal(kept, [0, 1, 2, 3, 9, 10, 11])


def test_quiet_frames_are_far_below_the_loudest():
    levels = np.repeat([1.0, 0.1, 0.01, 0.0], 640)
    quiet = voice_activity.quiet_frames(levels.astype(np.float32))
    np.testing.assert_array_equal(quiet, [False, False, True, True])


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


def test_a_table_says_what_was_not_measured_and_json_holds_infinity(tmp_path):
    def row(group, title, unit="", aim=""):
        return Row(group=group, title=title, unit=unit, aim=aim, floor="a copy")

    rows = {"a": row("One", "PSNR", "dB", "above 24"), "b": row("Two", "Features")}
    clips = [
        {"a": Score(20.0, np.inf)},
        {"a": Score(22.0, np.inf)},
        {"a": Score(np.nan)},
    ]
    text = score_report.write_report(tmp_path / "m.json", report_of(rows, clips))
    assert text == (tmp_path / "m.md").read_text()
    head = "### One\n\n| | score (95 %) | the reference | a copy | aim | clips |"
    assert text.startswith(head)
    assert "| PSNR, dB | 21.00 (20.00 to 22.00) | - | inf | above 24 | 2 |" in text
    assert "| Features | not measured: no clip could be | - | - |  | 0 |" in text
    assert "- One: PSNR: 0002: too few of its frames can be measured" in text
    assert "Features: 0" not in text
    stored = json.loads((tmp_path / "m.json").read_text())
    assert stored["rows"]["a"]["floor"] == "inf"
    assert stored["rows"]["a"]["num_clips"] == 2
    assert stored["about"] == {"split": "test"}


def test_a_face_is_near_itself_in_another_light_and_far_from_nothing(
    network, rendered_photo
):
    darker = (rendered_photo * 0.8).astype(np.uint8)
    nobody = np.zeros_like(rendered_photo)
    own, same, missing = network.embed_all([rendered_photo, darker, nobody])
    assert identity.distances(own, same[None])[0] < 0.3
    assert identity.cosines(own, same[None])[0] > 0.95
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


def test_speech_is_measured_beside_a_truth_that_moves(
    actor, network, voice, monkeypatch
):
    # In an untrained decoder's noise a face may be seen, now and then.
    monkeypatch.setattr(track, "follow", lambda frame, last: None)
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
    values = metric.measure(clip, actor, network).scores
    assert set(values) <= set(metric.rows)
    # No face is seen, so nothing follows the truth.
    assert values["voice/face"].value == 0
    assert values["voice/correlation"].value == 0
    # Where the truth's face is lost, no landmarks are compared.
    lost = dataclasses.replace(clip, truth=dataclasses.replace(clip.truth, share=0.4))
    assert set(metric.measure(lost, actor, network).scores) == {
        "voice/face",
        "voice/identity",
        "voice/cosine",
    }
    blind = dataclasses.replace(clip, truth=None, mouth_aperture=None, is_silent=None)
    less = metric.measure(blind, actor, network).scores
    assert set(less) <= set(dataclasses.replace(metric, has_truth=False).rows)


def test_every_take_has_a_seed_of_its_own(actor, network, voice, monkeypatch):
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
    metric.measure(clip, actor, network)
    assert heard == [7, 7 + speaking.TAKE_SEEDS, 7 + 2 * speaking.TAKE_SEEDS]

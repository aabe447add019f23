"""Finished videos from file to report: known degradations, refusals, resumption."""

import dataclasses
import html.parser
import json

import numpy as np
import pytest

from vasa_jax import errors, media
from vasa_jax.evaluation.benchmark import scoring, video_clip
from vasa_jax.evaluation.metrics import (
    definition,
    face_movement,
    frame_similarity,
    registry,
)
from vasa_jax.evaluation.report import report_page, score_report
from vasa_jax.portrait import crop

NUM_FRAMES = 50
MOVEMENT = (
    face_movement.PoseChange(),
    face_movement.Jitter(),
    face_movement.Distance(asked=1.0),
)
PICTURES = (frame_similarity.Psnr(every=10), frame_similarity.Ssim(every=10))


def write(path, frames, waveform=None, rate=25):
    path.parent.mkdir(parents=True, exist_ok=True)
    size = frames.shape[1:3]
    with media.VideoWriter(path, *size, waveform=waveform, frame_rate_hz=rate) as out:
        out.write(frames)
    return path


def noise(num_frames=NUM_FRAMES, size=(32, 32), seed=0):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (num_frames, 4, 4, 3), np.uint8)
    return coarse.repeat(size[0] // 4, axis=1).repeat(size[1] // 4, axis=2)


@pytest.fixture
def rules(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    return scoring.Rules(metrics=PICTURES, cache_dir=folder)


@pytest.fixture(scope="module")
def moving(rendered_photo):
    """A picture carried about, uint8 `[50, 160, 160, 3]`."""
    box = crop.CropBox.of_whole(288, 288)
    photo = crop.extract(rendered_photo[:, 48:-48], box, 160)
    shifts = np.rint(5 * np.sin(np.arange(NUM_FRAMES) / 3)).astype(int)
    return np.stack([np.roll(photo, s, axis=(0, 1)) for s in shifts])


@pytest.fixture(scope="module")
def folder(moving, voice, tmp_path_factory):
    """Videos of one picture: real, blurred, frozen."""
    place = tmp_path_factory.mktemp("videos")
    soft = moving.astype(np.float32)
    for axis in (1, 2):
        soft = sum(np.roll(soft, k, axis) for k in range(-2, 3)) / 5
    write(place / "real" / "a.mp4", moving, voice)
    write(place / "blurred" / "a.mp4", soft.astype(np.uint8), voice)
    write(place / "frozen" / "a.mp4", moving[:1].repeat(NUM_FRAMES, axis=0), voice)
    (place / "kept").mkdir()
    return place


def found(folder, name, chosen):
    pair = scoring.Pair(
        video=folder / name / "a.mp4", reference=folder / "real" / "a.mp4"
    )
    own = scoring.Rules(metrics=chosen, cache_dir=folder / "kept")
    scoring.check(pair, own)
    result = scoring.score(pair, own)
    return {k: s for m in result.measured.values() for k, s in m.scores.items()}


def test_blur_lowers_psnr_and_ssim_far_below_the_ceiling(folder):
    same = found(folder, "real", PICTURES)
    blurred = found(folder, "blurred", PICTURES)
    assert same["psnr"].value == frame_similarity.MAX_PSNR
    assert same["ssim"].value == 1
    for key in ("psnr", "ssim"):
        assert blurred[key].value < blurred[key].ceiling
        assert blurred[key].floor < blurred[key].ceiling


def test_a_frozen_video_hardly_moves_and_the_moving_one_is_its_ceiling(folder):
    real = found(folder, "real", MOVEMENT)
    frozen = found(folder, "frozen", MOVEMENT)
    assert frozen["delta_pose"].value < 0.2 * real["delta_pose"].value
    assert frozen["delta_pose"].ceiling == real["delta_pose"].value
    assert frozen["distance"].value == pytest.approx(real["distance"].value, abs=0.02)


def test_a_face_is_its_own_persons(folder):
    pytest.importorskip("dlib")
    blurred = found(folder, "blurred", (frame_similarity.Csim(every=25),))
    assert blurred["csim"].value > 0.93
    assert blurred["csim/distance"].value < 0.45
    assert blurred["csim"].ceiling > 0.99


def performed(
    tmp_path, rules, name, mouth, seed=0, waveform=None, is_face=True
) -> video_clip.Clip:
    """A video of noise, of which the face's curves are known."""
    frames = noise(len(mouth), seed=seed)
    clip = video_clip.Clip(
        write(tmp_path / f"{name}.mp4", frames, waveform), rules.cache_dir
    )
    zeros = np.zeros(len(mouth))
    curves = {
        "head_pose": np.zeros((len(mouth), 6)).tolist(),
        "mouth_aperture": mouth.tolist(),
        "eye_aperture": (zeros + 0.3).tolist(),
        "gaze": np.zeros((len(mouth), 2)).tolist(),
        "present": [is_face] * len(mouth),
    }
    video_clip.cached(
        rules.cache_dir / f"{video_clip.cache_key('face', clip.digest)}.json",
        curves.copy,
    )
    return clip


def test_shifted_sound_lowers_the_correlation_of_lips_and_the_lag_tells(
    tmp_path, rules
):
    speech = np.abs(np.random.default_rng(0).normal(size=75))
    real = performed(tmp_path, rules, "real", speech)
    late = performed(tmp_path, rules, "late", np.roll(speech, 3), seed=1)
    wrong = performed(tmp_path, rules, "wrong", np.roll(speech, 30), seed=2)
    metric = face_movement.LipCorrelation()
    same, shifted, lost = (metric.measure(c, real).scores for c in (real, late, wrong))
    assert same["lips"].value == pytest.approx(1)
    assert same["lips"].floor < 0.5
    assert shifted["lips"].value < 0.5
    assert shifted["lips/best"].value == pytest.approx(1)
    assert (same["lips/lag"].value, shifted["lips/lag"].value) == (0, 3)
    assert lost["lips/best"].value < 0.6


def test_a_mouth_open_in_silence_is_seen_beside_one_that_rests(tmp_path, rules):
    time = np.arange(32_000) / 16_000
    sound = (0.3 * np.sin(2 * np.pi * 200 * time) * (time < 1)).astype(np.float32)
    speaks = np.arange(50) < 25
    good = performed(tmp_path, rules, "good", 0.2 * speaks, 0, sound)
    bad = performed(tmp_path, rules, "bad", 0.2 * np.ones(50), 1, sound)
    resting, open_ = (
        face_movement.SilentLips().measure(c, good).scores for c in (good, bad)
    )
    assert resting["silence"].value == 0
    assert resting["silence"].floor > 0.1
    assert open_["silence"].value == pytest.approx(0.2)
    assert open_["silence/share"].value == pytest.approx(1)
    assert open_["silence"].ceiling == 0
    hum = np.sin(2 * np.pi * 200 * time).astype(np.float32)
    loud = performed(tmp_path, rules, "loud", 0.2 * speaks, 2, hum)
    assert "no silence" in face_movement.SilentLips().measure(loud, None).left_out


def test_what_was_measured_is_kept_until_video_or_settings_change(tmp_path, rules):
    video = write(tmp_path / "a.mp4", noise())
    reference = write(tmp_path / "real" / "a.mp4", noise(seed=1))
    pair = scoring.Pair(video=video, reference=reference)
    first = scoring.score(pair, rules).measured["psnr"]
    (path,) = rules.cache_dir.glob("psnr-*.json")
    marked = json.loads(path.read_text())
    marked["scores"]["psnr"][0] = -1.0
    path.write_text(json.dumps(marked))
    assert scoring.score(pair, rules).measured["psnr"].scores["psnr"].value == -1
    path.write_text(path.read_text()[:10])
    assert scoring.score(pair, rules).measured["psnr"] == first
    path.write_text(json.dumps(marked))
    finer = dataclasses.replace(rules, metrics=(frame_similarity.Psnr(every=7),))
    assert scoring.score(pair, finer).measured["psnr"].scores["psnr"].value > 0
    write(reference, noise(seed=2))
    assert scoring.score(pair, rules).measured["psnr"].scores["psnr"].value > 0


@pytest.mark.slow
def test_two_processes_give_what_one_gives(tmp_path, rules):
    pairs = []
    for place in range(3):
        video = write(tmp_path / f"{place}.mp4", noise(seed=place))
        reference = write(tmp_path / "real" / f"{place}.mp4", noise(seed=9 + place))
        pairs.append(scoring.Pair(video=video, reference=reference))
    other = tmp_path / "other"
    other.mkdir()
    two = scoring.score_all(
        pairs, dataclasses.replace(rules, cache_dir=other), num_workers=2
    )
    assert two == scoring.score_all(pairs, rules, num_workers=1)


class InMain(frame_similarity.Psnr):
    """Measured in this process."""

    name = "in_main"
    needs = dataclasses.replace(frame_similarity.Psnr.needs, is_in_main=True)


def test_what_this_process_measures_joins_the_same_clip(tmp_path, rules):
    reference = write(tmp_path / "reference.mp4", noise(seed=9))
    videos = [write(tmp_path / "near.mp4", noise(seed=9))]
    videos += [write(tmp_path / f"{seed}.mp4", noise(seed=seed)) for seed in (1, 2)]
    pairs = [scoring.Pair(video=video, reference=reference) for video in videos]
    both = dataclasses.replace(rules, metrics=(frame_similarity.Psnr(), InMain()))
    found = [
        {name: part.scores[name].value for name, part in result.measured.items()}
        for result in scoring.score_all(pairs, both)
    ]
    assert [one["psnr"] for one in found] == [one["in_main"] for one in found]
    assert found[0]["psnr"] > 10 + found[1]["psnr"]
    assert len({one["psnr"] for one in found}) == 3


def test_samples_of_one_voice_are_averaged_before_clips_are(tmp_path):
    pairs = [
        scoring.Pair(video=tmp_path / f"{n}.{s}.mp4", sample_of=n)
        for n in ("a", "b")
        for s in range(2)
    ]
    results = [
        scoring.ClipResult(
            measured={"m": definition.Measured(scores={"m": definition.Score(v, 0.0)})},
            num_frames=10,
            num_missing=1,
        )
        for v in (1.0, 2.0, 5.0, 6.0)
    ]
    merged = scoring.average_samples(pairs, results)
    values = {n: r.measured["m"].scores["m"].value for n, r in merged.items()}
    assert values == {"a": 1.5, "b": 5.5}
    assert merged["a"].num_missing == 2


def test_a_sample_or_a_clip_without_a_number_is_named_and_skews_nothing(tmp_path):
    def one(value, reason=None):
        found = definition.Measured(left_out=reason)
        if reason is None:
            found = definition.Measured(
                scores={"jitter": definition.Score(value, 0.0, 9.0)}
            )
        return scoring.ClipResult(measured={"jitter": found}, num_frames=10)

    pairs, results = [], []
    for name, samples in (
        ("a", [one(1.0), one(np.nan), one(2.0, "it has 3 frames")]),
        ("b", [one(np.nan), one(np.nan)]),
        ("c", [one(3.0)]),
    ):
        for number, result in enumerate(samples):
            video = tmp_path / f"{name}.{number}.mp4"
            pairs.append(scoring.Pair(video=video, sample_of=name))
            results.append(result)
    merged = scoring.average_samples(pairs, results)
    report = score_report.summarise([face_movement.Jitter()], merged, {})
    line = report.lines["jitter"]
    assert line.summary.values == {"a": 1.0, "c": 3.0}
    assert line.left_out == {"b": "too few of its frames can be measured"}
    assert report.notes == [
        "a: jitter is of 2 of 3 samples: it has 3 frames",
        "a: jitter is of 1 of 3 samples: too few of its frames can be measured",
    ]


def test_an_end_that_is_of_fewer_clips_than_the_mean_is_noted():
    found = definition.summarise(
        {"a": definition.Score(1.0, np.nan, 2.0), "b": definition.Score(1.0)}
    )
    row = face_movement.Jitter.rows["jitter"]
    line = score_report.Line(row=row, summary=found)
    report = score_report.Report(lines={"jitter": line}, clips={}, about={})
    assert report.notes == [f"{row.title}: the ceiling is of 1 of 2 clips"]


def test_scores_that_stand_beside_no_original_are_noted():
    lines = {
        kind.name: score_report.Line(
            row=kind.rows[kind.name],
            summary=definition.Summary(mean=1.0, ceiling=ceiling, num_clips=1),
        )
        for kind, ceiling in (
            (face_movement.Jitter, None),
            (face_movement.PoseChange, 2.0),
            (face_movement.Blinks, None),
        )
    }
    report = score_report.Report(lines=lines, clips={}, about={})
    (note,) = report.notes
    assert note.startswith("Jitter: head movement above 6 Hz, Blinks: no original was")


def test_frames_of_a_reference_without_a_face_are_noted(tmp_path, rules):
    own = dataclasses.replace(
        rules, metrics=(face_movement.PoseChange(),), max_missing=1.0
    )
    video = performed(tmp_path, own, "a", np.zeros(8)).path
    real = performed(tmp_path / "real", own, "a", np.zeros(8), 1, is_face=False).path
    pairs = [scoring.Pair(video=video, reference=real)]
    (result,) = scoring.score_all(pairs, own)
    assert result.notes == ("reference a.mp4: no face in 8 of 8 frames, left out",)
    score = result.measured["delta_pose"].scores["delta_pose"]
    assert score.value == 0 and np.isnan(score.ceiling)


def test_what_a_clip_lacks_is_named_in_table_json_and_page(tmp_path, rules):
    chosen = registry.select(
        registry.make(registry.Settings()), ["lips", "silence", "psnr", "seams"]
    )
    unmet = {"seams": chosen[2].needs.unmet()}
    measured = tuple(m for m in chosen if m.name != "seams")
    own = dataclasses.replace(rules, metrics=measured, max_missing=1.0)
    pairs = []
    for name, count in (("short", 30), ("long", 50)):
        video, reference = (
            performed(place, own, name, np.zeros(count), seed=seed, is_face=False).path
            for seed, place in enumerate((tmp_path, tmp_path / "real"))
        )
        pairs.append(scoring.Pair(video=video, reference=reference))
    results = scoring.average_samples(pairs, scoring.score_all(pairs, own))
    report = score_report.summarise(chosen, results, {"videos": "<made>"}, unmet)
    text = score_report.to_markdown(report)
    assert "| not measured: needs --seam_frames=N, the frames of a window |" in text
    assert "- Mouth opening in silence: long, short: it has no sound" in text
    assert "short: it has 30 frames, and 50 are needed" in text
    assert "long: no frame shows a face" in text
    assert "- short: no face in 30 of 30 frames, left out" in text
    stored = json.loads(score_report.to_json(report))
    assert stored["rows"]["psnr"]["num_clips"] == 2
    assert stored["rows"]["lips"]["mean"] is None
    assert stored["rows"]["lips"]["left_out"]["long"] == "no frame shows a face"
    shown = [report_page.show(pairs[0], own.cache_dir, True)]
    page = report_page.to_html(report, shown, "Two clips")
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert "&lt;made&gt;" in page
    assert balance_of(page) == []


def balance_of(page):
    """Return the tags that are open at the end of a page."""
    opened = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "img"):
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Reader().feed(page)
    return opened


def test_pairs_that_do_not_fit_are_refused_by_name(tmp_path, rules):
    video = write(tmp_path / "a.mp4", noise())

    def refused(frames):
        reference = write(tmp_path / "real" / "a.mp4", frames)
        pair = scoring.Pair(video=video, reference=reference)
        with pytest.raises(errors.UserError) as caught:
            scoring.check(pair, rules)
        return str(caught.value)

    assert "50 frames and its reference" in refused(noise(40))
    assert "32 x 32 pixels" in refused(noise(size=(32, 64)))
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(errors.UserError, match="b.mp4 cannot be read"):
        scoring.check(scoring.Pair(video=broken), rules)
    own = dataclasses.replace(rules, metrics=(face_movement.PoseChange(),))
    video = write(video, noise(6))
    with pytest.raises(errors.UserError, match="No face is seen in 6 of the 6"):
        scoring.score(scoring.Pair(video=video), own)


def test_another_rate_or_length_is_noted(tmp_path, rules):
    video = write(tmp_path / "a.mp4", noise(60), rate=30)
    reference = write(tmp_path / "real" / "a.mp4", noise(49))
    notes = scoring.check(scoring.Pair(video=video, reference=reference), rules)
    assert notes[0] == "a.mp4 has 30 frames a second; it is read at 25"
    assert "50 frames and its reference 49" in notes[1]

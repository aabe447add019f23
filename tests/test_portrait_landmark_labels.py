"""Labels estimated by landmarks: gaze, blinks, units, emotions, and what is unknown."""

import functools
import os
import pathlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import renderer, scene
from experiments.tools import face_label_fit
from vasa_jax import arkit, media, types
from vasa_jax.portrait import (
    gaze,
    landmark_labels,
    landmarks,
    locate,
    pose,
)

ESTIMATOR = landmark_labels.LandmarkEstimator()
IDENTITIES = (11, 12)


@functools.cache
def _picture(identity, yaw=0.0, pitch=0.0, **units):
    weights = np.zeros(arkit.NUM_UNITS, np.float32)
    for name, value in units.items():
        for side in ("", "Left", "Right"):
            if name + side in arkit.NAMES:
                weights[arkit.index(name + side)] = value
    state = geometry.FrameState(
        arkit=weights,
        gaze_in_head=np.deg2rad([yaw, pitch]),
        rotation=np.zeros(3),
        translation=np.zeros(3),
    )
    person, where = avatar.build_avatar(identity), scene.random_scene(identity)
    return renderer.Renderer(224).render(person, where, scene.camera(), state).image


def _measured(pictures):
    """Return what the estimator keeps of pictures, one row each."""
    found = [locate.locate_face(one).landmarks for one in pictures]
    points = np.stack([one.points for one in found])
    pairs = zip(pictures, found, strict=True)
    seen = np.stack([ESTIMATOR.see(image, one) for image, one in pairs])
    return ESTIMATOR.measure(seen, points, pose.fit_head(points))


def _some_face(seed=0):
    """Return eyes, landmarks and fit of one made-up frame, in pixels."""
    generator = np.random.default_rng(seed)
    canonical, _ = pose.canonical_face()
    points = canonical + generator.normal(0, 0.02, canonical.shape)
    points = 80 * points @ _fit((0.2, -0.1, 0.3)).matrix().T + [150, 130, 5]
    eyes = generator.normal(0, 20, (2, 21, 2)) + [[[120, 110]], [[180, 110]]]
    return eyes[None], points[None], _fit((0.2, -0.1, 0.3), (150.0, 130.0), 80.0, 1)


def _fit(rotation, centre=(0.0, 0.0), unit=1.0, count=None):
    fit = pose.HeadFit(
        rotation=np.array(rotation), centre=np.array(centre), unit=np.array(unit)
    )
    if count is None:
        return fit
    return pose.HeadFit(
        rotation=fit.rotation[None], centre=fit.centre[None], unit=fit.unit[None]
    )


def _mirrored(eyes, points, fit):
    """Return what the mirrored picture, 300 pixels wide, shows."""
    flip, width = np.array([-1, 1]), np.array([300, 0])
    canonical, _ = pose.canonical_face()
    away = canonical[None] - canonical[:, None] * [-1, 1, 1]
    order = np.linalg.norm(away, axis=-1).argmin(axis=1)
    return (
        eyes[:, ::-1] * flip + width,
        points[:, order] * [-1, 1, 1] + [300, 0, 0],
        pose.HeadFit(
            rotation=fit.rotation * [-1, 1, -1],
            centre=fit.centre * flip + width,
            unit=fit.unit,
        ),
    )


def test_a_mirrored_face_looks_the_mirrored_way():
    eyes, points, fit = _some_face()
    straight = gaze.gaze_between_lids(eyes, fit)
    other_eyes, _, other_fit = _mirrored(eyes, points, fit)
    turned = gaze.gaze_between_lids(other_eyes, other_fit)
    np.testing.assert_allclose(turned, straight * [-1, 1], atol=1e-5)
    assert np.abs(straight[0, 0]) > 0.01


def test_gaze_is_the_sum_of_what_its_numbers_say():
    eyes = np.zeros((2, 21, 2))
    eyes[:, gaze.LID_POINTS][:, 0] = [-10, 4]
    eyes[:, gaze.LID_POINTS][:, gaze.LID_CORNER] = [10, 0]
    eyes[0, 0], eyes[1, 0] = [2, 3], [4, 3]
    found = gaze.gaze_between_lids(eyes, _fit((0.1, 0.2, 0.3), unit=50.0))
    yaw = np.dot(gaze.YAW_BY, [3 / 50, 0.1, 0.3])
    pitch = np.dot(gaze.PITCH_BY, [1, (3 - 2) / 50, 0.2])
    np.testing.assert_allclose(found, [yaw, pitch], rtol=1e-6)


def test_the_gap_of_lids_is_their_distance_over_the_width():
    eyes = np.zeros((2, 21, 2))
    lids = eyes[:, gaze.LID_POINTS]
    lids[:, gaze.LID_CORNER] = [40, 0]
    lids[0, 1 : gaze.LID_CORNER], lids[0, gaze.LID_CORNER + 1 :] = [20, 5], [20, -5]
    np.testing.assert_allclose(gaze.lid_gaps(eyes), [0.25, 0])
    np.testing.assert_allclose(gaze.eye_aperture(np.stack([eyes] * 3)), 0.125)


def test_lids_are_shut_against_the_clips_own_open_eyes():
    gaps = np.array([0.3] * 8 + [0.3 * landmark_labels.SHUT_GAP, 0.31])
    shut = landmark_labels.shut_share(gaps)
    np.testing.assert_allclose(shut, [0] * 8 + [1, 0], atol=0.08)
    np.testing.assert_allclose(landmark_labels.shut_share(2 * gaps), shut, atol=1e-6)


def test_features_do_not_know_where_and_how_large_a_face_is():
    eyes, points, fit = _some_face()
    here = landmark_labels.features(eyes, points, fit)
    assert here.shape == (1, 1468)
    there = landmark_labels.features(
        2 * eyes + 40,
        2 * points + [40, 40, -7],
        pose.HeadFit(
            rotation=fit.rotation, centre=2 * fit.centre + 40, unit=2 * fit.unit
        ),
    )
    np.testing.assert_allclose(there, here, atol=1e-5)


def test_mirrored_features_are_those_of_the_mirrored_face():
    face = _some_face()
    mirrored = landmark_labels.features(*_mirrored(*face))
    expected = face_label_fit.mirrored_features(landmark_labels.features(*face))
    np.testing.assert_allclose(mirrored, expected, atol=1e-5)


def test_eyes_of_rendered_heads_are_seen_to_turn():
    for identity in IDENTITIES:
        turned = [(-20, 0), (20, 0), (0, -12), (0, 12)]
        labels = ESTIMATOR.estimate(
            _measured([_picture(identity, *one) for one in turned])
        )
        left, right, up, down = np.rad2deg(labels.gaze)
        assert right[0] - left[0] > 0.5 * 40
        assert down[1] - up[1] > 0.2 * 24


def test_a_blink_is_told_and_hides_the_gaze():
    pictures = [_picture(11)] * 5 + [_picture(11, eyeBlink=1.0)]
    labels = ESTIMATOR.estimate(_measured(pictures))
    assert (labels.blink[:5] < 0.1).all() and labels.blink[5] > 0.6
    assert np.isfinite(labels.gaze[:5]).all() and np.isnan(labels.gaze[5]).all()
    assert labels.units[5, arkit.index("eyeBlinkLeft")] == labels.blink[5]


def test_units_that_are_shown_rise_and_unknown_ones_are_no_numbers():
    for unit in ("jawOpen", "mouthSmile"):
        pictures = [_picture(12), _picture(12, **{unit: 0.8})]
        labels = ESTIMATOR.estimate(_measured(pictures))
        name = unit if unit in arkit.NAMES else f"{unit}Left"
        rest, shown = labels.units[:, arkit.index(name)]
        assert shown > rest + 0.15
    known = landmark_labels.load_weights()["unit_known"]
    np.testing.assert_array_equal(np.isfinite(labels.units), [known, known])
    assert 20 < known.sum() < arkit.NUM_UNITS
    values = labels.units[:, known]
    assert values.min() >= 0 and values.max() <= 1


def test_a_strong_emotion_is_likelier_than_at_rest():
    brows = dict(browInnerUp=1.0, browOuterUp=1.0, eyeWide=0.9, jawOpen=0.25)
    smile = dict(mouthSmile=1.0, cheekSquint=0.9, eyeSquint=0.4)
    pictures = [_picture(12), _picture(12, **smile), _picture(12, **brows)]
    emotion = ESTIMATOR.estimate(_measured(pictures)).emotion
    np.testing.assert_allclose(emotion.sum(axis=1), 1, atol=1e-5)
    for row, name in ((1, "happiness"), (2, "surprise")):
        column = types.EMOTIONS.index(name)
        assert emotion[row, column] > emotion[0, column] + 0.2


def test_real_people_look_the_mirrored_way_in_a_mirror():
    if "VASA_REAL_DATA" not in os.environ:
        pytest.skip("VASA_REAL_DATA is not set")
    folder = pathlib.Path(os.environ["VASA_REAL_DATA"], "talking_heads")
    for path in sorted(folder.glob("*.mpg")):
        frames = list(media.iterate_video(path))[::15]
        rows = []
        for pictures in (frames, [np.ascontiguousarray(f[:, ::-1]) for f in frames]):
            rows.append(np.rad2deg(ESTIMATOR.estimate(_measured(pictures)).gaze))
        apart = np.nanmean(rows[1] - rows[0] * [-1, 1], axis=0)
        assert np.abs(apart).max() < 4
        assert np.abs(np.nanmedian(rows[0], axis=0)).max() < 15


def test_outlines_of_irises_are_the_first_points_of_the_eyes():
    picture = _picture(11)
    found = locate.locate_face(picture).landmarks
    eyes = gaze.find_eyes(picture, found)
    outlines = gaze.find_iris_outlines(picture, found)
    np.testing.assert_array_equal(outlines, eyes[:, :5])
    corners = found.points[np.array(landmarks.EYE_CORNERS), :2]
    lids = eyes[:, gaze.LID_POINTS]
    ends = np.sort(lids[:, [0, gaze.LID_CORNER], 0], axis=1)
    np.testing.assert_allclose(ends, corners[..., 0], atol=6)
    assert (lids[:, 4, 1] > lids[:, 12, 1]).all()

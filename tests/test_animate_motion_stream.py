"""Motion as a voice makes it: streams with curves and edits equal the whole."""

import dataclasses

import numpy as np
import pytest

from vasa_jax.animate import motion_stream
from vasa_jax.animate.controls import Controls
from vasa_jax.animate.curves import Curve

CURVES = {
    "gaze": (Curve((0, 2), (-20, 20)), 0.0),
    "head_distance": Curve((0.5, 1), (0.9, 1.2)),
    "emotion": {"anger": Curve((0, 1), (0, 1))},
    "liveliness": Curve((0, 2), (0.5, 3)),
    "audio_guidance": Curve((0, 1), (0, 2)),
    "gaze_guidance": Curve((0, 1), (2, 0)),
    "pose_scale": Curve((0, 1), (0, 2)),
}
"""What steers."""

EDITS = {
    "pose_offset": (Curve((0, 1), (0, 20)), 0.0, 0.0),
    "mouth_scale": Curve((0, 1), (0, 2)),
    "brow_offset": Curve((0, 1), (-1, 1)),
    "smile_offset": Curve((0, 1), (1, -1)),
    "blink_rate": Curve((0, 1), (60, 20)),
}
"""What edits."""


@pytest.mark.parametrize(
    "asked",
    [{name: one} for name, one in (CURVES | EDITS).items()] + [CURVES, EDITS],
)
def test_a_stream_with_curves_equals_the_whole(taught_models, voice, asked):
    model = motion_stream.SpeechModel(taught_models)
    asked = Controls(seed=5, step_frames=6, **asked)
    whole, stream = model.stream(asked), model.stream(asked)
    expected = np.concatenate([*whole.push(voice), *whole.finish()])
    pieces = []
    for start in range(0, len(voice), 1500):
        pieces += stream.push(voice[start : start + 1500])
    pieces += stream.finish()
    np.testing.assert_array_equal(np.concatenate(pieces), expected)
    plain = model.stream(Controls(seed=5, step_frames=6))
    plain = np.concatenate([*plain.push(voice), *plain.finish()])
    assert plain.shape == expected.shape and np.any(plain != expected)


def test_a_level_curve_gives_what_its_number_gives(tiny_models, voice):
    model = motion_stream.SpeechModel(tiny_models)
    numbers = {"head_distance": 1.25, "liveliness": 2.0, "pose_scale": 0.5}
    curves = {name: Curve((1,), (value,)) for name, value in numbers.items()}
    first, second = (
        np.concatenate([*(one := model.stream(asked)).push(voice), *one.finish()])
        for asked in (
            Controls(step_frames=16, **numbers),
            Controls(step_frames=16, **curves),
        )
    )
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_windows_are_shorter_where_a_curve_steers_them(tiny_models, voice):
    model = motion_stream.SpeechModel(tiny_models)
    config = dataclasses.replace(tiny_models.motion_config, window_frames=40)
    for name, curve in CURVES.items():
        asked = Controls(**{name: curve})
        steers = name != "pose_scale"
        assert motion_stream._step_frames(asked, config) == (25 if steers else 40)
        assert motion_stream._step_frames(asked, model.config) == 16


def test_curves_count_from_where_they_are_set(tiny_models, voice):
    model = motion_stream.SpeechModel(tiny_models)
    began = Controls(step_frames=4)
    curve = Curve((0, 0.16), (0, 2))
    late, early = model.stream(began), model.stream(began)
    before = np.concatenate(list(early.push(voice[:16_000])))
    list(late.push(voice[:16_000]))
    late.set_controls(dataclasses.replace(began, pose_scale=curve))
    after = np.concatenate([*late.push(voice[16_000:]), *late.finish()])
    plain = np.concatenate([*early.push(voice[16_000:]), *early.finish()])
    assert len(before)
    rest = np.array(model.statistics.motion.mean)[:6]
    rest[-1] = 1.0
    scale = (plain[:8, :6] - rest).T
    np.testing.assert_allclose(
        (after[:8, :6] - rest).T,
        scale * [0.25, 0.75, 1.25, 1.75, 2, 2, 2, 2],
        atol=1e-5,
    )


def test_at_pose_scale_zero_the_head_is_still_and_dynamics_stay(tiny_models, voice):
    speech_model = motion_stream.SpeechModel(tiny_models)
    moving, still = (
        np.concatenate(
            [
                *(stream := speech_model.stream(Controls(pose_scale=scale))).push(
                    voice
                ),
                *stream.finish(),
            ]
        )
        for scale in (1.0, 0.0)
    )
    np.testing.assert_allclose(still[:, :6], still[:1, :6].repeat(len(still), 0))
    np.testing.assert_allclose(still[0, :6], [0, 0, 0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(still[:, 6:], moving[:, 6:])
    assert moving[:, :6].std(0).min() > 0

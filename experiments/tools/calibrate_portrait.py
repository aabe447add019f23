"""Measure the constants of the portrait fit on rendered heads of known pose and gaze.

    python -m experiments.tools.calibrate_portrait --num_identities=150

Takes about 3 minutes on one core. Prints what `vasa_jax.portrait.pose` and `gaze`
should hold, and how far fits with their present constants are from the truth. Constants
are corrected to first order: when they have changed much, put them in and run again.
"""

import dataclasses
import time

import numpy as np
from absl import app, flags

from datasets.synthetic_heads.performance import emotions, visemes
from datasets.synthetic_heads.person import avatar, geometry
from datasets.synthetic_heads.rendering import renderer, scene
from vasa_jax import arkit as arkit_lib
from vasa_jax import types
from vasa_jax.portrait import crop, detection, gaze, landmarks, pose

NUM_IDENTITIES = flags.DEFINE_integer("num_identities", 150, "People to render.")
NUM_FRAMES = flags.DEFINE_integer("num_frames", 6, "Frames of each person.")
SIZE = flags.DEFINE_integer("size", 320, "Pixels along an edge of a frame.")
SEED = flags.DEFINE_integer("seed", 7_000_000, "First identity's seed.")

LARGEST_ROTATION_DEGREES = (40.0, 20.0, 20.0)
LARGEST_GAZE_DEGREES = (25.0, 15.0)
"""Ours: what heads and eyes do while talking, and somewhat more."""

BLINK_SHARE = 0.15
"""Ours: enough closed eyes to see whether the opening tells them."""


@dataclasses.dataclass(frozen=True)
class Samples:
    """Truth and measurement of N frames.

    Attributes:
        identity: int `[N]`.
        head_pose: `[N, 6]` truth, vectors of `types.HeadPose`.
        gaze: `[N, 2]` truth; mouth_aperture, blink: `[N]` truth.
        points: `[N, 468, 3]` landmarks; eyes: `[N, 2, 21, 2]`.
    """

    identity: np.ndarray
    head_pose: np.ndarray
    gaze: np.ndarray
    mouth_aperture: np.ndarray
    blink: np.ndarray
    points: np.ndarray
    eyes: np.ndarray


def random_state(generator: np.random.Generator) -> geometry.FrameState:
    """Draw a pose, an expression and a gaze. Ours: uniform, so that no turn is rare."""
    arkit = visemes.VISEME_WEIGHTS[generator.integers(len(visemes.VISEMES))]
    arkit = arkit * generator.uniform(0.2, 1.2)
    emotion = str(generator.choice(types.EMOTIONS))
    strength = generator.uniform(0, 0.8)
    arkit = arkit + emotions.show(emotion, strength, 1, generator)[0]
    if generator.random() < BLINK_SHARE:
        for side in ("Left", "Right"):
            arkit[arkit_lib.index(f"eyeBlink{side}")] = 1.0
    return geometry.FrameState(
        arkit=np.clip(arkit, 0, 1).astype(np.float32),
        gaze_in_head=generator.uniform(-1, 1, 2) * np.deg2rad(LARGEST_GAZE_DEGREES),
        rotation=generator.uniform(-1, 1, 3) * np.deg2rad(LARGEST_ROTATION_DEGREES),
        translation=generator.normal(0, 0.05, 3),
    )


def collect(seed: int, num_identities: int, num_frames: int, size: int) -> Samples:
    """Render heads, and measure those that are found.

    Args:
        seed: first identity's seed.
        num_identities: people.
        num_frames: frames of each.
        size: pixels along an edge.

    Returns:
        The samples; prints how many faces were missed and the time taken by each.
    """
    artist = renderer.Renderer(size)
    rows, missed, seconds = [], 0, np.zeros(3)
    for identity in range(seed, seed + num_identities):
        person = avatar.build_avatar(identity)
        surroundings = scene.random_scene(identity)
        generator = np.random.default_rng(identity)
        for _ in range(num_frames):
            state = random_state(generator)
            camera = scene.random_camera(int(generator.integers(2**31)))
            head = artist.render(person, surroundings, camera, state)
            clock = [time.perf_counter()]
            faces = detection.detect_faces(head.image)
            clock.append(time.perf_counter())
            if not faces:
                missed += 1
                continue
            found = landmarks.find_landmarks(head.image, faces[0])
            clock.append(time.perf_counter())
            eyes = gaze.find_eyes(head.image, found)
            clock.append(time.perf_counter())
            seconds += np.diff(clock)
            blink = state.arkit[arkit_lib.index("eyeBlinkLeft")]
            truth = (head.head_pose, head.gaze, head.mouth_aperture, blink)
            rows.append((identity, *truth, found.points, eyes))
    print(f"faces found: {len(rows)} of {len(rows) + missed}")
    for name, total in zip(("detection", "landmarks", "eyes"), seconds, strict=True):
        print(f"{name}: {1000 * total / len(rows):.1f} ms")
    return Samples(*(np.stack(column) for column in zip(*rows, strict=True)))


def pose_constants(samples: Samples, fit: pose.HeadFit, size: int) -> dict[str, object]:
    """Solve for the constants of `pose` that would leave no bias.

    Args:
        samples: truth.
        fit: fits with the present constants.
        size: pixels along an edge.

    Returns:
        Corrected constants by name.
    """
    truth = pose.HeadFit(
        rotation=samples.head_pose[:, :3],
        centre=(samples.head_pose[:, 3:5] + 1) * (size / 2),
        unit=samples.head_pose[:, 5] * (size / 2) / crop.HALF_IMAGE_HEAD_UNITS,
    )
    turns = fit.matrix()
    remaining = np.swapaxes(turns, -1, -2) @ truth.matrix()
    pitch = float(np.arctan2(remaining[:, 2, 1], remaining[:, 2, 2]).mean())
    growth = float(np.exp(np.log(truth.unit / fit.unit).mean()))
    shift = (truth.centre - fit.centre) / fit.unit[:, None]
    design = np.concatenate(turns[:, :2, 1:])
    down, away = np.linalg.lstsq(design, np.concatenate(shift), rcond=None)[0]
    angle = pose.PITCH_OFFSET_RADIANS
    cos, sin = np.cos(angle), np.sin(angle)
    moved = np.array([0, cos * down + sin * away, -sin * down + cos * away])
    moved = moved * np.array([1, -1, -1]) / pose.HEAD_UNITS_PER_CENTIMETRE
    return {
        "HEAD_UNITS_PER_CENTIMETRE": round(pose.HEAD_UNITS_PER_CENTIMETRE / growth, 4),
        "CENTRE_CENTIMETRES": (np.array(pose.CENTRE_CENTIMETRES) + moved).round(2),
        "PITCH_OFFSET_RADIANS": round(angle - pitch, 4),
    }


def gaze_constants(samples: Samples, fit: pose.HeadFit) -> dict[str, object]:
    """Solve for the constants of `gaze` by least squares over frames with open eyes.

    Args:
        samples: truth.
        fit: fits with the present constants.

    Returns:
        Constants by name.
    """
    yaw, pitch = samples.gaze.T
    direction = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch)], axis=-1)
    offsets = gaze.iris_offsets(samples.eyes[:, :, 0], samples.points, fit)
    turns = fit.matrix()[:, :2]
    rows, sides = [], []
    for eye, mirror in enumerate((1, -1)):
        design = turns * np.array([mirror, 1, 1])
        rows.append(np.concatenate([design, direction[..., None]], axis=-1))
        sides.append(offsets[:, eye])
    is_open = np.tile(samples.blink < 0.5, 2)
    design, target = np.concatenate(rows)[is_open], np.concatenate(sides)[is_open]
    *offset, radius = np.linalg.lstsq(
        np.concatenate(design), np.concatenate(target), rcond=None
    )[0]
    return {"EYEBALL_OFFSET": np.round(offset, 4), "IRIS_RADIUS": round(radius, 4)}


def report(samples: Samples, fit: pose.HeadFit, size: int) -> None:
    """Print how far measurements with the present constants are from the truth.

    Args:
        samples: truth and landmarks.
        fit: fits with the present constants.
        size: pixels along an edge.
    """
    whole = crop.CropBox.of_whole(size, size)
    measured = np.asarray(pose.head_pose_in_crop(fit, whole).to_vector())
    looking = gaze.estimate_gaze(samples.eyes[:, :, 0], samples.points, fit)
    is_open = samples.blink < 0.5
    everyone = np.ones_like(is_open)
    degrees = np.rad2deg
    rows = [
        (f"{name}, degrees", degrees(measured[:, i]), degrees(samples.head_pose[:, i]))
        for i, name in enumerate(("yaw", "pitch", "roll"))
    ]
    rows += [
        (name, measured[:, i], samples.head_pose[:, i])
        for i, name in ((3, "x"), (4, "y"), (5, "scale"))
    ]
    rows = [(*row, everyone) for row in rows]
    rows += [
        (f"gaze {name}, degrees", degrees(looking[:, i]), degrees(samples.gaze[:, i]))
        + (is_open,)
        for i, name in enumerate(("yaw", "pitch"))
    ]
    mouth = landmarks.mouth_aperture(samples.points)
    rows.append(("mouth opening", mouth, samples.mouth_aperture, everyone))
    print("| measure | mean error | mean abs | same person | slope | correlation |")
    print("|---|---|---|---|---|---|")
    for name, value, truth, chosen in rows:
        value, truth = value[chosen], truth[chosen]
        error = value - truth
        _, person = np.unique(samples.identity[chosen], return_inverse=True)
        means = np.bincount(person, error) / np.bincount(person)
        own = np.abs(error - means[person]).mean()
        slope = np.polyfit(truth, value, 1)[0]
        print(
            f"| {name} | {error.mean():.3f} | {np.abs(error).mean():.3f} | {own:.3f} "
            f"| {slope:.3f} | {np.corrcoef(truth, value)[0, 1]:.3f} |"
        )
    aperture = gaze.eye_aperture(samples.eyes)
    print(
        f"eye opening: {aperture[is_open].mean():.3f} with open eyes, "
        f"{aperture[~is_open].mean():.3f} with closed ones"
    )


def main(argv: list[str]) -> None:
    """Render, measure, print."""
    del argv
    size = SIZE.value
    samples = collect(SEED.value, NUM_IDENTITIES.value, NUM_FRAMES.value, size)
    fit = pose.fit_head(samples.points)
    constants = pose_constants(samples, fit, size) | gaze_constants(samples, fit)
    for name, value in constants.items():
        print(f"{name} = {value}")
    report(samples, fit, size)


if __name__ == "__main__":
    app.run(main)

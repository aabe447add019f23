"""One record: its features, and how a planned clip becomes one."""

import zlib

import numpy as np

from datasets.synthetic_heads import names
from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.person import avatar, geometry, randomization
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import correspondence, renderer, scene
from vasa_jax import arkit, media, types
from vasa_jax.speech import speech

MASK_SIZE = 64
"""Pixels of a side of the masks. Ours: the finest flow that models are taught."""

_COMPRESSION = 6

KEYFRAME_INTERVAL = 5
"""Frames from one keyframe to the next. Ours: training reads single frames, which cost
the decoding of their group."""


def features():
    """Describe a record to TFDS.

    Ours: bytes and tensors only; TFDS can read and write these without TensorFlow.

    Returns:
        A `tfds.features.FeaturesDict`, T frames, S = 640 T samples.
    """
    # Imported late, because records of plain arrays do without.
    import tensorflow_datasets as tfds

    text, data = tfds.features.Text, tfds.features.Scalar

    def per_frame(*shape, dtype=np.float32):
        return tfds.features.Tensor(shape=(None, *shape), dtype=dtype)

    return tfds.features.FeaturesDict(
        {
            "clip_id": text(),
            "identity": text(),
            "performance": text(),
            "take": data(np.int32),
            "seed": data(np.int64),
            "video": data(np.object_),
            "num_frames": data(np.int32),
            "size": data(np.int32),
            "audio": per_frame(dtype=np.int16),
            "voice": text(),
            "text": text(),
            "phonemes": text(),
            "head_pose": per_frame(types.POSE_CHANNELS),
            "head_distance": per_frame(1),
            "gaze": per_frame(2),
            "gaze_in_head": per_frame(2),
            "main_gaze": tfds.features.Tensor(shape=(2,), dtype=np.float32),
            "arkit": per_frame(arkit.NUM_UNITS),
            "blink": per_frame(),
            "viseme": per_frame(dtype=np.int32),
            "mouth_opening": per_frame(),
            "keypoints": per_frame(len(names.KEYPOINT_NAMES), 2),
            "masks": data(np.object_),
            "emotion": data(np.int32),
            "emotion_strength": data(np.float32),
            "geometry": data(np.object_),
        }
    )


def make(
    clip: plan.Clip,
    settings: plan.Settings,
    person: avatar.Avatar,
    view: renderer.Renderer,
) -> dict:
    """Perform and render a planned clip, and encode its video.

    Ours: see `show`.

    Args:
        clip: what to make.
        settings: of the set.
        person: avatar of `clip.identity_seed`.
        view: renderer at `settings.size`.

    Returns:
        A value for each of `features`.
    """
    shown = show(clip, settings, person, view, performance.perform(clip.request))
    video = media.encode_video(shown["video"], keyframe_interval=KEYFRAME_INTERVAL)
    return shown | {"video": video}


def show(
    clip: plan.Clip,
    settings: plan.Settings,
    person: avatar.Avatar,
    view: renderer.Renderer,
    done: performance.Performance,
) -> dict:
    """Render a performance of a planned clip.

    Ours: what is measured in the image comes from the renderer, what is done from the
    performance.

    Args:
        clip, settings, person, view: as in `make`.
        done: the clip's performance.

    Returns:
        A value for each of `features`, but `video` is uint8 `[T, H, W, 3]`.
    """
    surroundings = scene.random_scene(clip.identity_seed, _domain(settings))
    states = [
        geometry.FrameState(
            arkit=done.arkit[index],
            gaze_in_head=done.gaze_in_head[index],
            rotation=done.rotation[index],
            translation=done.translation[index],
        )
        for index in range(settings.num_frames)
    ]
    frames = [view.render(person, surroundings, done.camera, state) for state in states]
    head_pose = np.stack([frame.head_pose for frame in frames]).astype(np.float32)
    images = np.stack([frame.image for frame in frames])
    masks = np.stack([frame.masks for frame in frames]).astype(np.uint8)
    return {
        "clip_id": clip.clip_id,
        "identity": clip.identity,
        "performance": clip.performance,
        "take": clip.take,
        "seed": clip.request.seed,
        "video": images,
        "num_frames": settings.num_frames,
        "size": settings.size,
        "audio": done.audio,
        "voice": done.voice,
        "text": done.text,
        "phonemes": write_phonemes(done.phonemes),
        "head_pose": head_pose,
        "head_distance": 1.0 / head_pose[:, 5:6],
        "gaze": np.stack([frame.gaze for frame in frames]).astype(np.float32),
        "gaze_in_head": done.gaze_in_head,
        "main_gaze": done.main_gaze,
        "arkit": np.stack([frame.arkit for frame in frames]).astype(np.float32),
        "blink": done.blink,
        "viseme": done.viseme,
        "mouth_opening": np.array([f.mouth_aperture for f in frames], np.float32),
        "keypoints": np.stack([frame.keypoints for frame in frames]).astype("f4"),
        "masks": zlib.compress(masks.tobytes(), _COMPRESSION),
        "emotion": types.EMOTIONS.index(clip.request.emotion),
        "emotion_strength": clip.request.emotion_strength,
        "geometry": correspondence.pack_geometry(person, done.camera, states),
    }


def build_person(clip: plan.Clip, settings: plan.Settings) -> avatar.Avatar:
    """Build the avatar of a clip's identity."""
    return avatar.build_avatar(clip.identity_seed, _domain(settings))


def read_masks(record: dict) -> np.ndarray:
    """Return the masks of a record, uint8 `[T, 64, 64]` of `names.MASK_CLASSES`."""
    flat = np.frombuffer(zlib.decompress(record["masks"]), np.uint8)
    return flat.reshape(-1, MASK_SIZE, MASK_SIZE)


def write_phonemes(phonemes: tuple[speech.Phoneme, ...]) -> str:
    """Write phonemes as lines of start, end (seconds), symbol and, if any, accent."""
    return "\n".join(
        f"{phoneme.start:.3f} {phoneme.end:.3f} {phoneme.symbol}"
        + (f" {phoneme.accent:.2f}" if phoneme.accent else "")
        for phoneme in phonemes
    )


def _domain(settings: plan.Settings) -> randomization.Randomization:
    return randomization.Randomization(strength=settings.randomization_strength)

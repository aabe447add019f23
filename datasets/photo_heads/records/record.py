"""One record: how a planned take of a portrait becomes one.

Records have the features of `datasets.synthetic_heads.records.record`, with the same
meaning.
"""

import zlib

import numpy as np

from datasets.photo_heads.fit import photo_head, rest_expression
from datasets.photo_heads.records import plan, takes
from datasets.photo_heads.rendering import correspondence, rendering
from datasets.synthetic_heads.performance import performance
from datasets.synthetic_heads.records import record as synthetic_record
from vasa_jax import arkit, media, types

NO_VOICE = "none"
"""Name of the voice of an untouched photograph. Ours: it is silent."""

_COMPRESSION = 6

features = synthetic_record.features


def make(
    take: plan.Take,
    settings: plan.Settings,
    head: photo_head.PhotoHead,
    renderer: rendering.Renderer,
) -> dict:
    """Make the record of a take.

    Args:
        take: what to make.
        settings: of the set.
        head: the portrait of `take.identity`.
        renderer: of frames of `settings.size` pixels.

    Returns:
        A value for each of `features`.
    """
    if take.request is None:
        return _photograph(take, settings, head, renderer)
    done = performance.perform(take.request)
    states = takes.states(done, head)
    frames = [renderer.render(head, state, take.view) for state in states]
    moved = _common(take, head, states, frames, is_photograph=False) | {
        "video": np.stack([frame.image for frame in frames]),
        "seed": take.request.seed,
        "audio": done.audio,
        "voice": done.voice,
        "text": done.text,
        "phonemes": synthetic_record.write_phonemes(done.phonemes),
        "blink": done.blink,
        "viseme": done.viseme,
        "emotion": types.EMOTIONS.index(done.emotion),
        "emotion_strength": done.emotion_strength,
    }
    return _encoded(moved)


def _photograph(take, settings, head, renderer) -> dict:
    """Show the untouched photograph in all frames.

    Ours: the best target there is; it shows real skin, teeth, lids and edges of hair.
    """
    count = settings.num_frames
    state = photo_head.State()
    states = [state] * count
    frames = [renderer.render(head, state, take.view)] * count
    shown = _common(take, head, states, frames, is_photograph=True)
    return _encoded(
        shown
        | {
            "video": np.repeat(head.photograph[None], count, axis=0),
            "seed": 0,
            "audio": np.zeros(count * types.SAMPLES_PER_FRAME, np.int16),
            "voice": NO_VOICE,
            "text": "",
            "phonemes": "",
            "blink": np.zeros(count, np.float32),
            "viseme": np.zeros(count, np.int32),
            "emotion": types.EMOTIONS.index("neutral"),
            "emotion_strength": 0.0,
        }
    )


def _common(take, head, states, frames, is_photograph) -> dict:
    """Return what states and frames show, whoever moves them."""
    gaze_in_head = np.stack([state.gaze for state in states]) + takes.rest_gaze(
        head.shape
    )
    head_pose = np.stack([frame.head_pose for frame in frames]).astype(np.float32)
    units = rest_expression.shown_units(head, states)
    masks = np.stack([frame.masks for frame in frames]).astype(np.uint8)
    main_gaze = np.median(head_pose[:, :2] + gaze_in_head, axis=0)
    return {
        "clip_id": take.clip_id,
        "identity": take.identity,
        # Ours: nobody else performs it, since expressions add to the portrait's own.
        "performance": take.clip_id,
        "take": take.number,
        "num_frames": len(frames),
        "size": len(frames[0].image),
        "head_pose": head_pose,
        "head_distance": 1.0 / head_pose[:, 5:6],
        "gaze": (head_pose[:, :2] + gaze_in_head).astype(np.float32),
        "gaze_in_head": gaze_in_head.astype(np.float32),
        "main_gaze": main_gaze.astype(np.float32),
        "arkit": arkit.with_gaze(units, gaze_in_head),
        "mouth_opening": np.array([f.mouth_aperture for f in frames], np.float32),
        "keypoints": np.stack([frame.keypoints for frame in frames]).astype("f4"),
        "masks": zlib.compress(masks.tobytes(), _COMPRESSION),
        "geometry": correspondence.pack(head.shape, states, take.view, is_photograph),
    }


def _encoded(shown: dict) -> dict:
    interval = synthetic_record.KEYFRAME_INTERVAL
    video = media.encode_video(shown["video"], keyframe_interval=interval)
    return shown | {"video": video}

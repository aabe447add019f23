"""One record: its features, and how a segment of a video becomes some of them."""

import functools
import math
import pathlib
import re
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from datasets.building import shard_files
from datasets.published_sets import clips
from datasets.synthetic_heads import names
from datasets.video_clips import (
    kept_frames,
    labels,
    lip_match,
    sampling,
    segments,
    tracking,
)
from datasets.video_clips import settings as settings_lib
from vasa_jax import arkit, audio, media, types
from vasa_jax.audio import voice_activity
from vasa_jax.encode import label_estimators
from vasa_jax.portrait import crop, occlusion

KEYFRAME_INTERVAL = 5
"""Frames from one keyframe to the next. Ours: as in the synthetic heads."""

ENCODER_PRESET, RATE_FACTOR = "superfast", 17
"""Of x264. Ours: on filmed faces as near to the frames as "fast" at 18, in less than
half of the time and a third more bytes (`docs/labels.md`)."""

EMOTION_BY_SET = ", emotion by its set"
"""What `labels_by` says besides where a set's own labels give the emotion."""

_LONGEST_NAME = 120


def features():
    """Describe a record to TFDS.

    Ours: the names of the synthetic heads' records, with the same meaning, where a
    video shows the fact. There is no `gaze_in_head`, `masks`, `geometry`, `voice`,
    `viseme`, `phonemes` and `seed`: nothing here knows them; nor `arkit`, which is
    truth where it stands: `units` are estimates of it. `performance` is the clip
    itself, which nobody else performs. Besides, `source` is the video's path,
    `start_frame` the clip's place there in frames of 25 Hz, and `crop_box` its crop
    there: centre x, y and half the side, in pixels. `labels_by` names the estimator of
    what `labels.fields` says, and tells whether the set gives the emotion instead; what
    is not known is not a number.

    Returns:
        A `tfds.features.FeaturesDict`, T frames, S = 640 T samples.
    """
    # Imported late: it takes a second, and workers start faster so.
    import tensorflow_datasets as tfds

    text, data = tfds.features.Text, tfds.features.Scalar

    def per_frame(*shape, dtype=np.float32):
        return tfds.features.Tensor(shape=(None, *shape), dtype=dtype)

    def of_clip(*shape, dtype=np.float32):
        return tfds.features.Tensor(shape=shape, dtype=dtype)

    return tfds.features.FeaturesDict(
        {
            "clip_id": text(),
            "identity": text(),
            "performance": text(),
            "take": data(np.int32),
            "source": text(),
            "start_frame": data(np.int32),
            "crop_box": of_clip(3),
            "video": data(np.object_),
            "num_frames": data(np.int32),
            "size": data(np.int32),
            "audio": per_frame(dtype=np.int16),
            "head_pose": per_frame(types.POSE_CHANNELS),
            "head_distance": per_frame(1),
            "mouth_opening": per_frame(),
            "keypoints": per_frame(len(names.KEYPOINT_NAMES), 2),
            "labels_by": text(),
            "gaze": per_frame(2),
            "blink": per_frame(),
            "units": per_frame(arkit.NUM_UNITS),
            "units_known": of_clip(arkit.NUM_UNITS, dtype=np.bool_),
            "frame_emotion": per_frame(len(types.EMOTIONS)),
            "main_gaze": of_clip(2),
            "mean_distance": of_clip(1),
            "emotion": of_clip(len(types.EMOTIONS)),
            "sharpness": data(np.float32),
            "covered": of_clip(len(occlusion.PARTS)),
            "is_voiced": per_frame(dtype=np.bool_),
            "voiced_share": data(np.float32),
            "lip_match": data(np.float32),
            "language": text(),
        }
    )


def make(
    folder: pathlib.Path,
    clip: clips.Clip,
    settings: settings_lib.Settings,
    note_damage: Callable[[str], None],
) -> Iterator[dict]:
    """Yield the records that are cut from a clip of a set, or from a whole video.

    Ours: the segment is gone through twice, first to follow the face, then to cut the
    records out. Where the sound must come later, the first frames have none and are
    left out; where it lies apart, what is longer of sound and picture is cut off.

    Args:
        folder: that the video's path starts from.
        clip: which segment of which video.
        settings: of the set.
        note_damage: called with a sentence, where a part of the video is lost.

    Yields:
        A value for each of `features`.

    Raises:
        shard_files.UnfitError: it has no sound, or no segment that makes a record.
        UserError: it cannot be read.
    """
    path = folder / clip.video
    info = media.probe_video(path)
    if clip.sound is None and not info.has_sound:
        raise shard_files.UnfitError("without sound", "it has no sound")
    within = clip.box and clip.box.in_pixels(info.height, info.width)
    start, end = _times(clip, info)
    begin = _begin(clip, info, start, end, settings)
    waveform, end = _hear(folder, clip, begin, end, note_damage)
    estimator = label_estimators.make(settings.l2cs_weights, settings.hsemotion_weights)
    video = kept_frames.Video(
        functools.partial(
            media.iterate_video, path, start_seconds=begin, end_seconds=end
        )
    )
    found = tracking.track_video(video.read(note_damage), estimator, within)
    chosen, passed = segments.choose(found, settings, len(waveform))
    if not chosen:
        raise _why_none(found, settings, passed)
    voiced = voice_activity.voiced_frames(_whole_frames(waveform))
    first, num_refused = round(begin * types.FRAME_RATE_HZ), 0
    cut = _cut(video.read_again(), chosen, settings.size)
    for take, (segment, frames) in enumerate(cut):
        estimated = estimator.estimate(found.labels[segment.start :][: len(frames)])
        made = _record(clip, take, first, segment, frames, waveform, found)
        made |= _labels(settings, made, frames, estimated)
        made |= labels.heard(voiced[segment.start :], len(frames))
        if clip.emotions is not None:
            since = made["start_frame"] / types.FRAME_RATE_HZ - start
            made |= labels.given_emotion(clip.emotions, since, len(frames))
            made["labels_by"] += EMOTION_BY_SET
        least = settings.min_lip_match
        if least is not None and made["lip_match"] < least:
            num_refused += 1
        else:
            yield made
    _tell_refused(num_refused, len(chosen), note_damage)


def _times(clip, info):
    """Return start and end of a clip in seconds; None is the file's end."""
    if clip.stored_frames is None:
        return clip.start_seconds, clip.end_seconds
    if not info.frame_rate_hz:
        raise shard_files.UnfitError(
            "of unknown rate", "its set counts frames, and the file tells no rate"
        )
    first, last = clip.stored_frames
    return first / info.frame_rate_hz, (last + 1) / info.frame_rate_hz


def _begin(clip, info, start, end, settings):
    """Return the second from which a clip has sound, on a frame of 25 Hz.

    Raises:
        shard_files.UnfitError: the file ends before, or what is left is too short.
    """
    begin = max(start, clip.sound_shift_seconds)
    begin = math.ceil(round(begin * types.FRAME_RATE_HZ, 3)) / types.FRAME_RATE_HZ
    if 0 < info.duration_seconds <= begin:
        raise shard_files.UnfitError(
            "shorter than the set says",
            f"it lasts {info.duration_seconds:.2f} s, and the clip begins at "
            f"{begin:.2f} s",
        )
    length = math.inf if end is None else end - begin
    if round(length * types.FRAME_RATE_HZ, 3) < settings.least_frames - 0.5:
        raise _too_short(length, settings)
    return begin


def _hear(folder, clip, begin, end, note_damage):
    """Return a clip's waveform, and where it ends; sound that is apart may end it."""
    waveform = audio.load_waveform(
        folder / (clip.sound or clip.video),
        note_damage,
        begin - clip.sound_shift_seconds,
        None if end is None else end - clip.sound_shift_seconds,
    )
    if clip.sound is not None:
        heard = begin + len(waveform) // types.SAMPLES_PER_FRAME / types.FRAME_RATE_HZ
        end = heard if end is None else min(end, heard)
    return waveform, end


def _cut(video, chosen, size):
    """Yield each segment with its crops uint8 `[T, size, size, 3]`."""
    waiting, frames = iter(chosen), []
    segment = next(waiting)
    for index, frame in enumerate(video):
        if index >= segment.start:
            frames.append(
                crop.extract(frame, segment.box, size, sampling.sample_window)
            )
        if len(frames) == segment.num_frames:
            whole, frames = np.stack(frames), []
            yield segment, whole
            segment = next(waiting, None)
            if segment is None:
                return


def _tell_refused(num_refused, num_chosen, note_damage):
    """Say how many clips had another voice.

    Raises:
        shard_files.UnfitError: all of them had.
    """
    if num_refused == num_chosen:
        raise shard_files.UnfitError(
            "of another voice",
            f"lips and voice belong together in none of its {num_refused} clips",
        )
    if num_refused:
        note_damage(
            f"{num_refused} of its {num_chosen} clips are left out, whose lips and "
            "voice do not belong together"
        )


def clip_id(clip: clips.Clip, start_frame: int) -> str:
    """Name a record: by its clip's name, legible and of letters that files may bear."""
    legible = re.sub(r"[^A-Za-z0-9.-]+", "_", clip.name)[-_LONGEST_NAME:]
    check = zlib.crc32(clip.name.encode("utf-8", "surrogateescape"))
    return f"{legible}_{check:08x}_{start_frame:06d}"


def _record(clip, take, first, segment, frames, waveform, found):
    """Put together what is measured of a record."""
    count, box, head_pose = len(frames), segment.box, segment.head_pose
    rows = slice(segment.start, segment.start + count)
    middle = np.array([box.center_x, box.center_y])
    keypoints = (found.keypoints[rows] - middle) / box.half_size
    name = clip_id(clip, first + segment.start)
    return {
        "clip_id": name,
        "identity": clip.identity,
        "performance": name,
        "take": take,
        "source": clip.video,
        "start_frame": first + segment.start,
        "crop_box": np.array([*middle, box.half_size], np.float32),
        "video": media.encode_video(
            frames,
            constant_rate_factor=RATE_FACTOR,
            keyframe_interval=KEYFRAME_INTERVAL,
            preset=ENCODER_PRESET,
        ),
        "num_frames": count,
        "size": frames[0].shape[0],
        "audio": _sound(waveform, segment.start, count),
        "head_pose": head_pose,
        "head_distance": 1 / head_pose[:, 5:6],
        "mouth_opening": found.mouth_aperture[rows],
        "keypoints": keypoints.astype(np.float32),
    }


def _labels(settings, made, frames, estimated):
    """Return what an estimator and the pictures show of a record."""
    head_pose = made["head_pose"]
    voice = made["audio"] / np.float32(32768)
    return {
        "labels_by": label_estimators.names_of(
            settings.l2cs_weights, settings.hsemotion_weights
        ),
        **labels.fields(estimated, head_pose),
        "sharpness": labels.sharpness(frames),
        "covered": labels.covered(frames, made["keypoints"], head_pose[:, 5]),
        "lip_match": lip_match.score(frames, head_pose, voice),
    }


def _whole_frames(waveform):
    """Go on in silence to the end of the last frame."""
    return np.pad(waveform, (0, -len(waveform) % types.SAMPLES_PER_FRAME))


def _sound(waveform, start, count):
    """Cut int16 samples of frames out of a waveform; its end goes on in silence."""
    samples = types.SAMPLES_PER_FRAME
    cut = waveform[start * samples : (start + count) * samples]
    cut = np.pad(cut, (0, count * samples - len(cut)))
    return np.clip(np.rint(cut * 32768), -32768, 32767).astype(np.int16)


def _too_short(seconds, settings):
    return shard_files.UnfitError(
        "too short", f"its {seconds:.2f} s are less than {settings.least_seconds} s"
    )


def _why_none(found, settings, passed):
    """Return the error that says why a video makes no clip."""
    count = len(found.present)
    if not found.present.any():
        return shard_files.UnfitError(
            "without a face", f"no face in any of its {count} frames"
        )
    if not passed:
        return _too_short(count / types.FRAME_RATE_HZ, settings)
    parts = sorted(passed.items(), key=lambda item: -item[1])
    reasons = ", ".join(f"{reason} ({number} frames)" for reason, number in parts)
    return shard_files.UnfitError(
        "without a steady face",
        f"no stretch of {settings.least_seconds} s suits: the face {reasons}",
    )

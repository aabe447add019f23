"""Training examples of stage one: pairs of frames of one person, with their truth.

Ours: source and driver come from different clips where there are several, so that
scale varies and appearance cannot absorb emotion; a frame of another person who
performs like the driver travels along, as the truth for cross-driving.
"""

import dataclasses
import zlib
from collections.abc import Callable
from typing import Any

import einops
import numpy as np

from vasa_jax.data import clips

Record = dict[str, Any]
FlowFunction = Callable[..., tuple[np.ndarray, ...]]
FeatureFunction = Callable[[Record, int], dict[str, np.ndarray]]

FLOW_FIELDS = ("flow", "visible", "mirrored_flow", "mirrored_visible", "learnable")
"""Exact correspondence of a pair, in the order of a flow function."""

EYE_FIELDS = ("eye_rims", "eye_discs")
"""What is exactly known of a frame's eyes: float32 `[2, 16, 2]` and `[2, 3, 2]` points
in [-1, 1]; see `types.Eyes`."""

MOUTH_FIELDS = ("mouth_edge", "mouth_teeth")
"""What is exactly known of a frame's mouth: float32 `[24, 2]` and `[2, 4, 2]` points in
[-1, 1]; see `shortcut.mouth`."""

FEATURE_FIELDS = MOUTH_FIELDS + EYE_FIELDS

SURROUNDINGS = (0, 1)
"""Classes of the masks that do not turn with the head: background and torso. Follows:
`datasets.synthetic_heads.names.MASK_CLASSES`."""

TORSO = (1,)
"""Classes of them that come along with the head."""

CLOSED = 0.7
"""Blink from which eyes count as closed. Ours."""

LOWERED = 0.3
"""Blink from which lids count as lowered. Ours: below, they only follow the gaze."""

WIDEST = 0.2
"""Share of a clip's frames whose mouths count as wide open. Ours."""

CAST_STANDARD_DEVIATION = 0.22
"""Of the logarithm of each channel's gain in a colour cast. Ours: one
channel in thirty is half as strong again, as under coloured lamps."""

CAST_GAMMA_STANDARD_DEVIATION = 0.12
"""Of the logarithm of the exponent of a cast's tone curve. Ours."""

REGIONS = ("mouth", "left_eye", "right_eye")
"""Keypoints around which errors weigh more. Ours: what viewers look at."""


FRAMES_OF_CLIP = 3
"""Frames of a clip that the motion encoders see at once. Ours: as many poses for each
video that is read."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleConfig:
    """How pairs are drawn from records.

    Attributes:
        same_clip_share: of pairs whose frames come from one clip. Ours: nearby frames
            teach fine motion, distant ones turns.
        blink_share: of drivers drawn among frames with closed eyes, where the record
            knows them. Ours: eyes are closed in a frame of twenty, too few to learn how
            lids fold.
        wide_share: of drivers drawn among the widest mouths of their clip, where the
            record knows them. Ours: insides of mouths are painted, never carried over.
        cast_share: of examples both of whose frames get one colour cast. Ours: clips
            show few casts, and what is painted is to follow the portrait's.
    """

    same_clip_share: float = 0.3
    blink_share: float = 0.15
    wide_share: float = 0.0
    cast_share: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Geometry:
    """How exact correspondence and masks are cut from records.

    Attributes:
        size: side of flow and masks, cells.
        flow_function: from (driver record, frame, source record, frame, size) to
            `FLOW_FIELDS`.
    """

    size: int
    flow_function: FlowFunction


def pair(
    rng: np.random.Generator,
    same: list[Record],
    other: Record,
    config: ExampleConfig,
    image_size: int,
    region_indices: tuple[int, ...],
    exact: Geometry | None,
) -> dict[str, np.ndarray]:
    """Cut one example.

    Args:
        rng: source of all chance.
        same: two records of one person, maybe the same.
        other: a record of another person; frame t shows the first record's
            performance at t where its `performance` agrees.
        config: see `ExampleConfig`.
        image_size: side of the frames, pixels; records are averaged down to it.
        region_indices: indices of `REGIONS` among the records' keypoints.
        exact: None leaves out correspondence and masks.

    Returns:
        Arrays by name: `source`, `driver` and `other` images uint8, their `*_pose` [6],
        `driver_regions` [3, 2], `other_is_same_performance`, a float, and where the
        records have them `*_arkit` [52] and `*_gaze` [2]. With `exact` also
        `FLOW_FIELDS`: `flow` [f, f, 2] and `visible` [f, f], and with `mirrored_` the
        same of mirror images about the middle of the face; `learnable` [f, f], the
        share of each cell of the driver that may be learnt; and where the records have
        masks `source_surroundings`, `driver_surroundings` and `driver_torso` [f, f],
        1 where the frame does not show the head, and where it shows the torso.
    """
    driver_record = same[0]
    source_record = same[0] if rng.random() < config.same_clip_share else same[-1]
    driver_frame = _driver_frame(rng, driver_record, config)
    source_frame = int(rng.integers(source_record["num_frames"]))
    example = {
        **_frame("driver", driver_record, driver_frame, image_size),
        **_frame("source", source_record, source_frame, image_size),
        "driver_regions": driver_record["keypoints"][driver_frame][
            list(region_indices)
        ].astype(np.float32),
    }
    if config.cast_share and rng.random() < config.cast_share:
        table = colour_cast(rng)
        for name in ("driver", "source"):
            example[name] = table[example[name], np.arange(3)]
    if exact is not None:
        example |= _geometry(
            exact, (driver_record, driver_frame), (source_record, source_frame)
        )
    is_same = other["performance"] == driver_record["performance"]
    frame = driver_frame if is_same else int(rng.integers(other["num_frames"]))
    frame = min(frame, other["num_frames"] - 1)
    example |= _frame("other", other, frame, image_size)
    example["other_is_same_performance"] = np.float32(is_same)
    return example


def frames(
    rng: np.random.Generator,
    record: Record,
    image_size: int,
    find_features: FeatureFunction | None = None,
    blink_share: float = 0.0,
) -> dict[str, np.ndarray]:
    """Draw `FRAMES_OF_CLIP` frames of a record with their truth.

    Args:
        rng: source of all chance.
        record: of a clip.
        image_size: side of the frames, pixels; records are averaged down to it.
        find_features: from a record and a frame's index to `FEATURE_FIELDS` by name;
            None leaves them out.
        blink_share: of examples with a frame whose lids are lowered, where the record
            has one.

    Returns:
        `image` uint8 `[N, S, S, 3]`, `pose` `[N, 6]`, and where the record has them
        `arkit` `[N, 52]` and `gaze` `[N, 2]`; and `FEATURE_FIELDS`, one for each frame.
    """
    count = int(record["num_frames"])
    chosen = rng.choice(count, FRAMES_OF_CLIP, replace=False)
    if blink_share and rng.random() < blink_share:
        lowered = np.flatnonzero(record["blink"][:count] > LOWERED)
        lowered = np.setdiff1d(lowered, chosen)
        if len(lowered):
            chosen[0] = rng.choice(lowered)
    chosen = np.sort(chosen)
    images = clips.read_frames(record, chosen)
    example = {"image": shrink(images, image_size), **_known(record, chosen)}
    if find_features is not None:
        found = [find_features(record, int(frame)) for frame in chosen]
        example |= {name: np.stack([f[name] for f in found]) for name in FEATURE_FIELDS}
    return example


def read_share(
    record: Record, frame: int, size: int, classes: tuple[int, ...]
) -> np.ndarray:
    """Find where a frame shows some classes of the masks.

    Args:
        record: with `masks`, of any size that divides `size` or is divided by it.
        frame: of the record.
        size: side of the result, cells.
        classes: of the masks, such as `SURROUNDINGS`.

    Returns:
        float32 `[size, size]`, the share of each cell.
    """
    flat = np.frombuffer(zlib.decompress(record["masks"]), np.uint8)
    count = int(record["num_frames"])
    side = round((flat.size / count) ** 0.5)
    mask = flat.reshape(count, side, side)[frame]
    is_shown = np.isin(mask, classes).astype(np.float32)
    if side < size:
        times = size // side
        return einops.repeat(is_shown, "h w -> (h i) (w j)", i=times, j=times)
    return einops.reduce(is_shown, "(h i) (w j) -> h w", "mean", h=size, w=size)


def _geometry(exact, driver, source):
    """Return what is exactly known of two frames, each (record, index)."""
    found = exact.flow_function(*driver, *source, exact.size)
    known = {
        name: values.astype(np.float32)
        for name, values in zip(FLOW_FIELDS, found, strict=True)
    }
    for prefix, (record, frame) in (("driver", driver), ("source", source)):
        if "masks" in record:
            around = read_share(record, frame, exact.size, SURROUNDINGS)
            known[f"{prefix}_surroundings"] = around
    if "masks" in driver[0]:
        known["driver_torso"] = read_share(*driver, exact.size, TORSO)
    return known


def _driver_frame(
    rng: np.random.Generator, record: Record, config: ExampleConfig
) -> int:
    if "blink" in record and rng.random() < config.blink_share:
        closed = np.flatnonzero(record["blink"] > CLOSED)
        if len(closed):
            return int(rng.choice(closed))
    count = int(record["num_frames"])
    if config.wide_share and "mouth_opening" in record:
        if rng.random() < config.wide_share:
            widest = np.argsort(record["mouth_opening"][:count])[::-1]
            return int(rng.choice(widest[: max(1, round(WIDEST * count))]))
    return int(rng.integers(count))


def colour_cast(rng: np.random.Generator) -> np.ndarray:
    """Draw a colour cast: uint8 `[256, 3]`, what each level of a channel becomes.

    Ours: gains and a tone curve of the stored values, as cameras' white balance and
    exposure leave them; mean gain 1, so that pictures keep their brightness.
    """
    gains = np.exp(rng.normal(0.0, CAST_STANDARD_DEVIATION, 3))
    gamma = np.exp(rng.normal(0.0, CAST_GAMMA_STANDARD_DEVIATION))
    levels = (np.arange(256)[:, None] / 255.0) ** gamma * (gains / gains.mean())
    return (np.clip(levels, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def shrink(images: np.ndarray, size: int) -> np.ndarray:
    """Average blocks of uint8 `[N, H, W, 3]` down to `size`, which divides H."""
    factor = images.shape[1] // size
    if factor == 1:
        return images
    count, height, width = images.shape[:3]
    blocks = images.reshape(count, height // factor, factor, width // factor, factor, 3)
    return (blocks.mean((2, 4), dtype=np.float32) + 0.5).astype(np.uint8)


def _frame(
    prefix: str, record: Record, frame: int, image_size: int
) -> dict[str, np.ndarray]:
    image = clips.read_frames(record, [frame])
    return {
        prefix: shrink(image, image_size)[0],
        **{f"{prefix}_{name}": row for name, row in _known(record, frame).items()},
    }


def _known(record: Record, frame) -> dict[str, np.ndarray]:
    """Return the truth that a record has of a frame, or of some."""
    fields = {"pose": "head_pose", "arkit": "arkit", "gaze": "gaze_in_head"}
    return {
        name: record[field][frame].astype(np.float32)
        for name, field in fields.items()
        if field in record
    }

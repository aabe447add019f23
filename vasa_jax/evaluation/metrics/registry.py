"""All metrics that finished videos are scored by, in the order of the report."""

import dataclasses
from collections.abc import Sequence

from vasa_jax import config
from vasa_jax.evaluation.metrics import (
    curves,
    face_movement,
    frame_similarity,
    lip_synchrony,
    set_distance,
    synchrony,
    theval,
)
from vasa_jax.evaluation.metrics.definition import VideoMetric


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What metrics can be told.

    Attributes:
        sample_every: PSNR, SSIM and CSIM take one frame in so many.
        seam_frames: frames of a generator's window; 0 if unknown.
        gaze_degrees: yaw and pitch that were asked for; None takes the reference's.
        head_distance: that was asked for; None takes the reference's.
        jitter_hz: what is fast.
        syncnet_weights, i3d_weights, lpips_weights: files; None if not given.
        capp_weights, sync_weights: folders of exports; None are the networks that
            ship.
    """

    sample_every: int = frame_similarity.EVERY
    seam_frames: int = 0
    gaze_degrees: tuple[float, float] | None = None
    head_distance: float | None = None
    jitter_hz: float = curves.JITTER_HZ
    syncnet_weights: str | None = None
    i3d_weights: str | None = None
    lpips_weights: str | None = None
    capp_weights: str | None = None
    sync_weights: str | None = None


def make(settings: Settings) -> list[VideoMetric]:
    """Return every metric; those that cannot be measured say so in their needs.

    Args:
        settings: of them.
    """
    return [
        lip_synchrony.SyncNetScore(weights=settings.syncnet_weights),
        lip_synchrony.OwnSyncScore(weights=settings.sync_weights),
        synchrony.CappScore(weights=settings.capp_weights),
        face_movement.LipCorrelation(),
        face_movement.SilentLips(),
        face_movement.PoseChange(),
        face_movement.Jitter(above_hz=settings.jitter_hz),
        face_movement.Seams(every=settings.seam_frames),
        face_movement.Gaze(asked_degrees=settings.gaze_degrees),
        face_movement.Distance(asked=settings.head_distance),
        face_movement.Blinks(),
        theval.Theval(),
        set_distance.Fvd(weights=settings.i3d_weights),
        set_distance.VggDistance(weights=settings.lpips_weights),
        frame_similarity.Psnr(every=settings.sample_every),
        frame_similarity.Ssim(every=settings.sample_every),
        frame_similarity.Lpips(
            every=settings.sample_every, weights=settings.lpips_weights
        ),
        frame_similarity.Csim(every=settings.sample_every),
    ]


def select(known: Sequence[VideoMetric], names: Sequence[str]) -> list[VideoMetric]:
    """Return the metrics of some names; of none, all.

    Args:
        known: as from `make`.
        names: of them; empty takes all.

    Raises:
        UserError: there is no such metric.
    """
    if not names:
        return list(known)
    by_name = {metric.name: metric for metric in known}
    for name in names:
        if name not in by_name:
            raise config.unknown_name(name, by_name, "metric")
    return [metric for metric in known if metric.name in names]

"""What decides the content of a set of clips, and who lies in which split."""

import dataclasses
import hashlib

from vasa_jax import config, errors, types

SPLITS = ("train", "validation", "test")

LEAST_MATCH_SECONDS = 2.0
"""Length from which clips show whether lips and voice belong together. Ours: how often
that is right by length is in `docs/labels.md`."""

LEAST_SECONDS = 1.0
"""Shortest clip that is made. Ours: where less than `Settings.seconds` suits, that is
trained, padded and masked; below a second little is said in it."""

IDENTITY_RULES = ("folder", "file")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Equal settings and equal videos give equal records.

    Attributes:
        size: pixels of a side of the clips. Ours: 256, as the `demo` preset.
        seconds: length of a clip; shorter where the video has no more of it. Ours: 6,
            which holds the longest training window with what comes before it.
        identities: who is who, "folder" or "file"; see `sources.identity_of`.
        min_pixels: least side of the crop in the video. Ours: 128, half of the clips'
            side; what is enlarged more teaches blur.
        max_outside: largest share of the crop that may lie beyond the picture, where
            its edge goes on. Ours: 0.25, a head cut off above its hair.
        held_out_share: of identities in validation, and again in test. Ours: 0.05.
        l2cs_weights, hsemotion_weights: files of the published networks that estimate
            gaze and emotion in place of landmarks, see `label_estimators.make`.
        min_lip_match: least score of a clip whose lips and voice belong together, see
            `lip_match.score`; None keeps every clip. Ours: 0.07 if given, as measured
            in `docs/labels.md`.
    """

    size: int = 256
    seconds: float = 6.0
    identities: str = "folder"
    min_pixels: int = 128
    max_outside: float = 0.25
    held_out_share: float = 0.05
    l2cs_weights: str | None = None
    hsemotion_weights: str | None = None
    min_lip_match: float | None = None

    def __post_init__(self):
        config.require_within(
            self,
            size=(32, 1024),
            seconds=(0.4, 60.0),
            min_pixels=(16, 8192),
            max_outside=(0.0, 1.0),
            held_out_share=(0.0, 0.45),
        )
        if self.size % 16:
            raise errors.UserError(
                f"size is {self.size}; choose a multiple of 16, such as 128 or 256."
            )
        if self.min_lip_match is not None and self.seconds < LEAST_MATCH_SECONDS:
            raise errors.UserError(
                f"seconds is {self.seconds}; choose {LEAST_MATCH_SECONDS} or more, or "
                "leave min_lip_match out, because shorter clips do not tell whether "
                "lips and voice belong together."
            )
        if self.identities not in IDENTITY_RULES:
            raise errors.UserError(
                f"identities is {self.identities!r}; choose one of "
                f"{', '.join(IDENTITY_RULES)}."
            )

    @property
    def num_frames(self) -> int:
        """Return the most frames of a clip."""
        return round(self.seconds * types.FRAME_RATE_HZ)

    @property
    def least_seconds(self) -> float:
        """Return the length below which there is no clip."""
        is_matched = self.min_lip_match is not None
        return min(self.seconds, LEAST_MATCH_SECONDS if is_matched else LEAST_SECONDS)

    @property
    def least_frames(self) -> int:
        """Return the fewest frames of a clip."""
        return round(self.least_seconds * types.FRAME_RATE_HZ)


def split_of(identity: str, held_out_share: float) -> str:
    """Return the split in which all clips of an identity lie.

    Ours: by a hash of the name, so that a set may grow and nobody changes sides.

    Args:
        identity: the name.
        held_out_share: see `Settings`.
    """
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    if fraction < held_out_share:
        return "validation"
    return "test" if fraction < 2 * held_out_share else "train"

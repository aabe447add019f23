"""Which identity performs what: takes, shared performances and splits.

Ours: an identity has at least four takes under one light and before one background,
which differ in distance, emotion, gaze and words; then scale must vary with distance
and appearance cannot hold emotion. Identities come in pairs that share half of their
performances: the same motion on two people is the truth for cross-driving.
"""

import dataclasses

import numpy as np

from datasets.synthetic_heads.performance import (
    natural_voices,
    performance,
    recordings,
    voices,
)
from vasa_jax import config, errors, types
from vasa_jax.speech.natural_voices import model as natural_model

SPLITS = ("train", "validation", "test")

_PAIRS_PER_CYCLE = 20
_VALIDATION_PAIR, _TEST_PAIR = 3, 7
"""Of 20 pairs of identities the fourth is for validation, the eighth for testing:
5 percent each. Ours: early ones, so that small sets have all splits."""

_NEAREST_HEAD, _FARTHEST_HEAD = 0.85, 1.30
"""Distances of heads at rest. Ours: what loose crops of real portraits show."""

_SHARED_TAKES = 2
"""The first takes of an identity are shared with its pair's other. Ours: half."""

_IDENTITY_STREAM, _PAIR_STREAM = 0, 1
_NATURAL_STREAM = 97


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides the content of records; equal settings give equal records.

    Attributes:
        seconds: length of a clip.
        size: pixels of a side of the image.
        seed: of all chance.
        num_takes: clips per identity.
        randomization_strength: 0 plausible people only, 1 the full range of looks.
        speech_dir: folder of recordings, or None.
        recordings_share: share of performances whose voice is a recording.
        natural_share: share of performances whose voice is a natural one of nobody; the
            rest is espeak-ng's.
        bared_smiles_share: share of happy performances whose teeth show throughout.
        splits: whose identities are made; the others are passed over.
    """

    seconds: float = 3.0
    size: int = 128
    seed: int = 0
    num_takes: int = 4
    randomization_strength: float = 0.5
    speech_dir: str | None = None
    recordings_share: float = 0.5
    natural_share: float = 0.0
    bared_smiles_share: float = 0.5
    splits: tuple[str, ...] = SPLITS

    def __post_init__(self):
        config.require_within(
            self,
            seconds=(0.4, 60.0),
            size=(32, 1024),
            num_takes=(4, 64),
            randomization_strength=(0.0, 1.0),
            recordings_share=(0.0, 1.0),
            natural_share=(0.0, 1.0),
            bared_smiles_share=(0.0, 1.0),
            seed=(0, 2**31 - 1),
        )
        if self.speech_dir and self.recordings_share + self.natural_share > 1:
            raise errors.UserError(
                f"recordings_share is {self.recordings_share} and natural_share "
                f"{self.natural_share}; together they are at most 1."
            )
        if self.size % 16:
            raise errors.UserError(
                f"size is {self.size}; choose a multiple of 16, such as 128 or 256."
            )
        if not self.splits or not set(self.splits) <= set(SPLITS):
            raise errors.UserError(
                f"splits is {','.join(self.splits)!r}; choose of {', '.join(SPLITS)}."
            )

    @property
    def num_frames(self) -> int:
        """Return the frames of a clip."""
        return round(self.seconds * types.FRAME_RATE_HZ)


def check_voices(settings: Settings) -> None:
    """Refuse to begin a set whose voices cannot speak here.

    Raises:
        UserError: natural voices are asked for and their packages are missing.
    """
    if settings.natural_share:
        natural_model.check_packages()


@dataclasses.dataclass(frozen=True)
class Clip:
    """One planned clip.

    Attributes:
        clip_id, identity, performance: names; a performance may be shared.
        take: number of the clip among the identity's.
        split: one of `SPLITS`.
        identity_seed: of the avatar and its scene.
        request: what is performed.
    """

    clip_id: str
    identity: str
    performance: str
    take: int
    split: str
    identity_seed: int
    request: performance.Request


def num_identities(settings: Settings, num_clips: int) -> int:
    """Return how many identities `num_clips` clips need."""
    return -(-num_clips // settings.num_takes)


def split_of(identity: int) -> str:
    """Return the split of an identity, whatever the size of the set.

    Ours: by pair, because pairs share performances and so voices.
    """
    pair = identity // 2 % _PAIRS_PER_CYCLE
    return {_VALIDATION_PAIR: "validation", _TEST_PAIR: "test"}.get(pair, "train")


def identity_at(settings: Settings, index: int) -> int:
    """Return the number of an identity by its place among those of the splits."""
    cycle = range(2 * _PAIRS_PER_CYCLE)
    wanted = [one for one in cycle if split_of(one) in settings.splits]
    cycles, index = divmod(index, len(wanted))
    return cycles * len(cycle) + wanted[index]


def clips_of(settings: Settings, identity: int) -> list[Clip]:
    """Plan all takes of an identity.

    Ours: see the module. Within an identity no emotion comes twice and each take has
    another quarter of the range of distances.

    Args:
        settings: of the set.
        identity: its number, from 0.

    Returns:
        `settings.num_takes` clips; they do not depend on how many identities there are.
    """
    name = f"identity_{identity:06d}"
    return [
        Clip(
            clip_id=f"{name}_take_{take:02d}",
            identity=name,
            performance=_performance_name(identity, take),
            take=take,
            split=split_of(identity),
            identity_seed=_seed(settings.seed, _IDENTITY_STREAM, identity),
            request=_request(settings, identity, take),
        )
        for take in range(settings.num_takes)
    ]


def _performance_name(identity: int, take: int) -> str:
    if take < _SHARED_TAKES:
        return f"pair_{identity // 2:06d}_{take:02d}"
    return f"single_{identity:06d}_{take:02d}"


def _request(settings: Settings, identity: int, take: int) -> performance.Request:
    """Draw what an identity performs in a take, the same for a pair's shared takes."""
    pair, other = divmod(identity, 2)
    order = np.random.default_rng(_seed(settings.seed, _PAIR_STREAM, pair))
    emotions = order.permutation(len(types.EMOTIONS))
    quarters = order.permutation(settings.num_takes)
    is_shared = take < _SHARED_TAKES
    row = take if is_shared else take + other * (settings.num_takes - _SHARED_TAKES)
    emotion = types.EMOTIONS[emotions[row % len(emotions)]]
    stream = (take, 2) if is_shared else (take, other)
    seed = _seed(settings.seed, _PAIR_STREAM, pair, *stream)
    generator = np.random.default_rng([seed, 99])
    strength = 0.0 if emotion == "neutral" else float(generator.uniform(0.25, 1.0))
    position = (quarters[take] + generator.random()) / settings.num_takes
    distance = _NEAREST_HEAD * (_FARTHEST_HEAD / _NEAREST_HEAD) ** position
    return performance.Request(
        seed=seed,
        num_frames=settings.num_frames,
        emotion=emotion,
        emotion_strength=strength,
        voice=_voice(settings, split_of(identity), seed, generator),
        head_distance=float(distance),
        bares_teeth=emotion == "happiness"
        and np.random.default_rng([seed, 98]).random() < settings.bared_smiles_share,
    )


def _voice(settings: Settings, split: str, seed: int, generator: np.random.Generator):
    """Draw a voice of espeak-ng, a natural one, or a recording if there are any."""
    voice = voices.draw(generator, split)
    known, recordings_share = (), 0.0
    if settings.speech_dir is not None:
        known = recordings.of_split(recordings.find(settings.speech_dir), split)
    if known:
        recordings_share = settings.recordings_share
        if generator.random() < recordings_share:
            return known[generator.integers(len(known))]
    # A stream of its own, so that sets without natural voices stay as they were.
    natural = np.random.default_rng([seed, _NATURAL_STREAM])
    if natural.random() * (1 - recordings_share) < settings.natural_share:
        return natural_voices.draw(natural, split)
    return voice


def _seed(*numbers: int) -> int:
    """Mix numbers into one seed below 2**31."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)

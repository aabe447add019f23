"""Contrastive pairs of encoders: how they learn, and how they score clips.

Both networks of this package (`capp` for head movement, `lip_sync` for lips) embed
windows of frames and of the voice's features as vectors of length 1 that lie near one
another where both belong together, and further from all others.
"""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from vasa_jax import config, errors, export
from vasa_jax.audio import encoders

FIRST_TEMPERATURE = 0.07
"""Follows: Radford et al. 2021, CLIP, section 2.5."""

MAX_LOGIT_SCALE = 100.0
"""Follows: CLIP, which clips the learned scale of logits there."""

_NORM_EPSILON = 1e-8

_WEIGHTS = pathlib.Path(__file__).parents[2] / "weights"


def unit(vectors: jax.Array) -> jax.Array:
    """Scale `[..., C]` to length 1; zeros stay zeros."""
    squares = jnp.sum(jnp.square(vectors), axis=-1, keepdims=True)
    return vectors * jax.lax.rsqrt(squares + _NORM_EPSILON)


def logit_scale(log_scale: jax.Array) -> jax.Array:
    """Return the inverse temperature from its learned logarithm, at most 100."""
    return jnp.minimum(jnp.exp(log_scale), MAX_LOGIT_SCALE)


def contrastive_loss(
    first: jax.Array,
    second: jax.Array,
    log_scale: jax.Array,
    more_second: jax.Array | None = None,
) -> jax.Array:
    """Return how badly each row finds its partner among all, InfoNCE in both ways.

    Follows: CLIP, figure 3 (van den Oord et al. 2018 for the loss). Ours: rows of
    `more_second` belong to nobody and are only to be told apart.

    Args:
        first, second: float32 `[B, C]` of length 1; row i of both belong together.
        log_scale: float32 `[]`, logarithm of the inverse temperature.
        more_second: float32 `[N, C]` of length 1; None is none.

    Returns:
        float32 `[B]`.
    """
    scale = logit_scale(log_scale)
    across = jnp.einsum("ic,jc->ij", first, second)
    logits = across
    if more_second is not None:
        wrong = jnp.einsum("ic,jc->ij", first, more_second)
        logits = jnp.concatenate([across, wrong], axis=1)
    partners = jnp.arange(first.shape[0])
    forth = optax.softmax_cross_entropy_with_integer_labels(scale * logits, partners)
    back = optax.softmax_cross_entropy_with_integer_labels(scale * across.T, partners)
    return (forth + back) / 2


def found_partner(first: jax.Array, second: jax.Array) -> jax.Array:
    """Return whether each row's partner is the nearest of all, float32 `[B]`."""
    across = jnp.einsum("ic,jc->ij", first, second)
    return (across.argmax(axis=1) == jnp.arange(first.shape[0])).astype(jnp.float32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """One of the networks.

    Attributes:
        name: of its sizes in an export, and of the file in `experiments/configs`.
        title: in sentences.
        group: of its parameters in an export.
        sizes: their class.
        apply: from sizes, parameters, windows of what is seen and of features to
            embeddings `[N, E]` of both.
        fit: brings what is seen in a whole clip to the size that the network takes.
        batch_windows: embedded at once. Ours: one shape is one compilation.
    """

    name: str
    title: str
    group: str
    sizes: type
    apply: Callable[..., tuple[jax.Array, jax.Array]]
    fit: Callable[[Any, np.ndarray], np.ndarray]
    batch_windows: int

    @property
    def shipped(self) -> pathlib.Path:
        """Folder of the network that comes with the package."""
        return _WEIGHTS / self.name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scorer:
    """A trained network.

    Attributes:
        kind: which.
        sizes: of it.
        params: of it.
    """

    kind: Kind
    sizes: Any
    params: Mapping[str, Any]

    def hear(self, waveform: np.ndarray) -> np.ndarray:
        """Return the features float32 `[T, A]` of a voice `[S]` at 16 kHz."""
        return voice_features(self.sizes.audio_encoder, waveform)

    def embed(
        self, seen: np.ndarray, features: np.ndarray, starts: np.ndarray, late: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Embed the windows that start at some frames.

        Args:
            seen: head turns `[T, 3]`, or lips uint8 `[T, 56, 56]` as from
                `face_cuts.cut_lips`.
            features: `[T, A]` of the voice.
            starts: int `[n]`, frames.
            late: frames by which the sound is taken later; negative: earlier.

        Returns:
            float32 `[n, E]` of what is seen and of what is heard.
        """
        seen = self.kind.fit(self.sizes, seen)
        features = np.asarray(features, np.float32)
        frames = starts[:, None] + np.arange(self.sizes.window_frames)[None]
        found = []
        for first in range(0, len(starts), self.kind.batch_windows):
            # Windows beyond the last repeat it, so that every batch has one shape.
            rows = np.arange(first, first + self.kind.batch_windows)
            some = frames[rows.clip(max=len(starts) - 1)]
            both = self.kind.apply(
                self.sizes, self.params, seen[some], features[some + late]
            )
            found.append(jax.device_get(both))
        seen_rows, heard_rows = zip(*found, strict=True)
        return (
            np.concatenate(seen_rows)[: len(starts)],
            np.concatenate(heard_rows)[: len(starts)],
        )

    def embed_all(
        self, seen: np.ndarray, features: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Embed every window of a clip; what is longer of both is cut.

        Returns:
            float32 `[n, E]` of what is seen and of what is heard, n = T - W + 1.

        Raises:
            UserError: fewer frames than a window.
        """
        window = self.sizes.window_frames
        count = min(len(seen), len(features)) - window + 1
        config.require(
            count >= 1,
            f"The {self.kind.title} takes at least {window} frames with sound; this "
            f"clip has {len(seen)} frames and sound of {len(features)}.",
        )
        return self.embed(seen, features, np.arange(count))


def read(kind: Kind, folder: str | os.PathLike[str] | None = None) -> Scorer:
    """Read a network that `experiments.export` wrote.

    Args:
        kind: which.
        folder: of the export; None is the one that ships.

    Raises:
        UserError: there is none, or it holds something else.
    """
    folder = kind.shipped if folder is None else folder
    params, configs, _ = export.load_export(folder)
    if kind.name not in configs or kind.group not in params:
        raise errors.UserError(
            f"The export {os.fspath(folder)!r} holds no {kind.title}; give one that "
            f"experiments/configs/{kind.name}.py has trained."
        )
    return Scorer(
        kind=kind,
        sizes=config.from_json(kind.sizes, configs[kind.name]),
        params=jax.device_put(params[kind.group]),
    )


def favour(folder: str | os.PathLike[str] | None) -> str:
    """Say whom scores of such a network favour.

    Ours: videos of real faces by another system score lower than they look, because
    neither network that ships has seen a filmed one.

    Args:
        folder: of an export; None is the network that ships.
    """
    if folder is None:
        return (
            "Scores marked (own) favour this system: their networks learnt on rendered "
            "heads, that of lips also on moved photographs of people who do not exist, "
            "as its models did, and know no filmed people. Do not compare systems by "
            "them."
        )
    return (
        "Scores marked (own) are of a network that was given; unless it learnt on "
        "filmed people too, they favour this system. Do not compare systems by them "
        "then."
    )


def voice_features(encoder_name: str, waveform: np.ndarray) -> np.ndarray:
    """Return the features of a voice; do not write into them.

    Ours: the last two sounds are kept, since several networks hear a video and its
    reference, whose sound is often the same.

    Args:
        encoder_name: as of `encoders.make`.
        waveform: `[S]` at 16 kHz.

    Returns:
        float32 `[T, A]`.
    """
    return _features(encoder_name, np.asarray(waveform, np.float32).tobytes())


@functools.lru_cache(maxsize=2)
def _features(encoder_name: str, samples: bytes) -> np.ndarray:
    encoder, variables = _encoder(encoder_name)
    found = encoder.features(variables, np.frombuffer(samples, np.float32)[None])[0]
    found.setflags(write=False)
    return found


@functools.cache
def _encoder(name: str):
    encoder = encoders.make(name)
    return encoder, encoder.load_variables()

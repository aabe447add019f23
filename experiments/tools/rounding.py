"""Measures what storing weights in fewer bits costs the frames that people see."""

import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from vasa_jax import audio, export, media, types
from vasa_jax.animate import talking_face, trained
from vasa_jax.errors import UserError

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"

PARTS = {"face", "motion", "animation"}
"""Names of the settings without which nothing can talk."""

SECONDS = 2
"""Of the example voice. Ours: one window of motion, which half a minute computes."""


def compare(params: Mapping[str, Any], configs: Mapping[str, str], dtype: str) -> str:
    """Let the example portrait talk with full and with rounded weights.

    Ours: the whole way from voice to frames, with the same noise, so that rounding of
    both models counts.

    Args:
        params: float32, of both models, by group.
        configs: JSON text by name.
        dtype: as `export.save_export` takes it.

    Returns:
        A sentence for the model card.
    """
    frames = []
    try:
        for stored in ("float32", dtype):
            with tempfile.TemporaryDirectory() as above:
                folder = pathlib.Path(above) / stored
                export.save_export(folder, params, configs, {}, "", stored)
                frames.append(example_frames(trained.load(folder)))
    except (ImportError, UserError) as error:
        sentence = str(error).splitlines()[0].rstrip(".")
        return f"What rounding to {dtype} costs was not measured: {sentence}."
    exact, other = frames
    worst = min(psnr(a, b) for a, b in zip(exact, other, strict=True))
    return (
        f"What rounding to {dtype} costs: {len(exact)} frames of the example portrait "
        f"and voice differ from those of float32 weights by a PSNR of "
        f"{psnr(exact, other):.1f} dB ({worst:.1f} dB the worst frame)."
    )


def example_frames(models: trained.TrainedModels) -> np.ndarray:
    """Return frames uint8 `[T, H, W, 3]` of the example portrait and voice.

    Raises:
        UserError: no face is found, or the extra for portraits is missing.
    """
    face = talking_face.TalkingFace(models)
    voice = audio.load_waveform(EXAMPLES / "voice.wav")
    frames = face.animate(
        media.read_image(EXAMPLES / "portrait.png"),
        voice[: SECONDS * types.SAMPLE_RATE_HZ],
    )
    return np.concatenate(list(frames))


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of uint8 images, dB; at most 99."""
    error = np.mean(np.square(first.astype(np.float64) - second))
    return min(99.0, float(10 * np.log10(255.0**2 / max(error, 1e-9))))

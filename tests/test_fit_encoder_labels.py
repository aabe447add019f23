"""Clips with exact truth tell how far labels are off, and what is known."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("numba")

from vasa_jax import arkit, media, types
from vasa_jax.data import records

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _write_clips(folder, split, count):
    """Write clips of the example portrait, and one of nobody."""
    portrait = media.read_image(ROOT / "examples" / "portrait.png")[::2, ::2]
    generator = np.random.default_rng(count)
    (folder / split).mkdir(parents=True)
    for index in range(count):
        emotion = index % len(types.EMOTIONS)
        frames = np.stack([portrait] * 8) if index else np.zeros((8, 64, 64, 3), "u1")
        record = {
            "clip_id": f"{split}_{index}_take_01",
            "identity": f"{split}_{index}",
            "video": media.encode_video(frames),
            "num_frames": 8,
            "voice": "en",
            "gaze": generator.normal(0, 0.1, (8, 2)).astype(np.float32),
            "arkit": generator.uniform(0, 0.2, (8, arkit.NUM_UNITS)).astype(np.float32),
            "emotion": emotion,
            "emotion_strength": float(emotion > 0),
            "split": split,
        }
        records.write_npz_record(folder / split / f"{index}.npz", record)


@pytest.mark.slow
def test_errors_are_told_and_maps_written(tmp_path):
    clips, maps = tmp_path / "clips", tmp_path / "maps.npz"
    _write_clips(clips, "train", 17)
    _write_clips(clips, "validation", 10)
    command = [
        *(sys.executable, "-m", "experiments.tools.fit_encoder_labels"),
        *(f"--data_dir={clips}", f"--measured_dir={tmp_path / 'measured'}"),
        *(f"--output={maps}", "--num_frames=2"),
    ]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    told = [
        subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert told[0] == told[1], "what was measured is kept"
    assert "| clips | 9, 18 | encoder |" in told[0]
    assert "emotion, clips, encoder, strength 0.85 to 1.0" in told[0]
    with np.load(maps, allow_pickle=False) as file:
        # Chance moves what nothing shows, so that nothing is known.
        assert file["unit_known"].sum() <= arkit.NUM_UNITS // 4
        assert file["emotion_map"].shape == (arkit.NUM_UNITS, len(types.EMOTIONS))

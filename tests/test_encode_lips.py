"""Clips become lips and features for the lip-sync network, silent ones left out."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from vasa_jax import media
from vasa_jax.data import records

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_clips_with_sound_are_encoded_and_silent_ones_counted(tmp_path):
    generator = np.random.default_rng(0)
    folder = tmp_path / "clips" / "train"
    folder.mkdir(parents=True)
    pose = np.tile(np.float32([0, 0, 0, 0, 0, 0.8]), (10, 1))
    for name, loudness in (("talk", 9_000), ("picture", 1)):
        frames = generator.integers(0, 256, (10, 64, 64, 3), np.uint8)
        record = {
            "clip_id": name,
            "video": media.encode_video(frames),
            "audio": generator.integers(1 - loudness, loudness, 6_400).astype(np.int16),
            "head_pose": pose,
            "split": "train",
        }
        records.write_npz_record(folder / f"{name}.npz", record)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "experiments.tools.encode_lips"),
            *(f"--data_dir={tmp_path / 'clips'}", "--splits=train"),
            *(f"--output_dir={tmp_path / 'lips'}", "--audio_encoder=mel"),
        ],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "1 clips; 0 corrupt and 1 silent ones left out" in done.stdout
    (made,) = (tmp_path / "lips" / "train").glob("*.npz")
    encoded = records.open_folder(str(tmp_path / "lips"), "train").read(0)
    assert made.stem == encoded["clip_id"] == "talk"
    assert encoded["lips"].shape == (10, 56, 56)
    assert encoded["audio_features"].shape == (10, 322)

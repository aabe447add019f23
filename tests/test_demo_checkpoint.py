"""The script of the shipped checkpoint, from seeds to a folder, at the tiny size."""

import pytest
import tiny_scripts

from vasa_jax.animate import trained

TINY = {
    # The fourth pair of identities, with four takes each, is for validation.
    "NUM_CLIPS": "32",
    "NUM_SMILES": "32",
    "ENCODER_STEPS": "4",
    "FACE_STEPS": "4",
    "DRAWING_STEPS": "4",
    "MOTION_STEPS": "4",
    "SIZE": "64",
    "SIZES": "tiny",
}


@pytest.mark.long
def test_it_goes_from_seeds_to_a_checkpoint_with_both_models(tmp_path):
    folders = tmp_path / "work", tmp_path / "checkpoint"
    ended = tiny_scripts.run("demo_checkpoint.sh", *folders, **TINY)
    assert ended.returncode == 0, ended.stderr[-2000:]
    models = trained.load(tmp_path / "checkpoint")
    assert models.face_params and models.motion_params
    assert [models.metadata[name]["step"] for name in ("drawing", "motion")] == [4, 4]

"""The script that tells whether `vasa1` learns, at the tiny size."""

import pytest
import tiny_scripts

TINY = {"PRESET": "tiny", "SIZE": "64", "FACE_STEPS": "4", "MOTION_STEPS": "4"}


@pytest.mark.slow
def test_it_trains_both_stages_and_measures_them_on_the_same_clips(tmp_path):
    pytest.importorskip("matplotlib")
    ended = tiny_scripts.run("overfit.sh", tmp_path, "random", "random", **TINY)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "10 clips (10 train of " in ended.stdout
    assert "10 clips encoded" in ended.stdout
    for measure in ("face/evaluation/psnr_copy", "motion/evaluation/seam"):
        assert f" {measure} " in ended.stdout
    assert (tmp_path / "curves.png").stat().st_size

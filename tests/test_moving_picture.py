"""Videos side by side as one moving picture."""

import subprocess
import sys

import numpy as np
from PIL import Image

from vasa_jax import media


def _run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "experiments.tools.moving_picture", *flags],
        capture_output=True,
        text=True,
    )


def test_videos_stand_side_by_side_as_long_as_the_shortest(tmp_path):
    for name, value, count in (("dark", 40, 6), ("bright", 120, 8)):
        # WebP drops frames that equal the one before.
        frames = np.full((count, 32, 32, 3), value, np.uint8)
        frames += 40 * (np.arange(count, dtype=np.uint8) // 2).reshape(-1, 1, 1, 1)
        (tmp_path / f"{name}.mp4").write_bytes(media.encode_video(frames))
    output = tmp_path / "both.webp"
    ran = _run(
        f"--videos={tmp_path}/dark.mp4,{tmp_path}/bright.mp4",
        f"--output={output}",
        "--side=16",
    )
    assert ran.returncode == 0, ran.stderr
    with Image.open(output) as picture:
        assert (picture.size, picture.n_frames) == ((32, 16), 3)
        picture.seek(2)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert abs(pixels[:, :16].mean() - 120) < 10
    assert abs(pixels[:, 16:].mean() - 200) < 10


def test_another_ending_is_refused(tmp_path):
    ran = _run("--videos=a.mp4", f"--output={tmp_path}/both.gif")
    assert ran.returncode == 2
    assert "give a name ending in .webp" in ran.stderr

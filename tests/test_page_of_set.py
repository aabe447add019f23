"""The page of a set shows what its records hold, and nothing that they do not."""

import re

import numpy as np
import pytest

from datasets.building import set_builder
from experiments.tools import page_of_set
from vasa_jax.data import records


def _record(number, **more):
    yaw = np.full((4, 6), np.deg2rad(number), np.float32)
    gaze = np.full((4, 2), np.nan if number == 0 else 0.1, np.float32)
    return {
        "identity": f"person{number // 2}",
        "num_frames": 4,
        "video": np.full((4, 16, 16, 3), 20 * number, np.uint8),
        "head_pose": yaw,
        "gaze": gaze,
        "emotion": 1,
        "emotion_strength": 0.5,
        **more,
    }


@pytest.fixture
def made(tmp_path):
    text = "a.mp4: too short: its 1 s\nb.mp4: too short: its 2 s\nc: unreadable: torn\n"
    (tmp_path / set_builder.SKIPPED_FILE).write_text(text)
    found = {
        "train": records.ListRecords([_record(n) for n in range(8)]),
        "test": records.ListRecords([_record(8, sharpness=0.25)]),
    }
    return tmp_path, found


def test_the_page_tells_people_values_and_reasons(made):
    text = page_of_set.page(*made, max_clips=100)
    assert "<td>train</td><td>8</td><td>4</td>" in text
    assert "<td>test</td><td>1</td><td>1</td>" in text
    yaw = re.search(r"yaw of the head, degrees.*?mean ([\d.]+)", text, re.S)
    assert float(yaw[1]) == pytest.approx(np.mean(range(9)), rel=1e-2)
    assert "11.1% not known" in text  # The gaze of one clip of nine.
    assert "quality: sharpness" in text and "lips and voice" not in text
    assert "happiness" in text and text.count("<img ") == 9
    assert "<td>too short</td><td>2</td><td>a.mp4: its 1 s</td>" in text


def test_large_sets_are_read_in_part(made):
    text = page_of_set.page(*made, max_clips=4)
    assert "9 clips; 4 were read" in text

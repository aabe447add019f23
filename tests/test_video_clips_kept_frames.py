"""Frames that are gone through twice are the same, kept or decoded again."""

import numpy as np
import pytest

from datasets.video_clips import kept_frames


@pytest.mark.parametrize("most_bytes, num_decoded", [(3 * 12, 1), (3 * 12 - 1, 2)])
def test_frames_are_the_same_twice_and_decoded_once_where_they_fit(
    most_bytes, num_decoded
):
    times, told = [], []

    def iterate(warn):
        times.append(None)
        for level in range(3):
            yield np.full((2, 2, 3), level, np.uint8)
        warn("damaged")

    video = kept_frames.Video(iterate, most_bytes)
    first = list(video.read(told.append))
    np.testing.assert_array_equal(first, list(video.read_again()))
    assert len(times) == num_decoded
    assert told == ["damaged"]

"""Portraits stay on their side whatever folder and format they are in."""

import hashlib

from datasets import portrait_split


def test_a_portrait_stays_on_its_side_in_any_folder_and_format():
    for number in range(50):
        split = portrait_split.split_of(f"face{number}")
        for name in (f"face{number}.jpg", f"a/b/face{number}.webp"):
            assert portrait_split.split_of(name) == split


def test_a_tenth_is_kept_for_validation_by_the_first_byte_of_the_hash():
    names = [f"{number:05d}" for number in range(20_000)]
    kept = {name for name in names if portrait_split.split_of(name) == "validation"}
    first = {
        name: int(hashlib.sha256(name.encode()).hexdigest()[:2], 16) for name in names
    }
    assert kept == {name for name in names if first[name] < 26}
    assert abs(len(kept) / len(names) - 26 / 256) < 0.01

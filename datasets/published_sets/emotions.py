"""Our names of the emotions that sets name, each by its own words.

Ours: by name, never by a number or a place in a list, which differ from set to set.
"""

from datasets.building import shard_files

_NAMES = {
    "neutral": "neutral",
    "happiness": "happiness",
    "happy": "happiness",
    "sadness": "sadness",
    "sad": "sadness",
    "anger": "anger",
    "angry": "anger",
    "surprise": "surprise",
    "surprised": "surprise",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "contempt": "contempt",
}


def name_of(word: str) -> str:
    """Return the class of `types.EMOTIONS` that a word names.

    Args:
        word: as the set has it.

    Raises:
        shard_files.UnfitError: no such class.
    """
    name = _NAMES.get(word.strip().lower())
    if name is None:
        raise shard_files.UnfitError(
            "with an unknown emotion",
            f"{word!r} is none of {', '.join(sorted(set(_NAMES)))}",
        )
    return name

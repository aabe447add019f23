"""Compiled programs are kept in the user's cache, so that a second run starts at once.

Beside them lie those of `vasa_jax.kept_programs`, which need no tracing either. A cache
of programs is code: it lies in the user's own folder.
"""

import os
import pathlib

import jax

MIN_COMPILE_SECONDS = 0.5
"""Ours: half of jax's default; a demo is made of many programs of about a second."""


def enable() -> pathlib.Path:
    """Turn the persistent compilation cache on, unless the environment has chosen one.

    Returns:
        Its folder: `JAX_COMPILATION_CACHE_DIR`, or `vasa_jax` in the user's cache.
    """
    chosen = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if chosen:
        return pathlib.Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(cache) / "vasa_jax" / "compiled"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", MIN_COMPILE_SECONDS)
    return folder

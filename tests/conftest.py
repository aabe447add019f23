"""Every test runs on eight CPU devices; warnings in our own code are errors.

Ours: XLA compiles as little as it may, since tests run tiny models, whose compiling
takes longer than their running. With jaxlib 0.10.2 the emitters of before take a
quarter of the time of the new ones, each of which sets up a compiler of its own; later
versions have only the new ones and do not look at that option.
"""

import gc
import os
import pathlib

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR",
    str(pathlib.Path(__file__).resolve().parent.parent / ".cache" / "jax"),
)

# Every small program is kept, too: most of a test's time goes into dozens of them.
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1 "
    "--xla_backend_extra_options=xla_cpu_disable_new_fusion_emitters",
)

import jax
from animate_fixtures import (  # noqa: F401
    rendered_photo,
    taught_models,
    tiny_checkpoint,
    tiny_models,
    voice,
)
from odd_recording import odd_frames, odd_video  # noqa: F401
from time_limit import (  # noqa: F401
    pytest_addoption,
    pytest_runtest_setup,
    pytest_terminal_summary,
)

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_configure(config):
    """Make warnings errors where the line that causes them is ours.

    Traced programs are millions of objects, which Python would look through too often.
    """
    gc.set_threshold(20_000, 50, 50)
    config.addinivalue_line(
        "filterwarnings", r"error:::(vasa_jax|datasets|experiments|tests|test_)"
    )

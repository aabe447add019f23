"""Every test runs on eight CPU devices, and warnings about shapes are errors."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest
from absl import flags

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(autouse=True, scope="session")
def _parsed_flags():
    """Grain's worker processes ask for parsed flags."""
    flags.FLAGS.mark_as_parsed()

"""Names of records do not go to the devices."""

import numpy as np

from vasa_jax import data
from vasa_jax.train import batch_names


def test_names_stay_on_the_host():
    batch = {
        "rows": np.zeros(2),
        data.RECORD_FIELD: np.array(["a", "b"]),
        data.SKIPPED_FIELD: np.array(["", "x[1]\ny[2]"]),
    }
    arrays, names = batch_names.split_names(batch)
    assert list(arrays) == ["rows"]
    assert names.records == ("a", "b")
    assert names.skipped == ("x[1]", "y[2]")

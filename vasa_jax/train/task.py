"""What is trained: parameters in groups, and a loss for each group that learns.

One group with a loss is plain training, two are the players of a GAN. A group without
a loss is a constant (a frozen network, normalisation statistics) that lives in the
state and in its checkpoints.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
from flax import struct

EXAMPLE_KEY_FIELD = "example_key"
"""Batch field, added by the step, with a random key per row.

Ours: a key per row, drawn from the row's place in the whole batch, makes accumulation
equal to a large batch; the key given to a loss differs between its parts.
"""

SHARED_FIELD = "shared"
"""Batch field in which a loss finds what losses before it have shared."""

Params = dict[str, Any]
Batch = dict[str, Any]


@struct.dataclass
class Outputs:
    """What a loss gives beside its value.

    Ours: a generator's loss hands its frames on to the discriminator's, so that the
    generator runs once a step. Gradients do not pass.

    Attributes:
        metrics: scalars by name, means over the batch.
        shared: arrays by name; later losses of the same step find them in their batch
            as `SHARED_FIELD`.
    """

    metrics: dict[str, jax.Array]
    shared: dict[str, Any] = dataclasses.field(default_factory=dict)


LossFunction = Callable[
    [Params, Batch, jax.Array, jax.Array], tuple[jax.Array, Outputs]
]


class Task(Protocol):
    """What is trained.

    Attributes:
        losses: for each trained group a function of (params of all groups, batch, key,
            step) that returns the scalar mean loss over the batch and its `Outputs`.
            It is differentiated with respect to that group alone. Computed in this
            order.
    """

    losses: Mapping[str, LossFunction]

    def init(self, key: jax.Array) -> Params:
        """Return the parameters by group; pure, so that it can run under jit."""
        ...

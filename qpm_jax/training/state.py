"""What changes from step to step, as one pytree."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

Parameters = dict[str, Any]


class Totals(flax.struct.PyTreeNode):
    """Sums since the last log record; part of the state, so a resumed run logs alike.

    Attributes:
      loss: Sum over images of cross-entropy plus diversity loss.
      diversity: Sum over images of the diversity loss alone.
      correct: Number of images whose class was predicted.
      count: Number of images.
    """

    loss: Float[Array, ""]
    diversity: Float[Array, ""]
    correct: Float[Array, ""]
    count: Float[Array, ""]

    @classmethod
    def zero(cls) -> "Totals":
        """Returns empty sums."""
        # Four arrays, not one four times: a donated buffer must not be shared.
        return cls(*(jnp.zeros(()) for _ in range(4)))


class TrainState(flax.struct.PyTreeNode):
    """State of a training phase; all of it is in a checkpoint.

    Attributes:
      step: Steps taken so far.
      params: Trainable parameters.
      batch_stats: Running statistics of batch normalisation, {} where there is none.
      opt_state: State of the optimiser.
      totals: Sums since the last log record.
    """

    step: Int[Array, ""]
    params: Parameters
    batch_stats: Parameters
    opt_state: optax.OptState
    totals: Totals

    @property
    def variables(self) -> dict[str, Parameters]:
        """Returns what a Flax module's `apply` takes."""
        if not self.batch_stats:
            return {"params": self.params}
        return {"params": self.params, "batch_stats": self.batch_stats}


def create(
    variables: dict[str, Parameters], optimiser: optax.GradientTransformation
) -> TrainState:
    """Returns the state before the first step, on its own copy of the variables."""
    variables = jax.tree.map(jnp.copy, dict(variables))
    params = variables["params"]
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimiser.init(params),
        totals=Totals.zero(),
    )

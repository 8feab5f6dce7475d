"""What changes from step to step, as one pytree."""

from collections.abc import Callable
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
      bad_step: First step whose loss, parameters or running statistics were not
        finite; 0 while there is none.
    """

    loss: Float[Array, ""]
    diversity: Float[Array, ""]
    correct: Float[Array, ""]
    count: Float[Array, ""]
    bad_step: Int[Array, ""]

    @classmethod
    def zero(cls) -> "Totals":
        """Returns empty sums."""
        # Four arrays, not one four times: a donated buffer must not be shared.
        sums = (jnp.zeros(()) for _ in range(4))
        return cls(*sums, bad_step=jnp.zeros((), jnp.int32))


class TrainState(flax.struct.PyTreeNode):
    """State of a training phase; all of it is in a checkpoint.

    Attributes:
      step: Steps taken so far.
      params: Trainable parameters.
      batch_stats: Running statistics of batch normalisation, {} where there is none.
      opt_state: State of the optimiser.
      averaged: Running mean of the variables, {} where none is kept.
      teacher: Variables of the network to learn from, which stay; {} where there is
        none.
      totals: Sums since the last log record.
    """

    step: Int[Array, ""]
    params: Parameters
    batch_stats: Parameters
    opt_state: optax.OptState
    averaged: dict[str, Parameters]
    teacher: dict[str, Parameters]
    totals: Totals

    @property
    def variables(self) -> dict[str, Parameters]:
        """Returns what a Flax module's `apply` takes, to train on."""
        if not self.batch_stats:
            return {"params": self.params}
        return {"params": self.params, "batch_stats": self.batch_stats}

    @property
    def result(self) -> dict[str, Parameters]:
        """Returns what to test and to keep: the running mean if there is one."""
        return self.averaged or self.variables


def create(
    variables: dict[str, Parameters],
    optimiser: optax.GradientTransformation,
    averaging: float = 0.0,
) -> TrainState:
    """Returns the state before the first step, on its own copy of the variables.

    Args:
      variables: `params`, and `batch_stats` and `teacher` where there are some.
      optimiser: Of the phase.
      averaging: As in `Recipe`; above 0 the state keeps a running mean.
    """
    variables = jax.tree.map(jnp.copy, dict(variables))
    teacher = variables.pop("teacher", {})
    params = variables["params"]
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimiser.init(params),
        averaged=jax.tree.map(jnp.copy, variables) if averaging else {},
        teacher=teacher,
        totals=Totals.zero(),
    )


def template(
    shapes: dict[str, Parameters],
    optimiser: optax.GradientTransformation,
    averaging: float,
    places: Callable[[Any], Any],
) -> TrainState:
    """Returns the shapes, dtypes and places of a state, and makes nothing.

    Args:
      shapes: Of the variables.
      optimiser: As of `create`.
      averaging: As of `create`.
      places: Function from a state's shapes to where its arrays are to lie.
    """
    state = jax.eval_shape(lambda v: create(v, optimiser, averaging), shapes)
    return jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(
            leaf.shape, leaf.dtype, sharding=place
        ),
        state,
        places(state),
    )


def create_like(
    first: TrainState,
    variables: dict[str, Parameters],
    optimiser: optax.GradientTransformation,
    averaging: float,
) -> TrainState:
    """Returns `create`'s state, each array made where it is to lie, never elsewhere.

    Args:
      first: From `template`.
      variables: Where they lie in the state.
      optimiser: As of `create`.
      averaging: As of `create`.
    """
    made = jax.jit(
        lambda v: create(v, optimiser, averaging),
        out_shardings=jax.tree.map(lambda leaf: leaf.sharding, first),
    )
    return made(variables)

"""The learning rate of both training phases (docs/formulas.md, Training)."""

from typing import Any

import jax
import optax
from jaxtyping import Array, Float


def step_decay(
    learning_rate: float,
    steps_per_epoch: float,
    decay_factor: float,
    decay_epochs: int,
    warmup_epochs: float = 0.0,
) -> optax.Schedule:
    """Returns the published staircase: times `decay_factor` every `decay_epochs`.

    Args:
      learning_rate: Rate at the top of the staircase.
      steps_per_epoch: Steps in one pass over the training images.
      decay_factor: Factor of each stair, 0.4 as published.
      decay_epochs: Epochs between stairs.
      warmup_epochs: Epochs of linear rise from zero; the paper has none, training from
        scratch profits from a few.

    Returns:
      A function from step (int) to learning rate.
    """
    stair = max(1, round(decay_epochs * steps_per_epoch))
    warmup = warmup_epochs * steps_per_epoch

    def schedule(step: Any) -> Float[Array, ""]:
        rate = learning_rate * decay_factor ** (step // stair)
        rise = jax.numpy.minimum(1.0, (step + 1) / max(warmup, 1.0))
        return jax.numpy.asarray(rate * rise)

    return schedule

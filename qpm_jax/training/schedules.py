"""Learning rates and the optimiser of both training phases (QPM, optimiser table)."""

import re
from functools import partial
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


def held_until(schedule: optax.Schedule, step: int) -> optax.Schedule:
    """Returns a schedule that is zero before `step` and then the given one.

    A pretrained backbone is held while a new head finds its place: the head's first
    gradients would only spoil it (linear probing first, arXiv 2202.10054).
    """

    def held(count: Any) -> Float[Array, ""]:
        return jax.numpy.where(count < step, 0.0, schedule(count))

    return held


def sgd(
    learning_rate: optax.Schedule,
    momentum: float,
    weight_decay: float,
    head_learning_rate: optax.Schedule | None = None,
    frozen: str = "",
) -> optax.GradientTransformation:
    """Returns SGD with momentum and L2 decay coupled to the gradient, as PyTorch's.

    Args:
      learning_rate: Rate of every parameter, or of all but the head's.
      momentum: Momentum without dampening.
      weight_decay: L2 factor, added to the gradient of every parameter.
      head_learning_rate: Rate of the parameters under `head`, if it differs.
      frozen: Regular expression; parameters whose name, such as
        `backbone/block00/expand/kernel`, it matches from the start stay as they are,
        and what only their gradients need is not computed. Empty: none.

    Raises:
      ValueError: From `init`, where `frozen` matches no parameter.
    """

    def one(rate: optax.Schedule) -> optax.GradientTransformation:
        return optax.chain(
            optax.add_decayed_weights(weight_decay), optax.sgd(rate, momentum)
        )

    if head_learning_rate is None and not frozen:
        return one(learning_rate)
    return optax.partition(
        {
            "backbone": one(learning_rate),
            "head": one(head_learning_rate or learning_rate),
            "frozen": optax.set_to_zero(),
        },
        partial(_labels, frozen),
    )


def _labels(frozen: str, params: dict[str, Any]) -> dict[str, Any]:
    """Says for each parameter which of the rates it takes."""

    def label(path: Any, _: Any) -> str:
        name = "/".join(str(key.key) for key in path)
        if frozen and re.match(frozen, name):
            return "frozen"
        return "head" if name.startswith("head/") else "backbone"

    labels = jax.tree_util.tree_map_with_path(label, params)
    if frozen and "frozen" not in jax.tree.leaves(labels):
        raise ValueError(
            f"frozen is {frozen!r}, which matches no parameter; their names begin with "
            f"{', '.join(f'{a}/{b}' for a in params for b in params[a])}."
        )
    return labels

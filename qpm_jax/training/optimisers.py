"""The optimisers of both training phases (docs/formulas.md, Training)."""

from functools import partial
from typing import Any

import jax
import optax

from qpm_jax.training.frozen import is_frozen


def sgd(
    learning_rate: optax.Schedule, momentum: float, weight_decay: float
) -> optax.GradientTransformation:
    """Returns SGD with momentum and L2 decay coupled to the gradient, as PyTorch's.

    Args:
      learning_rate: Function from step to rate.
      momentum: Momentum without dampening.
      weight_decay: L2 factor, added to the gradient of every parameter.
    """
    return optax.chain(
        optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate, momentum)
    )


def adamw(
    learning_rate: optax.Schedule, momentum: float, weight_decay: float
) -> optax.GradientTransformation:
    """Returns Adam with decoupled weight decay; `momentum` is its first beta.

    The binary head divides features by their standard deviation, so gradients are as
    much larger as that is small; Adam's steps do not depend on their size.
    """
    return optax.adamw(learning_rate, b1=momentum, weight_decay=weight_decay)


OPTIMISERS = {"sgd": sgd, "adamw": adamw}


def optimiser(
    name: str,
    learning_rate: optax.Schedule,
    momentum: float,
    weight_decay: float,
    head_learning_rate: optax.Schedule | None = None,
    frozen: str = "",
) -> optax.GradientTransformation:
    """Returns the optimiser of that name, with rates by part of the network.

    Args:
      name: A key of `OPTIMISERS`.
      learning_rate: Rate of every parameter, or of all but the head's.
      momentum: See the optimiser.
      weight_decay: See the optimiser.
      head_learning_rate: Rate of the parameters under `head`, if it differs.
      frozen: Regular expression; parameters whose name, such as
        `backbone/block00/expand/kernel`, it matches from the start stay as they are,
        and what only their gradients need is not computed. Empty: none. Running
        statistics are the recipe's.

    Raises:
      ValueError: For an unknown name; from `init`, where `frozen` matches no parameter.
    """
    if name not in OPTIMISERS:
        raise ValueError(f"optimizer is {name!r}; it takes {', '.join(OPTIMISERS)}.")

    def one(rate: optax.Schedule) -> optax.GradientTransformation:
        return OPTIMISERS[name](rate, momentum, weight_decay)

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
        names = [str(key.key) for key in path]
        if is_frozen(frozen, names):
            return "frozen"
        return "head" if names[0] == "head" else "backbone"

    labels = jax.tree_util.tree_map_with_path(label, params)
    if frozen and "frozen" not in jax.tree.leaves(labels):
        raise ValueError(
            f"frozen is {frozen!r}, which matches no parameter; their names begin with "
            f"{', '.join(f'{a}/{b}' for a in params for b in params[a])}."
        )
    return labels

"""The output weights a single neuron may have, each at its price."""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.problem import NetworkProblem

# Each is a mixed-integer program of its own.
MOST_CHOICES = 1500
_MOST_COMBINATIONS = 100_000
_DIGITS = 9
# Totals and sizes are compared within 1e-9, which has to be nothing beside a step.
_LEAST_STEP = 1e-6


@dataclass(frozen=True, eq=False)
class OutputChoices:
    """K vectors of output weights, none of them without effect.

    Attributes:
        weights: float64 [K, O], v.
        prices: float64 [K], κ = λ₁ ‖v‖₁ + λ₂ ‖v‖² + μ_n, above 0.
        sizes: float64 [K], ‖v‖₁.
        step: all sizes are multiples of it.
    """

    weights: Float[np.ndarray, "K O"]
    prices: Float[np.ndarray, " K"]
    sizes: Float[np.ndarray, " K"]
    step: float


def output_choices(problem: NetworkProblem) -> OutputChoices | None:
    """The output weights worth having, or None where they are too many.

    In "one_hot" only differences of scores count, so of vectors that differ by the same
    number in every entry the cheapest stands for all.

    Args:
        problem: of one hidden layer.

    Returns:
        The choices; None for "bilinear", for steps below 1e-6, for more than
        `MOST_CHOICES`, and where neurons are free.
    """
    family, outputs = problem.family, problem.widths[-1]
    if family.step < _LEAST_STEP or problem.l1 + problem.l2 + problem.neuron_price == 0:
        return None
    bits = np.array(list(itertools.product((0, 1), repeat=len(family.coefficients))))
    values = np.unique(np.round(family.values(bits), _DIGITS))
    values = values[np.abs(values) <= family.limit + 1e-9]
    if float(len(values)) ** outputs > _MOST_COMBINATIONS:
        return None
    every = np.array(list(itertools.product(values, repeat=outputs)))
    prices = problem.l1 * np.abs(every).sum(axis=1)
    prices = prices + problem.l2 * (every**2).sum(axis=1) + problem.neuron_price
    effect = every
    if problem.label_encoding == "one_hot":
        effect = every - every[:, :1]
    order = np.argsort(prices, kind="stable")
    _, first = np.unique(np.round(effect[order], _DIGITS), axis=0, return_index=True)
    kept = order[np.sort(first)]
    kept = kept[np.abs(effect[kept]).max(axis=1) > 1e-9]
    if len(kept) > MOST_CHOICES:
        return None
    sizes = np.abs(every[kept]).sum(axis=1)
    return OutputChoices(every[kept], prices[kept], sizes, family.step)

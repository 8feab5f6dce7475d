"""The bound that prices prove: every class solved exactly, in float64.

The steps of `class_prices` work in float32 and with local search; what they reach is
proven here. Any prices prove a bound, so nothing depends on how well the steps did.
"""

import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.assignment.native.bound import best_sum
from qpm_jax.assignment.native.class_choice import best_choice
from qpm_jax.assignment.native.class_prices import Prices, PriceTable


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proven bound and the choices that prove it.

    Attributes:
        bound: no solution has a larger Z.
        choices: int32 [C, K], each class's best choice at these prices.
    """

    bound: float
    choices: Int[np.ndarray, "C K"]


def certify(
    table: PriceTable, prices: Prices, num_features: int, deadline: float = np.inf
) -> Certificate:
    """Returns L(α, π) of `class_prices`, rounding aside.

    Args:
        table: from `class_prices.price_table`, float64 on the host.
        prices: any; pairs priced beyond their weight are cut back to it.
        num_features: n.
        deadline: `time.perf_counter()` at which to give up, with a bound of infinity.
    """
    number = np.shape(table.candidates)[1]
    alpha = np.maximum(np.asarray(prices.features, np.float64), 0.0)
    gains = np.array(table.values, np.float64)
    gains[:, :number] -= alpha
    pairs = _affordable(table, prices)
    pool = np.asarray(prices.pool)
    choices, bound = np.array(pool[:, 0]), 0.0
    for row, size in enumerate(np.asarray(table.class_sizes)):
        if time.perf_counter() > deadline:
            bound = np.inf
            break
        known = [_worth(gains[row], pairs[row], s[:size]) for s in pool[row]]
        choices[row] = pool[row, int(np.argmax(known))]
        best = best_choice(gains[row], pairs[row], int(size), max(known))
        if best.members is not None:
            choices[row, :size] = np.sort(best.members)
        bound += best.bound
    scores = np.array(table.base, np.float64)
    np.add.at(scores, np.asarray(table.candidates), alpha)
    selection = best_sum(
        scores, np.asarray(table.fixed), np.asarray(table.barred), num_features
    )
    return Certificate(bound + selection, choices)


def _affordable(table: PriceTable, prices: Prices) -> Float[np.ndarray, "C M M"]:
    """π in float64, cut back where the classes together pay more than the penalty."""
    pair = np.asarray(table.pair)
    pairs = np.maximum(np.asarray(prices.pairs, np.float64), 0.0)
    pairs *= np.asarray(prices.share, np.float64)[pair]
    total = np.bincount(pair.ravel(), pairs.ravel(), len(table.weights)) / 2
    weights = np.asarray(table.weights)
    cut = np.ones_like(total)
    np.divide(weights, total, out=cut, where=total > weights)
    return pairs * cut[pair]


def _worth(
    gains: Float[np.ndarray, " M"],
    pairs: Float[np.ndarray, "M M"],
    members: Int[np.ndarray, " k"],
) -> float:
    inside = pairs[np.ix_(members, members)].sum() / 2
    return float(gains[members].sum() - inside)

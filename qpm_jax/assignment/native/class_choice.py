"""The best k features of one class under prices for features and for pairs: exactly.

Maximise Σ_{i in T} gain_i − Σ_{i<j in T} price_ij over |T| = k. Sets grow in the order
of falling gain, a level for each feature; a set is dropped once the best features it
could still get, without the prices among those, do not lift it above the goal.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

# Sets grown at one level; what is left beyond is bounded instead of looked at.
_WIDEST = 4_000


class Choice(NamedTuple):
    """The best set found and a bound on all sets.

    Attributes:
        members: int [k], the set, or None where nothing beats the start.
        value: its value, or the start's.
        bound: no set is worth more; `value` itself where the search was complete.
    """

    members: Int[np.ndarray, " k"] | None
    value: float
    bound: float


def best_choice(
    gains: Float[np.ndarray, " M"],
    prices: Float[np.ndarray, "M M"],
    size: int,
    start: float,
    widest: int = _WIDEST,
) -> Choice:
    """Finds the most valuable set, or proves that none beats `start`.

    Args:
        gains: float64 [M], what each feature is worth to the class.
        prices: float64 [M, M], non-negative, symmetric, zero diagonal.
        size: k, from 1 to M.
        start: value of a set already known; −inf for none.
        widest: most sets grown at a level.

    Returns:
        A `Choice`.
    """
    order = np.argsort(-gains, kind="stable")
    gains, prices = gains[order], prices[np.ix_(order, order)]
    members = np.zeros((1, 0), np.int64)
    value, left = np.zeros(1), gains[None]
    cut_off = -np.inf
    for level in range(size):
        missing = size - level
        bounds = _child_bounds(members, value, left, missing)
        parent, child = np.nonzero(bounds > start)
        if len(parent) > widest:
            kept = np.argpartition(-bounds[parent, child], widest)
            cut_off = max(
                cut_off, float(bounds[parent, child][kept[widest:]].max(initial=start))
            )
            parent, child = parent[kept[:widest]], child[kept[:widest]]
        if not len(parent):
            return Choice(None, start, max(start, cut_off))
        members = np.concatenate([members[parent], child[:, None]], axis=1)
        value = value[parent] + left[parent, child]
        left = left[parent] - prices[child]
    best = int(value.argmax())
    found = float(value[best])
    return Choice(order[members[best]], found, max(found, cut_off))


def _child_bounds(
    members: Int[np.ndarray, "S l"],
    value: Float[np.ndarray, " S"],
    left: Float[np.ndarray, "S M"],
    missing: int,
) -> Float[np.ndarray, "S M"]:
    """Most that each set can become when feature j joins next and later ones follow."""
    places = np.arange(left.shape[1])
    if members.shape[1]:
        left = np.where(places > members[:, -1:], left, -np.inf)
    bounds = value[:, None] + left
    if missing == 1:
        return bounds
    # Of the others at most the best `missing` − 1 that are still to come can follow.
    best = -np.partition(-left, missing - 2, axis=1)[:, : missing - 1]
    return bounds + best.sum(axis=1)[:, None]

"""Makes open classes whole by rounding one weight after another.

Each weight that is rounded changes the linear relaxation little, so the dual simplex
method goes on from the last basis in about a millisecond; all weights that are open and
not rounded yet adapt. Weights of common features come first, class after class in a
random order, then those of rare features, as these adapt to nearly anything at little
cost; within a class the weight nearest to a whole number. Where that costs much, the
other side is tried too.

A dive ends higher than trees for one class after another (`search`) and takes a
hundredth of the time, so many of them get further where instances are many.
"""

import time
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.block import Block, read_model
from qpm_jax.regression.native.model import NativeModel
from qpm_jax.regression.native.program import held_cost, warm_relaxation
from qpm_jax.regression.native.relaxation import Relaxed
from qpm_jax.regression.native.search import Search, open_block

# A rounding that costs more than this has its other side tried.
_DEAR = 1.0
# Features that no larger share of the instances has, or lacks, are rare.
_RARE = 1 / 6


def dive(
    search: Search, known: Relaxed, order: Int[np.ndarray, " K"], cutoff: float
) -> NativeModel | None:
    """Opens some classes and rounds them, in the order given.

    Args:
        search: what to search; weights move within `search.allowance`.
        known: weights of classes not in `order` are kept, and must be whole.
        order: classes, all different.
        cutoff: a dive whose relaxation costs more is given up.

    Returns:
        The model, which may cost more than `known`; None where the dive was given up,
        or the deadline came.
    """
    block = open_block(search, known, order)
    answer = round_all(block, search, order, cutoff)
    if answer is None:
        return None
    return read_model(search.problem, search.data, block, answer)


def round_all(
    block: Block, search: Search, order: Int[np.ndarray, " K"], cutoff: float
) -> Float[np.ndarray, " V"] | None:
    """Makes the open weights of a block whole.

    Args:
        block: without whole variables.
        search: its merged data and deadline count.
        order: classes whose weights are open, in the order in which they are rounded.
        cutoff: a dive whose relaxation costs more is given up.

    Returns:
        The variables, None where the dive was given up, or the deadline came.
    """
    turn = _turns(block, search.data, order)
    solver = warm_relaxation(block, search.deadline)
    cost, values = held_cost(solver, block)
    while cost <= cutoff and time.perf_counter() < search.deadline:
        away = block.away(values)
        waiting = np.flatnonzero(away)
        if not len(waiting):
            return values
        waiting = waiting[turn[waiting] == turn[waiting].min()]
        chosen = int(waiting[np.argmin(away[waiting])])
        cost, values = _round_one(solver, block, chosen, values[chosen], cost)
    return None


def _turns(
    block: Block, data: MergedData, order: Int[np.ndarray, " K"]
) -> Int[np.ndarray, " W"]:
    """When each part of a weight is rounded: common features first, then by class."""
    rank = np.full(len(block.fixed), len(order))
    rank[order] = np.arange(len(order))
    places = np.concatenate([block.positive, block.negative])
    classes, features = np.divmod(places, len(data.sizes))
    rare = data.rarity <= _RARE * data.counts.sum()
    return rank[classes] + (1 + len(order)) * rare[features]


def _round_one(
    solver: Any, block: Block, column: int, value: float, cost: float
) -> tuple[float, Float[np.ndarray, " V"]]:
    """Holds a weight at the nearer whole number, or at the other if that is cheaper."""
    near = float(np.round(value))
    far = float(np.floor(value) if near > value else np.ceil(value))
    held, values = held_cost(solver, block, (column, near))
    if held <= cost + _DEAR:
        return held, values
    other, elsewhere = held_cost(solver, block, (column, far))
    if other < held:
        return other, elsewhere
    return held_cost(solver, block, (column, near))

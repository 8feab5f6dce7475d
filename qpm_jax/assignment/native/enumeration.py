"""All selections of a small problem, which proves the optimum.

Each is first valued without uniqueness, an upper bound; the exact value is then needed
only while that bound beats the best exact value found.
"""

import itertools
import math
import time

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.assignment.native.refine import HostArrays, solution_of

# Selections x classes x n valued at most: about a second.
_LIMIT = 6e7
_CHUNK = 4_000_000


def is_small(arrays: HostArrays, num_features: int) -> bool:
    """Whether all selections can be valued in about a second."""
    free = int((~arrays.fixed & ~arrays.barred).sum())
    count = math.comb(free, num_features - int(arrays.fixed.sum()))
    return count * len(arrays.class_sizes) * num_features <= _LIMIT


def best_selection(
    arrays: HostArrays,
    start: Int[np.ndarray, " n"],
    deadline: float = np.inf,
) -> tuple[Int[np.ndarray, " n"], float, float]:
    """The optimal selection of a small problem.

    Args:
        arrays: the problem.
        start: int [n], a selection already known; a good one saves work.
        deadline: `time.perf_counter()` at which to stop with the best so far.

    Returns:
        The selection, its Z, and an upper bound on the optimum: Z itself when done.
    """
    best = np.sort(start)
    value = solution_of(arrays, best)[1]
    selections = _all_selections(arrays, len(start))
    size = max(1, _CHUNK // (len(arrays.class_sizes) * len(start)))
    bounds = np.empty(len(selections))
    for first in range(0, len(selections), size):
        if time.perf_counter() > deadline:
            return best, value, np.inf
        chunk = selections[first : first + size]
        bounds[first : first + size] = _relaxed_values(arrays, chunk)
    tolerance = 1e-10 * max(1.0, abs(value))
    order = np.flatnonzero(bounds > value + tolerance)
    order = order[np.argsort(-bounds[order], kind="stable")]
    for index in order:
        if bounds[index] <= value + tolerance:
            break
        if time.perf_counter() > deadline:
            return best, value, float(bounds[index])
        exact = solution_of(arrays, selections[index])[1]
        if exact > value:
            best, value = selections[index], exact
    return best, value, value


def _all_selections(arrays: HostArrays, num_features: int) -> Int[np.ndarray, "S n"]:
    forced = np.flatnonzero(arrays.fixed)
    free = np.flatnonzero(~arrays.fixed & ~arrays.barred)
    choose = num_features - len(forced)
    count = math.comb(len(free), choose)
    flat = itertools.chain.from_iterable(itertools.combinations(free.tolist(), choose))
    chosen = np.fromiter(flat, np.int64, count * choose).reshape(count, choose)
    return np.concatenate([np.broadcast_to(forced, (count, len(forced))), chosen], 1)


def _relaxed_values(
    arrays: HostArrays, selections: Int[np.ndarray, "S n"]
) -> Float[np.ndarray, " S"]:
    ranked = -np.sort(-arrays.values[:, selections], axis=2)
    taken = np.arange(selections.shape[1]) < arrays.class_sizes[:, None, None]
    worth = (ranked * taken).sum(axis=(0, 2))
    penalty = arrays.penalty[selections[:, :, None], selections[:, None, :]]
    return worth - penalty.sum(axis=(1, 2)) / 2 + arrays.bias[selections].sum(axis=1)

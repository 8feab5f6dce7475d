"""Selections in float64 with uniqueness: exact value and exact one-swap search.

The value without uniqueness is an upper bound on the value with it, so only swaps whose
bound beats the incumbent need the exact evaluation of `uniqueness`.
"""

import sys
import time
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.fixed_selection import best_rows
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.uniqueness import top_features

# Exact evaluations of one step; a plateau of near-equal swaps is not searched through.
_EVALUATIONS = 300
# Selections remembered; some ten megabytes.
_REMEMBERED = 50_000


@dataclass(frozen=True, eq=False)
class HostArrays:
    """A problem as float64 host arrays, made once: see `AssignmentProblem`.

    `known` remembers the exact Z of selections: searches meet the same ones again.
    """

    values: Float[np.ndarray, "C F"]
    penalty: Float[np.ndarray, "F F"]
    bias: Float[np.ndarray, " F"]
    class_sizes: Int[np.ndarray, " C"]
    fixed: Bool[np.ndarray, " F"]
    barred: Bool[np.ndarray, " F"]
    signs: Int[np.ndarray, "C F"] | None = None
    min_classes: int = 0
    known: dict[bytes, float] = field(default_factory=dict)


def host_arrays(problem: AssignmentProblem) -> HostArrays:
    """The arrays of a problem that every evaluation needs."""
    return HostArrays(
        values=problem.values,
        penalty=problem.penalty_matrix,
        bias=problem.feature_bias,
        class_sizes=problem.class_sizes,
        fixed=problem.fixed,
        barred=problem.barred,
        signs=problem.signs if problem.ternary else None,
        min_classes=problem.min_classes,
    )


def solution_of(
    arrays: HostArrays, selected: Int[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, "C n"], float]:
    """The best assignment of a selection, all classes different, and its Z.

    Args:
        arrays: the problem.
        selected: int [n].

    Returns:
        bool [C, n] and Z.
    """
    values = arrays.values[:, selected]
    signs = None if arrays.signs is None else arrays.signs[:, selected]
    taken = best_rows(values, arrays.class_sizes, signs, arrays.min_classes)
    return taken, float(values[taken].sum()) + _selection_terms(arrays, selected)


def exact_value(arrays: HostArrays, selected: Int[np.ndarray, " n"]) -> float:
    """Z of a selection, all classes different; remembered.

    Args:
        arrays: the problem.
        selected: int [n].

    Returns:
        The Z of `solution_of`.
    """
    key = _key(selected)
    value = arrays.known.get(key)
    if value is None:
        value = solution_of(arrays, selected)[1]
        if len(arrays.known) < _REMEMBERED:
            arrays.known[key] = value
    return value


def _key(selected: Int[np.ndarray, " n"]) -> bytes:
    return np.sort(selected).astype(np.int32).tobytes()


def relaxed_value(arrays: HostArrays, selected: Int[np.ndarray, " n"]) -> float:
    """Z of a selection without uniqueness: at least the Z with it."""
    values = arrays.values[:, selected]
    taken = top_features(values, arrays.class_sizes)
    return float(values[taken].sum()) + _selection_terms(arrays, selected)


def refine(
    arrays: HostArrays, selected: Int[np.ndarray, " n"], deadline: float = np.inf
) -> tuple[Int[np.ndarray, " n"], float]:
    """Best-improvement swaps on the exact Z, until none improves it.

    Args:
        arrays: the problem.
        selected: int [n], a start; the better it is the faster.
        deadline: `time.perf_counter()` at which to stop.

    Returns:
        The selection reached and its Z.
    """
    selected = np.array(selected, np.int64)
    start = Refinement(selected, exact_value(arrays, selected), False)
    reached = improve(arrays, start, sys.maxsize, deadline)
    return reached.selected, reached.value


@dataclass(frozen=True, eq=False)
class Refinement:
    """Where an exact search stands.

    Attributes:
        selected: int64 [n].
        value: its Z, all classes different.
        settled: whether no swap looked at improves it.
    """

    selected: Int[np.ndarray, " n"]
    value: float
    settled: bool


def improve(
    arrays: HostArrays, start: Refinement, evaluations: int, deadline: float = np.inf
) -> Refinement:
    """A slice of `refine`, the same on every machine; what it evaluated is remembered.

    Args:
        arrays: the problem.
        start: where to go on.
        evaluations: selections to evaluate exactly, at most.
        deadline: `time.perf_counter()` at which to stop.
    """
    reached = start
    while not reached.settled and evaluations > 0 and time.perf_counter() < deadline:
        reached, used = _best_swap(arrays, reached, evaluations, deadline)
        evaluations -= used
    return reached


def _best_swap(
    arrays: HostArrays, start: Refinement, evaluations: int, deadline: float
) -> tuple[Refinement, int]:
    """The best swap found, and how many selections were evaluated for it."""
    selected, value = start.selected, start.value
    bounds = relaxed_value(arrays, selected) + swap_gains(arrays, selected)
    least = value + 1e-10 * max(1.0, abs(value))
    promising = np.flatnonzero(bounds > least)
    order = promising[np.argsort(-bounds.flat[promising])]
    found, used = None, 0
    for swap in order[:_EVALUATIONS]:
        if bounds.flat[swap] <= least:
            break
        if used == evaluations or time.perf_counter() > deadline:
            return found or start, used
        place, feature = divmod(int(swap), bounds.shape[1])
        moved = selected.copy()
        moved[place] = feature
        used += _key(moved) not in arrays.known
        exact = exact_value(arrays, moved)
        if exact > least:
            found, least = Refinement(moved, exact, False), exact
    return found or Refinement(selected, value, True), used


def swap_gains(
    arrays: HostArrays, selected: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "n F"]:
    """`search.swap_gains` in float64: gains of all swaps, −inf where not allowed."""
    values = arrays.values[:, selected]
    taken = top_features(values, arrays.class_sizes)
    worst = np.where(taken, values, np.inf).min(axis=1, keepdims=True)
    reserve = np.where(taken, -np.inf, values).max(axis=1, keepdims=True)
    used = taken.astype(values.dtype)
    arriving = np.maximum(arrays.values - worst, 0.0).sum(axis=0)
    replacing = used.T @ np.clip(arrays.values, reserve, worst)
    leaving = (used * values).sum(axis=0)
    rows = arrays.penalty[selected]
    penalty = rows.sum(axis=0)
    gains = arriving + arrays.bias - penalty
    losses = leaving + arrays.bias[selected] - penalty[selected]
    result = gains + replacing - losses[:, None] + rows
    barred = arrays.barred.copy()
    barred[selected] = True
    result[:, barred] = -np.inf
    result[arrays.fixed[selected]] = -np.inf
    return result


def _selection_terms(arrays: HostArrays, selected: Int[np.ndarray, " n"]) -> float:
    penalties = arrays.penalty[np.ix_(selected, selected)].sum() / 2
    return float(arrays.bias[selected].sum() - penalties)

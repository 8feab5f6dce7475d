"""The best assignment for a fixed selection, all classes different.

Without uniqueness (docs/formulas.md, Constraints, the fourth) each class takes its k
best selected features. With it, the task is a bipartite assignment of classes to
k-subsets, which is solved exactly: only classes whose best subsets collide, and those
they then collide with, need to be looked at, and m such classes need their m best
subsets each.
"""

import functools

import numpy as np
from jaxtyping import Bool, Float, Int


def best_assignment(
    values: Float[np.ndarray, "C n"], class_sizes: Int[np.ndarray, " C"]
) -> tuple[Bool[np.ndarray, "C n"], float]:
    """The assignment of largest value in which no two classes are equal.

    Args:
        values: float64 [C, n], what a selected feature is worth to a class.
        class_sizes: int [C], k of every class.

    Returns:
        The assignment, bool [C, n], and the sum of its values.
    """
    assignment = top_features(values, class_sizes)
    for size in np.unique(class_sizes):
        rows = np.flatnonzero(class_sizes == size)
        assignment[rows] = _separate(values[rows], assignment[rows], int(size))
    return assignment, float(values[assignment].sum())


def top_features(
    values: Float[np.ndarray, "C n"], class_sizes: Int[np.ndarray, " C"]
) -> Bool[np.ndarray, "C n"]:
    """The k best features of every class, bool [C, n]; uniqueness is not considered."""
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.arange(values.shape[1]) < np.asarray(class_sizes)[:, None]
    assignment = np.zeros(values.shape, bool)
    np.put_along_axis(assignment, order, best, axis=1)
    return assignment


def _separate(
    values: Float[np.ndarray, "C n"], assignment: Bool[np.ndarray, "C n"], size: int
) -> Bool[np.ndarray, "C n"]:
    """Makes the rows of one subset size different at the least loss of value.

    Solves the classes in conflict alone; the others keep their best subset. That is a
    relaxation, so once its answer collides with nobody it is optimal; until then the
    classes it collides with join.
    """
    assignment = assignment.copy()
    best = assignment.copy()
    active = _colliding(assignment)
    while True:
        members = np.flatnonzero(active)
        if members.size == 0:
            return assignment
        assignment = best.copy()
        assignment[members] = _assign_subsets(values[members], size)
        colliding = _colliding(assignment)
        if not colliding.any():
            return assignment
        active = active | colliding


def _colliding(assignment: Bool[np.ndarray, "C n"]) -> Bool[np.ndarray, " C"]:
    """Which rows have an equal one."""
    packed = np.packbits(assignment, axis=1)
    rows = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").reshape(-1)
    _, inverse, counts = np.unique(rows, return_inverse=True, return_counts=True)
    return counts[inverse] > 1


def _assign_subsets(
    values: Float[np.ndarray, "T n"], size: int
) -> Bool[np.ndarray, "T n"]:
    """Different subsets of `size` features for T classes, of the largest value."""
    from scipy.optimize import linear_sum_assignment

    subsets, worth = best_subsets(values, size, len(values))
    classes, number, _ = subsets.shape
    rows = np.zeros((classes * number, values.shape[1]), bool)
    flat = subsets.reshape(-1, size)
    np.put_along_axis(rows, flat, True, axis=1)
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    cost = np.full((classes, len(distinct)), np.inf)
    cost[np.repeat(np.arange(classes), number), inverse.reshape(-1)] = -worth.reshape(
        -1
    )
    row, column = linear_sum_assignment(cost)
    chosen = np.empty(classes, np.int64)
    chosen[row] = column
    return distinct[chosen]


def best_subsets(
    values: Float[np.ndarray, "T n"], size: int, count: int
) -> tuple[Int[np.ndarray, "T m size"], Float[np.ndarray, "T m"]]:
    """The `count` most valuable subsets of `size` features of every class.

    Args:
        values: float64 [T, n].
        size: features a subset holds.
        count: how many subsets a class needs; fewer come where fewer exist.

    Returns:
        Feature positions, int64 [T, m, size], and their values, float64 [T, m].
    """
    order = np.argsort(-values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    patterns = _rank_patterns(values.shape[1], size, 1 << (count - 1).bit_length())
    worth = ranked[:, patterns].sum(axis=2)
    number = min(count, len(patterns))
    pick = np.argpartition(-worth, number - 1, axis=1)[:, :number]
    subsets = order[np.arange(len(values))[:, None, None], patterns[pick]]
    return subsets, np.take_along_axis(worth, pick, axis=1)


@functools.lru_cache(maxsize=64)
def _rank_patterns(length: int, size: int, count: int) -> Int[np.ndarray, "L size"]:
    """Rank sets that can be among the `count` best subsets of any ranked values.

    A set of ranks is never better than a set that lies at or before it rank by rank.
    So a set with `count` or more others before it is not needed. The sets are grown
    from the first `size` ranks; the number of sets before one is the number of
    partitions inside its partition, a small product of running sums.
    """
    start = (0,) * size
    found = {start}
    frontier = [start]
    while frontier:
        grown = set()
        for shifts in frontier:
            for place in range(size):
                ceiling = shifts[place + 1] if place + 1 < size else length - size
                if shifts[place] < ceiling:
                    grown.add(
                        (*shifts[:place], shifts[place] + 1, *shifts[place + 1 :])
                    )
        frontier = [shifts for shifts in grown - found if _sets_before(shifts) <= count]
        found.update(frontier)
    return np.array(sorted(found), np.int64) + np.arange(size)


def _sets_before(shifts: tuple[int, ...]) -> int:
    """How many rank sets lie at or before this one, itself included."""
    ways = np.ones(shifts[0] + 1)
    for limit in shifts[1:]:
        running = np.cumsum(ways)
        ways = running[np.minimum(np.arange(limit + 1), len(running) - 1)]
    return int(min(ways.sum(), 2**62))

"""The best assignment for a fixed selection, all classes different.

Without uniqueness (docs/formulas.md, Constraints, the fourth) each class takes its k
best selected features. With it, the task is a bipartite assignment of classes to
k-subsets, which is solved exactly: only classes whose best subsets collide, and those
they then collide with, need to be looked at, group by group.
"""

import functools
import itertools
import math

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.matching import match

# Candidates that a class of a large group has at first.
_FIRST_LIST = 16


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

    Classes in conflict form groups, each solved alone. That is a relaxation, so once no
    two classes of different groups collide it is optimal; until then such groups
    become one.
    """
    assignment = assignment.copy()
    columns = values.shape[1]
    keys = subset_keys(np.nonzero(assignment)[1].reshape(-1, size), columns)
    groups = np.arange(len(values))
    while True:
        _, first, number, count = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        colliding = count[number] > 1
        if not colliding.any():
            return assignment
        groups = _joined(groups, first[number])
        again = np.flatnonzero(np.isin(groups, groups[colliding]))
        chosen = _solve_groups(values[again], groups[again], size)
        assignment[again] = False
        assignment[again[:, None], chosen] = True
        keys[again] = subset_keys(chosen, columns)


def _joined(
    groups: Int[np.ndarray, " C"], equal: Int[np.ndarray, " C"]
) -> Int[np.ndarray, " C"]:
    """Groups that hold two colliding classes become one.

    Args:
        groups: the group of every class.
        equal: a class with the same subset, for every class.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    classes = np.arange(len(groups))
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    ends = np.concatenate([first[number], equal])
    edges = (np.ones(len(ends), bool), (np.concatenate([classes, classes]), ends))
    graph = coo_array(edges, shape=(len(groups), len(groups)))
    return connected_components(graph, directed=False)[1]


def _solve_groups(
    values: Float[np.ndarray, "T n"], groups: Int[np.ndarray, " T"], size: int
) -> Int[np.ndarray, "T size"]:
    """Different subsets for the classes of each group, of the largest value.

    Groups that need as many candidates a class have them listed together.
    """
    _, number, members = np.unique(groups, return_inverse=True, return_counts=True)
    enough = [min(_FIRST_LIST, 1 << (int(m) - 1).bit_length()) for m in members]
    wanted = np.array(enough)[number]
    chosen = np.empty((len(values), size), np.int64)
    for count in np.unique(wanted):
        rows = np.flatnonzero(wanted == count)
        rows = rows[np.argsort(number[rows], kind="stable")]
        subsets, worth = best_subsets(values[rows], size, int(count))
        keys = _keys_of_lists(subsets, values.shape[1])
        ends = np.flatnonzero(np.diff(number[rows])) + 1
        starts = np.concatenate([[0], ends, [len(rows)]])
        for start, end in itertools.pairwise(starts.tolist()):
            pick = match(keys[start:end], worth[start:end])
            if pick is None:
                found = _solve_long(values[rows[start:end]], size, 2 * int(count))
            else:
                found = subsets[np.arange(start, end), pick]
            chosen[rows[start:end]] = found
    return chosen


def _solve_long(
    values: Float[np.ndarray, "T n"], size: int, count: int
) -> Int[np.ndarray, "T size"]:
    """One group whose classes need `count` candidates each, or more."""
    while True:
        subsets, worth = best_subsets(values, size, count)
        pick = match(_keys_of_lists(subsets, values.shape[1]), worth)
        if pick is not None:
            return subsets[np.arange(len(values)), pick]
        count *= 2


def _keys_of_lists(
    subsets: Int[np.ndarray, "T m size"], length: int
) -> Int[np.ndarray, "T m"]:
    keys = subset_keys(subsets.reshape(-1, subsets.shape[2]), length)
    return keys.reshape(subsets.shape[:2])


def subset_keys(
    subsets: Int[np.ndarray, "M size"], length: int
) -> Int[np.ndarray, " M"]:
    """One number for each subset, equal for equal subsets alone, in whatever order.

    The rank in the combinatorial number system, Σ C(pᵢ, i) over the sorted positions,
    where it fits 63 bits; the place among the different rows otherwise.

    Args:
        subsets: int [M, size], different positions from 0 to `length` − 1 in a row.
        length: how many positions there are.
    """
    ordered = np.sort(subsets, axis=1)
    if math.comb(length, ordered.shape[1]) >= 2**62:
        return np.unique(ordered, axis=0, return_inverse=True)[1].reshape(-1)
    table = _binomials(length, ordered.shape[1])
    return table[ordered, np.arange(ordered.shape[1])].sum(axis=1)


@functools.lru_cache(maxsize=64)
def _binomials(length: int, size: int) -> Int[np.ndarray, "length size"]:
    """C(p, i) for positions p from 0 and i from 1 to `size`."""
    return np.array(
        [[math.comb(p, i) for i in range(1, size + 1)] for p in range(length)],
        np.int64,
    )


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

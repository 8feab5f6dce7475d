"""Classes to candidates from a list each, no candidate twice, of the largest worth.

A bipartite assignment whose lists are cut off. It is known to be the best of the whole
where every class has a candidate in its list that nobody took: in an optimal dual that
one costs nothing, so that the class would gain nothing from what is not listed.
"""

import numpy as np
from jaxtyping import Float, Int

# Entries of a dense table of costs; larger ones are kept sparse.
_DENSE = 200_000


def match(
    keys: Int[np.ndarray, "T m"], worth: Float[np.ndarray, "T m"]
) -> Int[np.ndarray, " T"] | None:
    """Which candidate every class takes.

    Args:
        keys: int [T, m], the candidates of every class, no one twice in a row.
        worth: float64 [T, m], their worth; what is not listed is worth no more.

    Returns:
        int [T], a place in the list of each class; None where the lists are too short
        to know, which lists of T candidates never are.
    """
    classes, number = keys.shape
    distinct, column = np.unique(keys, return_inverse=True)
    if len(distinct) < classes:
        # SciPy would match the candidates instead, and leave classes out.
        return None
    column = column.reshape(keys.shape)
    try:
        if classes * len(distinct) <= _DENSE:
            taken = _dense(column, worth, len(distinct))
        else:
            taken = _sparse(column, worth, len(distinct))
    except ValueError:
        # No matching takes all classes.
        return None
    free = np.ones(len(distinct), bool)
    free[taken] = False
    if number < classes and not free[column].any(axis=1).all():
        return None
    return np.argmax(column == taken[:, None], axis=1)


def _dense(
    column: Int[np.ndarray, "T m"], worth: Float[np.ndarray, "T m"], number: int
) -> Int[np.ndarray, " T"]:
    from scipy.optimize import linear_sum_assignment

    cost = np.full((len(column), number), np.inf)
    np.put_along_axis(cost, column, -worth, axis=1)
    return linear_sum_assignment(cost)[1]


def _sparse(
    column: Int[np.ndarray, "T m"], worth: Float[np.ndarray, "T m"], number: int
) -> Int[np.ndarray, " T"]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    row, place = np.nonzero(np.isfinite(worth))
    # An entry of 0 would be no entry.
    cost = worth.max() - worth[row, place] + 1.0
    shape = (len(column), number)
    table = coo_array((cost, (row, column[row, place])), shape=shape).tocsr()
    row, taken = min_weight_full_bipartite_matching(table)
    result = np.empty(len(column), np.int64)
    result[row] = taken
    return result

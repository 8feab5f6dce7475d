"""The published heuristic that makes equal classes different.

docs/formulas.md, The published iterative relaxation: it gives the start of a solve, and
the features it leaves two classes with are those on which the next model lets them
differ.
"""

import itertools

import numpy as np
from jaxtyping import Bool, Float

from qpm_jax.assignment.published.model import Pair


def equal_pairs(taken: Bool[np.ndarray, "C n"]) -> list[Pair]:
    """All pairs of classes with equal rows, the smaller class first."""
    _, inverse = np.unique(taken, axis=0, return_inverse=True)
    groups = (np.flatnonzero(inverse == group) for group in range(inverse.max() + 1))
    return [
        pair for group in groups for pair in itertools.combinations(group.tolist(), 2)
    ]


def repair(
    values: Float[np.ndarray, "C n"], taken: Bool[np.ndarray, "C n"]
) -> Bool[np.ndarray, "C n"]:
    """Swaps one feature in one class of every equal pair, at the least loss.

    Args:
        values: float64 [C, n], what a selected feature is worth to a class.
        taken: bool [C, n].

    Returns:
        bool [C, n] with rows as long as before. A pair stays equal only where every
        swap would make another pair equal.
    """
    taken = taken.copy()
    for first, second in equal_pairs(taken):
        if (taken[first] == taken[second]).all():
            _swap(values, taken, (first, second))
    return taken


def _swap(
    values: Float[np.ndarray, "C n"], taken: Bool[np.ndarray, "C n"], pair: Pair
) -> None:
    """Changes a row of `taken` in place, if there is a swap."""
    rows = {row.tobytes() for row in taken}
    swaps = [
        (
            float(values[number, leaving] - values[number, coming]),
            number,
            leaving,
            coming,
        )
        for number in pair
        for leaving in np.flatnonzero(taken[number])
        for coming in np.flatnonzero(~taken[number])
    ]
    for _, number, leaving, coming in sorted(swaps):
        row = taken[number].copy()
        row[[leaving, coming]] = False, True
        if row.tobytes() not in rows:
            taken[number] = row
            return

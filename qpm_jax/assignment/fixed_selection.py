"""The best assignment for a fixed selection, whatever the problem asks of it.

`uniqueness` holds the case without signs and without a minimum of classes a feature.
Signs are reduced to it: a class chooses among 2n columns, "has it" and "lacks it", of
which half are barred. A minimum is repaired by single swaps, good but not always the
best.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.uniqueness import best_assignment


def assign_selection(
    problem: AssignmentProblem, selected: Int[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, "C n"], float]:
    """Which of the selected features each class takes, all classes different, and Z.

    Args:
        problem: the problem.
        selected: int [n].

    Returns:
        bool [C, n], feasible, and of the largest Z unless `min_classes` is set; and Z.
    """
    signs = problem.signs[:, selected] if problem.ternary else None
    taken = best_rows(
        problem.values[:, selected],
        problem.class_sizes,
        signs,
        problem.min_classes,
    )
    return taken, problem.objective(selected, problem.signed(selected, taken))


def best_rows(
    values: Float[np.ndarray, "C n"],
    class_sizes: Int[np.ndarray, " C"],
    signs: Int[np.ndarray, "C n"] | None,
    minimum: int,
) -> Bool[np.ndarray, "C n"]:
    """Which of n features each class takes, all classes different.

    Args:
        values: float64 [C, n], what a feature is worth to a class.
        class_sizes: int [C], k of every class.
        signs: int8 [C, n], the sense in which a class would take each, or None.
        minimum: classes that a feature serves at least.

    Returns:
        bool [C, n]; of the largest value unless `minimum` is set.
    """
    if minimum:
        # Rows that differ in their features alone: then a swap is never blocked.
        taken = best_assignment(values, class_sizes)[0]
        return serve_all(values, taken, minimum)
    if signs is not None:
        return _best_signed(values, signs, class_sizes)
    return best_assignment(values, class_sizes)[0]


def _best_signed(
    values: Float[np.ndarray, "C n"],
    signs: Int[np.ndarray, "C n"],
    class_sizes: Int[np.ndarray, " C"],
) -> Bool[np.ndarray, "C n"]:
    """Equal features in different senses count as different rows."""
    columns = [np.where(signs == sense, values, -np.inf) for sense in (1, -1)]
    taken, _ = best_assignment(np.concatenate(columns, axis=1), class_sizes)
    has, lacks = np.split(taken, 2, axis=1)
    return has | lacks


def serve_all(
    values: Float[np.ndarray, "C n"], taken: Bool[np.ndarray, "C n"], minimum: int
) -> Bool[np.ndarray, "C n"]:
    """Swaps until every feature serves `minimum` classes, at the least loss each.

    There is always a swap. Let feature g serve more classes than f. If every class with
    g and without f, swapping the one for the other, became equal to a class there is,
    those would be as many different classes with f and without g, and f would serve as
    many classes as g.

    Args:
        values: float64 [C, n], what a selected feature is worth to a class.
        taken: bool [C, n], all rows different.
        minimum: classes a feature serves at least; n · minimum ≤ the sum of `taken`.

    Returns:
        bool [C, n], all rows different and as long as before.
    """
    taken = taken.copy()
    rows = {row.tobytes() for row in taken}
    counts = taken.sum(axis=0)
    while (counts < minimum).any():
        wanting = int(np.argmin(counts))
        surplus = counts > minimum
        loss = np.where(
            taken & surplus & ~taken[:, [wanting]],
            values - values[:, [wanting]],
            np.inf,
        )
        for cell in np.argsort(loss, axis=None, kind="stable"):
            number, feature = divmod(int(cell), taken.shape[1])
            row = taken[number].copy()
            row[[feature, wanting]] = False, True
            if row.tobytes() not in rows:
                break
        rows.remove(taken[number].tobytes())
        rows.add(row.tobytes())
        taken[number] = row
        counts = taken.sum(axis=0)
    return taken

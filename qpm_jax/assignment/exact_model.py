"""The linear model of the selection and assignment, in p-median form.

Stated in docs/formulas.md, Structure that makes it tractable.

Maximise Σ values x + Σ bias s − Σ weights y over s binary, 0 ≤ x ≤ 1, y ≥ 0 with

    x[c, f] ≤ s[f],   Σ_f x[c, f] = k_c,   Σ_f s[f] = n,   s[i] + s[j] − y[p] ≤ 1.

For a fixed s the best x is 0 or 1 by itself. Uniqueness comes as cuts on demand; the
classes in a cut need x integer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True)
class UniquenessCut:
    """Two classes may not both take the same features.

    Attributes:
        classes: the two classes.
        features: the k features.
    """

    classes: tuple[int, int]
    features: tuple[int, ...]


def build_program(
    problem: AssignmentProblem, cuts: Iterable[UniquenessCut] = ()
) -> MixedIntegerProgram:
    """The linear model with the uniqueness cuts known so far.

    Args:
        problem: the problem.
        cuts: pairs of classes and the features they may not share.

    Returns:
        A program over [s (F), x (C·F, class by class), y (P)].
    """
    classes, features = problem.values.shape
    pairs = len(problem.weights)
    cuts = tuple(cuts)
    blocks, low, high = zip(*_structure(problem), _cut_rows(problem, cuts), strict=True)
    lower = np.zeros(features + classes * features + pairs)
    upper = np.ones_like(lower)
    lower[list(problem.forced_in)] = 1.0
    upper[list(problem.forced_out)] = 0.0
    integer = np.zeros(len(lower), bool)
    integer[:features] = True
    in_cut = sorted({number for cut in cuts for number in cut.classes})
    integer[features : features + classes * features].reshape(classes, features)[
        in_cut
    ] = True
    return MixedIntegerProgram(
        objective=np.concatenate(
            [problem.feature_bias, problem.values.reshape(-1), -problem.weights]
        ),
        rows=scipy.sparse.vstack(blocks, format="csr"),
        row_lower=np.concatenate(low),
        row_upper=np.concatenate(high),
        lower=lower,
        upper=upper,
        integer=integer,
        maximise=True,
    )


def encode(
    problem: AssignmentProblem,
    selected: Int[np.ndarray, " n"],
    assignment: Bool[np.ndarray, "C n"],
) -> Float[np.ndarray, " V"]:
    """A solution of the problem as values of the program's variables."""
    classes, features = problem.values.shape
    chosen = np.zeros(features)
    chosen[selected] = 1.0
    used = np.zeros((classes, features))
    used[:, selected] = assignment
    both = chosen[problem.pairs[:, 0]] * chosen[problem.pairs[:, 1]]
    return np.concatenate([chosen, used.reshape(-1), both])


def decode(
    problem: AssignmentProblem, values: Float[np.ndarray, " V"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "C n"]]:
    """The selection and x of the selected features from the program's variables."""
    classes, features = problem.values.shape
    selected = np.flatnonzero(values[:features] > 0.5)
    used = values[features : features + classes * features].reshape(classes, features)
    return selected, used[:, selected]


Block = tuple[scipy.sparse.csr_array, np.ndarray, np.ndarray]


def _structure(problem: AssignmentProblem) -> list[Block]:
    """Rows, lower and upper sides of everything but uniqueness."""
    classes, features = problem.values.shape
    cells, pairs = classes * features, len(problem.weights)
    one = scipy.sparse.eye_array
    all_features = scipy.sparse.csr_array(np.ones((1, features)))

    def rows(*parts: Any) -> scipy.sparse.csr_array:
        widths = (features, cells, pairs)
        height = next(part.shape[0] for part in parts if part is not None)
        filled = [
            scipy.sparse.csr_array((height, width)) if part is None else part
            for part, width in zip(parts, widths, strict=True)
        ]
        return scipy.sparse.csr_array(scipy.sparse.hstack(filled))

    every_class = scipy.sparse.csr_array(np.ones((classes, 1)))
    closed = rows(-scipy.sparse.kron(every_class, one(features)), one(cells), None)
    counts = rows(None, scipy.sparse.kron(one(classes), all_features), None)
    total = rows(all_features, None, None)
    number = np.repeat(np.arange(pairs), 2)
    ends = scipy.sparse.csr_array(
        (np.ones(2 * pairs), (number, problem.pairs.reshape(-1))), (pairs, features)
    )
    both = rows(ends, None, -one(pairs))
    size = problem.class_sizes.astype(np.float64)
    chosen = np.array([float(problem.num_features)])
    return [
        (closed, np.full(cells, -np.inf), np.zeros(cells)),
        (counts, size, size),
        (total, chosen, chosen),
        (both, np.full(pairs, -np.inf), np.ones(pairs)),
    ]


def _cut_rows(problem: AssignmentProblem, cuts: tuple[UniquenessCut, ...]) -> Block:
    """Σ over both classes of x on the shared features ≤ 2k − 1."""
    classes, features = problem.values.shape
    width = features + classes * features + len(problem.weights)
    row = [i for i, cut in enumerate(cuts) for _ in range(2 * len(cut.features))]
    column = [
        features + number * features + feature
        for cut in cuts
        for number in cut.classes
        for feature in cut.features
    ]
    matrix = scipy.sparse.csr_array(
        (np.ones(len(row)), (row, column)), (len(cuts), width)
    )
    allowed = np.array([2.0 * len(cut.features) - 1 for cut in cuts])
    return matrix, np.full(len(cuts), -np.inf), allowed

"""The linear model of the selection and assignment, in p-median form.

Stated in docs/formulas.md, Structure that makes it tractable.

Maximise Σ values x + Σ bias s − Σ weights y over s binary, 0 ≤ x ≤ 1, y ≥ 0 with

    x[c, f] ≤ s[f],   Σ_f x[c, f] = k_c,   Σ_f s[f] = n,   s[i] + s[j] − y[p] ≤ 1.

For a fixed s the best x is 0 or 1 by itself. Uniqueness comes as cuts on demand; the
classes in a cut need x integer. Where every feature must serve m classes,

    Σ_c x[c, f] ≥ m s[f],

and x is integer for all classes. Ternary assignments need nothing more:
`problem.values` holds |A|, x says which features are taken, and the signs follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.solvers import MixedIntegerProgram

Block = tuple[scipy.sparse.csr_array, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class UniquenessCut:
    """Two classes may not both take the same features.

    Where ternary, only for classes whose signs agree on these features: else their rows
    differ as it is.

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
    cuts = tuple(cuts)
    size = problem.class_sizes.astype(np.float64)
    blocks = [
        *structure_rows(problem),
        (class_counts(problem), size, size),
        _cut_rows(problem, cuts),
    ]
    if problem.min_classes:
        blocks.append(_service_rows(problem))
        whole = list(range(problem.similarity.shape[1]))
    else:
        whole = sorted({number for cut in cuts for number in cut.classes})
    return assemble(problem, blocks, whole)


def assemble(
    problem: AssignmentProblem, blocks: Iterable[Block], whole_classes: list[int]
) -> MixedIntegerProgram:
    """The objective and the variables with these rows.

    Args:
        problem: the problem.
        blocks: rows with their lower and upper sides.
        whole_classes: classes whose x is integer.

    Returns:
        A program over [s (F), x (C·F, class by class), y (P)].
    """
    classes, features = problem.values.shape
    rows, low, high = zip(*blocks, strict=True)
    lower = np.zeros(features + classes * features + len(problem.weights))
    upper = np.ones_like(lower)
    lower[:features][problem.fixed] = 1.0
    upper[:features][problem.barred] = 0.0
    integer = np.zeros(len(lower), bool)
    integer[:features] = True
    cells = integer[features : features + classes * features]
    cells.reshape(classes, features)[whole_classes] = True
    return MixedIntegerProgram(
        objective=np.concatenate(
            [problem.feature_bias, problem.values.reshape(-1), -problem.weights]
        ),
        rows=scipy.sparse.vstack(rows, format="csr"),
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


def place(
    problem: AssignmentProblem, s: Any = None, x: Any = None, y: Any = None
) -> scipy.sparse.csr_array:
    """Rows over all variables from their parts over s, x and y; absent parts are 0."""
    features, classes = problem.similarity.shape
    widths = (features, classes * features, len(problem.weights))
    height = next(part.shape[0] for part in (s, x, y) if part is not None)
    parts = [
        scipy.sparse.csr_array((height, width)) if part is None else part
        for part, width in zip((s, x, y), widths, strict=True)
    ]
    return scipy.sparse.csr_array(scipy.sparse.hstack(parts))


def structure_rows(problem: AssignmentProblem) -> list[Block]:
    """Rows x ≤ s, Σ s = n and the pairs: all but how many features a class takes."""
    features, classes = problem.similarity.shape
    cells, pairs = classes * features, len(problem.weights)
    one = scipy.sparse.eye_array
    every_class = scipy.sparse.csr_array(np.ones((classes, 1)))
    closed = place(
        problem, s=-scipy.sparse.kron(every_class, one(features)), x=one(cells)
    )
    total = place(problem, s=scipy.sparse.csr_array(np.ones((1, features))))
    number = np.repeat(np.arange(pairs), 2)
    ends = scipy.sparse.csr_array(
        (np.ones(2 * pairs), (number, problem.pairs.reshape(-1))), (pairs, features)
    )
    both = place(problem, s=ends, y=-one(pairs))
    chosen = np.array([float(problem.num_features)])
    return [
        (closed, np.full(cells, -np.inf), np.zeros(cells)),
        (total, chosen, chosen),
        (both, np.full(pairs, -np.inf), np.ones(pairs)),
    ]


def class_counts(
    problem: AssignmentProblem, counted: Bool[np.ndarray, " F"] | None = None
) -> scipy.sparse.csr_array:
    """A row for each class: how many of the `counted` features (None: all) it takes."""
    features, classes = problem.similarity.shape
    which = np.ones(features) if counted is None else counted.astype(np.float64)
    which = scipy.sparse.csr_array(which[None])
    return place(problem, x=scipy.sparse.kron(scipy.sparse.eye_array(classes), which))


def _service_rows(problem: AssignmentProblem) -> Block:
    """Σ_c x[c, f] − m s[f] ≥ 0."""
    features, classes = problem.similarity.shape
    one = scipy.sparse.eye_array(features)
    every_class = scipy.sparse.csr_array(np.ones((1, classes)))
    rows = place(
        problem,
        s=-float(problem.min_classes) * one,
        x=scipy.sparse.kron(every_class, one),
    )
    return rows, np.zeros(features), np.full(features, np.inf)


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

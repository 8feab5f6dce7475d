"""The relaxed linear models of the published iterative scheme.

docs/formulas.md, The published iterative relaxation. The paper writes X = W·s with both
binary. W enters through X alone, and x ≤ s leaves X exactly the values W·s can have, so
the models hold x and no W and stay linear. The product of a pair is y ≥ s_i + s_j − 1.
Differences are counted by a, with |x − x'| linearised for binary x:

    a[f] ≤ x[c, f] + x[c', f],   a[f] ≤ 2 − x[c, f] − x[c', f],   Σ_f a[f] ≥ 1.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.exact_model import (
    Block,
    assemble,
    class_counts,
    encode,
    structure_rows,
)
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.solvers import MixedIntegerProgram

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Demands:
    """What a model asks beyond the total budget and one feature a class.

    Attributes:
        short: bool [C], classes that must take k of the `counted` features.
        counted: bool [F].
        apart: for two classes, the features on which they must differ.
    """

    short: Bool[np.ndarray, " C"]
    counted: Bool[np.ndarray, " F"]
    apart: Mapping[Pair, tuple[int, ...]] = field(default_factory=dict)


def build_relaxed(problem: AssignmentProblem, demands: Demands) -> MixedIntegerProgram:
    """The model of one step.

    x is integer only for classes that must differ: the budgets alone are nested sets of
    x, for which a best x is 0 or 1 by itself.

    Args:
        problem: the problem.
        demands: of this step.

    Returns:
        A program over [s (F), x (C·F), y (P), a (one for each feature of a pair)].
    """
    classes = problem.similarity.shape[1]
    size = problem.class_sizes.astype(np.float64)
    every, some = class_counts(problem), demands.short
    budgets = class_counts(problem, demands.counted)[np.flatnonzero(some)]
    total = scipy.sparse.csr_array(np.ones((1, classes))) @ every
    blocks: list[Any] = [  # scipy's sparse arrays are untyped
        *structure_rows(problem),
        (total, np.array([-np.inf]), np.array([size.sum()])),
        (every, np.ones(classes), np.full(classes, np.inf)),
        (budgets, size[some], np.full(int(some.sum()), np.inf)),
    ]
    whole = sorted({number for pair in demands.apart for number in pair})
    return _with_differences(problem, assemble(problem, blocks, whole), demands.apart)


def _with_differences(
    problem: AssignmentProblem,
    program: MixedIntegerProgram,
    apart: Mapping[Pair, tuple[int, ...]],
) -> MixedIntegerProgram:
    if not apart:
        return program
    blocks, start = [], program.num_variables
    added = sum(len(features) for features in apart.values())
    for pair, features in apart.items():
        blocks += _difference_rows(problem, pair, features, start, added)
        start += len(features)
    rows, low, high = zip(*blocks, strict=True)
    empty = scipy.sparse.csr_array((program.num_rows, added))
    wider = scipy.sparse.hstack([program.rows, empty])
    return dataclasses.replace(
        program,
        objective=np.append(program.objective, np.zeros(added)),
        rows=scipy.sparse.vstack([wider, *rows], format="csr"),
        row_lower=np.concatenate([program.row_lower, *low]),
        row_upper=np.concatenate([program.row_upper, *high]),
        lower=np.append(program.lower, np.zeros(added)),
        upper=np.append(program.upper, np.ones(added)),
        integer=np.append(program.integer, np.zeros(added, bool)),
    )


def _difference_rows(
    problem: AssignmentProblem,
    pair: Pair,
    features: tuple[int, ...],
    start: int,
    added: int,
) -> list[Block]:
    """Rows over all variables that keep two classes apart; `start` is their first a."""
    count, classes = problem.similarity.shape
    width = count + classes * count + len(problem.weights) + added
    number = np.arange(len(features))
    first, second = (count + c * count + np.array(features) for c in pair)
    columns = np.concatenate([first, second, start + number])
    ones = np.ones(len(features))

    def rows(sense: float) -> scipy.sparse.csr_array:
        data = np.concatenate([sense * ones, sense * ones, ones])
        place = (np.tile(number, 3), columns)
        return scipy.sparse.csr_array((data, place), (len(features), width))

    differs = (ones, (np.zeros(len(features), int), start + number))
    none = np.full(len(features), -np.inf)
    return [
        (rows(-1.0), none, 0.0 * ones),
        (rows(1.0), none, 2.0 * ones),
        (
            scipy.sparse.csr_array(differs, (1, width)),
            np.array([1.0]),
            np.array([np.inf]),
        ),
    ]


def encode_relaxed(
    problem: AssignmentProblem,
    demands: Demands,
    selected: Int[np.ndarray, " n"],
    taken: Bool[np.ndarray, "C n"],
) -> Float[np.ndarray, " V"]:
    """A selection and its assignment as values of `build_relaxed`'s variables."""
    used = np.zeros(problem.similarity.shape, bool)
    used[selected] = taken.T
    differs = [
        used[list(features), first] != used[list(features), second]
        for (first, second), features in demands.apart.items()
    ]
    return np.concatenate([encode(problem, selected, taken), *differs]).astype(float)

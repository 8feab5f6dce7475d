"""The best intercepts for given weights, by a linear program.

With the weights fixed, the program of `mip_program` has rows in differences of the
intercepts, the best rivals' scores and the lags alone: it is the dual of a network
flow, and its vertices are whole.
"""

from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Int

from qpm_jax import solvers
from qpm_jax.regression.problem import RegressionProblem, centred, margins_of


def best_intercepts(
    problem: RegressionProblem,
    coefficients: Int[np.ndarray, "C F"],
    time_limit: float = 60.0,
) -> Int[np.ndarray, " C"]:
    """Intercepts of least cost for given weights, within the problem's bound.

    Args:
        problem: the problem.
        coefficients: int [C, F].
        time_limit: seconds; past it, intercepts of 0 may come back.

    Returns:
        int64 [C], centred.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    classes = problem.num_classes
    none = np.zeros(classes, np.int64)
    scores = problem.scores(coefficients, none)
    program = _program(problem, scores)
    found = solvers.solve(program, "highs", time_limit=time_limit, threads=1)
    if found.status == "interrupted":
        raise KeyboardInterrupt  # what was pressed is meant for all that follows too
    if not found.found:
        return none
    whole = centred(np.round(found.values[:classes]).astype(np.int64))
    options = [option for option in (whole, none) if np.ptp(option) <= program.upper[0]]
    costs = [
        problem.margin_cost(margins_of(scores + option, problem.labels))
        for option in options
    ]
    return options[int(np.argmin(costs))]


def _program(
    problem: RegressionProblem, scores: Int[np.ndarray, "N C"]
) -> solvers.MixedIntegerProgram:
    """Variables b [C], r [N], e [N]; rows as in `mip_program`, the weights' sums given.

    Instances of one class with the same scores up to a constant share a row.
    """
    shifted = scores - scores.max(axis=1, keepdims=True)
    unique, counts = np.unique(
        np.column_stack([problem.labels, shifted]), axis=0, return_counts=True
    )
    labels, fixed = unique[:, 0], unique[:, 1:]
    instances, classes = fixed.shape
    own = labels[:, None] == np.arange(classes)
    eye: Any = scipy.sparse.eye_array(instances)
    rows = scipy.sparse.hstack(
        [
            scipy.sparse.kron(np.ones((instances, 1)), scipy.sparse.eye_array(classes)),
            -scipy.sparse.kron(eye, np.ones((classes, 1))),
            scipy.sparse.kron(eye, np.ones((classes, 1))).multiply(own.reshape(-1, 1)),
        ],
        format="csr",
    )
    free = np.full(instances, np.inf)
    widest = np.full(classes, 2.0 * problem.intercept_limit)
    alpha, beta = problem.alpha, problem.beta
    return solvers.MixedIntegerProgram(
        objective=np.concatenate(
            [-alpha * problem.class_counts, alpha * counts, (beta - alpha) * counts]
        ),
        rows=rows,
        row_lower=np.where(own, -fixed, -np.inf).reshape(-1),
        row_upper=np.where(own, np.inf, -fixed).reshape(-1),
        lower=np.concatenate([np.zeros(classes), -free, np.zeros(instances)]),
        upper=np.concatenate([widest, free, free]),
        integer=np.zeros(classes + 2 * instances, bool),
    )

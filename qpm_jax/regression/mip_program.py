"""The mixed-integer program of binarized regression, as small as we know it.

Tule, Le, Say, arXiv 2112.00434, the MIP, with its scores y, and then e⁺, substituted
out. With r_i the best rival's score, the margin is m_i = y_{l_i} − r_i, and
−φ(m) = −α m + (β − α) max(0, −m). So, in whole counts n_i of equal instances,

    minimise   Σ (w⁺ + w⁻) + Σ_i n_i (α r_i − α y_{l_i,i} + (β − α) e_i)
    subject to y_ci ≤ r_i                 for every instance i and class c ≠ l_i
               y_{l_i,i} ≥ r_i − e_i      for every instance i
    where      y_ci = Σ_f (w⁺_fc − w⁻_fc) x_fi + b_c stands for its sum.

w⁺ + w⁻ ≤ 1 needs no row: lowering both saves 2. Against the published form without y,
one row of two scores for each instance and wrong class, this one has half the entries
and the same linear relaxation.

For whole weights what is left are rows in differences of b, r and b − e, so all of
these are whole in some optimum. Solvers are told: they then know that for whole α and β
the objective is whole as well, and the last fraction of the bound, the slowest, is won
at once (MNIST 20 with HiGHS: proven in 4 s, against 0.01 % left after 25 s).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData, merge
from qpm_jax.regression.problem import RegressionProblem, centred, margins_of
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class MipProgram:
    """A program and what its variables mean.

    The variables are w⁺ [f, C], w⁻ [f, C], b [C], r [n] and e [n], one after another,
    over the merged data's n instances and f columns; b lies in 0 … 2B, B the bound on
    centred intercepts. All are whole, with finite bounds.

    Attributes:
        problem: what is solved.
        data: its merged data.
        program: the `MixedIntegerProgram`; its objective is the problem's.
    """

    problem: RegressionProblem
    data: MergedData
    program: MixedIntegerProgram


def build_mip(problem: RegressionProblem) -> MipProgram:
    """Builds the program with sparse products, no loop over anything.

    Args:
        problem: what is to be solved; features may be any whole numbers.

    Returns:
        The program.
    """
    data = merge(problem)
    instances = len(data.labels)
    classes = problem.num_classes
    # Row i·C + c is about instance i and class c, column f·C + c about its weight.
    scores: Any = scipy.sparse.kron(
        scipy.sparse.csr_array(data.features.astype(np.float64)),
        scipy.sparse.eye_array(classes),
        format="csr",
    )
    each = np.ones((instances, 1))
    intercepts = scipy.sparse.kron(each, scipy.sparse.eye_array(classes))
    rival = scipy.sparse.kron(scipy.sparse.eye_array(instances), np.ones((classes, 1)))
    own = np.zeros((instances, classes), bool)
    own[np.arange(instances), data.labels] = True
    places = np.flatnonzero(own), np.arange(instances)
    lag = scipy.sparse.coo_array((each[:, 0], places), shape=rival.shape)
    rows = scipy.sparse.hstack([scores, -scores, intercepts, -rival, lag], format="csr")
    lower, upper = _ranges(problem, data)
    program = MixedIntegerProgram(
        objective=_costs(problem, data),
        rows=rows,
        row_lower=np.where(own, 0.0, -np.inf).reshape(-1),
        row_upper=np.where(own, np.inf, 0.0).reshape(-1),
        lower=lower,
        upper=upper,
        integer=np.ones(len(lower), bool),
    )
    return MipProgram(problem, data, program)


def _costs(problem: RegressionProblem, data: MergedData) -> Float[np.ndarray, " V"]:
    alpha, beta = problem.alpha, problem.beta
    counted = np.zeros((problem.num_classes, len(data.labels)))
    counted[data.labels, np.arange(len(data.labels))] = data.counts
    sums = (data.features.T @ counted.T).reshape(-1)  # [f, C], as the weights
    return np.concatenate(
        [
            1 - alpha * sums,
            1 + alpha * sums,
            -alpha * problem.class_counts,
            alpha * data.counts,
            (beta - alpha) * data.counts,
        ]
    )


def _ranges(
    problem: RegressionProblem, data: MergedData
) -> tuple[Float[np.ndarray, " V"], Float[np.ndarray, " V"]]:
    """What every variable can be in an optimum: |y_ci − b_c| ≤ ‖x_i‖₁."""
    classes, widest = problem.num_classes, 2 * problem.intercept_limit
    sizes = np.repeat(data.sizes, classes)
    lengths = np.abs(data.features) @ data.sizes
    weights = 2 * len(sizes) + classes
    lower = [np.zeros(weights), -lengths, np.zeros(len(lengths))]
    upper = [
        sizes,
        sizes,
        np.full(classes, widest),
        lengths + widest,
        2 * lengths + widest,
    ]
    return np.concatenate(lower), np.concatenate(upper).astype(np.float64)


def read_weights(
    mip: MipProgram, values: Float[np.ndarray, " V"]
) -> tuple[Int[np.ndarray, "C F"], Int[np.ndarray, " C"]]:
    """Weights and intercepts from a program's variables.

    Args:
        mip: the program.
        values: float64 [V], a solution.

    Returns:
        int64 [C, F] in {−1, 0, 1}; int64 [C], centred.
    """
    classes = mip.problem.num_classes
    both = values[: 2 * len(mip.data.sizes) * classes].reshape(2, -1, classes)
    merged = np.round(both[0] - both[1]).astype(np.int64).T
    intercepts = values[both.size : both.size + classes]
    return mip.data.spread(merged), centred(np.round(intercepts).astype(np.int64))


def write_weights(
    mip: MipProgram,
    coefficients: Int[np.ndarray, "C F"],
    intercepts: Int[np.ndarray, " C"],
) -> Float[np.ndarray, " V"]:
    """A program's variables for given weights, a start for a solver.

    Args:
        mip: the program.
        coefficients: int [C, F] in {−1, 0, 1}; those of dropped features are left out.
        intercepts: int [C], of any shift; those beyond the bound are cut off.

    Returns:
        float64 [V], feasible.
    """
    data, limit = mip.data, mip.problem.intercept_limit
    merged = data.gather(np.asarray(coefficients, np.int64))
    offsets = np.clip(centred(intercepts) + limit, 0, 2 * limit)
    scores = data.features @ merged.T + offsets
    margins = margins_of(scores, data.labels)
    own = scores[np.arange(len(margins)), data.labels]
    parts = (
        np.maximum(merged, 0).T.reshape(-1),
        np.maximum(-merged, 0).T.reshape(-1),
        offsets,
        own - margins,
        np.maximum(-margins, 0),
    )
    return np.concatenate(parts).astype(np.float64)

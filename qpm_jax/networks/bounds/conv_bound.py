"""A lower bound of the objective from pairs of images, whatever the filters are.

Ours: the linear program

    min (1/N) Σ ξ + λ₁ Σ s   over the rows of `pair_rows`,

s ≥ |w| summed over channels. Any set of pairs gives a valid bound.
"""

import numpy as np

from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.pair_rows import PAIRS, pair_rows
from qpm_jax.networks.programs.rows import stacked
from qpm_jax.solvers import MixedIntegerProgram


def pair_bound(problem: ConvProblem, time_limit: float, pairs: int = PAIRS) -> float:
    """The bound, 0 where time is over first.

    Args:
        problem: the problem.
        time_limit: seconds for the linear program.
        pairs: at most so many, the nearest of different classes.
    """
    if time_limit <= 0 or not problem.l1:
        return 0.0
    program = _pair_program(problem, pairs)
    if not program.rows.shape[0]:
        return 0.0
    answer = inner_solve(program, time_limit)
    return max(0.0, answer.bound) if np.isfinite(answer.bound) else 0.0


def _pair_program(problem: ConvProblem, pairs: int) -> MixedIntegerProgram:
    height, width, _ = problem.pooled_shape
    outputs = problem.codes.shape[1]
    sizes = np.arange(outputs * height * width).reshape(outputs, height * width, 1)
    parts = 1 if problem.label_encoding == "one_hot" else outputs
    losses = sizes.size + np.arange(len(problem.labels) * parts).reshape(-1, parts)
    total = sizes.size + losses.size
    matrix, row_lower, row_upper = stacked(
        [pair_rows(problem, sizes, losses, pairs)], total
    )
    costs = np.full(total, problem.l1)
    costs[losses] = 1.0 / len(problem.labels)
    return MixedIntegerProgram(
        objective=costs,
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=np.zeros(total),
        upper=np.full(total, np.inf),
        integer=np.zeros(total, bool),
    )

"""Big-M values from linear programs over the relaxation of the whole program.

docs/networks.md, "Bounds": over the relaxation of the whole program, cut off at the
best objective that is known, z is maximised and minimised for every instance, and the
result widened by a margin (the source has one; its value is not given). Neurons of a
layer are alike in the relaxation without symmetry rows, so one stands for all; where a
`LinearRule` or the bounds given single neurons out, each has linear programs of its
own. They are shared among threads (`solve_objectives`).
"""

import dataclasses
import time

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.networks.bounds.intervals import PreactivationBounds
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.rules import LinearRule
from qpm_jax.solvers import MixedIntegerProgram, solve_objectives

MARGIN = 0.01


def tightened_bounds(
    problem: NetworkProblem,
    bounds: PreactivationBounds,
    objective: float,
    time_limit: float = 60.0,
    threads: int = 1,
    margin: float = MARGIN,
) -> PreactivationBounds:
    """Bounds from the relaxation, layer by layer, each with those before in place.

    Args:
        problem: the problem; of the "bilinear" family, only the first layer.
        bounds: that hold already.
        objective: of a network that is known.
        time_limit: seconds; what there is no time for keeps its bounds.
        threads: among which the linear programs are shared.
        margin: the part of its size by which a bound is widened.

    Returns:
        Bounds that hold for every network of at most that objective, none wider than
        those given.
    """
    deadline = time.perf_counter() + time_limit
    linear = problem.family.name != "bilinear"
    neurons = slice(1) if _alike(problem, bounds) else slice(None)
    for layer in range(len(problem.hidden) if linear else 1):
        dense = build_dense(problem, bounds=bounds, ordered=False)
        values = dense.columns.layers[layer].values[:, neurons]
        program = _relaxation(dense.program, objective)
        left = deadline - time.perf_counter()
        found = _extremes(program, values.reshape(-1), left, threads)
        least, most = (each.reshape(values.shape) for each in found)
        lower, upper = list(bounds.lower), list(bounds.upper)
        lower[layer] = np.maximum(lower[layer], _widened(least, -margin))
        upper[layer] = np.minimum(upper[layer], _widened(most, margin))
        bounds = PreactivationBounds(tuple(lower), tuple(upper))
    return bounds


def _alike(problem: NetworkProblem, bounds: PreactivationBounds) -> bool:
    """Whether the neurons of a layer may change places, those of all layers at once."""
    hidden = range(len(problem.hidden))
    given = [side[layer] for side in (bounds.lower, bounds.upper) for layer in hidden]
    singled = any(isinstance(rule, LinearRule) for rule in problem.rules)
    return not singled and all((each == each[:, :1]).all() for each in given)


def _widened(values: Float[np.ndarray, "N n"], margin: float) -> np.ndarray:
    return values + margin * np.maximum(np.abs(values), 1.0)


def _relaxation(program: MixedIntegerProgram, objective: float) -> MixedIntegerProgram:
    """The program without integers, its objective a row."""
    cut = scipy.sparse.csr_array(program.objective[None])
    return dataclasses.replace(
        program,
        objective=np.zeros(program.num_variables),
        rows=scipy.sparse.vstack([program.rows, cut], format="csr"),
        row_lower=np.r_[program.row_lower, -np.inf],
        row_upper=np.r_[program.row_upper, objective + 1e-6 * max(1.0, objective)],
        integer=np.zeros(program.num_variables, bool),
        bilinear=None,
    )


def _extremes(
    program: MixedIntegerProgram,
    columns: Int[np.ndarray, " K"],
    time_limit: float,
    threads: int,
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """The least and the most of variables; ∓inf where there was no time."""
    number = len(columns)
    ones = scipy.sparse.csr_array(
        (np.ones(number), (np.arange(number), columns)),
        shape=(number, program.num_variables),
    )
    both = scipy.sparse.vstack([ones, -ones], format="csr")
    found = solve_objectives(program, both, max(0.0, time_limit), threads)
    return found[:number], -found[number:]

"""Big-M values from linear programs over the relaxation of the whole program.

docs/networks.md, "Bounds": over the relaxation of the whole program, cut off at the
best objective that is known, z is maximised and minimised for every instance, and the
result widened by a margin (the source has one; its value is not given). Neurons of a
layer are alike in the relaxation without symmetry rows, so one stands for all; where a
`LinearRule` or the bounds given single neurons out, each has linear programs of its
own. Instances are shared among processes.
"""

import concurrent.futures
import dataclasses
import multiprocessing
import time
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.networks.bounds.intervals import PreactivationBounds
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.rules import LinearRule
from qpm_jax.solvers import MixedIntegerProgram

MARGIN = 0.01


def tightened_bounds(
    problem: NetworkProblem,
    bounds: PreactivationBounds,
    objective: float,
    time_limit: float = 60.0,
    processes: int = 1,
    margin: float = MARGIN,
) -> PreactivationBounds:
    """Bounds from the relaxation, layer by layer, each with those before in place.

    Args:
        problem: the problem; of the "bilinear" family, only the first layer.
        bounds: that hold already.
        objective: of a network that is known.
        time_limit: seconds; what there is no time for keeps its bounds.
        processes: how many to share the instances among.
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
        found = _shared_extremes(program, values.reshape(-1), left, processes)
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


def _shared_extremes(
    program: MixedIntegerProgram,
    columns: Int[np.ndarray, " N"],
    time_limit: float,
    processes: int,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Extremes of columns, in one process or several."""
    if processes <= 1 or len(columns) < 2 * processes:
        return extremes(program, columns, time_limit)
    parts = np.array_split(columns, processes)
    # Forking a process that runs JAX's threads can hang.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context) as pool:
        jobs = [pool.submit(extremes, program, part, time_limit) for part in parts]
        found = [job.result() for job in jobs]
    least, most = zip(*found, strict=True)
    return np.concatenate(least), np.concatenate(most)


def extremes(
    program: MixedIntegerProgram, columns: Int[np.ndarray, " N"], time_limit: float
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The least and the most of variables over a linear program.

    One model is kept and only its costs change, so a solve starts from the last basis.

    Args:
        program: linear, without integers.
        columns: the variables.
        time_limit: seconds.

    Returns:
        float64 [N] each; ∓inf where there was no time.
    """
    import highspy

    from qpm_jax.solvers.highs import build

    deadline = time.perf_counter() + time_limit
    solver: Any = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    build(solver, program)
    found = np.stack([np.full(len(columns), -np.inf), np.full(len(columns), np.inf)])
    for side, cost in enumerate((1.0, -1.0)):
        for place, column in enumerate(columns.tolist()):
            left = deadline - time.perf_counter()
            if left <= 0:
                return found[0], found[1]
            solver.setOptionValue("time_limit", solver.getRunTime() + left)
            solver.changeColCost(column, cost)
            solver.run()
            if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                value = solver.getInfo().objective_function_value
                found[side, place] = cost * value
            solver.changeColCost(column, 0.0)
    return found[0], found[1]

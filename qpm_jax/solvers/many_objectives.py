"""One linear program for many objectives, as HiGHS solves it.

One model is kept and only its costs change, so every solve starts from the basis of the
one before. HiGHS lets Python run while it solves, so several threads, each with a model
of its own, share the objectives among them.
"""

import concurrent.futures
import dataclasses
import threading
import time
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.solvers import checks
from qpm_jax.solvers.highs import build
from qpm_jax.solvers.listening import run_interruptibly
from qpm_jax.solvers.options import check_limits
from qpm_jax.solvers.program import MixedIntegerProgram


def solve_objectives(
    program: MixedIntegerProgram,
    objectives: Any,
    time_limit: float = 60.0,
    threads: int = 1,
) -> Float[np.ndarray, " K"]:
    """The best value of every objective over one linear program.

    Args:
        program: linear, without integers; its own objective plays no part.
        objectives: [K, V], an array or scipy sparse.
        time_limit: seconds, for all of them; 0 returns at once.
        threads: among which the objectives are shared.

    Returns:
        float64 [K], minima within HiGHS's tolerances, or maxima where the program
        maximises; ∓inf where none is known: there was no time for it, or the program
        is infeasible or unbounded.

    Raises:
        ValueError: when the program has more than linear rows, or an argument is
            malformed.
        KeyboardInterrupt: after the solves under way.
    """
    check_limits(time_limit, 0.0, threads)
    if not program.is_linear or program.integer.any():
        raise ValueError(
            "program has integers or more than linear rows; give a linear program,"
            " such as its relaxation."
        )
    deadline = time.perf_counter() + time_limit
    costs = checks.sparse("objectives", objectives, program.num_variables)
    parts = np.array_split(np.arange(len(costs.indptr) - 1), threads)
    bare = dataclasses.replace(program, objective=np.zeros(program.num_variables))
    stop = threading.Event()
    found: list[np.ndarray] = []

    def work() -> None:
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            jobs = [
                pool.submit(_solve_in_turn, bare, costs[part], deadline, stop)
                for part in parts
            ]
            found.extend(job.result() for job in jobs)

    if run_interruptibly(work, stop.set):
        raise KeyboardInterrupt
    return np.concatenate(found)


def _solve_in_turn(
    program: MixedIntegerProgram, costs: Any, deadline: float, stop: threading.Event
) -> Float[np.ndarray, " K"]:
    """One objective after another, until the deadline or an order to stop."""
    import highspy

    solver: Any = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    build(solver, program)
    best = np.full(costs.shape[0], np.inf if program.maximise else -np.inf)
    for place in range(len(best)):
        left = deadline - time.perf_counter()
        if left <= 0 or stop.is_set():
            break
        entries = slice(costs.indptr[place], costs.indptr[place + 1])
        columns = costs.indices[entries].astype(np.int32)
        solver.changeColsCost(len(columns), columns, costs.data[entries])
        # The clock of a model runs on from solve to solve.
        solver.setOptionValue("time_limit", solver.getRunTime() + left)
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            best[place] = solver.getInfo().objective_function_value
        solver.changeColsCost(len(columns), columns, np.zeros(len(columns)))
    return best

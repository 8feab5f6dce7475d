"""The assignment problem by a proving solver, uniqueness on demand.

The linear model is solved without the demand that classes differ, an upper bound. Its
selection is given its best assignment with different classes, a lower bound. Where the
two do not meet, the classes found equal are cut apart and the model is solved again.
"""

import itertools
import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment import refine
from qpm_jax.assignment.exact_model import (
    UniquenessCut,
    build_program,
    decode,
    encode,
)
from qpm_jax.assignment.native import Incumbent, first_incumbent, solve_native
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.result import Assignment, make_assignment, relative_gap
from qpm_jax.assignment.uniqueness import top_features
from qpm_jax.solvers import Solution
from qpm_jax.solvers import solve as solve_program

Progress = Callable[[float, float, float], object]

# Below this many values the host's own search is quicker than compiling one.
_SMALL = 20_000
# Solvers prove to about this relative tolerance.
_PROVEN = 1e-6


def solve_exact(
    problem: AssignmentProblem,
    solver: str,
    time_limit: float = 60.0,
    seed: int = 0,
    gap: float = 0.0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Assignment:
    """Solves an `AssignmentProblem` as a mixed-integer program.

    Args:
        problem: the problem.
        solver: "highs", "scip" or "gurobi".
        time_limit: seconds, the native warm start (at most a fifth) included.
        seed: of the warm start and the solver.
        gap: relative gap at which to stop, 0 for a proof.
        threads: of the solver, None for its default.
        progress: called with (objective, bound, seconds).

    Returns:
        The best solution found, checked; never worse than the warm start.

    Raises:
        ValueError: when the solver is missing or its licence is too small.
    """
    started = time.perf_counter()
    host = refine.host_arrays(problem)
    best = _warm_start(problem, host, time_limit, seed)
    cuts: dict[UniquenessCut, None] = {}
    status: str | None = None
    try:
        while status is None and time.perf_counter() - started < time_limit:
            start = encode(
                problem, best.selected, refine.solution_of(host, best.selected)[0]
            )
            solution = solve_program(
                build_program(problem, cuts),
                solver,
                time_limit=max(0.0, time_limit - (time.perf_counter() - started)),
                gap=gap,
                threads=threads,
                seed=seed,
                warm_start=start,
                progress=_reporter(progress, best, started),
            )
            best = _take(host, problem, solution, best)
            status = _status(solution, best, gap)
            if status is None:
                new = _new_cuts(host, problem, solution, cuts)
                cuts.update(dict.fromkeys(new))
                # Without a new cut what is left is less than the solver's tolerances.
                status = None if new else "stalled"
    except KeyboardInterrupt:
        status = "interrupted"
    assignment, _ = refine.solution_of(host, best.selected)
    seconds = time.perf_counter() - started
    return make_assignment(
        problem,
        best.selected,
        assignment,
        best.bound,
        seconds,
        solver,
        status or "time_limit",
    )


def _warm_start(
    problem: AssignmentProblem, host: refine.HostArrays, time_limit: float, seed: int
) -> Incumbent:
    if host.values.size <= _SMALL:
        first = first_incumbent(problem, host)
        selected, value = refine.refine(
            host, first.selected, time.perf_counter() + time_limit / 5
        )
        return Incumbent(np.sort(selected), value, np.inf)
    found = solve_native(problem, time_limit / 5, seed, patience=10)
    return Incumbent(found.selected, found.objective, found.bound)


def _status(solution: Solution, best: Incumbent, gap: float) -> str | None:
    """Why to end, or None where the model has to be cut and solved again."""
    closed = relative_gap(best.value, best.bound)
    if closed <= _PROVEN:
        return "optimal"
    if closed <= gap:
        return "gap_reached"
    if solution.status in ("time_limit", "interrupted"):
        return solution.status
    return None


def _reporter(
    progress: Progress | None, best: Incumbent, started: float
) -> Progress | None:
    """Reports the solver's bound beside the best objective with different classes."""
    if progress is None:
        return None
    return lambda _, bound, __: progress(
        best.value, min(bound, best.bound), time.perf_counter() - started
    )


def _take(
    host: refine.HostArrays,
    problem: AssignmentProblem,
    solution: Solution,
    best: Incumbent,
) -> Incumbent:
    """The better of the incumbent and the solver's selection, and the lower bound."""
    bound = min(best.bound, solution.bound)
    if solution.found:
        selected, _ = decode(problem, solution.values)
        value = refine.solution_of(host, selected)[1]
        if value > best.value:
            return Incumbent(selected, value, max(bound, value))
    return Incumbent(best.selected, best.value, max(bound, best.value))


def _new_cuts(
    host: refine.HostArrays,
    problem: AssignmentProblem,
    solution: Solution,
    cuts: dict[UniquenessCut, None],
) -> list[UniquenessCut]:
    """Cuts against every pair of equal classes in the solver's solution."""
    selected, used = decode(problem, solution.values)
    assignment = _whole_assignment(host, selected, used, cuts)
    _, inverse = np.unique(assignment, axis=0, return_inverse=True)
    groups = (np.flatnonzero(inverse == group) for group in range(inverse.max() + 1))
    found = [
        UniquenessCut(
            (int(first), int(second)),
            tuple(int(feature) for feature in selected[assignment[first]]),
        )
        for group in groups
        for first, second in itertools.combinations(group.tolist(), 2)
    ]
    return [cut for cut in found if cut not in cuts]


def _whole_assignment(
    host: refine.HostArrays,
    selected: Int[np.ndarray, " n"],
    used: Float[np.ndarray, "C n"],
    cuts: dict[UniquenessCut, None],
) -> Bool[np.ndarray, "C n"]:
    """X of the classes in cuts, where it is integer; the best features of the others.

    A class in no cut is free to take its best; x may be fractional there only in ties.
    """
    assignment = top_features(host.values[:, selected], host.class_sizes)
    in_cut = sorted({number for cut in cuts for number in cut.classes})
    assignment[in_cut] = used[in_cut] > 0.5
    return assignment

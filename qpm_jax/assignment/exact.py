"""The assignment problem by a proving solver, uniqueness on demand.

The linear model is solved without the demand that classes differ, an upper bound. Its
selection is given its best assignment with different classes, a lower bound. Where the
two do not meet, the classes found equal are cut apart and the model is solved again.
"""

import functools
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.exact_model import (
    UniquenessCut,
    build_program,
    decode,
    encode,
)
from qpm_jax.assignment.fixed_selection import assign_selection
from qpm_jax.assignment.native import refine
from qpm_jax.assignment.native.solver import first_incumbent, solve_native
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.result import Assignment, make_assignment
from qpm_jax.assignment.uniqueness import top_features
from qpm_jax.solvers import Solution
from qpm_jax.solvers import solve as solve_program
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import relative_gap

# Below this many values the host's own search is quicker than compiling one.
_SMALL = 20_000
# Solvers prove to about this relative tolerance.
_PROVEN = 1e-6


@dataclass(frozen=True, eq=False)
class Incumbent:
    """The best feasible solution known at some moment.

    Attributes:
        selected: int64 [n].
        taken: bool [C, n], which of those a class takes.
        value: its Z.
        bound: upper bound on Z.
    """

    selected: Int[np.ndarray, " n"]
    taken: Bool[np.ndarray, "C n"]
    value: float
    bound: float


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
        problem: the problem; ternary and min_classes too.
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
    run = functools.partial(
        solve_program, solver=solver, gap=gap, threads=threads, seed=seed
    )
    best, interrupted = _warm_start(problem, time_limit, seed)
    status: str | None = "interrupted" if interrupted else None
    rounds = _rounds(problem, best, run, started, time_limit, progress)
    try:
        for latest, reason in () if interrupted else rounds:
            best, status = latest, _closed(latest, gap) or reason
            if status is not None:
                break
    except KeyboardInterrupt:
        status = "interrupted"
    seconds = time.perf_counter() - started
    return make_assignment(
        problem,
        best.selected,
        best.taken,
        best.bound,
        seconds,
        solver,
        status or "time_limit",
    )


def _rounds(
    problem: AssignmentProblem,
    best: Incumbent,
    run: Callable[..., Solution],
    started: float,
    time_limit: float,
    progress: Progress | None,
) -> Iterator[tuple[Incumbent, str | None]]:
    """The incumbent after every solve, and why to end where the solver has a reason."""
    cuts: dict[UniquenessCut, None] = {}
    while (left := time_limit - (time.perf_counter() - started)) > 0:
        solution = run(
            build_program(problem, cuts),
            time_limit=left,
            warm_start=encode(problem, best.selected, best.taken),
            progress=_reporter(progress, best, started),
        )
        best = _take(problem, solution, best)
        stopped = solution.status in ("time_limit", "interrupted")
        yield best, solution.status if stopped else None
        new = _new_cuts(problem, solution, cuts)
        cuts.update(dict.fromkeys(new))
        if not new:
            # What is left is less than the solver's tolerances.
            yield best, "stalled"


def _warm_start(
    problem: AssignmentProblem, time_limit: float, seed: int
) -> tuple[Incumbent, bool]:
    """A local search, and a bound for large problems; and whether Ctrl-C ended it."""
    bound, interrupted = np.inf, False
    if problem.values.size <= _SMALL:
        host = refine.host_arrays(problem)
        first = first_incumbent(problem, host)
        deadline = time.perf_counter() + time_limit / 5
        selected = np.sort(refine.refine(host, first.selected, deadline)[0])
    else:
        found = solve_native(problem, time_limit / 5, seed, patience=10)
        selected, bound = found.selected, found.bound
        interrupted = found.status == "interrupted"
    first = Incumbent(selected, *assign_selection(problem, selected), bound)
    return first, interrupted


def _closed(best: Incumbent, gap: float) -> str | None:
    """Why to end where objective and bound are close enough."""
    remaining = relative_gap(best.value, best.bound)
    if remaining <= _PROVEN:
        return "optimal"
    return "gap_reached" if remaining <= gap else None


def _reporter(
    progress: Progress | None, best: Incumbent, started: float
) -> Progress | None:
    """Reports the solver's bound beside the best objective with different classes."""
    if progress is None:
        return None
    return lambda _, bound, __: progress(
        best.value, min(bound, best.bound), time.perf_counter() - started
    )


def _take(problem: AssignmentProblem, solution: Solution, best: Incumbent) -> Incumbent:
    """The better of the incumbent and the solver's selection, and the lower bound."""
    bound = min(best.bound, solution.bound)
    found = [(best.selected, best.taken, best.value)]
    if solution.found:
        selected, used = decode(problem, solution.values)
        found.append((selected, *assign_selection(problem, selected)))
        rows = problem.signed(selected, used > 0.5)
        if problem.min_classes and len(np.unique(rows, axis=0)) == len(rows):
            # All of x is integer: the solver's own assignment is feasible, and better.
            found.append((selected, used > 0.5, problem.objective(selected, rows)))
    return Incumbent(*max(found, key=lambda candidate: candidate[2]), bound)


def _new_cuts(
    problem: AssignmentProblem,
    solution: Solution,
    cuts: dict[UniquenessCut, None],
) -> list[UniquenessCut]:
    """Cuts against every pair of equal classes in the solver's solution."""
    selected, used = decode(problem, solution.values)
    taken = _whole_assignment(problem, selected, used, cuts)
    rows = problem.signed(selected, taken)
    _, inverse = np.unique(rows, axis=0, return_inverse=True)
    groups = (np.flatnonzero(inverse == group) for group in range(inverse.max() + 1))
    found = [
        UniquenessCut(
            (int(first), int(second)),
            tuple(int(feature) for feature in selected[taken[first]]),
        )
        for group in groups
        for first, second in itertools.combinations(group.tolist(), 2)
    ]
    return [cut for cut in found if cut not in cuts]


def _whole_assignment(
    problem: AssignmentProblem,
    selected: Int[np.ndarray, " n"],
    used: Float[np.ndarray, "C n"],
    cuts: dict[UniquenessCut, None],
) -> Bool[np.ndarray, "C n"]:
    """X of the classes in cuts, where it is integer; the best features of the others.

    A class in no cut is free to take its best; x may be fractional there only in ties.
    """
    if problem.min_classes:
        return used > 0.5
    taken = top_features(problem.values[:, selected], problem.class_sizes)
    in_cut = sorted({number for cut in cuts for number in cut.classes})
    taken[in_cut] = used[in_cut] > 0.5
    return taken

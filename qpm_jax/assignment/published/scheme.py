"""The paper's iterative relaxation, step by step, on any exact solver.

docs/formulas.md, The published iterative relaxation (arXiv 2502.20130, section 4.1.1).
A model with one budget for all classes is solved; then classes that came out short get
their own budget, and classes that came out equal must differ, until neither happens. As
shipped a class's budget counts only features that some solve has selected, which cuts
good solutions off; `all_features` counts all.
"""

import functools
import logging
import time
from dataclasses import dataclass

import numpy as np

from qpm_jax.assignment.fixed_selection import assign_selection
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.published.steps import (
    SchemeState,
    first_state,
    next_state,
    solve_step,
)
from qpm_jax.assignment.result import Assignment, make_assignment
from qpm_jax.solvers import Solution
from qpm_jax.solvers import solve as solve_program
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import relative_gap

EXACT_SOLVERS = ("highs", "scip", "gurobi")
_PROVEN = 1e-6
_LOGGER = logging.getLogger("qpm_jax")


@dataclass(frozen=True)
class PublishedStep:
    """One solve of the scheme.

    Attributes:
        objective: of the relaxed model, not of the problem; NaN without a solution.
        bound: of the relaxed model.
        gap: relative, of the relaxed model.
        status: of the solver.
        budgets: classes with a budget of their own.
        apart: pairs of classes that must differ.
        seconds: since the start.
    """

    objective: float
    bound: float
    gap: float
    status: str
    budgets: int
    apart: int
    seconds: float


@dataclass(frozen=True)
class PublishedTrace:
    """What the published code logs.

    Attributes:
        initial_objective: of the first, relaxed model.
        final_objective: Z of the answer.
        lost_to_relaxation: their difference.
        steps: every solve in order.
    """

    initial_objective: float
    final_objective: float
    lost_to_relaxation: float
    steps: tuple[PublishedStep, ...]


def solve_published(
    problem: AssignmentProblem,
    time_limit: float = 60.0,
    seed: int = 0,
    gap: float = 0.0,
    threads: int | None = None,
    progress: Progress | None = None,
    exact_solver: str = "highs",
    all_features: bool = False,
) -> tuple[Assignment, PublishedTrace]:
    """Solves an `AssignmentProblem` as the published code does.

    Args:
        problem: the problem, without ternary and min_classes.
        time_limit: seconds for all solves together.
        seed: of the exact solver.
        gap: relative gap of every solve; the paper's solver has 1e-4.
        threads: of the exact solver, None for its default.
        progress: called with (−inf, bound, seconds): before the end no solution with
            all classes different is known. At the end with Z.
        exact_solver: "highs", "scip" or "gurobi".
        all_features: False as shipped; True lets a class's budget count all features,
            without which the scheme is not exact.

    Returns:
        The assignment, and the objective of every solve. The status is "stalled" when
        the scheme ended and its bound, that of the solves which relax the problem, does
        not prove the optimum. Cut short, it is the last selection with its best
        assignment.

    Raises:
        ValueError: for an exact solver that is unknown, missing or of too small a
            licence, and for ternary and min_classes.
    """
    _check(problem, exact_solver)
    started = time.perf_counter()
    run = functools.partial(
        solve_program, solver=exact_solver, gap=gap, threads=threads, seed=seed
    )
    state, status = first_state(problem, all_features), "time_limit"
    steps: list[PublishedStep] = []
    try:
        while (left := time_limit - (time.perf_counter() - started)) > 0:
            solution = solve_step(
                problem, state, run, left, _reporter(progress, state, started)
            )
            steps.append(_step(solution, state, time.perf_counter() - started))
            state = next_state(problem, state, solution)
            if state.finished or solution.status in ("time_limit", "interrupted"):
                status = "stalled" if state.finished else solution.status
                break
    except KeyboardInterrupt:
        status = "interrupted"
    result = _result(problem, state, gap, status, time.perf_counter() - started)
    if progress is not None and status != "interrupted":
        progress(result.objective, result.bound, result.seconds)
    return result, _trace(result, steps)


def _check(problem: AssignmentProblem, exact_solver: str) -> None:
    if exact_solver not in EXACT_SOLVERS:
        raise ValueError(
            f"exact_solver is {exact_solver!r}; choose one of"
            f" {', '.join(EXACT_SOLVERS)}."
        )
    for name in ("ternary", "min_classes"):
        if getattr(problem, name):
            raise ValueError(
                f"{name}={getattr(problem, name)} is not part of the published scheme;"
                f" choose solver={exact_solver!r} instead of 'published'."
            )


def _reporter(
    progress: Progress | None, state: SchemeState, started: float
) -> Progress | None:
    """Reports the bound of models that relax the problem; the others bound nothing."""
    if progress is None:
        return None
    return lambda _, bound, __: progress(
        -np.inf,
        min(bound, state.bound) if state.relaxes else state.bound,
        time.perf_counter() - started,
    )


def _step(solution: Solution, state: SchemeState, seconds: float) -> PublishedStep:
    step = PublishedStep(
        solution.objective,
        solution.bound,
        solution.gap,
        solution.status,
        int(state.demands.short.sum()),
        len(state.demands.apart),
        seconds,
    )
    _LOGGER.info(
        "published scheme: objective %.6g, gap %.2e, %d budgets, %d pairs apart",
        step.objective,
        step.gap,
        step.budgets,
        step.apart,
    )
    return step


def _result(
    problem: AssignmentProblem,
    state: SchemeState,
    gap: float,
    status: str,
    seconds: float,
) -> Assignment:
    if state.finished:
        taken = state.taken
        objective = problem.objective(state.selected, taken)
    else:
        taken, objective = assign_selection(problem, state.selected)
    if status != "interrupted":
        remaining = relative_gap(objective, state.bound)
        if remaining <= _PROVEN:
            status = "optimal"
        elif remaining <= gap:
            status = "gap_reached"
    return make_assignment(
        problem, state.selected, taken, state.bound, seconds, "published", status
    )


def _trace(result: Assignment, steps: list[PublishedStep]) -> PublishedTrace:
    initial = steps[0].objective if steps else result.objective
    trace = PublishedTrace(
        initial, result.objective, initial - result.objective, tuple(steps)
    )
    _LOGGER.info(
        "published scheme: initial objective %.6g, final %.6g, lost to relaxation %.6g",
        trace.initial_objective,
        trace.final_objective,
        trace.lost_to_relaxation,
    )
    return trace

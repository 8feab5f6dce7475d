"""Solves a program with the solver named."""

import importlib
import math
import time

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.solvers.options import Options, Progress
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.registry import SOLVERS, SolverInfo
from qpm_jax.solvers.solution import (
    FEASIBILITY_TOLERANCE,
    RawAnswer,
    Solution,
    better,
    evaluate,
    make_solution,
)


def solve(
    program: MixedIntegerProgram,
    solver: str = "highs",
    time_limit: float = 60.0,
    gap: float = 0.0,
    threads: int | None = None,
    seed: int = 0,
    warm_start: Float[ArrayLike, " V"] | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Solves a mixed-integer program.

    Args:
        program: what to solve.
        solver: "highs", "scip" or "gurobi"; `solvers.available()` says what is there.
        time_limit: seconds.
        gap: relative gap at which to stop, 0 for a proof.
        threads: None for the solver's default.
        seed: of the solver's own randomness.
        warm_start: [V], a solution to start from; the result is never worse.
        progress: called with (objective, bound, seconds) when the solver reports.

    Returns:
        A `Solution`, evaluated outside the solver.

    Raises:
        ValueError: when the solver is unknown, not installed, cannot take a part of the
            program, or its licence is too small.
    """
    _check_arguments(solver, time_limit, gap, threads)
    _check_takes(program, SOLVERS[solver])
    start = _start(program, warm_start, solver)
    report = None if progress is None else _with_infinities(progress)
    options = Options(
        time_limit,
        gap,
        threads,
        seed,
        None if start is None else start.values,
        report,
    )
    started = time.perf_counter()
    run = importlib.import_module(f"qpm_jax.solvers.{solver}").run
    try:
        answer = run(program, options)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"solver={solver!r} needs the package {SOLVERS[solver].package}, which is"
            f" not installed: pip install {SOLVERS[solver].package}."
        ) from error
    solution = make_solution(program, answer, time.perf_counter() - started, solver)
    return solution if start is None else better(program, solution, start)


def _check_arguments(
    solver: str, time_limit: float, gap: float, threads: int | None
) -> None:
    if solver == "exact":
        raise ValueError(
            f"solver='exact' is not available yet; choose one of {', '.join(SOLVERS)}."
        )
    if solver not in SOLVERS:
        raise ValueError(f"solver is {solver!r}; choose one of {', '.join(SOLVERS)}.")
    if not time_limit >= 0:
        raise ValueError(f"time_limit is {time_limit}; it must be 0 seconds or more.")
    if not gap >= 0:
        raise ValueError(f"gap is {gap}; it must be a fraction of 0 or more.")
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; it must be 1 or more, or None.")


def _with_infinities(progress: Progress) -> Progress:
    """Passes on ±inf where a solver says 1e20 or more for "nothing yet"."""

    def value(number: float) -> float:
        return math.copysign(math.inf, number) if abs(number) >= 1e20 else number

    return lambda objective, bound, seconds: progress(
        value(objective), value(bound), seconds
    )


def _start(
    program: MixedIntegerProgram, warm_start: ArrayLike | None, solver: str
) -> Solution | None:
    """The warm start as a solution; None where it is no solution of the program."""
    if warm_start is None:
        return None
    values = np.array(warm_start, np.float64)
    if values.shape != (program.num_variables,):
        raise ValueError(
            f"warm_start has shape {values.shape}; it needs one value for each of the"
            f" {program.num_variables} variables."
        )
    if np.isnan(values).any() or evaluate(program, values)[1] > FEASIBILITY_TOLERANCE:
        raise ValueError("warm_start breaks the program; give a feasible one or None.")
    unknown = np.inf if program.maximise else -np.inf
    return make_solution(program, RawAnswer(values, unknown, "stalled"), 0.0, solver)


def _check_takes(program: MixedIntegerProgram, info: SolverInfo) -> None:
    for part in ("quadratic", "indicators", "bilinear"):
        if getattr(program, part) is None or part in info.takes:
            continue
        able = [name for name, other in SOLVERS.items() if part in other.takes]
        advice = (
            f"choose {' or '.join(able)}" if able else "no solver here takes it yet"
        )
        raise ValueError(
            f"solver={info.name!r} cannot take the {part} part of the program;"
            f" {advice}."
        )

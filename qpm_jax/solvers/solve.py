"""Solves a program with the solver named."""

import dataclasses
import importlib
import time

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from qpm_jax.solvers.listening import Reporter
from qpm_jax.solvers.options import Incumbent, Options, Progress
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.registry import SOLVERS, SolverInfo, check_installed
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
    incumbent: Incumbent | None = None,
) -> Solution:
    """Solves a mixed-integer program.

    Ctrl-C, or a `KeyboardInterrupt` raised by `progress` or `incumbent`, ends the solve
    and returns the best solution so far with status "interrupted". Infeasible and
    unbounded programs come back with these statuses and no values.

    Args:
        program: what to solve.
        solver: "highs", "scip", "gurobi", or, for programs of whole numbers alone,
            "exact"; `solvers.available()` says what is there.
        time_limit: seconds, building the solver's model included; 0 returns at once.
        gap: relative gap at which to stop, 0 for a proof.
        threads: None for the solver's default; Exact has one.
        seed: of the solver's own randomness.
        warm_start: [V], a solution to start from; the result is never worse. Entries
            may be NaN for "unknown": the solver then tries to complete the others, and
            may drop them (HiGHS and Gurobi solve a smaller program, SCIP has a
            heuristic that wants most entries of integer variables, Exact tries these
            values first).
        progress: called with (objective, bound, seconds) at every incumbent and, a few
            times a second, as the bound moves; ±inf for "none yet". A linear program
            without integers reports nothing, Exact only after slices of up to 8 s.
        incumbent: called with the values of every incumbent of a program with integers
            as it is found, float64 [V], not yet checked; Gurobi tells of others, too.
            The solver waits meanwhile.

    Returns:
        A `Solution`, evaluated outside the solver.

    Raises:
        ValueError: when the solver is unknown, not installed, cannot take a part of the
            program, or its licence is too small.
        RuntimeError: when the solver's answer breaks the program or its own bound, or
            the process it runs in fails.
    """
    started = time.perf_counter()
    _check_arguments(solver, time_limit, gap, threads)
    check_installed(solver)
    _check_takes(program, SOLVERS[solver])
    known = _known(program, warm_start)
    start = _start(program, known, solver)
    heard = progress is not None or incumbent is not None
    reporter = Reporter(progress, started, incumbent) if heard else None
    keeper = None if reporter is None or incumbent is None else reporter.keep
    options = Options(started + time_limit, gap, threads, seed, known, reporter, keeper)
    answer = _answer(program, solver, options)
    if answer.status == "unbounded" and start is None:
        answer = _settled(program, solver, options, answer)
    failure = None if reporter is None else reporter.failure
    if failure is not None and not isinstance(failure, KeyboardInterrupt):
        raise failure
    seconds = time.perf_counter() - started
    if start is None:
        return make_solution(program, answer, seconds, solver)
    if answer.status == "infeasible":
        # Feasible within our tolerance, not within the solver's: nothing is proven.
        answer = dataclasses.replace(answer, status="stalled")
    return better(program, make_solution(program, answer, seconds, solver), start)


def _answer(program: MixedIntegerProgram, solver: str, options: Options) -> RawAnswer:
    """What the solver says; nothing where there is no time for it."""
    none = np.inf if program.maximise else -np.inf
    if options.seconds_left == 0:
        return RawAnswer(None, none, "time_limit")
    run = importlib.import_module(f"qpm_jax.solvers.{solver}").run
    try:
        return run(program, options)
    except KeyboardInterrupt:
        # While the model was built: there is no incumbent but the start.
        return RawAnswer(None, none, "interrupted")


def _settled(
    program: MixedIntegerProgram, solver: str, options: Options, answer: RawAnswer
) -> RawAnswer:
    """Tells infeasible from unbounded, which presolve leaves open.

    A ray that improves the objective makes a program unbounded only where there is a
    solution to start from: the same program without objective has one or not.
    """
    feasibility = dataclasses.replace(
        program, objective=np.zeros(program.num_variables), quadratic=None
    )
    quiet = dataclasses.replace(options, gap=0.0, listener=None, keeper=None)
    found = _answer(feasibility, solver, quiet)
    if found.values is not None:
        return answer
    return RawAnswer(None, answer.bound, found.status)


def _check_arguments(
    solver: str, time_limit: float, gap: float, threads: int | None
) -> None:
    if solver not in SOLVERS:
        raise ValueError(f"solver is {solver!r}; choose one of {', '.join(SOLVERS)}.")
    if not time_limit >= 0:
        raise ValueError(f"time_limit is {time_limit}; it must be 0 seconds or more.")
    if not gap >= 0:
        raise ValueError(f"gap is {gap}; it must be a fraction of 0 or more.")
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; it must be 1 or more, or None.")


def _known(
    program: MixedIntegerProgram, warm_start: ArrayLike | None
) -> Float[np.ndarray, " V"] | None:
    """The warm start's entries, checked one by one; None where there are none."""
    if warm_start is None:
        return None
    values = np.array(warm_start, np.float64)
    if values.shape != (program.num_variables,):
        raise ValueError(
            f"warm_start has shape {values.shape}; it needs one value for each of the"
            f" {program.num_variables} variables."
        )
    known = np.flatnonzero(~np.isnan(values))
    near = FEASIBILITY_TOLERANCE * np.maximum(1.0, np.abs(values[known]))
    wrong = ~(
        (values[known] >= program.lower[known] - near)
        & (values[known] <= program.upper[known] + near)
    )
    wrong |= program.integer[known] & (
        np.abs(values[known] - np.round(values[known])) > FEASIBILITY_TOLERANCE
    )
    if wrong.any():
        index = known[wrong][0]
        raise ValueError(
            f"warm_start breaks the program: entry {index} is {values[index]}, outside"
            f" its bounds {program.lower[index]} and {program.upper[index]} or not"
            " whole; give a feasible one, NaN for what is unknown, or None."
        )
    return values if known.size else None


def _start(
    program: MixedIntegerProgram, values: Float[np.ndarray, " V"] | None, solver: str
) -> Solution | None:
    """The warm start as a solution, where every entry is known."""
    if values is None or np.isnan(values).any():
        return None
    violation = evaluate(program, values)[1]
    if violation > FEASIBILITY_TOLERANCE:
        raise ValueError(
            f"warm_start breaks the program: a row by {violation:.3g}; give a feasible"
            " one, NaN for what is unknown, or None."
        )
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

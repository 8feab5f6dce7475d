"""Exact, a pseudo-Boolean solver that learns from conflicts, for all-whole programs.

The package `exact` (a descendant of RoundingSat, AGPL-3.0) is an optional extra:
`pip install "qpm-jax[exact]"`. It runs in a process of its own (`exact_process`): it
looks at the clock seldom, up to half a minute late, and holds the interpreter, so that
Ctrl-C would wait as long.
"""

import importlib.util
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.regression.pseudo_boolean.whole_coefficients import whole_coefficients
from qpm_jax.solvers import MixedIntegerProgram, Solution
from qpm_jax.solvers.child_process import child
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import RawAnswer, better, make_solution, relative_gap

_PROCESS = Path(__file__).with_name("exact_process.py")


def check_installed() -> None:
    """Says how to install the package where it is missing.

    Raises:
        ValueError: when it is not installed.
    """
    if importlib.util.find_spec("exact") is None:
        raise ValueError(
            "solver='exact' needs the package exact, which is not installed: pip"
            " install \"qpm-jax[exact]\" (its licence is AGPL-3.0). solver='scip' needs"
            " nothing more."
        )


def solve_exact(
    program: MixedIntegerProgram,
    time_limit: float = 60.0,
    gap: float = 0.0,
    warm_start: Float[np.ndarray, " V"] | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Solves a program of whole variables and coefficients with Exact.

    A fractional objective is multiplied by the least number that makes it whole.

    Args:
        program: linear, minimised, all variables whole with finite bounds.
        time_limit: seconds, building included; kept to within a second.
        gap: relative gap at which to stop, 0 for a proof.
        warm_start: float64 [V], a feasible solution: a hint for Exact, and the result
            is never worse.
        progress: called with (objective, bound, seconds), about once a second.

    Returns:
        A `Solution`, evaluated outside the solver.

    Raises:
        ValueError: when Exact is not installed, or the program is not whole.
        RuntimeError: when Exact's process fails; it says how.
    """
    check_installed()
    began = time.perf_counter()
    if program.maximise:
        raise ValueError("program must be minimised for Exact; negate its objective.")
    whole, factor = whole_coefficients(program)
    if not (np.isfinite(whole.lower) & np.isfinite(whole.upper)).all():
        raise ValueError("program has a variable without finite bounds; give it some.")
    start = None
    if warm_start is not None:
        given = RawAnswer(np.asarray(warm_start, np.float64), -np.inf, "stalled")
        start = make_solution(program, given, 0.0, "exact")
    answer = RawAnswer(None, -np.inf, "time_limit")
    if time_limit > 0:
        answer = _run(whole, factor, began, time_limit, gap, start, progress)
    seconds = time.perf_counter() - began
    found = make_solution(program, answer, seconds, "exact")
    return found if start is None else better(program, found, start)


def _run(
    program: MixedIntegerProgram,
    factor: int,
    began: float,
    time_limit: float,
    gap: float,
    start: Solution | None,
    progress: Progress | None,
) -> RawAnswer:
    """Starts the process and hears it until it ends or the time is over."""
    best = RawAnswer(None, -np.inf, "time_limit")
    deadline = began + time_limit
    try:
        with child("Exact", (str(_PROCESS),), _message(program, start)) as process:
            while news := process.hear(deadline - time.perf_counter()):
                best = _heard(news, best, factor)
                objective = _objective(program, best, factor)
                if best.status != "time_limit":
                    return best
                if progress is not None:
                    progress(objective, best.bound, time.perf_counter() - began)
                if relative_gap(objective, best.bound) <= gap:
                    return replace(best, status="gap_reached")
    except KeyboardInterrupt:
        return replace(best, status="interrupted")
    return best


def _heard(news: dict[str, Any], best: RawAnswer, factor: int) -> RawAnswer:
    """The answer after a piece of news."""
    values, bound = best.values, best.bound
    if news["values"] is not None:
        values = np.array(news["values"], np.float64)
    if news["bound"] is not None:
        bound = max(bound, news["bound"] / factor)
    status = news["status"]
    return RawAnswer(values, bound, status)


def _objective(program: MixedIntegerProgram, best: RawAnswer, factor: int) -> float:
    if best.values is None:
        return float(np.inf)
    return float(program.objective @ best.values) / factor


def _message(program: MixedIntegerProgram, start: Solution | None) -> dict[str, Any]:
    """The program as lists of whole numbers, None for a side that is absent."""
    rows = program.rows
    sides = [
        [int(side) if np.isfinite(side) else None for side in array]
        for array in (program.row_lower, program.row_upper)
    ]
    return {
        "objective": program.objective.astype(np.int64).tolist(),
        "lower": program.lower.astype(np.int64).tolist(),
        "upper": program.upper.astype(np.int64).tolist(),
        "starts": rows.indptr.tolist(),
        "columns": rows.indices.tolist(),
        "numbers": rows.data.astype(np.int64).tolist(),
        "row_lower": sides[0],
        "row_upper": sides[1],
        "hints": None if start is None else start.values.astype(np.int64).tolist(),
    }

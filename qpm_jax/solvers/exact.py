"""Exact through the package exact: programs of whole numbers alone; AGPL-3.0.

A pseudo-Boolean solver, a descendant of RoundingSat, that learns from conflicts; an
optional extra (`pip install "qpm-jax[exact]"`). It runs in a process of its own
(`exact_process`): it looks at the clock seldom, up to half a minute late, and holds the
interpreter, so that Ctrl-C would wait as long.

It tells how far it is after slices of time that grow from a quarter of a second to 8 s,
no sooner; what it finds in the last one is lost where time is over or Ctrl-C comes. A
start is a hint to it, known entry by known entry. It has one thread.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from qpm_jax.solvers.child_process import child
from qpm_jax.solvers.options import Options
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer, relative_gap
from qpm_jax.solvers.whole_coefficients import (
    LARGEST_NUMBER,
    NoWholeNumberError,
    whole_coefficients,
)

_PROCESS = Path(__file__).with_name("exact_process.py")
# Objective and bound this close are one whole number.
_PROVEN = 1e-9


def licence() -> tuple[str, str]:
    """The licence state and what limits it."""
    return "full", "AGPL-3.0; variables and coefficients all whole, bounds finite"


def run(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with Exact.

    Args:
        program: linear, all variables whole with finite bounds. Rows and an objective
            of fractions are multiplied by the least numbers that make them whole.
        options: how to solve; `threads` has no effect.

    Returns:
        The answer, not yet checked.

    Raises:
        ValueError: when the program cannot be made whole.
        RuntimeError: when Exact's process fails; it says how.
    """
    none = np.inf if program.maximise else -np.inf
    try:
        whole, factor = _whole(program)
    except NoWholeNumberError:
        return RawAnswer(None, none, "infeasible")
    best = RawAnswer(None, none, "time_limit")
    # -P: Python would look for `exact` beside the script first, and find this file.
    command, message = ("-P", str(_PROCESS)), _message(whole, options)
    try:
        with child("Exact", command, message) as process:
            while news := process.hear(options.deadline - time.perf_counter()):
                before, best = best, _heard(news, best, whole, factor)
                if _kept(before, best, options):
                    return replace(best, status="interrupted")
                ending = _ending(best, whole, factor, options)
                if ending != "time_limit":
                    return replace(best, status=ending)
    except KeyboardInterrupt:
        return replace(best, status="interrupted")
    return best


def _whole(program: MixedIntegerProgram) -> tuple[MixedIntegerProgram, int]:
    """The program in whole numbers and the objective's factor, or why there is none."""
    try:
        whole, factor = whole_coefficients(program)
    except NoWholeNumberError:
        raise
    except ValueError as error:
        raise ValueError(
            f"solver='exact' takes whole numbers alone: {error} solver='highs', 'scip'"
            " or 'gurobi' takes any."
        ) from error
    widest = np.maximum(np.abs(whole.lower), np.abs(whole.upper))
    wrong = np.flatnonzero(widest > LARGEST_NUMBER)
    if wrong.size:
        index = int(wrong[0])
        raise ValueError(
            f"solver='exact' takes finite bounds alone, 2**53 at most: variable {index}"
            f" has {whole.lower[index]} and {whole.upper[index]}. Give it closer ones,"
            " or choose highs, scip or gurobi."
        )
    return whole, factor


def _heard(
    news: dict[str, Any], best: RawAnswer, program: MixedIntegerProgram, factor: int
) -> RawAnswer:
    """The answer after a piece of news; Exact always minimises."""
    values, bound = best.values, best.bound
    if news["values"] is not None:
        values = np.array(news["values"], np.float64)
    if news["bound"] is not None:
        told = news["bound"] / factor
        bound = min(bound, -told) if program.maximise else max(bound, told)
    return RawAnswer(values, bound, news["status"])


def _kept(before: RawAnswer, best: RawAnswer, options: Options) -> bool:
    """Tells of values that are new; whether Exact is to end."""
    if options.keeper is None or best.values is None:
        return False
    if before.values is not None and np.array_equal(before.values, best.values):
        return False
    return options.keeper(best.values)


def _ending(
    best: RawAnswer, program: MixedIntegerProgram, factor: int, options: Options
) -> str:
    """Tells of the answer; its status, "time_limit" while Exact is to go on."""
    if best.status == "infeasible":
        return best.status
    objective = np.inf if not program.maximise else -np.inf
    if best.values is not None:
        objective = float(program.objective @ best.values) / factor
    asked = options.listener is not None and options.listener(objective, best.bound)
    if best.status != "time_limit":
        return best.status
    if asked:
        return "interrupted"
    gap = relative_gap(objective, best.bound)
    if gap <= _PROVEN:
        return "optimal"
    return "gap_reached" if gap <= options.gap else "time_limit"


def _message(program: MixedIntegerProgram, options: Options) -> dict[str, Any]:
    """The program as lists of whole numbers, None for a side or hint that is absent."""
    rows = program.rows
    costs = -program.objective if program.maximise else program.objective
    start = options.warm_start
    return {
        "objective": costs.astype(np.int64).tolist(),
        "lower": program.lower.astype(np.int64).tolist(),
        "upper": program.upper.astype(np.int64).tolist(),
        "starts": rows.indptr.tolist(),
        "columns": rows.indices.tolist(),
        "numbers": rows.data.astype(np.int64).tolist(),
        "row_lower": _finite(program.row_lower),
        "row_upper": _finite(program.row_upper),
        "hints": None if start is None else _finite(np.round(start)),
        "seed": 1 + options.seed % (2**31 - 1),  # 1 is Exact's own; it has no 0
    }


def _finite(numbers: np.ndarray) -> list[int | None]:
    return [int(number) if np.isfinite(number) else None for number in numbers]

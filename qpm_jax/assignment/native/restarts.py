"""Searches from several seeds, each in a process of its own; the best is kept.

Searches that agree are evidence where no bound is close; and a bound that one of them
proves holds for all.
"""

import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from qpm_jax.assignment.native.solver import solve_native
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.result import PROVEN, Assignment, make_assignment
from qpm_jax.solvers.child_process import Child, child
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import relative_gap

logger = logging.getLogger(__name__)

_COMMAND = ("-m", "qpm_jax.assignment.native.restart_process")
# Seconds between two looks at a process, and those it has to end when it is asked to.
_LOOK = 0.05
_GRACE = 20.0


def solve_restarts(
    problem: AssignmentProblem,
    restarts: int,
    time_limit: float = 60.0,
    seed: int = 0,
    gap: float = 0.0,
    progress: Progress | None = None,
    **options: Any,
) -> Assignment:
    """Solves a problem natively from the seeds `seed`, `seed` + 1, … at the same time.

    Args:
        problem: the problem.
        restarts: processes, at least 1; as many as there are cores is sensible.
        time_limit: seconds for all of them together, their start included.
        seed: of the first one.
        gap: all end when the best solution is this close to the best bound.
        progress: called with (best objective, best bound, seconds).
        **options: of `native.solve_native`.

    Returns:
        The best answer under the tightest bound; "interrupted" after Ctrl-C, "stalled"
        where every search ended so.

    Raises:
        ValueError: `restarts` is below 1.
        RuntimeError: every process failed; the last words of one say how.
    """
    if restarts < 1:
        raise ValueError(f"restarts is {restarts}; it must be 1 or more.")
    started, ends = time.perf_counter(), time.time() + time_limit
    with contextlib.ExitStack() as running:
        children = []
        for number in range(restarts):
            message = problem, ends, {"seed": seed + number, "gap": gap, **options}
            name = f"restart {number}"
            children.append(running.enter_context(child(name, _COMMAND, message)))
        found, interrupted = _follow(children, gap, progress, started)
    if not found:
        found = [solve_native(problem, 0.0)]
    return _best_of(problem, found, gap, interrupted, time.perf_counter() - started)


def _follow(
    children: Sequence[Child], gap: float, progress: Progress | None, started: float
) -> tuple[list[Assignment], bool]:
    """Returns the answers of all, and whether somebody interrupted."""
    states = [(float("-inf"), float("inf"))] * len(children)
    answers: dict[int, Assignment] = {}
    told, going = states[0], set(range(len(children)))
    try:
        while going - set(answers):
            for number in going - set(answers):
                try:
                    _listen(children[number], number, states, answers)
                except RuntimeError as error:
                    going.discard(number)
                    if not going:
                        raise
                    logger.warning("%s. The other searches go on.", error)
            best = max(value for value, _ in states), min(bound for _, bound in states)
            if best != told and progress is not None:
                progress(*best, time.perf_counter() - started)
            told = best
            wanted = max(gap, PROVEN)
            if any(relative_gap(*states[number]) <= wanted for number in answers):
                break
            alone = any(relative_gap(*state) <= wanted for state in states)
            if relative_gap(*best) <= wanted and not alone:
                _end(children, states, answers)
                break
    except KeyboardInterrupt:
        _end(children, states, answers)
        return list(answers.values()), True
    return list(answers.values()), False


def _listen(
    process: Child,
    number: int,
    states: list[tuple[float, float]],
    answers: dict[int, Assignment],
) -> None:
    """Takes one piece of news of a process, if there is one soon."""
    news = process.hear(_LOOK)
    if news is None:
        return
    kind, content = news
    if kind == "answer":
        answers[number] = content
        states[number] = content.objective, content.bound
    else:
        states[number] = content


def _end(
    children: Sequence[Child],
    states: list[tuple[float, float]],
    answers: dict[int, Assignment],
) -> None:
    """Asks all to end and takes the answers of those that have one in time."""
    open_ones = set(range(len(children))) - set(answers)
    for number in open_ones:
        children[number].interrupt()
    deadline = time.perf_counter() + _GRACE
    for number in open_ones:
        # One that had not begun yet ends without an answer.
        with contextlib.suppress(RuntimeError):
            while number not in answers and time.perf_counter() < deadline:
                _listen(children[number], number, states, answers)


def _best_of(
    problem: AssignmentProblem,
    found: Sequence[Assignment],
    gap: float,
    interrupted: bool,
    seconds: float,
) -> Assignment:
    best = max(found, key=lambda one: one.objective)
    bound = max(best.objective, min(one.bound for one in found))
    closed = relative_gap(best.objective, bound)
    if closed <= max(gap, PROVEN):
        status = "optimal" if closed <= PROVEN else "gap_reached"
    elif interrupted:
        status = "interrupted"
    else:
        stalled = all(one.status == "stalled" for one in found)
        status = "stalled" if stalled else "time_limit"
    return make_assignment(
        problem, best.selected, best.assignment, bound, seconds, "native", status
    )

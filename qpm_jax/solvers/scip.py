"""SCIP through pyscipopt: mixed-integer programs, also quadratic; Apache-2.0."""

import contextlib
import gc
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from qpm_jax.solvers import scip_parts
from qpm_jax.solvers.listening import run_interruptibly
from qpm_jax.solvers.options import Keeper, Listener, Options
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer


def licence() -> tuple[str, str]:
    """The licence state and what limits it."""
    return "full", ""


def run(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with SCIP.

    Args:
        program: any; a quadratic objective becomes a row for one more variable.
        options: how to solve. SCIP's own build is serial, so `threads` above 1 only
            reaches its linear solver.

    Returns:
        The answer, not yet checked.
    """
    import pyscipopt

    model = pyscipopt.Model()
    try:
        return _solved(model, program, options)
    finally:
        # Model and progress hold each other, which is left to the garbage collector
        # otherwise; and that counts objects, of which this is one of many MB.
        model.free()


def _solved(model: Any, program: MixedIntegerProgram, options: Options) -> RawAnswer:
    model.hideOutput()
    _configure(model, options)
    with _collector_paused():
        variables = build(model, program)
        if options.warm_start is not None:
            _start(model, program, variables, options.warm_start)
    if options.listener is not None:
        wanted = variables[: program.num_variables]
        _report(model, options.listener, wanted, options.keeper)
    if math.isfinite(options.deadline):
        model.setParam("limits/time", min(options.seconds_left, 1e20))
    run_interruptibly(model.optimizeNogil, model.interruptSolve)
    return _answer(model, variables, program)


def build(model: Any, program: MixedIntegerProgram) -> list[Any]:
    """Variables and rows, one by one: the wrapper has no way to take arrays.

    2 million columns with 6 million entries take 21 s. A file in MPS form takes longer
    (7 s to write, 19 s to read, 6 s to find the variables by name: SCIP sorts them).

    Args:
        model: an empty `pyscipopt.Model`.
        program: any.

    Returns:
        Its variables in the program's order, and the quadratic objective's, if any.
    """
    from pyscipopt.scip import Term

    binary = program.integer & (program.lower >= 0) & (program.upper <= 1)
    kinds = np.where(binary, "B", np.where(program.integer, "I", "C")).tolist()
    variables = [
        model.addVar(vtype=kind, lb=low, ub=high, obj=cost)
        for kind, low, high, cost in zip(
            kinds,
            scip_parts.limits(program.lower),
            scip_parts.limits(program.upper),
            program.objective.tolist(),
            strict=True,
        )
    ]
    if program.maximise:
        model.setMaximize()
    if program.branch_priority is not None:
        for index in np.flatnonzero(program.branch_priority).tolist():
            priority = int(program.branch_priority[index])
            model.chgVarBranchPriority(variables[index], priority)
    terms = [Term(variable) for variable in variables]
    sides = program.row_lower, program.row_upper
    scip_parts.add_linear(model, terms, program.rows, *sides)
    if program.indicators is not None:
        scip_parts.add_indicators(model, variables, terms, program.indicators)
    if program.bilinear is not None:
        scip_parts.add_bilinear(model, variables, terms, program.bilinear)
    if scip_parts.has_quadratic(program):
        variables.append(scip_parts.add_quadratic(model, variables, terms, program))
    return variables


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Building makes millions of objects and no cycles: collecting doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _configure(model: Any, options: Options) -> None:
    # Python's own handler hears Ctrl-C, in the main thread.
    model.setParam("misc/catchctrlc", False)
    model.setParam("limits/gap", float(options.gap))
    model.setParam("randomization/randomseedshift", int(options.seed) % 2**31)
    if options.threads is not None:
        model.setParam("lp/threads", min(64, int(options.threads)))


def _start(
    model: Any, program: MixedIntegerProgram, variables: list[Any], values: np.ndarray
) -> None:
    """Hands a start over; a heuristic of SCIP completes one with unknown entries."""
    partial = bool(np.isnan(values).any())
    start = model.createPartialSol() if partial else model.createSol()
    if len(variables) > len(values):
        values = np.append(values, values @ (program.quadratic @ values))
    for index in np.flatnonzero(~np.isnan(values)).tolist():
        model.setSolVal(start, variables[index], float(values[index]))
    model.addSol(start)


def _report(
    model: Any, listener: Listener, variables: list[Any], keeper: Keeper | None
) -> None:
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr

    events = (
        SCIP_EVENTTYPE.BESTSOLFOUND,
        SCIP_EVENTTYPE.NODEFOCUSED,
        SCIP_EVENTTYPE.FIRSTLPSOLVED,
        SCIP_EVENTTYPE.LPSOLVED,
    )

    class Teller(Eventhdlr):
        """Passes every new incumbent, node and linear program on."""

        def eventinit(self) -> None:
            for event in events:
                self.model.catchEvent(event, self)

        def eventexit(self) -> None:
            for event in events:
                self.model.dropEvent(event, self)

        def eventexec(self, event: Any) -> None:
            news = self.model.getPrimalbound(), self.model.getDualbound()
            enough = listener(*news)
            new = event.getType() == SCIP_EVENTTYPE.BESTSOLFOUND
            if new and keeper is not None:
                enough |= keeper(_best_values(self.model, variables))
            if enough:
                self.model.interruptSolve()

    model.includeEventhdlr(Teller(), "progress", "passes progress on")


def _best_values(model: Any, variables: list[Any]) -> np.ndarray:
    best = model.getBestSol()
    return np.array([model.getSolVal(best, variable) for variable in variables])


def _answer(
    model: Any, variables: list[Any], program: MixedIntegerProgram
) -> RawAnswer:
    status = model.getStatus()
    none = np.inf if program.maximise else -np.inf
    if status == "infeasible":
        return RawAnswer(None, none, "infeasible")
    if status in ("unbounded", "inforunbd"):
        return RawAnswer(None, none, "unbounded")
    values = None
    if model.getNSols():
        values = _best_values(model, variables[: program.num_variables])
    bound = model.getDualbound()
    if not math.isfinite(bound) or abs(bound) >= model.infinity():
        bound = none
    names = {
        "optimal": "optimal",
        "gaplimit": "gap_reached",
        "userinterrupt": "interrupted",
    }
    return RawAnswer(values, bound, names.get(status, "time_limit"))

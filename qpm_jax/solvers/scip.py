"""SCIP through pyscipopt: mixed-integer linear programs, open source (Apache-2.0)."""

import math
import time
from typing import Any

import numpy as np

from qpm_jax.solvers.options import Options, Progress
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer


def licence() -> tuple[str, str]:
    """The licence state and what limits it."""
    return "full", ""


def run(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with SCIP.

    Args:
        program: linear; `solve` has checked that.
        options: how to solve. SCIP's own build is serial, so `threads` above 1 only
            reaches its linear solver.

    Returns:
        The answer, not yet checked.
    """
    import pyscipopt

    model = pyscipopt.Model()
    model.hideOutput()
    _configure(model, options)
    variables = _build(model, program)
    if options.warm_start is not None:
        start = model.createSol()
        for variable, value in zip(variables, options.warm_start.tolist(), strict=True):
            model.setSolVal(start, variable, value)
        model.addSol(start)
    if options.progress is not None:
        _report(model, options.progress)
    model.optimize()
    return _answer(model, variables, program)


def _configure(model: Any, options: Options) -> None:
    if math.isfinite(options.time_limit):
        model.setParam("limits/time", float(options.time_limit))
    model.setParam("limits/gap", float(options.gap))
    model.setParam("randomization/randomseedshift", int(options.seed) % 2**31)
    if options.threads is not None:
        model.setParam("lp/threads", min(64, int(options.threads)))


def _build(model: Any, program: MixedIntegerProgram) -> list[Any]:
    """Variables and rows, one by one: the wrapper has no way to take arrays."""
    from pyscipopt.scip import Expr, Term

    binary = program.integer & (program.lower >= 0) & (program.upper <= 1)
    kinds = np.where(binary, "B", np.where(program.integer, "I", "C")).tolist()
    variables = [
        model.addVar(vtype=kind, lb=low, ub=high, obj=cost)
        for kind, low, high, cost in zip(
            kinds,
            _limits(program.lower),
            _limits(program.upper),
            program.objective.tolist(),
            strict=True,
        )
    ]
    if program.maximise:
        model.setMaximize()
    terms = [Term(variable) for variable in variables]
    indices, data = program.rows.indices.tolist(), program.rows.data.tolist()
    starts = program.rows.indptr.tolist()
    for row, (low, high) in enumerate(
        zip(_limits(program.row_lower), _limits(program.row_upper), strict=True)
    ):
        if low is None and high is None:
            continue
        part = slice(starts[row], starts[row + 1])
        # Built directly: adding up expressions term by term costs quadratic time.
        expression = Expr(
            {
                terms[column]: value
                for column, value in zip(indices[part], data[part], strict=True)
            }
        )
        _add_row(model, expression, low, high)
    return variables


def _add_row(
    model: Any, expression: Any, low: float | None, high: float | None
) -> None:
    from pyscipopt.scip import ExprCons

    model.addCons(ExprCons(expression, lhs=low, rhs=high))


def _limits(values: np.ndarray) -> list[float | None]:
    """Finite limits as they are, infinite ones as None."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _report(model: Any, progress: Progress) -> None:
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr

    started = time.perf_counter()

    class Teller(Eventhdlr):
        """Passes every new incumbent and solved node on."""

        def eventinit(self) -> None:
            self.model.catchEvent(SCIP_EVENTTYPE.BESTSOLFOUND, self)

        def eventexit(self) -> None:
            self.model.dropEvent(SCIP_EVENTTYPE.BESTSOLFOUND, self)

        def eventexec(self, event: Any) -> None:
            progress(
                self.model.getPrimalbound(),
                self.model.getDualbound(),
                time.perf_counter() - started,
            )

    model.includeEventhdlr(Teller(), "progress", "passes progress on")


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
        best = model.getBestSol()
        values = np.array([model.getSolVal(best, variable) for variable in variables])
    bound = model.getDualbound()
    if not math.isfinite(bound) or abs(bound) >= model.infinity():
        bound = none
    names = {
        "optimal": "optimal",
        "gaplimit": "gap_reached",
        "userinterrupt": "interrupted",
    }
    return RawAnswer(values, bound, names.get(status, "time_limit"))

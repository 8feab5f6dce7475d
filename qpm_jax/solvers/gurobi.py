"""Gurobi through gurobipy: proprietary; pip's licence is limited in size."""

import functools
import math
from typing import Any

import numpy as np

from qpm_jax.solvers import gurobi_licence
from qpm_jax.solvers.listening import run_interruptibly
from qpm_jax.solvers.options import Keeper, Listener, Options
from qpm_jax.solvers.parts import Bilinear, Indicators
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer


@functools.lru_cache(maxsize=1)
def licence() -> tuple[str, str]:
    """The licence state, found by starting one variable more than pip's allows."""
    import gurobipy

    try:
        with _environment() as environment, gurobipy.Model(env=environment) as model:
            model.addMVar(gurobi_licence.VARIABLES + 1)
            model.optimize()
    except gurobipy.GurobiError as error:
        if error.errno == gurobi_licence.TOO_LARGE:
            return "limited", gurobi_licence.NOTE
        return "missing", str(error)
    return "full", ""


def run(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with Gurobi.

    Args:
        program: any.
        options: how to solve.

    Returns:
        The answer, not yet checked.

    Raises:
        ValueError: when the program is larger than the licence allows, or there is no
            licence.
    """
    import gurobipy

    try:
        with _environment() as environment, gurobipy.Model(env=environment) as model:
            return _optimise(model, program, options)
    except gurobipy.GurobiError as error:
        raise ValueError(gurobi_licence.explain(program, error)) from error


def build(model: Any, program: MixedIntegerProgram) -> Any:
    """Hands a program over by matrices.

    Args:
        model: an empty `gurobipy.Model`.
        program: any.

    Returns:
        Its variables, an `MVar` of V entries.
    """
    import gurobipy

    kinds = np.where(program.integer, gurobipy.GRB.INTEGER, gurobipy.GRB.CONTINUOUS)
    variables = model.addMVar(
        program.num_variables, lb=program.lower, ub=program.upper, vtype=kinds
    )
    sense = gurobipy.GRB.MAXIMIZE if program.maximise else gurobipy.GRB.MINIMIZE
    model.setMObjective(
        program.quadratic, program.objective, 0.0, None, None, None, sense
    )
    for chosen, side, values in _sides(program.row_lower, program.row_upper):
        model.addMConstr(program.rows[chosen], variables, side, values)
    if program.branch_priority is not None:
        variables.BranchPriority = program.branch_priority
    if program.indicators is not None:
        _add_indicators(model, variables, program.indicators)
    if program.bilinear is not None:
        _add_bilinear(model, variables, program.bilinear)
    return variables


def _environment() -> Any:
    import gurobipy

    return gurobipy.Env(params={"OutputFlag": 0, "LogToConsole": 0})


def _optimise(model: Any, program: MixedIntegerProgram, options: Options) -> RawAnswer:
    import gurobipy

    variables = build(model, program)
    _configure(model, program, options)
    if options.warm_start is not None:
        unknown = np.isnan(options.warm_start)
        variables.Start = np.where(unknown, gurobipy.GRB.UNDEFINED, options.warm_start)
    if math.isfinite(options.deadline):
        model.Params.TimeLimit = options.seconds_left
    report = None
    if options.listener is not None:
        report = _reporter(options.listener, variables, options.keeper)
    run_interruptibly(lambda: model.optimize(report), model.terminate)
    return _answer(model, variables, program)


def _configure(model: Any, program: MixedIntegerProgram, options: Options) -> None:
    model.Params.MIPGap = float(options.gap)
    model.Params.Seed = int(options.seed) % 2_000_000_000
    if options.threads is not None:
        model.Params.Threads = int(options.threads)
    if program.indicators is not None:
        # A switch of 1e-6 would let a row go that its rounded value keeps.
        model.Params.IntegralityFocus = 1


def _sides(lower: np.ndarray, upper: np.ndarray) -> list[tuple[Any, str, np.ndarray]]:
    """Which rows, which way and how far; rows with two sides come twice."""
    same = lower == upper
    found = (
        (same, "=", lower),
        (~same & np.isfinite(lower), ">", lower),
        (~same & np.isfinite(upper), "<", upper),
    )
    return [
        (np.flatnonzero(chosen), sense, side[chosen])
        for chosen, sense, side in found
        if chosen.any()
    ]


def _add_indicators(model: Any, variables: Any, part: Indicators) -> None:
    for chosen, sense, side in _sides(part.lower, part.upper):
        model.addGenConstrIndicator(
            variables[part.variable[chosen]],
            part.value[chosen],
            part.rows[chosen] @ variables,
            sense,
            side,
        )


def _add_bilinear(model: Any, variables: Any, part: Bilinear) -> None:
    """Row by row, each by matrices: Gurobi takes no block of quadratic rows."""
    import scipy.sparse

    starts, rows = part.starts, part.rows
    for chosen, sense, sides in _sides(part.lower, part.upper):
        for row, side in zip(chosen.tolist(), sides.tolist(), strict=True):
            some = slice(starts[row], starts[row + 1])
            entries = slice(rows.indptr[row], rows.indptr[row + 1])
            columns = variables[rows.indices[entries]]
            linear = rows.data[entries]
            if some.start == some.stop:
                model.addConstr(_compare(linear @ columns, sense, side))
                continue
            model.addMQConstr(
                scipy.sparse.diags_array(part.coefficient[some]),
                linear if linear.size else None,
                sense,
                side,
                variables[part.first[some]],
                variables[part.second[some]],
                columns if linear.size else None,
            )


def _compare(expression: Any, sense: str, side: float) -> Any:
    if sense == "=":
        return expression == side
    return expression <= side if sense == "<" else expression >= side


def _reporter(listener: Listener, variables: Any, keeper: Keeper | None) -> Any:
    import gurobipy

    callback = gurobipy.GRB.Callback

    def tell(model: Any, where: int) -> None:
        enough = False
        if where == callback.MIPSOL and keeper is not None:
            enough = keeper(np.asarray(model.cbGetSolution(variables), np.float64))
        elif where == callback.MIP:
            news = model.cbGet(callback.MIP_OBJBST), model.cbGet(callback.MIP_OBJBND)
            enough = listener(*news)
        if enough:
            model.terminate()

    return tell


def _answer(model: Any, variables: Any, program: MixedIntegerProgram) -> RawAnswer:
    import gurobipy

    named, status = gurobipy.GRB.Status, model.Status
    none = np.inf if program.maximise else -np.inf
    if status == named.INFEASIBLE:
        return RawAnswer(None, none, "infeasible")
    if status in (named.UNBOUNDED, named.INF_OR_UNBD):
        return RawAnswer(None, none, "unbounded")
    values = variables.X if model.SolCount else None
    bound = _attribute(model, "ObjBound", none)
    if abs(bound) >= gurobipy.GRB.INFINITY:
        bound = none
    if status == named.OPTIMAL:
        gap = _attribute(model, "MIPGap", 0.0)
        return RawAnswer(values, bound, "optimal" if gap <= 1e-6 else "gap_reached")
    interrupted = status == named.INTERRUPTED
    return RawAnswer(values, bound, "interrupted" if interrupted else "time_limit")


def _attribute(model: Any, name: str, otherwise: float) -> float:
    """A number of the model; a continuous one that stops early has no bound."""
    import gurobipy

    try:
        return float(getattr(model, name))
    except (AttributeError, gurobipy.GurobiError):
        return otherwise

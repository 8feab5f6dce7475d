"""Gurobi through gurobipy: proprietary; pip's licence is limited in size."""

import functools
import math
import time
from typing import Any

import numpy as np

from qpm_jax.solvers.options import Options
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer

# What the licence that comes with pip allows.
LIMIT_VARIABLES = 2000
LIMIT_ROWS = 2000
LIMIT_QUADRATIC = 200
_TOO_LARGE = 10010


@functools.lru_cache(maxsize=1)
def licence() -> tuple[str, str]:
    """The licence state, found by starting one variable more than pip's allows."""
    import gurobipy

    limit = (
        f"{LIMIT_VARIABLES} variables, {LIMIT_ROWS} rows, {LIMIT_QUADRATIC} variables"
        " with a quadratic part; a full licence is free for academics"
    )
    try:
        with _environment() as environment, gurobipy.Model(env=environment) as model:
            model.addMVar(LIMIT_VARIABLES + 1)
            model.optimize()
    except gurobipy.GurobiError as error:
        if error.errno == _TOO_LARGE:
            return "limited", limit
        return "missing", str(error)
    return "full", ""


def run(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with Gurobi.

    Args:
        program: linear rows, linear or quadratic objective.
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
        raise ValueError(_explain(program, error)) from error


def _environment() -> Any:
    import gurobipy

    return gurobipy.Env(params={"OutputFlag": 0})


def _optimise(model: Any, program: MixedIntegerProgram, options: Options) -> RawAnswer:
    import gurobipy

    _configure(model, options)
    kinds = np.where(program.integer, gurobipy.GRB.INTEGER, gurobipy.GRB.CONTINUOUS)
    variables = model.addMVar(
        program.num_variables, lb=program.lower, ub=program.upper, vtype=kinds
    )
    sense = gurobipy.GRB.MAXIMIZE if program.maximise else gurobipy.GRB.MINIMIZE
    model.setMObjective(
        program.quadratic, program.objective, 0.0, None, None, None, sense
    )
    _add_rows(model, program, variables)
    if options.warm_start is not None:
        variables.Start = options.warm_start
    model.optimize(_reporter(options, program))
    return _answer(model, variables, program)


def _configure(model: Any, options: Options) -> None:
    if math.isfinite(options.time_limit):
        model.Params.TimeLimit = float(options.time_limit)
    model.Params.MIPGap = float(options.gap)
    model.Params.Seed = int(options.seed) % 2_000_000_000
    if options.threads is not None:
        model.Params.Threads = int(options.threads)


def _add_rows(model: Any, program: MixedIntegerProgram, variables: Any) -> None:
    """One matrix call for each kind of row; rows with two sides are added twice."""
    low, high = program.row_lower, program.row_upper
    same = low == high
    for chosen, sense, side in (
        (same, "=", low),
        (~same & np.isfinite(low), ">", low),
        (~same & np.isfinite(high), "<", high),
    ):
        if chosen.any():
            model.addMConstr(program.rows[chosen], variables, sense, side[chosen])


def _reporter(options: Options, program: MixedIntegerProgram) -> Any:
    import gurobipy

    if options.progress is None or not program.integer.any():
        return None
    started = time.perf_counter()
    callback = gurobipy.GRB.Callback

    def tell(model: Any, where: int) -> None:
        if where == callback.MIP:
            options.progress(
                model.cbGet(callback.MIP_OBJBST),
                model.cbGet(callback.MIP_OBJBND),
                time.perf_counter() - started,
            )

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
    try:
        bound = float(model.ObjBound)
    except (AttributeError, gurobipy.GurobiError):
        bound = none
    if abs(bound) >= gurobipy.GRB.INFINITY:
        bound = none
    if status == named.OPTIMAL:
        gap = model.MIPGap if program.integer.any() else 0.0
        return RawAnswer(values, bound, "optimal" if gap <= 1e-6 else "gap_reached")
    interrupted = status == named.INTERRUPTED
    return RawAnswer(values, bound, "interrupted" if interrupted else "time_limit")


def _explain(program: MixedIntegerProgram, error: Any) -> str:
    if error.errno != _TOO_LARGE:
        return (
            f"solver='gurobi' failed: {error}. solver='highs' and solver='scip' need no"
            " licence."
        )
    hit = []
    if program.num_variables > LIMIT_VARIABLES:
        hit.append(f"{program.num_variables} variables (limit {LIMIT_VARIABLES})")
    if program.num_rows > LIMIT_ROWS:
        hit.append(f"{program.num_rows} rows (limit {LIMIT_ROWS})")
    if program.quadratic is not None:
        hit.append(f"a quadratic part (limit {LIMIT_QUADRATIC} variables)")
    size = " and ".join(hit) or (
        f"{program.num_variables} variables and {program.num_rows} rows, counting rows"
        " with two sides twice"
    )
    able = (
        "no other solver here takes it"
        if program.quadratic is not None
        else ("solver='highs' or solver='scip' solves it without a licence")
    )
    return (
        f"solver='gurobi' has only the limited licence that comes with pip, and the"
        f" program has {size}; {able}. A full Gurobi licence lifts the limit."
    )

"""HiGHS through highspy: mixed-integer linear programs, open source (MIT).

One of its heuristics, rounding along the line to the analytic centre, neither looks at
the clock nor calls back between thousands of roundings, each of which takes time in
proportion to the program. Programs where this would be minutes run in a process of
their own (`highs_apart`), which can be ended.
"""

import math
from typing import Any

import numpy as np

from qpm_jax.solvers.listening import run_interruptibly
from qpm_jax.solvers.options import Keeper, Listener, Options
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer

# Entries of programs with whole variables that HiGHS may not leave in time.
_LARGE = 500_000


def licence() -> tuple[str, str]:
    """The licence state and what limits it."""
    return "full", ""


def run(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with HiGHS.

    Args:
        program: linear; `solve` has checked that.
        options: how to solve.

    Returns:
        The answer, not yet checked.
    """
    large = program.rows.nnz > _LARGE and bool(program.integer.any())
    if large and math.isfinite(options.deadline):
        from qpm_jax.solvers.highs_apart import run_apart

        return run_apart(program, options)
    return run_here(program, options)


def run_here(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with HiGHS in this process.

    Args:
        program: linear.
        options: how to solve.

    Returns:
        The answer, not yet checked.
    """
    import highspy

    solver = highspy.Highs()
    try:
        _configure(solver, options)
        build(solver, program)
        if options.warm_start is not None:
            _start(solver, options.warm_start)
        _hear(solver, options)
        if math.isfinite(options.deadline):
            solver.setOptionValue("time_limit", options.seconds_left)
        pressed = run_interruptibly(solver.run, solver.cancelSolve)
        if pressed and not program.integer.any():
            # Linear programs are steps of larger work, all of which is to end.
            raise KeyboardInterrupt
        return _answer(solver, program, options)
    finally:
        # They hold the solver and it holds them, which is left to the garbage collector
        # otherwise; and that counts objects, of which this is one of many MB.
        solver.clearCallbacks()


def build(solver: Any, program: MixedIntegerProgram) -> None:
    """Hands a linear program over as arrays, in one call.

    Args:
        solver: a `highspy.Highs`.
        program: linear.
    """
    import highspy

    sense = (
        highspy.ObjSense.kMaximize if program.maximise else highspy.ObjSense.kMinimize
    )
    solver.passModel(
        program.num_variables,
        program.num_rows,
        program.rows.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(sense),
        0.0,
        program.objective,
        program.lower,
        program.upper,
        program.row_lower,
        program.row_upper,
        program.rows.indptr.astype(np.int32),
        program.rows.indices.astype(np.int32),
        program.rows.data,
        program.integer.astype(np.int32),
    )


def _configure(solver: Any, options: Options) -> None:
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", float(options.gap))
    solver.setOptionValue("mip_abs_gap", 1e-9)
    solver.setOptionValue("random_seed", int(options.seed) % 2**31)
    if options.threads is not None:
        # The number of threads is one for the process; a second solve may want another.
        solver.resetGlobalScheduler(True)
        solver.setOptionValue("threads", int(options.threads))


def _start(solver: Any, values: np.ndarray) -> None:
    """A start without its unknown entries, which HiGHS completes by a smaller solve."""
    known = np.flatnonzero(~np.isnan(values))
    solver.setSolution(len(known), known.astype(np.int32), values[known])


def _hear(solver: Any, options: Options) -> None:
    if options.listener is not None:
        _report(solver, options.listener)
    if options.keeper is not None:
        _keep(solver, options.keeper)
    solver.HandleUserInterrupt = True


def _report(solver: Any, listener: Listener) -> None:
    def tell(event: Any) -> None:
        data = event.data_out
        if listener(data.mip_primal_bound, data.mip_dual_bound):
            solver.cancelSolve()

    # The question whether to end comes many times a second, the log line every five.
    solver.cbMipInterrupt += tell
    solver.cbMipImprovingSolution += tell


def _keep(solver: Any, keeper: Keeper) -> None:
    def tell(event: Any) -> None:
        if keeper(np.array(event.data_out.mip_solution, np.float64)):
            solver.cancelSolve()

    solver.cbMipImprovingSolution += tell


def _answer(solver: Any, program: MixedIntegerProgram, options: Options) -> RawAnswer:
    import highspy

    info, status = solver.getInfo(), solver.getModelStatus()
    none = np.inf if program.maximise else -np.inf
    named = highspy.HighsModelStatus
    if status == named.kInfeasible:
        return RawAnswer(None, none, "infeasible")
    if status in (named.kUnbounded, named.kUnboundedOrInfeasible):
        return RawAnswer(None, none, "unbounded")
    found = (
        info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    )
    values = np.array(solver.getSolution().col_value) if found else None
    whole = bool(program.integer.any())
    bound = info.mip_dual_bound if whole else info.objective_function_value
    if status == named.kOptimal and not found:
        # Solved with scaled numbers, beyond the tolerance with those of the program.
        return RawAnswer(None, none, "stalled")
    if status == named.kOptimal or status == named.kModelEmpty:
        gap = info.mip_gap if whole and program.num_variables else 0.0
        proven = gap <= max(1e-9, min(options.gap, 1e-6))
        return RawAnswer(values, bound, "optimal" if proven else "gap_reached")
    if not whole or not math.isfinite(bound) or abs(bound) >= 1e20:
        bound = none
    interrupted = status == named.kInterrupt
    return RawAnswer(values, bound, "interrupted" if interrupted else "time_limit")

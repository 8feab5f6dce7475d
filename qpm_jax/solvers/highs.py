"""HiGHS through highspy: mixed-integer linear programs, open source (MIT)."""

import math
import threading
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
    """Solves a program with HiGHS.

    Args:
        program: linear; `solve` has checked that.
        options: how to solve.

    Returns:
        The answer, not yet checked.
    """
    import highspy

    solver = highspy.Highs()
    _configure(solver, options)
    solver.passModel(_model(program))
    if options.warm_start is not None:
        start = highspy.HighsSolution()
        start.col_value = options.warm_start.tolist()
        solver.setSolution(start)
    if options.progress is not None:
        _report(solver, options.progress)
    interrupted = _run_interruptibly(solver)
    return _answer(solver, program, options, interrupted)


def _configure(solver: Any, options: Options) -> None:
    solver.setOptionValue("output_flag", False)
    if math.isfinite(options.time_limit):
        solver.setOptionValue("time_limit", float(options.time_limit))
    solver.setOptionValue("mip_rel_gap", float(options.gap))
    solver.setOptionValue("mip_abs_gap", 1e-9)
    solver.setOptionValue("random_seed", int(options.seed) % 2**31)
    if options.threads is not None:
        # The number of threads is one for the process; a second solve may want another.
        solver.resetGlobalScheduler(True)
        solver.setOptionValue("threads", int(options.threads))


def _model(program: MixedIntegerProgram) -> Any:
    import highspy

    model = highspy.HighsModel()
    linear = model.lp_
    linear.num_col_ = program.num_variables
    linear.num_row_ = program.num_rows
    linear.col_cost_ = program.objective
    linear.col_lower_ = program.lower
    linear.col_upper_ = program.upper
    linear.row_lower_ = program.row_lower
    linear.row_upper_ = program.row_upper
    linear.sense_ = (
        highspy.ObjSense.kMaximize if program.maximise else highspy.ObjSense.kMinimize
    )
    linear.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    linear.a_matrix_.num_col_ = program.num_variables
    linear.a_matrix_.num_row_ = program.num_rows
    linear.a_matrix_.start_ = program.rows.indptr.astype(np.int32)
    linear.a_matrix_.index_ = program.rows.indices.astype(np.int32)
    linear.a_matrix_.value_ = program.rows.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    if program.integer.any():
        linear.integrality_ = [kinds[whole] for whole in program.integer.astype(int)]
    return model


def _report(solver: Any, progress: Progress) -> None:
    started = time.perf_counter()

    def tell(event: Any) -> None:
        data = event.data_out
        progress(
            data.mip_primal_bound, data.mip_dual_bound, time.perf_counter() - started
        )

    solver.cbMipLogging += tell
    solver.cbMipImprovingSolution += tell


def _run_interruptibly(solver: Any) -> bool:
    """Runs in a thread, so that Ctrl-C is heard and leaves the incumbent."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            solver.run()
        except BaseException as error:
            failures.append(error)

    solver.HandleUserInterrupt = True
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    interrupted = False
    while worker.is_alive():
        try:
            worker.join(0.05)
        except KeyboardInterrupt:
            interrupted = True
            solver.cancelSolve()
    if failures:
        raise failures[0]
    return interrupted


def _answer(
    solver: Any, program: MixedIntegerProgram, options: Options, interrupted: bool
) -> RawAnswer:
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
    if status == named.kOptimal:
        gap = info.mip_gap if whole else 0.0
        proven = gap <= max(1e-9, min(options.gap, 1e-6))
        return RawAnswer(values, bound, "optimal" if proven else "gap_reached")
    if not whole or not math.isfinite(bound) or abs(bound) >= 1e30:
        bound = none
    return RawAnswer(values, bound, "interrupted" if interrupted else "time_limit")

"""Programs of the native solver, solved by HiGHS within limits other than time.

`solvers.solve` ends by time alone; the native solver solves thousands of small programs
and wants the same answer from the same seed on any machine, so it counts nodes. It also
wants the relaxation's prices, which a `Solution` does not have.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.regression.native.block import Block
from qpm_jax.solvers import highs
from qpm_jax.solvers.listening import run_interruptibly


@dataclass(frozen=True, eq=False)
class BlockAnswer:
    """What HiGHS says of a block.

    Attributes:
        values: the variables, or None when nothing was found.
        bound: no solution of the block costs less, `Block.offset` included.
        prices: float64 [M], the rows' duals; empty for a program with whole variables.
        ended: whether the program was solved as far as was asked, or is infeasible.
    """

    values: Float[np.ndarray, " V"] | None
    bound: float
    prices: Float[np.ndarray, " M"]
    ended: bool


def solve_block(
    block: Block,
    deadline: float,
    seed: int = 0,
    slack: float = 0.0,
    nodes: int | None = None,
    cutoff: float = np.inf,
) -> BlockAnswer:
    """Solves the program of a block on one thread.

    Args:
        block: the block.
        deadline: `time.perf_counter()` at which to end.
        seed: of HiGHS.
        slack: how far from the best cost an answer may be.
        nodes: ends after so many nodes of the search tree.
        cutoff: solutions that cost more are of no use.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once HiGHS has ended.
    """
    solver = _configured(deadline, seed, slack)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    if np.isfinite(cutoff):
        solver.setOptionValue("objective_bound", cutoff - block.offset)
    highs.build(solver, block.program)
    _run_interruptibly(solver)
    return _answer(solver, block)


def _run_interruptibly(solver: Any) -> None:
    """Raises KeyboardInterrupt on Ctrl-C, once HiGHS has ended."""
    import highspy

    solver.HandleUserInterrupt = True
    pressed = run_interruptibly(solver.run, solver.cancelSolve)
    solver.HandleUserInterrupt = False  # which would slow what runs without it next
    if pressed or solver.getModelStatus() == highspy.HighsModelStatus.kInterrupt:
        raise KeyboardInterrupt


def _configured(deadline: float, seed: int, slack: float) -> Any:
    import highspy

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.resetGlobalScheduler(True)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", seed % 2**31)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", max(slack, 1e-6))
    # Blocks are small; to begin anew costs more than it saves.
    solver.setOptionValue("mip_allow_restart", False)
    solver.setOptionValue("time_limit", max(0.0, deadline - time.perf_counter()))
    return solver


def _answer(solver: Any, block: Block) -> BlockAnswer:
    import highspy

    status, info = solver.getModelStatus(), solver.getInfo()
    named = highspy.HighsModelStatus
    feasible = highspy.SolutionStatus.kSolutionStatusFeasible
    answer = solver.getSolution()
    whole = bool(block.program.integer.any())
    infeasible = status in (named.kInfeasible, named.kObjectiveBound)
    bound = -np.inf
    if infeasible:
        bound = np.inf
    elif whole:
        bound = info.mip_dual_bound + block.offset
    elif status == named.kOptimal:
        bound = info.objective_function_value + block.offset
    found = info.primal_solution_status == feasible
    return BlockAnswer(
        values=np.array(answer.col_value) if found else None,
        bound=bound if abs(bound) < 1e20 or infeasible else -np.inf,
        prices=np.array([] if whole else answer.row_dual),
        ended=infeasible or status == named.kOptimal,
    )


def warm_relaxation(block: Block, deadline: float) -> Any:
    """A solver that keeps the basis of a block's relaxation; `held_cost` solves it.

    Args:
        block: without whole variables.
        deadline: `time.perf_counter()` at which a solve ends.
    """
    solver = _configured(deadline, 0, 0.0)
    # What presolve takes away could not be gone on with.
    solver.setOptionValue("presolve", "off")
    highs.build(solver, block.program)
    return solver


def held_cost(
    solver: Any, block: Block, held: tuple[int, float] | None = None
) -> tuple[float, Float[np.ndarray, " V"]]:
    """The relaxation's cost with one more variable held at a value.

    Args:
        solver: of `warm_relaxation`; it keeps what was held before.
        block: the same.
        held: column and value; None for the relaxation as it is.

    Returns:
        The cost, inf where there is no solution or the deadline came, and the
        variables.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    import highspy

    if held is None:
        # From no basis this takes seconds; what follows takes milliseconds.
        _run_interruptibly(solver)
    else:
        solver.changeColBounds(held[0], held[1], held[1])
        solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return np.inf, np.zeros(block.program.num_variables)
    cost = solver.getInfo().objective_function_value + block.offset
    return cost, np.array(solver.getSolution().col_value)

"""A solve that is a step of a longer one."""

from typing import Any

from qpm_jax import solvers
from qpm_jax.solvers import MixedIntegerProgram, Solution


def inner_solve(
    program: MixedIntegerProgram, time_limit: float, **settings: Any
) -> Solution:
    """Solves a program by HiGHS on one thread; Ctrl-C ends the longer solve, too.

    Args:
        program: what to solve.
        time_limit: seconds.
        **settings: of `solvers.solve`: gap, seed, warm_start.

    Returns:
        The solution.

    Raises:
        KeyboardInterrupt: where `solvers.solve` would return with "interrupted".
    """
    answer = solvers.solve(
        program, "highs", time_limit=time_limit, threads=1, **settings
    )
    if answer.status == "interrupted":
        raise KeyboardInterrupt
    return answer

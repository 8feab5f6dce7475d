"""Trains a convolutional network: starts, search, a bound, and the whole program.

The order is the project's own. The whole program of the source's size, 1.57 million
ReLUs, is built but for its readout in seconds (`build_conv_layer`) and is hopeless for
a tree search; a solver gets the whole only up to `LARGEST_WHOLE` variables.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.bounds.conv_bound import pair_bound
from qpm_jax.networks.bounds.conv_intervals import ConvBounds, conv_interval_bounds
from qpm_jax.networks.bounds.conv_tightening import tightened_conv_bounds
from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.local_search.conv_search import conv_search
from qpm_jax.networks.local_search.perturbed_search import perturbed_search
from qpm_jax.networks.problem_checks import check_whole
from qpm_jax.networks.programs.conv_program import build_conv, conv_program_size
from qpm_jax.networks.programs.conv_values import read_conv, write_conv
from qpm_jax.networks.programs.whole_program import (
    check_settings,
    check_takes,
    solve_whole,
)
from qpm_jax.networks.run_record import RunRecord
from qpm_jax.networks.solution import NetworkSolution
from qpm_jax.networks.starts.conv_repair import conv_repaired
from qpm_jax.networks.starts.conv_starts import conv_starts, conv_zero
from qpm_jax.processors import usable_processors
from qpm_jax.solvers.options import Progress

# Training compiles for some seconds, which shorter limits do not have.
GRADIENT_FROM = 5.0
START_SHARE = 0.4
SEARCH_SHARE = 0.4
LARGE_SEARCH_SHARE = 0.9
BOUND_SHARE = 0.2
LARGEST_WHOLE = 500_000


def solve_conv(
    problem: ConvProblem,
    relu: str = "big_m",
    solver: str = "highs",
    time_limit: float = 60.0,
    gap: float = 0.01,
    threads: int | None = None,
    seed: int = 0,
    start: ConvNetwork | None = None,
    progress: Progress | None = None,
    restarts: int = 8,
    dropout: float = 0.0,
    tightening: float = 0.0,
) -> NetworkSolution[ConvNetwork]:
    """Finds a network of small objective, and a bound on the least.

    Args:
        problem: what to solve.
        relu: encoding of the whole program, "big_m", "indicator" or "partitioned".
        solver: of the whole program, "highs", "scip" or "gurobi".
        time_limit: seconds; training that has begun is finished. Below
            `GRADIENT_FROM` nothing is trained and the start has no weights.
        gap: relative gap at which to stop, 0 for a proof.
        threads: of the solver, None for its default.
        seed: of starts, search and solver.
        start: a network to start from; None for trained ones.
        progress: called with (objective, bound, seconds).
        restarts: networks trained; the search goes on from the one whose filters do
            best on images left out (`left_out_accuracy`), and from all of them where
            the whole program is small enough for a solver.
        dropout: of training.
        tightening: the share of the time left after the search that goes into big-M
            values from linear programs (`tightened_conv_bounds`), shared among
            `threads` threads, or one a processor where that is None. 0 takes those of
            `conv_interval_bounds`. It changes nothing where the whole program is too
            large for a solver.

    Returns:
        A solution, never worse than the start. Ctrl-C ends it with the best so far.

    Raises:
        ValueError: for a setting out of range, a solver that cannot take the program,
            or rules that no network follows.
    """
    check_settings(relu, solver, time_limit=time_limit, gap=gap, tightening=tightening)
    check_takes(problem.family.name, relu, solver)
    check_whole(restarts=restarts)
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout is {dropout!r}; it must be 0 or more and below 1.")
    run = RunRecord[ConvNetwork](time_limit, gap, progress, 0.0)
    status = "time_limit"
    zero = best = conv_repaired(problem, conv_zero(problem))
    known = [best]
    try:
        if start is not None:
            best = conv_repaired(problem, start)
            known.append(best)
        elif time_limit >= GRADIENT_FROM:
            limit = START_SHARE * time_limit
            starts = conv_starts(problem, seed, restarts, dropout, limit, known.append)
            best = starts[0].network
        for each in (best, zero):
            run.take(each, problem.objective(each), given=True)
        run.hear(pair_bound(problem, BOUND_SHARE * run.left))
        if conv_program_size(problem)["variables"] <= LARGEST_WHOLE:
            _wide_search(run, problem, known, seed)
            bounds = _bounds(run, problem, tightening, threads)
            status = _whole(run, problem, bounds, relu, solver, threads, seed)
        else:
            _search(run, problem, seed)
    except KeyboardInterrupt:
        status = "interrupted"
        # Once training is over the choice is made, by more than the objective.
        for each in known if run.network is None else ():
            run.take(each, problem.objective(each), given=True)
    return run.solution(run.network or best, solver, status)


def _search(run: RunRecord[ConvNetwork], problem: ConvProblem, seed: int) -> None:
    """From the start alone, whose filters were chosen for images left out."""
    if run.network is None:
        return
    limit = LARGE_SEARCH_SHARE * run.left
    conv_search(problem, run.network, limit, seed, _taker(run))


def _wide_search(
    run: RunRecord[ConvNetwork],
    problem: ConvProblem,
    networks: list[ConvNetwork],
    seed: int,
) -> None:
    """From all that is known: what a solver proves is the objective, nothing else."""
    limit = SEARCH_SHARE * run.left
    perturbed_search(problem, networks, limit, seed, _taker(run))


def _taker(run: RunRecord[ConvNetwork]) -> Callable[[ConvNetwork, float], None]:
    return lambda network, objective: run.take(network, objective, given=False)


def _bounds(
    run: RunRecord[ConvNetwork],
    problem: ConvProblem,
    share: float,
    threads: int | None,
) -> ConvBounds:
    """Big-M values for networks that are no worse than the best so far."""
    bounds = conv_interval_bounds(problem, run.objective)
    seconds = share * run.left
    if seconds <= 0:
        return bounds
    return tightened_conv_bounds(
        problem, bounds, run.objective, seconds, threads or usable_processors()
    )


def _whole(
    run: RunRecord[ConvNetwork],
    problem: ConvProblem,
    bounds: ConvBounds,
    relu: str,
    solver: str,
    threads: int | None,
    seed: int,
) -> str:
    """Solves the whole program in the time that is left."""
    if run.left <= 0 or run.network is None:
        return "time_limit"
    # HiGHS takes neither squares nor an order of branching, without which the charges
    # of signs only make its relaxations larger.
    able = solver != "highs"
    conv = build_conv(problem, relu, bounds, quadratic=able, signs=able)

    def take(values: Float[np.ndarray, " V"]) -> None:
        network = conv_repaired(problem, read_conv(conv, values))
        run.take(network, problem.objective(network), given=False)

    start = write_conv(conv, conv_repaired(problem, run.network))
    return solve_whole(run, conv.program, start, take, solver, threads, seed)

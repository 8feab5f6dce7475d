"""Trains a network: starts, neighbourhood search, bounds, and the whole program.

The source hands its program to a solver (docs/networks.md). The order here is the
project's own: a start by ridge regression and by gradient descent, a search that holds
most of the network (`neighbourhood_search`), bounds from pairs of instances
(`path_bound`) and neuron by neuron (`neuron_bound`), and the whole program, with big-M
values that the best objective so far has tightened.
"""

from collections.abc import Iterator

from qpm_jax.networks.bounds.by_neurons.bound import neuron_bound
from qpm_jax.networks.bounds.intervals import PreactivationBounds, interval_bounds
from qpm_jax.networks.bounds.path_bound import path_bound
from qpm_jax.networks.bounds.tightening import tightened_bounds
from qpm_jax.networks.local_search.neighbourhood_search import search
from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.programs.program_values import (
    read_network,
    standard_form,
    write_network,
)
from qpm_jax.networks.programs.whole_program import (
    check_settings,
    check_takes,
    solve_whole,
)
from qpm_jax.networks.run_record import RunRecord
from qpm_jax.networks.solution import NetworkSolution
from qpm_jax.networks.starts.dense_starts import (
    repaired,
    ridge_start,
    within_limits,
    zero_network,
)
from qpm_jax.processors import usable_processors
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import FEASIBILITY_TOLERANCE, evaluate

# Gradient training compiles for some seconds, which shorter limits do not have.
GRADIENT_FROM = 6.0
SEARCH_SHARE = 0.6
# No search on Iris, Wine and WBC found anything after 34 s; bounds go on for hours.
LONGEST_SEARCH = 60.0
# Of so many starts, the best after a short search is not always the best start.
SEARCHED_STARTS = 4
_SHORT = 0.1
# Of the time left after the search, at most so much goes into bounds of our own.
BOUND_SHARE = 0.9
# Gradients for the bound by neurons compile for a second or two.
NEURONS_FROM = 4.0
# Programs of so few ReLUs are solved whole.
FEW_RELUS = 150


def solve(
    problem: NetworkProblem,
    relu: str = "big_m",
    solver: str = "highs",
    time_limit: float = 60.0,
    gap: float = 0.01,
    threads: int | None = None,
    seed: int = 0,
    start: ReLUNetwork | None = None,
    progress: Progress | None = None,
    tightening: float = 0.0,
) -> NetworkSolution:
    """Finds a network of small objective, and a bound on the least.

    Args:
        problem: what to solve.
        relu: encoding of the whole program, "big_m", "indicator" or "partitioned".
        solver: of the whole program, "highs", "scip" or "gurobi".
        time_limit: seconds, all of it; 0 returns the start at once.
        gap: relative gap at which to stop, 0 for a proof.
        threads: of the solver, None for its default.
        seed: of starts, search and solver.
        start: a network to start from, bent into limits, family and rules where it is
            outside; None for starts of our own.
        progress: called with (objective, bound, seconds).
        tightening: the share of the time left after the search that goes into big-M
            values from linear programs (`tightening`), shared among `threads` threads,
            or one a processor where that is None. 0 takes the analytic ones, which we
            found as tight on Iris.

    Returns:
        A solution, never worse than a start that is one. Ctrl-C ends it with the best
        so far.

    Raises:
        ValueError: for a setting out of range, a solver that cannot take the program,
            or rules that no network we know of follows.
    """
    check_settings(relu, solver, time_limit=time_limit, gap=gap, tightening=tightening)
    check_takes(problem.family.name, relu, solver)
    run = _Run(problem, time_limit, gap, progress)
    status = "time_limit"
    try:
        for each in _starts(problem, time_limit, seed, start):
            run.keep(each, given=True)
        _search(run, seed)
        _own_bounds(run, seed)
        bounds = _bounds(run, tightening, threads)
        status = _whole(run, bounds, relu, solver, threads, seed)
    except KeyboardInterrupt:
        if run.network is None:
            raise
        status = "interrupted"
    return run.solution(run.best, solver, status)


class _Run(RunRecord[ReLUNetwork]):
    """The best network and bound so far, the clock, and the starts."""

    def __init__(
        self,
        problem: NetworkProblem,
        time_limit: float,
        gap: float,
        progress: Progress | None,
    ) -> None:
        super().__init__(time_limit, gap, progress, problem.layer_price)
        self.problem = problem
        self.starts: list[ReLUNetwork] = []

    @property
    def best(self) -> ReLUNetwork:
        if self.network is None:
            raise ValueError(
                "start, and every start of our own, breaks a rule in `rules`; give a"
                " network that follows them as `start`."
            )
        return self.network

    def keep(self, network: ReLUNetwork, given: bool = False) -> None:
        """Takes a network that is better and, if it is a start, feasible."""
        candidate = standard_form(self.problem, network)
        if given:
            if not _follows(self.problem, candidate):
                return
            self.starts.append(candidate)
        self.take(candidate, self.problem.objective(candidate), given=given)


def _search(run: _Run, seed: int) -> None:
    """A short search from every start, then a long one from the best network."""
    share = min(SEARCH_SHARE * run.left, LONGEST_SEARCH)
    if share <= 0:
        return

    def kept(found: ReLUNetwork, _: float) -> None:
        run.keep(found)

    first = sorted(run.starts, key=run.problem.objective)[:SEARCHED_STARTS]
    if len(first) > 1:
        for start in first:
            search(run.problem, start, _SHORT * share, seed, kept)
        share *= 1 - _SHORT * len(first)
    search(run.problem, run.best, share, seed, kept)


def _starts(
    problem: NetworkProblem, time_limit: float, seed: int, start: ReLUNetwork | None
) -> Iterator[ReLUNetwork]:
    """The start that is given, bent where it is no solution; else starts of our own."""
    if start is not None:
        yield _fitting(problem, start)
        return
    yield zero_network(problem)
    yield ridge_start(problem)
    if time_limit >= GRADIENT_FROM:
        from qpm_jax.networks.starts.gradient_start import gradient_starts

        yield from gradient_starts(problem, seed)[:SEARCHED_STARTS]


def _fitting(problem: NetworkProblem, network: ReLUNetwork) -> ReLUNetwork:
    """The network within limits and family, bent to the rules where it breaks one."""
    near = within_limits(problem, network)
    kept = _follows(problem, standard_form(problem, near))
    return near if kept else repaired(problem, near)


def _follows(problem: NetworkProblem, network: ReLUNetwork) -> bool:
    """Whether a network within the limits and the family follows the rules."""
    if not problem.rules:
        return True
    dense = build_dense(problem)
    values = write_network(dense, network)
    return evaluate(dense.program, values)[1] <= FEASIBILITY_TOLERANCE


def _own_bounds(run: _Run, seed: int) -> None:
    """Bounds that no solver is asked for; little time for them where it would do."""
    problem, share = run.problem, BOUND_SHARE * run.left
    ends = run.seconds + share
    run.hear(path_bound(problem, share))
    relus = len(problem.labels) * sum(problem.hidden)
    if relus > FEW_RELUS and ends - run.seconds >= NEURONS_FROM:
        left = ends - run.seconds
        neuron_bound(problem, run.objective, left, run.gap, seed, run.hear)


def _bounds(run: _Run, share: float, threads: int | None) -> PreactivationBounds:
    """Big-M values for networks that are no worse than the best so far."""
    bounds = interval_bounds(run.problem, run.objective)
    seconds = share * run.left
    if seconds <= 0:
        return bounds
    return tightened_bounds(
        run.problem, bounds, run.objective, seconds, threads or usable_processors()
    )


def _whole(
    run: _Run,
    bounds: PreactivationBounds,
    relu: str,
    solver: str,
    threads: int | None,
    seed: int,
) -> str:
    """Solves the whole program in the time that is left."""
    problem = run.problem
    if run.left <= 0:
        return "time_limit"
    dense = build_dense(problem, relu, bounds, quadratic=solver != "highs")
    return solve_whole(
        run,
        dense.program,
        write_network(dense, run.best),
        lambda values: run.keep(_fitting(problem, read_network(dense, values))),
        solver,
        threads,
        seed,
    )

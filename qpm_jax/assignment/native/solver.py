"""The native solver: local search from many starts, with a bound beside it.

Search on the accelerator (`search`), uniqueness and float64 on the host (`refine`),
full enumeration where the problem is small (`enumeration`), and upper bounds beside the
search (`bounding`). No solver licence and no solver needed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import jax
import numpy as np
from jaxtyping import Int

from qpm_jax.assignment.native import bounding, enumeration, refine, search
from qpm_jax.assignment.native.chains import (
    Chains,
    continue_chains,
    perturb,
    start_chains,
)
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.result import PROVEN, Assignment, make_assignment
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import relative_gap

# Values that one step of all chains may touch; keeps memory and step time bounded.
_CHAIN_WORK = 4_000_000
# Up to this many values the host searches too, with uniqueness in the objective.
_HOST_WORK = 20_000
_HOST_REPEATS = 4
# Exact evaluations of a round, times the classes: about as long as the chains' step.
_EVALUATIONS = 4000


@dataclass(frozen=True, eq=False)
class Incumbent:
    """The best solution known at some moment.

    Attributes:
        selected: int64 [n].
        value: its Z in float64, all classes different.
        bound: upper bound on Z.
    """

    selected: Int[np.ndarray, " n"]
    value: float
    bound: float


def solve_native(
    problem: AssignmentProblem,
    time_limit: float = 60.0,
    seed: int = 0,
    gap: float = 0.0,
    progress: Progress | None = None,
    patience: int = 150,
    chains: int | None = None,
    bound_steps: int = 400,
    price_steps: int = 6000,
    max_rounds: int | None = None,
    enumerate_small: bool = True,
) -> Assignment:
    """Solves an `AssignmentProblem` without any solver.

    Args:
        problem: the problem.
        time_limit: seconds, compilation included; 0 gives a plain first selection.
        seed: randomness. The same seed gives the same answer as long as the search ends
            by `patience` or `max_rounds` and not by `time_limit`.
        gap: ends when the bound is this close.
        progress: called with (objective, bound, seconds) after every round.
        patience: ends after this many rounds without improvement.
        chains: searches side by side; None chooses by problem and device.
        bound_steps: steps of the cheap bound; 0 leaves the bound at infinity.
        price_steps: steps of the bound that prices pair penalties; 0 leaves it out.
        max_rounds: ends after this many rounds of search, with the status "time_limit";
            the same on every machine, which a limit in seconds is not. None sets no
            limit.
        enumerate_small: proves problems with few selections by looking at all of them.

    Returns:
        The best solution found, checked; status "optimal", "gap_reached", "time_limit",
        "stalled" (by patience) or "interrupted" (Ctrl-C).
    """
    started = time.perf_counter()
    deadline = started + time_limit
    host = refine.host_arrays(problem)
    best = first_incumbent(problem, host)
    status = "time_limit"
    try:
        # A minimum of classes is met by repair, so that looking at all proves nothing.
        small = enumeration.is_small(host, problem.num_features)
        if enumerate_small and small and not problem.min_classes:
            rounds = _enumerate(host, best, deadline)
        else:
            steps = (bound_steps, price_steps)
            rounds = _search(
                problem, host, best, seed, deadline, patience, chains, steps
            )
        done = 0
        while time.perf_counter() < deadline and done != max_rounds:
            latest = next(rounds, None)
            done += 1
            if latest is None:
                status = "stalled"
                break
            best = latest
            if progress is not None:
                progress(best.value, best.bound, time.perf_counter() - started)
            closed = relative_gap(best.value, best.bound)
            if closed <= max(gap, PROVEN):
                status = "optimal" if closed <= PROVEN else "gap_reached"
                break
    except KeyboardInterrupt:
        status = "interrupted"
    assignment, _ = refine.solution_of(host, best.selected)
    seconds = time.perf_counter() - started
    return make_assignment(
        problem,
        best.selected,
        problem.signed(best.selected, assignment),
        best.bound,
        seconds,
        "native",
        status,
    )


def _chains() -> int:
    """Searches side by side: a CPU gains nothing from more than two."""
    return 2 if jax.default_backend() == "cpu" else 8


def first_incumbent(problem: AssignmentProblem, host: refine.HostArrays) -> Incumbent:
    """The features of largest total value: cheap, feasible, not good.

    Args:
        problem: the problem.
        host: its arrays.

    Returns:
        An `Incumbent` without a bound.
    """
    score = np.maximum(host.values, 0.0).sum(axis=0) + host.bias
    score[host.barred] = -np.inf
    score[host.fixed] = np.inf
    selected = np.sort(np.argsort(-score, kind="stable")[: problem.num_features])
    value = refine.solution_of(host, selected)[1]
    return Incumbent(selected, value, np.inf)


def _enumerate(
    host: refine.HostArrays, first: Incumbent, deadline: float
) -> Iterator[Incumbent]:
    """A local search for a good start, then all selections."""
    selected, value = refine.refine(host, first.selected, deadline)
    yield Incumbent(selected, value, np.inf)
    yield Incumbent(*enumeration.best_selection(host, selected, deadline))


def _search(
    problem: AssignmentProblem,
    host: refine.HostArrays,
    best: Incumbent,
    seed: int,
    deadline: float,
    patience: int,
    chains: int | None,
    bound_steps: tuple[int, int],
) -> Iterator[Incumbent]:
    """Yields the best known after every round; ends when nothing improves any more.

    A round is one step of all chains, a slice of exact search from what they found, and
    work on the bound until both have had the same time. What the search finds does not
    depend on the bound, nor on how fast the machine is.
    """
    arrays = search.search_arrays(problem)
    count, features = problem.num_features, len(host.bias)
    if chains is None:
        chains = max(1, min(_chains(), _CHAIN_WORK // host.values.size))
    random = np.random.default_rng(seed)
    state = start_chains(arrays, host, random, count, chains)
    tried: set[bytes] = set()
    given = refine.Refinement(best.selected, best.value, settled=True)
    refining = _next_start(host, state, best, given, tried)
    best = _better(best, refining)
    yield best
    largest = max(1, min(count, features - count, max(4, 2 * count // 5)))
    evaluations = max(1, _EVALUATIONS // len(host.values))
    work = bounding.begin(problem, arrays, best.selected, *bound_steps)
    stale, ahead = 0, 0.0  # seconds the search is ahead of the bound
    while stale < patience or not work.done or not refining.settled:
        before, started = best, time.perf_counter()
        if stale < patience:
            state = continue_chains(arrays, host, state, random, largest)
            refining = _next_start(host, state, best, refining, tried)
            if state.best_value.max() > best.value and host.values.size <= _HOST_WORK:
                best = _perturb_exactly(host, best, random, largest, deadline)
        refining = refine.improve(host, refining, evaluations, deadline)
        best = _better(best, refining)
        stale = 0 if best.value > before.value else stale + 1
        ahead += time.perf_counter() - started
        if not work.done and (ahead > 0 or stale >= patience):
            started = time.perf_counter()
            work = bounding.tighten(work, best.value, deadline)
            ahead -= time.perf_counter() - started
            best = replace(best, bound=min(best.bound, work.bound))
        yield best


def _next_start(
    host: refine.HostArrays,
    state: Chains,
    best: Incumbent,
    refining: refine.Refinement,
    tried: set[bytes],
) -> refine.Refinement:
    """What to refine: the best that a chain found and nothing was started from yet.

    Only a selection whose value without uniqueness beats the incumbent can become
    better than it. What is being refined goes on until it is settled, unless the new
    selection is better than the incumbent as it is.
    """
    for chain in np.argsort(-state.best_value, kind="stable"):
        selected = np.sort(state.best[chain].astype(np.int64))
        if state.best_value[chain] <= best.value or selected.tobytes() in tried:
            continue
        value = refine.exact_value(host, selected)
        if value > best.value or refining.settled:
            tried.add(selected.tobytes())
            return refine.Refinement(selected, value, settled=False)
    return refining


def _better(best: Incumbent, found: refine.Refinement) -> Incumbent:
    if found.value <= best.value:
        return best
    return Incumbent(np.sort(found.selected), found.value, best.bound)


def _perturb_exactly(
    host: refine.HostArrays,
    best: Incumbent,
    random: np.random.Generator,
    largest: int,
    deadline: float,
) -> Incumbent:
    """Perturbs the incumbent and repairs it with uniqueness in the objective.

    Where many classes want the same features, the optimum with different classes may
    lie far from what the device search, which leaves uniqueness out, finds.
    """
    rows = np.repeat(best.selected[None], _HOST_REPEATS, axis=0)
    for row in perturb(host, rows, random, largest):
        selected, value = refine.refine(host, row, deadline)
        if value > best.value:
            best = Incumbent(np.sort(selected), value, best.bound)
    return best

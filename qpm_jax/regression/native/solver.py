"""The native solver of binarized regression: prices, relax and fix, and a proof.

The linear relaxation of docs/regression.md is nearly whole and close to the optimum.
Its prices bound every model from below (`bound`). Models are decided weight by weight
as the marginals of all good models say (`marginals`), then a few weights of every
class, or a few classes, are opened at a time (`wandering`). Small programs are searched
by trees as well: class after class is made whole (`search`), and last, the weights that
a better model cannot change are fixed and a tree over the rest improves the model once
more or proves it.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Int
from threadpoolctl import threadpool_limits

from qpm_jax.regression import start
from qpm_jax.regression.merged_data import MergedData, merge
from qpm_jax.regression.native.beginnings import Tried, begin, is_settled
from qpm_jax.regression.native.bound import (
    objective_step,
    price_bound,
    round_up,
)
from qpm_jax.regression.native.model import NativeModel, make_model, zero_model
from qpm_jax.regression.native.proof import Incumbent, prove
from qpm_jax.regression.native.relaxation import as_relaxed, relax
from qpm_jax.regression.native.search import Search, open_classes
from qpm_jax.regression.native.wandering import (
    Walk,
    descended,
    look_around,
    one_walk,
    wander,
)
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import (
    RegressionSolution,
    make_solution,
)
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import relative_gap

# A gap below this is rounding.
_PROVEN = 1e-9
# Weights may move whose reduced cost is at most this; their number decides the time.
_ALLOWANCE = 2.0
# The same for the descent of a model, which is cheap enough to try several.
_DESCENTS = (1.0, 2.0, 3.0)
# One class may end this far from its best, absolute and as a share of the objective.
_SLACK = 0.4
_SLACK_SHARE = 3e-5
_NODES = 30
_MOST_OPENED = 4
# Dives and draws between two openings by trees.
_DIVES, _DRAWS = 10, 20
# A model this much dearer costs the same.
_TIE = 1e-6
# Entries of programs that are solved at once, and of those worth trees and a proof.
_SMALL = 15_000
_PROVABLE = 100_000
# Of the time, at most, for models that need no relaxation.
_START_SHARE = 0.2
# Steps between the best model and the bound that make a proof likely.
_NEARLY_PROVEN = 1.5


# More threads of BLAS only wait for each other: the matrices are small.
@threadpool_limits.wrap(limits=1, user_api="blas")
def solve_native(
    problem: RegressionProblem,
    time_limit: float = 60.0,
    seed: int = 0,
    gap: float = 0.0,
    progress: Progress | None = None,
    max_rounds: int | None = None,
) -> RegressionSolution:
    """Solves a regression problem by prices and a few classes at a time.

    One thread does all the work; BLAS is held to one, in the whole process, meanwhile.

    Args:
        problem: the problem.
        time_limit: seconds, building included.
        seed: randomness. The same seed gives the same answer as long as the solve does
            not end by `time_limit`.
        gap: ends when the bound is this close.
        progress: called with (objective, bound, seconds) whenever one has improved.
        max_rounds: ends after so many rounds, with status "time_limit"; None for no
            limit.

    Returns:
        The best model found, checked; status "optimal", "gap_reached", "time_limit",
        "interrupted" (Ctrl-C, or a `KeyboardInterrupt` raised by `progress`; zero
        weights where nothing was tried by then), or "no_incumbent": the time was over
        before anything but zero weights was tried.
    """
    started = time.perf_counter()
    status, told = "no_incumbent", None
    try:
        data = merge(problem)
        best = _zero(problem, data)
    except KeyboardInterrupt:
        seconds, nothing = time.perf_counter() - started, start.zero_model(problem)
        return make_solution(
            problem, *nothing, -np.inf, seconds, "native", "interrupted"
        )
    try:
        rounds = _rounds(problem, data, best, seed, started + time_limit)
        for number, best in enumerate(rounds):
            news = best.model.cost, best.bound
            if progress is not None and news != told:
                progress(*news, time.perf_counter() - started)
            told = news
            status = "time_limit" if number else status  # first come zero weights
            closed = relative_gap(*news)
            if closed <= max(gap, _PROVEN):
                status = "optimal" if closed <= _PROVEN else "gap_reached"
                break
            if time.perf_counter() - started >= time_limit or number == max_rounds:
                break
    except KeyboardInterrupt:
        status = "interrupted"
    return make_solution(
        problem,
        data.spread(best.model.weights),
        best.model.intercepts,
        best.bound,
        time.perf_counter() - started,
        "native",
        status,
    )


def _zero(problem: RegressionProblem, data: MergedData) -> Incumbent:
    """Zero weights and intercepts, which are always allowed, and even prices."""
    model = zero_model(problem, data)
    even = price_bound(problem, data, np.zeros((len(data.labels), problem.num_classes)))
    bound = round_up(even.value, objective_step(problem))
    return Incumbent(model, min(bound, model.cost))


def _rounds(
    problem: RegressionProblem,
    data: MergedData,
    best: Incumbent,
    seed: int,
    deadline: float,
) -> Iterator[Incumbent]:
    """Yields the best known, ever anew; ends only without a relaxation."""
    random = np.random.default_rng(seed)
    yield best
    entries = int(data.features.astype(bool).sum()) * 2 * problem.num_classes
    if entries > _PROVABLE:
        for started in _started(problem, data, best, deadline):
            best = started
            yield best
    relaxation = relax(problem, data, deadline)
    if relaxation is None:
        return
    slack = max(_SLACK, _SLACK_SHARE * abs(relaxation[0].value))
    search = Search(problem, data, *relaxation, _ALLOWANCE, slack, _NODES, deadline)
    best = _rounded(search, best)
    yield best
    if entries <= _SMALL:
        best = prove(search, best, seed)
        yield best
    tried: list[Tried] = []
    while not is_settled(tried):
        begun, tried = begin(search, tried, random)
        best = _cheaper(best, begun)
        yield best
    if entries <= _PROVABLE:
        yield from _by_dives_and_trees(search, best, random)
    else:
        yield from _by_walks(search, tried, best, random)


def _started(
    problem: RegressionProblem, data: MergedData, best: Incumbent, deadline: float
) -> Iterator[Incumbent]:
    """Yields the best known after each of the first models that need no relaxation.

    The relaxation of many instances with wrong labels takes minutes.
    """
    seconds = _START_SHARE * (deadline - time.perf_counter())
    for weights, intercepts in start.rounded_starts(problem, data, seconds):
        model = make_model(problem, data, data.gather(weights), intercepts + 0.0)
        best = _cheaper(best, model)
        yield best


def _by_walks(
    search: Search, tried: list[Tried], best: Incumbent, random: np.random.Generator
) -> Iterator[Incumbent]:
    """Yields the best known after every draw, dive and try at a proof, without end.

    Where a walk gets no further differs by more than going on would gain, so it is left
    for a new one, which begins with another decimation.
    """
    begun: NativeModel | None = best.model
    while True:
        for model in [] if begun is None else one_walk(search, begun, random):
            best = _cheaper(best, model)
            yield best
        if _nearly_proven(search, best):
            best = prove(search, best, int(random.integers(2**31)))
        yield best
        begun, tried = begin(search, tried, random)
        best = _cheaper(best, begun)
        yield best


def _cheaper(best: Incumbent, model: NativeModel | None) -> Incumbent:
    """The best known, with another model where there is one and it is cheaper."""
    if model is None:
        return best
    return replace(best, model=min(best.model, model, key=lambda one: one.cost))


def _nearly_proven(search: Search, best: Incumbent) -> bool:
    step = objective_step(search.problem)
    return best.model.cost - best.bound <= _NEARLY_PROVEN * step


def _by_dives_and_trees(
    search: Search, best: Incumbent, random: np.random.Generator
) -> Iterator[Incumbent]:
    """Yields the best known after every dive, draw, tree and proof, without end."""
    classes = search.problem.num_classes
    order, known, stale = random.permutation(classes), search.relaxed, 0
    walk = Walk(best.model, best.model)
    while True:
        before, walk = best.model.cost, replace(walk, now=best.model, best=best.model)
        for move in [wander] * _DIVES + [look_around] * _DRAWS:
            walk = move(search, walk, random)
            best = replace(best, model=walk.best)
            yield best
        stale = 0 if best.model.cost < before else stale + 1
        cutoff = best.model.cost + _TIE
        whole = open_classes(search, known, order, cutoff, int(random.integers(2**31)))
        if whole is not None and whole.cost <= cutoff:
            whole = _descend(search, whole)
            stale = 0 if whole.cost < best.model.cost else stale
            best = replace(best, model=whole)
        yield best
        if stale >= classes or _nearly_proven(search, best):
            best = prove(search, best, int(random.integers(2**31)))
            yield best
        if stale >= 2 * classes:
            search, stale = replace(search, nodes=2 * search.nodes), 0
        order, known = _group(classes, random), as_relaxed(best.model)


def _group(classes: int, random: np.random.Generator) -> Int[np.ndarray, " K"]:
    """A few classes, to be opened next, in random order."""
    most = min(_MOST_OPENED, classes)
    size = random.integers(min(2, most), most, endpoint=True)
    return random.permutation(classes)[:size]


def _rounded(search: Search, best: Incumbent) -> Incumbent:
    """The best known with the relaxation's bound and the descent of its rounding."""
    problem, relaxed = search.problem, search.relaxed
    weights = np.round(relaxed.weights).astype(np.int64)
    model = make_model(problem, search.data, weights, relaxed.intercepts)
    best = _cheaper(best, model and _descend(search, model))
    bound = round_up(search.prices.value, objective_step(problem))
    return replace(best, bound=min(bound, best.model.cost))


def _descend(search: Search, model: NativeModel) -> NativeModel:
    """The best end of the descents from a model within several reduced costs."""
    ends = [descended(search, model, allowance) for allowance in _DESCENTS]
    return min(ends, key=lambda end: end.cost)

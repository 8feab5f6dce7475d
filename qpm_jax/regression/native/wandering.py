"""From model to model: neighbourhoods in all classes, and dives of a few.

`neighbourhood` finds what is better in a few weights of every class. Where that gets no
further it is the turn of dives, which end a few units above or below the model they
start from: one that is no dearer is taken, a dearer one as in simulated annealing at a
temperature that stays the same. Each goes on where the other one ends.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from qpm_jax.regression.native.bound import allowed_weights
from qpm_jax.regression.native.dive import dive
from qpm_jax.regression.native.model import NativeModel
from qpm_jax.regression.native.neighbourhood import best_within, draw_weights
from qpm_jax.regression.native.pairs import descend_by_pairs
from qpm_jax.regression.native.relaxation import Relaxed, as_relaxed
from qpm_jax.regression.native.search import Search

# Weights of a larger reduced cost are hardly ever of use, and slow the dives.
_ALLOWANCE = 1.0
_OPENED = (2, 4)  # classes of a dive, least and most
_GIVEN_UP = 12.0  # above the present model
_TEMPERATURE = 1.0
# So many dives, or draws, for nothing, and it is the other's turn.
_STALE_DIVES, _STALE_DRAWS = 20, 40
_FROM_BEST = 0.5  # of the draws
# A walk ends after so many turns of both for nothing.
_TURNS = 2
# Weights that are drawn: the first time, at least, and by what their number grows
# where that makes a small program and shrinks where it does not.
_FIRST_DRAWN, _LEAST_DRAWN = 800.0, 50.0
_GROWTH, _SHRINKAGE = 1.06, 0.86


@dataclass(frozen=True, eq=False)
class Walk:
    """Where a walk is, the best model it has seen, and how many weights it draws."""

    now: NativeModel
    best: NativeModel
    drawn: float = _FIRST_DRAWN


def one_walk(
    search: Search, begun: NativeModel, random: np.random.Generator
) -> Iterator[NativeModel]:
    """From a model to where neither draws nor dives get further.

    Args:
        search: what to search.
        begun: the model.
        random: of classes, their order and what is taken.

    Yields:
        The best model after each draw and dive.
    """
    walk, turns = Walk(begun, begun), 0
    while turns < _TURNS:
        before = walk.best.cost
        walk = yield from _until_stale(look_around, _STALE_DRAWS, search, walk, random)
        walk = yield from _until_stale(wander, _STALE_DIVES, search, walk, random)
        turns = 0 if walk.best.cost < before else turns + 1


def _until_stale(
    move: Callable[[Search, Walk, np.random.Generator], Walk],
    patience: int,
    search: Search,
    walk: Walk,
    random: np.random.Generator,
) -> Generator[NativeModel, None, Walk]:
    """Its best after each move, until so many in a row were for nothing; then it."""
    stale = 0
    while stale < patience:
        last, walk = walk.best.cost, move(search, walk, random)
        yield walk.best
        stale = 0 if walk.best.cost < last else stale + 1
    return walk


def first_dive(search: Search, random: np.random.Generator) -> NativeModel | None:
    """A dive of all classes from the relaxation.

    Args:
        search: what to search.
        random: of the order.

    Returns:
        Its end; None where the deadline came before.
    """
    order = random.permutation(search.problem.num_classes)
    return _dived(search, search.relaxed, order, np.inf)


def wander(search: Search, walk: Walk, random: np.random.Generator) -> Walk:
    """One dive of a few classes from where the walk is.

    Args:
        search: what to search.
        walk: where it is.
        random: of classes, their order and what is taken.

    Returns:
        The walk after it; its best model costs no more than before.
    """
    here = walk.now
    order = _opened(search.problem.num_classes, random)
    chance = random.random()
    found = _dived(search, as_relaxed(here), order, here.cost + _GIVEN_UP)
    if found is None:
        return walk
    rise = max(0.0, found.cost - here.cost)
    now = found if chance < np.exp(-rise / _TEMPERATURE) else here
    best = min(walk.best, found, key=lambda model: model.cost)
    return replace(walk, now=now, best=best)


def look_around(search: Search, walk: Walk, random: np.random.Generator) -> Walk:
    """Draws weights where the walk is, or at its best model, and looks for better ones.

    Args:
        search: what to search.
        walk: where it is.
        random: of what is drawn.

    Returns:
        The walk after it, which draws more weights if these were few.
    """
    here = walk.best if random.random() < _FROM_BEST else walk.now
    drawn = draw_weights(search, here, int(walk.drawn), random)
    found, small = best_within(search, here, drawn, random)
    number = walk.drawn * (_GROWTH if small else _SHRINKAGE)
    number = min(max(number, _LEAST_DRAWN), float(drawn.size))
    if found is None:
        return replace(walk, drawn=number)
    best = found if found.cost <= walk.best.cost else walk.best
    return Walk(found, best, number)


def _opened(classes: int, random: np.random.Generator) -> np.ndarray:
    least, most = (min(number, classes) for number in _OPENED)
    return random.permutation(classes)[: random.integers(least, most, endpoint=True)]


def _dived(
    search: Search, known: Relaxed, order: np.ndarray, cutoff: float
) -> NativeModel | None:
    """A dive and the descent from its end."""
    found = dive(replace(search, allowance=_ALLOWANCE), known, order, cutoff)
    return None if found is None else descended(search, found)


def descended(
    search: Search, model: NativeModel, allowance: float = 1.0
) -> NativeModel:
    """The end of the descent by pairs of steps from a model.

    Args:
        search: what to search.
        model: the model.
        allowance: reduced cost up to which a weight may move.
    """
    ranges = allowed_weights(search.data, search.prices.slopes, allowance)
    return descend_by_pairs(search.problem, search.data, model, *ranges)

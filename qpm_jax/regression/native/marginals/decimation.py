"""A model by deciding one weight after another as the marginals of good models say.

The relaxation's corner says nothing about how many good models go on from it, so what
its dives round first costs little and what they round last much. Marginals over all
models of about the cost that is sought (`propagation`) know how the rest can still
adapt: the surest weights are decided, the marginals brought up to date, and so on.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.native.bound import allowed_weights
from qpm_jax.regression.native.marginals.beliefs import (
    Known,
    Layout,
    OpenWeights,
    Sites,
    layout,
)
from qpm_jax.regression.native.marginals.propagation import (
    Marginals,
    first_sites,
    sweep,
)
from qpm_jax.regression.native.marginals.tie_rows import TieRows, tie_rows
from qpm_jax.regression.native.model import NativeModel, make_model
from qpm_jax.regression.native.search import Search

# Values that are e to this less likely by their own cost alone are left out.
_UNLIKELY = 8.0
# Scores this far behind the best may come to lead.
_NEAR = 4.0
# With more rows a sweep takes more than a second, or gigabytes where classes differ.
_MOST_ROWS = 2000
_MOST_ENTRIES = 1e8
_INTERCEPT_VARIANCE, _HELD_VARIANCE = 0.3, 1e-6
_FIRST_SWEEPS, _SWEEPS = 25, 3
# An intercept is brought to a whole number in steps, with sweeps after each.
_STEPS, _STEP_SWEEPS = 2, 2
# Weights decided at a time, as a share; and those that are as good as sure.
_SHARE, _SURE = 0.02, 0.9999
# Decides among equally sure weights.
_SHAKE = 1e-9


def decimate(
    search: Search, sharpness: float, random: np.random.Generator
) -> NativeModel | None:
    """Decides all weights.

    Args:
        search: what to search; its deadline counts.
        sharpness: s, models of cost E count e^(−s E); the larger, the fewer models are
            looked at, until propagation fails.
        random: of choices among equals.

    Returns:
        The model; None where the deadline came, numbers failed, there are too many
        rows, or the intercepts break the problem's bound.
    """
    data, classes, relaxed = search.data, search.problem.num_classes, search.relaxed
    scores = data.features @ relaxed.weights.T + relaxed.intercepts
    rows = tie_rows(search.problem, data, search.prices.flows, scores, _NEAR)
    cheapest, opened = _open(search, sharpness)
    if not len(opened.classes) or not len(rows.classes):
        return make_model(search.problem, data, cheapest, relaxed.intercepts)
    if _too_large(rows, opened, classes):
        return None
    weights = cheapest.copy()
    weights[opened.classes, opened.features] = 0
    known = Known(
        (data.features @ weights.T)[rows.instances, rows.classes].astype(np.float64),
        relaxed.intercepts,
        np.full(classes, _INTERCEPT_VARIANCE),
    )
    state = _begun(search, rows, opened, known, sharpness)
    state = state and _hold_intercepts(search, state)
    while state is not None and len(state.opened.classes):
        chances = state.marginals.chances
        chosen = _surest(chances, random)
        values = state.opened.values[chances[chosen].argmax(axis=1)]
        weights[state.opened.classes[chosen], state.opened.features[chosen]] = values
        state = _decided(search, state, chosen, values)
    if state is None:
        return None
    return make_model(search.problem, data, weights, state.known.intercepts)


@dataclass(frozen=True, eq=False)
class _State:
    """What is open, known and believed."""

    rows: TieRows
    opened: OpenWeights
    plan: Layout
    known: Known
    sites: Sites
    marginals: Marginals
    sharpness: float


def _open(
    search: Search, sharpness: float
) -> tuple[Int[np.ndarray, "C f"], OpenWeights]:
    """The cheapest weights, and those that may have other values too."""
    data, slopes = search.data, search.prices.slopes
    cheapest, _ = allowed_weights(data, slopes, 0.0)
    low, high = allowed_weights(data, slopes, _UNLIKELY / sharpness)
    classes, features = np.nonzero(low < high)
    least, most = low[classes, features][:, None], high[classes, features][:, None]
    values = np.arange(least.min(initial=0), most.max(initial=0) + 1.0)
    costs = np.abs(values) + values * slopes[classes, features][:, None]
    costs[(values < least) | (values > most)] = np.inf
    likely = np.isfinite(costs).any(axis=0)
    penalties = sharpness * (costs - costs.min(axis=1, keepdims=True))
    return cheapest, OpenWeights(
        classes, features, values[likely], penalties[:, likely]
    )


def _too_large(rows: TieRows, opened: OpenWeights, classes: int) -> bool:
    """Whether a sweep would take too long or too much memory."""
    most_rows = int(np.bincount(rows.classes, minlength=classes).max())
    most_open = int(np.bincount(opened.classes, minlength=classes).max())
    entries = float(classes) * most_rows * (most_rows + most_open)
    return len(rows.classes) > _MOST_ROWS or entries > _MOST_ENTRIES


def _begun(
    search: Search, rows: TieRows, opened: OpenWeights, known: Known, sharpness: float
) -> _State | None:
    plan = layout(rows, opened, search.data.features, search.problem.num_classes)
    nothing = Marginals(np.zeros_like(opened.penalties), known.intercepts)
    sites = first_sites(rows, opened)
    state = _State(rows, opened, plan, known, sites, nothing, sharpness)
    return _swept(search, state, _FIRST_SWEEPS)


def _swept(search: Search, state: _State | None, times: int) -> _State | None:
    """The state after some sweeps; None where they failed or the deadline came."""
    for _ in range(times):
        if state is None or time.perf_counter() >= search.deadline:
            return None
        told = sweep(
            state.rows,
            state.opened,
            state.plan,
            state.known,
            state.sites,
            state.sharpness,
        )
        if told is None:
            return None
        state = replace(state, sites=told[0], marginals=told[1])
    return state


def _hold_intercepts(search: Search, state: _State) -> _State | None:
    """Brings intercept after intercept to a whole number, the nearest to one first."""
    means, limit = state.marginals.intercepts, search.problem.intercept_limit
    middle = np.floor((means.max() + means.min()) / 2)
    left = list(range(search.problem.num_classes))
    now: _State | None = state
    while left and now is not None:
        means = now.marginals.intercepts
        chosen = left.pop(int(np.abs(means - np.round(means))[left].argmin()))
        end = np.clip(np.round(means[chosen]), middle - limit, middle + limit)
        for here in np.linspace(means[chosen], end, _STEPS + 1)[1:]:
            moved = now and _with_intercept(now, chosen, here)
            now = _swept(search, moved, _STEP_SWEEPS)
    return now


def _with_intercept(state: _State, chosen: int, value: float) -> _State:
    intercepts, spread = state.known.intercepts.copy(), state.known.spread.copy()
    intercepts[chosen], spread[chosen] = value, _HELD_VARIANCE
    known = replace(state.known, intercepts=intercepts, spread=spread)
    return replace(state, known=known)


def _surest(
    chances: Float[np.ndarray, "J v"], random: np.random.Generator
) -> Int[np.ndarray, " x"]:
    """The weights to decide: the surest few, and all that are as good as decided."""
    sure = chances.max(axis=1) + _SHAKE * random.random(len(chances))
    number = max(1, int(_SHARE * len(sure)))
    return np.union1d(np.argsort(-sure)[:number], np.flatnonzero(sure > _SURE))


def _decided(
    search: Search,
    state: _State,
    chosen: Int[np.ndarray, " x"],
    values: Float[np.ndarray, " x"],
) -> _State | None:
    """Some weights decided, and what is believed of the others."""
    rows, opened, data = state.rows, state.opened, search.data
    given = np.zeros((search.problem.num_classes, len(data.sizes)))
    given[opened.classes[chosen], opened.features[chosen]] = values
    touched = np.unique(opened.features[chosen])
    raised = data.features[:, touched] @ given[:, touched].T
    scores = state.known.scores + raised[rows.instances, rows.classes]
    kept = np.ones(len(opened.classes), bool)
    kept[chosen] = False
    left = opened.only(kept)
    state = replace(
        state,
        opened=left,
        plan=layout(rows, left, data.features, search.problem.num_classes),
        known=replace(state.known, scores=scores),
        sites=state.sites.only(kept),
    )
    return _swept(search, state, _SWEEPS) if kept.any() else state

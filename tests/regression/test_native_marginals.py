"""Marginals by propagation against the density itself, summed over all weights."""

import itertools

import numpy as np
import pytest

from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native.bound import price_bound
from qpm_jax.regression.native.marginals.beliefs import Known, OpenWeights, layout
from qpm_jax.regression.native.marginals.propagation import first_sites, sweep
from qpm_jax.regression.native.marginals.tie_rows import tie_rows

_SHARPNESS = 0.4
_SWEEPS = 60
# Rivals' best scores that are summed over: within a few units of the scores.
_BEYOND, _POINTS = 6.0, 300


def small_case(make_unusual, seed):
    """Open weights, rows and held intercepts; penalties are those of the prices."""
    problem = make_unusual(seed, instances=6, features=2)
    data, random = merge(problem), np.random.default_rng(seed)
    classes, columns = problem.num_classes, len(data.sizes)
    prices = price_bound(
        problem, data, random.uniform(0, 3, (len(data.labels), classes))
    )
    of_class = np.repeat(np.arange(classes), columns)
    of_column = np.tile(np.arange(columns), classes)
    values = np.arange(-data.sizes.max(), data.sizes.max() + 1.0)
    # Gentle slopes, so that no value is ruled out by its own cost.
    slopes = np.clip(prices.slopes, -1, 1)[of_class, of_column]
    penalties = _SHARPNESS * (np.abs(values) + slopes[:, None] * values)
    penalties[np.abs(values) > data.sizes[of_column][:, None]] = np.inf
    opened = OpenWeights(of_class, of_column, values, penalties)
    rows = tie_rows(
        problem, data, prices.flows, random.normal(size=prices.flows.shape), np.inf
    )
    known = Known(
        np.zeros(len(rows.classes)),
        0.3 * random.normal(size=classes),
        np.full(classes, 1e-6),
    )
    return rows, opened, known, data.features


def propagated(rows, opened, known, features):
    plan = layout(rows, opened, features, len(known.intercepts))
    sites = first_sites(rows, opened)
    for _ in range(_SWEEPS):
        told = sweep(rows, opened, plan, known, sites, _SHARPNESS)
        assert told is not None
        sites, marginals = told
    return marginals.chances


def summed(rows, opened, known, features):
    """Chances of all values, from every combination of weights."""
    allowed = [np.flatnonzero(np.isfinite(each)) for each in opened.penalties]
    places = np.array(list(itertools.product(*allowed)))
    weights = opened.values[places]
    taken = (rows.classes[:, None] == opened.classes) * features[rows.instances][
        :, opened.features
    ]
    scores = weights @ taken.T + known.scores + known.intercepts[rows.classes]
    chances = np.exp(-opened.penalties[np.arange(len(allowed)), places].sum(axis=1))
    for group in np.unique(rows.groups):
        chances *= rival_integral(rows, scores, rows.groups == group)
    sums = np.zeros_like(opened.penalties)
    for weight, place in enumerate(places.T):
        np.add.at(sums[weight], place, chances)
    return sums / chances.sum()


def rival_integral(rows, scores, members):
    """The integral of one instance's density over its rivals' best score."""
    own = scores[:, members]
    rival = np.linspace(own.min() - _BEYOND, own.max() + _BEYOND, _POINTS)
    ahead = own[:, :, None] - rival
    below, above = rows.below[members][:, None], rows.above[members][:, None]
    paid = below * np.maximum(-ahead, 0) + above * np.maximum(ahead, 0)
    paid[ahead > rows.top[members][:, None] * np.ones_like(ahead)] = np.inf
    return np.exp(-_SHARPNESS * paid.sum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_chances_are_those_of_the_density_summed_over_all_weights(seed, make_unusual):
    case = small_case(make_unusual, seed)
    found, expected = propagated(*case), summed(*case)
    np.testing.assert_allclose(expected.sum(axis=1), 1.0)
    assert np.abs(found - expected).max() < 0.15
    assert np.abs(found - expected).mean() < 0.05

"""The relaxation of the whole: true bounds, met by its own weights."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native.relaxation import relax
from qpm_jax.regression.problem import margins_of


def soon():
    return time.perf_counter() + 600


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_weights_cost_what_the_prices_say(seed, make_search):
    problem = make_search(seed).problem
    data = merge(problem)
    relaxation = relax(problem, data, soon())
    assert relaxation is not None
    prices, relaxed = relaxation
    assert (np.abs(relaxed.weights) <= data.sizes + 1e-9).all()
    scores = data.features @ relaxed.weights.T + relaxed.intercepts
    margins = margins_of(scores, data.labels) * data.counts
    paid = problem.alpha * np.maximum(margins, 0) + problem.beta * np.minimum(
        margins, 0
    )
    cost = np.abs(relaxed.weights).sum() - paid.sum()
    np.testing.assert_allclose(prices.value, cost, atol=1e-5)


def test_without_time_there_is_none(make_search):
    problem = make_search(0).problem
    assert relax(problem, merge(problem), time.perf_counter() - 1) is None

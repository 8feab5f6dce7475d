"""Models decided weight by weight from marginals, and where walks begin."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression import solve
from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native import beginnings
from qpm_jax.regression.native.beginnings import (
    Tried,
    begin,
    is_settled,
    next_sharpness,
)
from qpm_jax.regression.native.marginals import decimation
from qpm_jax.regression.native.marginals.decimation import decimate
from qpm_jax.regression.native.relaxation import relax
from qpm_jax.regression.native.search import Search
from qpm_jax.regression.native.wandering import first_dive


def relaxed_search(make_problem, seed, instances=24, features=14):
    """A search from its relaxation."""
    problem = make_problem(seed, instances, features)
    data = merge(problem)
    deadline = time.perf_counter() + 600.0
    relaxation = relax(problem, data, deadline)
    assert relaxation is not None
    return Search(problem, data, *relaxation, 1e6, 0.0, 30, deadline)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), sharpness=st.sampled_from([0.3, 1.0, 4.0]))
def test_a_decimation_gives_whole_weights_in_range_at_their_true_cost(
    seed, sharpness, make_unusual
):
    search = relaxed_search(make_unusual, seed)
    model = decimate(search, sharpness, np.random.default_rng(seed))
    assert model is not None
    assert (np.abs(model.weights) <= search.data.sizes).all()
    spread = search.data.spread(model.weights)
    assert model.cost == search.problem.objective(spread, model.intercepts)
    assert model.cost >= search.prices.value - 1e-6


def best_end(search):
    ends = [
        decimate(search, sharpness, np.random.default_rng(0))
        for sharpness in (0.5, 2.0, 8.0)
    ]
    return min(end.cost for end in ends if end is not None)


def test_decimations_end_near_the_optimum(make_unusual):
    left, whole = 0.0, 0.0
    for seed in range(4):
        search = relaxed_search(make_unusual, seed, 9, 3)
        optimum = solve(search.problem, "highs", 600)
        assert optimum.status == "optimal"
        above = best_end(search) - optimum.objective
        assert above >= 0
        left, whole = left + above, whole - optimum.objective
    assert left <= 0.1 * whole


@pytest.mark.parametrize("seed", range(4))
def test_where_every_lead_costs_the_same_each_weight_is_decided_alone(
    seed, make_problem
):
    # Two classes and one price: the cost is linear, so the relaxation is exact.
    search = relaxed_search(
        lambda *sizes: make_problem(*sizes, classes=2, alpha=3, beta=3, top=3), seed
    )
    assert best_end(search) == pytest.approx(search.prices.value)


def test_decimations_end_no_higher_than_dives(make_problem):
    gained = []
    for seed in range(4):
        search = relaxed_search(make_problem, seed, 60, 40)
        ends = [
            decimate(search, sharpness, np.random.default_rng(0))
            for sharpness in (1.0, 2.0, 4.0)
        ]
        dived = first_dive(search, np.random.default_rng(0))
        assert dived is not None
        gained.append(dived.cost - min(end.cost for end in ends if end is not None))
    assert np.mean(gained) >= 0


@pytest.mark.parametrize("seed", range(2))
def test_where_numbers_diverge_there_is_no_model_and_no_warning(seed, make_problem):
    # Features in the hundreds: scores move by far more than the kinks allow.
    search = relaxed_search(lambda *sizes: make_problem(*sizes, top=1000), seed, 18, 6)
    assert decimate(search, 10.0, np.random.default_rng(0)) is None


def test_the_same_random_numbers_give_the_same_model(make_problem):
    search = relaxed_search(make_problem, 1)
    first, again = (decimate(search, 2.0, np.random.default_rng(7)) for _ in "ab")
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.weights, again.weights)


def test_after_the_deadline_there_is_no_decimation(make_problem):
    search = relaxed_search(make_problem, 0)
    late = replace(search, deadline=time.perf_counter() - 1.0)
    random = np.random.default_rng(0)
    assert decimate(late, 2.0, random) is None


def test_too_many_rows_are_left_to_dives(monkeypatch, make_problem):
    search = relaxed_search(make_problem, 0)
    monkeypatch.setattr(decimation, "_MOST_ROWS", 3)
    random = np.random.default_rng(0)
    assert decimate(search, 2.0, random) is None


def cheapest_weights(search):
    """Of one sign or 0, by hand."""
    slopes = search.prices.slopes
    return np.where(np.abs(slopes) > 1, -np.sign(slopes) * search.data.sizes, 0)


@pytest.mark.parametrize("left_out", ["_UNLIKELY", "_NEAR"])
def test_without_open_weights_or_rows_each_weight_is_its_cheapest(
    monkeypatch, make_problem, left_out
):
    search = relaxed_search(make_problem, 0)
    monkeypatch.setattr(decimation, "sweep", None)
    if left_out == "_UNLIKELY":
        monkeypatch.setattr(decimation, left_out, 0.0)
    else:
        monkeypatch.setattr(decimation, left_out, -1.0)
        flows = np.zeros_like(search.prices.flows)
        search = replace(search, prices=replace(search.prices, flows=flows))
    # Slopes of exactly ±1 leave two values equally cheap.
    prices = replace(search.prices, slopes=search.prices.slopes + 1e-3)
    search = replace(search, prices=prices)
    model = decimate(search, 2.0, np.random.default_rng(0))
    assert model is not None
    np.testing.assert_array_equal(model.weights, cheapest_weights(search))


def test_intercepts_are_brought_within_their_bound(make_problem):
    found = []
    for seed in range(4):
        problem = replace(make_problem(seed, 24, 14), intercept_bound=0)
        search = relaxed_search(lambda *_, p=problem: p, seed)
        model = decimate(search, 2.0, np.random.default_rng(0))
        assert model is None or np.ptp(model.intercepts) == 0
        found.append(model is not None)
    assert any(found)


@pytest.mark.parametrize("best", [0.4, 1.5, 3.0, 30.0])
def test_the_sharpness_is_sought_until_the_best_one_is_between(best):
    random, tried = np.random.default_rng(0), []
    while not is_settled(tried):
        sharpness = next_sharpness(tried, random)
        tried.append(Tried(sharpness, abs(math.log(sharpness / best))))
        assert len(tried) < 10
    found = min(tried, key=lambda one: one.cost).sharpness
    assert 1 / 1.5 < found / best < 1.5
    near = [next_sharpness(tried, random) for _ in range(100)]
    for better in (0.8, 1.2):  # what is found later leaves it settled
        assert is_settled([*tried, Tried(better * found, -1.0)])
    assert 0.4 < min(near) / found < 0.9
    assert 1.1 < max(near) / found < 2.5


def test_where_every_decimation_fails_walks_begin_with_a_dive(
    monkeypatch, make_problem
):
    search = relaxed_search(make_problem, 2)
    monkeypatch.setattr(beginnings, "decimate", lambda *_: None)
    tried, random = [], np.random.default_rng(0)
    found = None
    while not is_settled(tried):
        assert found is None
        found, tried = begin(search, tried, random)
    assert found is not None
    assert all(one.cost == math.inf for one in tried)


def test_begin_tells_what_the_decimation_cost_and_descends(
    monkeypatch, make_problem, make_random_model
):
    search = relaxed_search(make_problem, 3)
    poor = make_random_model(search.problem, search.data, 0)
    monkeypatch.setattr(beginnings, "decimate", lambda *_: poor)
    found, tried = begin(search, [], np.random.default_rng(0))
    assert found is not None
    assert found.cost < poor.cost
    assert [one.cost for one in tried] == [poor.cost]

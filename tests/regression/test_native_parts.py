"""What the native solver is made of: prices, ranges of weights, blocks, rounding."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native.block_building import build_block
from qpm_jax.regression.native.bound import (
    allowed_weights,
    objective_step,
    price_bound,
    round_up,
)
from qpm_jax.regression.native.model import make_model
from qpm_jax.regression.native.program import solve_block
from qpm_jax.regression.problem import RegressionProblem


def random_problem(seed, instances=12, features=5, classes=3, alpha=2.0, beta=5.0):
    random = np.random.default_rng(seed)
    return RegressionProblem(
        random.integers(0, 2, (instances, features)),
        np.arange(instances) % classes,
        classes,
        alpha,
        beta,
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_model_costs_less_than_any_prices_prove(seed, make_random_model):
    problem = random_problem(seed)
    data = merge(problem)
    prices = np.random.default_rng(seed).uniform(-1, 4, (len(data.labels), 3))
    bound = price_bound(problem, data, prices)
    assert make_random_model(problem, data, seed).cost >= bound.value


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), allowance=st.floats(0, 6))
def test_a_weight_is_allowed_exactly_where_its_reduced_cost_is_small(seed, allowance):
    problem = random_problem(seed, features=8)
    data = merge(problem)
    slopes = np.random.default_rng(seed).uniform(-4, 4, (3, len(data.sizes)))
    lower, upper = allowed_weights(data, slopes, allowance)
    for place in itertools.product(range(3), range(len(data.sizes))):
        size = data.sizes[place[1]]
        values = np.arange(-size, size + 1)
        costs = np.abs(values) + slopes[place] * values
        least = -size * max(abs(slopes[place]) - 1, 0)
        allowed = values[costs <= least + allowance + 1e-8]
        assert (lower[place], upper[place]) == (allowed.min(), allowed.max())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_block_solved_costs_what_its_model_costs_and_no_more_than_before(
    seed, make_random_model
):
    problem = random_problem(seed)
    data = merge(problem)
    model = make_random_model(problem, data, seed)
    free = np.array([True, False, True])
    most = np.broadcast_to(data.sizes, model.weights.shape)
    block = build_block(
        problem,
        data,
        np.where(free[:, None], -most, model.weights).astype(float),
        np.where(free[:, None], most, model.weights).astype(float),
        model.intercepts.astype(float),
        free,
        free,
        np.ones((len(data.labels), 3), bool),
    )
    answer = solve_block(block, time.perf_counter() + 20)
    assert answer.ended
    assert answer.values is not None
    weights, intercepts = block.read(answer.values)
    found = make_model(problem, data, np.round(weights).astype(int), intercepts)
    assert found is not None
    assert found.cost == pytest.approx(
        block.program.objective @ answer.values + block.offset
    )
    assert answer.bound - 1e-6 <= found.cost <= model.cost
    np.testing.assert_array_equal(found.weights[1], model.weights[1])


def test_a_models_cost_is_the_problems_objective(make_random_model):
    problem = random_problem(9)
    data = merge(problem)
    model = make_random_model(problem, data, 1)
    coefficients = data.spread(model.weights)
    assert model.cost == problem.objective(coefficients, model.intercepts)


def test_intercepts_beyond_the_bound_give_no_model():
    problem = RegressionProblem(
        np.eye(2, dtype=int), np.arange(2), 2, 1.0, 1.0, intercept_bound=1
    )
    data = merge(problem)
    weights = np.zeros((2, len(data.sizes)), np.int64)
    assert make_model(problem, data, weights, np.array([0.0, 9.0])) is None


@pytest.mark.parametrize(
    ("alpha", "beta", "step"),
    [(5.0, 10.0, 1.0), (2.5, 5.0, 0.5), (0.1, 0.3, 0.0)],
)
def test_objectives_are_multiples_of_a_step(alpha, beta, step):
    assert objective_step(random_problem(0, alpha=alpha, beta=beta)) == step


def test_a_bound_rises_to_the_next_objective_and_no_further():
    assert round_up(-13615.8, 1.0) == -13615.0
    assert round_up(-13615.0 + 1e-7, 1.0) == -13615.0
    assert round_up(-7.3, 0.0) == -7.3
    assert round_up(-np.inf, 1.0) == -np.inf


def test_a_block_without_a_solution_below_the_cutoff_is_bounded_by_infinity():
    problem = random_problem(6)
    data = merge(problem)
    every = np.ones(3, bool)
    most = np.broadcast_to(data.sizes, (3, len(data.sizes))).astype(float)
    close = np.ones((len(data.labels), 3), bool)
    block = build_block(problem, data, -most, most, np.zeros(3), every, every, close)
    answer = solve_block(block, time.perf_counter() + 20, cutoff=-1e6)
    assert answer.ended
    assert answer.values is None
    assert answer.bound == np.inf

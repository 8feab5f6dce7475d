"""Descent by pairs of steps: true costs, a true local optimum, and ranges kept."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native.model import make_model
from qpm_jax.regression.native.pairs import descend_by_pairs
from qpm_jax.regression.problem import RegressionProblem


def random_problem(seed, top=1, bound=None):
    random = np.random.default_rng(seed)
    features = random.integers(0, top + 1, (15, 5))
    return RegressionProblem(features, np.arange(15) % 3, 3, 2.0, 5.0, bound)


def random_start(problem, data, seed):
    random = np.random.default_rng(seed)
    weights = random.integers(-data.sizes, data.sizes + 1, (3, len(data.sizes)))
    model = make_model(problem, data, weights, np.zeros(3))
    assert model is not None
    return model


def widest(data):
    most = np.broadcast_to(data.sizes, (3, len(data.sizes)))
    return -most, most


def cost(problem, data, weights, intercepts):
    return problem.objective(data.spread(weights), intercepts)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_descent_ends_no_higher_and_says_what_its_model_costs(seed):
    problem = random_problem(seed)
    data = merge(problem)
    start = random_start(problem, data, seed)
    end = descend_by_pairs(problem, data, start, *widest(data))
    assert end.cost <= start.cost
    assert end.cost == pytest.approx(cost(problem, data, end.weights, end.intercepts))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_step_and_no_pair_of_steps_within_a_class_improves_the_end(seed):
    problem = random_problem(seed)
    data = merge(problem)
    end = descend_by_pairs(
        problem, data, random_start(problem, data, seed), *widest(data)
    )
    width = len(data.sizes) + 1
    single = list(itertools.product(range(width), (-1, 1)))
    for chosen, first, second in itertools.product(range(3), single, single):
        model = np.column_stack([end.weights, end.intercepts])
        for column, step in {first, second}:
            model[chosen, column] += step
        if (np.abs(model[:, :-1]) <= data.sizes).all():
            assert cost(problem, data, model[:, :-1], model[:, -1]) >= end.cost - 1e-6


def test_weights_stay_within_their_ranges():
    problem = random_problem(4)
    data = merge(problem)
    start = random_start(problem, data, 4)
    end = descend_by_pairs(problem, data, start, start.weights - 0, start.weights + 1)
    assert end.cost < start.cost
    assert set(np.unique(end.weights - start.weights)) <= {0, 1}


@pytest.mark.parametrize("bound", [0, 1])
def test_intercepts_keep_the_problems_bound(bound):
    problem = random_problem(2, bound=bound)
    data = merge(problem)
    end = descend_by_pairs(problem, data, random_start(problem, data, 2), *widest(data))
    assert np.ptp(end.intercepts) <= 2 * bound


def test_features_other_than_0_and_1_are_left_as_they_are():
    problem = random_problem(3, top=3)
    data = merge(problem)
    start = random_start(problem, data, 3)
    assert descend_by_pairs(problem, data, start, *widest(data)) is start
